//! A load run from its first request to its last row.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use verdict_audit::evidence::{Answers, Capacity, FlowEvidence};
use verdict_audit::usl::Throughput;
use verdict_audit::{Catalogue, FlowId, Side, catalogue};
use verdict_seed::World;

use super::client::Http;
use super::closed::Closed;
use super::error::{Error, Result};
use super::evidence::{Level, Measurement, capacity};
use super::open::Open;
use super::plan::{JUDGED_REQUESTS, LoadPlan, STRETCH};
use super::restore::{Restore, SentLog};
use super::schedule::{SIDES, Sides, Turns};
use super::tape::Tape;
use super::verify::verify;
use crate::flows::{self, Flow};

/// The service under load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its address, such as `http://127.0.0.1:8080`; both sides lie below it.
    pub url: String,
}

/// Is told how a load run goes.
pub trait LoadWatcher: Sync {
    /// What is done now, and the share of the run that is done, from 0 to 1.
    fn step(&self, what: &str, done: f64);

    /// What a reader must know, as soon as it is known.
    fn warn(&self, what: &str);
}

/// What a load run measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadOutcome {
    /// A row per flow, side and level.
    pub flows: Vec<FlowEvidence>,
    /// Capacity per flow and side.
    pub capacity: Vec<Capacity>,
    /// How the two sides' answers compared before any timing, per flow.
    pub answers: Vec<(FlowId, Answers)>,
    /// goose's own reports, HTML, one per flow and level of the closed loop.
    pub goose_reports: Vec<PathBuf>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// Puts a service under load: for each flow, first the same requests to both sides, then the
/// closed loop at each number of users, then the open loop at each rate; the sides alternate.
///
/// With `restore` what is sent is taken back after every window, and before an error or the
/// outcome is returned; without it the rows stay, and a warning says so, and the sides take
/// turns by the wall clock, so that several generators can drive one service. goose takes over
/// Ctrl-C for the rest of the process: the first one ends the run with [`Error::Interrupted`],
/// a second one the process.
///
/// # Errors
/// A plan that asks for nothing, a service that does not answer, a world that lacks what a flow
/// asks for, rows that cannot be taken back. Wrong answers are no error: they are counted.
pub async fn run(
    target: &Target,
    world: &World,
    plan: &LoadPlan,
    restore: Option<&dyn Restore>,
    watcher: &dyn LoadWatcher,
    artefacts: &Path,
) -> Result<LoadOutcome> {
    plan.check()?;
    std::fs::create_dir_all(artefacts).map_err(|source| Error::Artefacts {
        path: artefacts.display().to_string(),
        source,
    })?;
    let sent = Arc::new(SentLog::default());
    let mut run = Run {
        http: Http::connect(&target.url, Arc::clone(&sent)).await?,
        target,
        plan,
        sent,
        restore,
        watcher,
        artefacts,
        generator: generator(),
        done: 0,
        outcome: LoadOutcome::default(),
    };
    for id in &plan.flows {
        run.flow(*id, world).await?;
    }
    watcher.step("done", 1.0);
    Ok(run.outcome)
}

/// Which of several generators this one is: the number that Kubernetes gives to each member of
/// an indexed Job, or 0. Members ask for different things and at different instants.
fn generator() -> u64 {
    std::env::var("JOB_COMPLETION_INDEX")
        .ok()
        .and_then(|index| index.parse::<u32>().ok())
        .unwrap_or(0)
        .into()
}

struct Run<'a> {
    http: Http,
    target: &'a Target,
    plan: &'a LoadPlan,
    sent: Arc<SentLog>,
    restore: Option<&'a dyn Restore>,
    watcher: &'a dyn LoadWatcher,
    artefacts: &'a Path,
    generator: u64,
    /// Levels done, checks of answers included.
    done: usize,
    outcome: LoadOutcome,
}

/// A flow with what is known of it before it is timed.
struct Subject {
    flow: Arc<dyn Flow>,
    audited: &'static catalogue::Flow,
    answers: Answers,
}

impl Run<'_> {
    async fn flow(&mut self, id: FlowId, world: &World) -> Result<()> {
        let mut random = ChaCha8Rng::seed_from_u64(self.plan.seed);
        random.set_stream(id as u64);
        let flow = flows::flow(id, world, &mut random)?;
        let Some(audited) = Catalogue::builtin().flow(id) else {
            return Err(Error::EmptyPlan {
                what: "target of the audit for one of its flows",
            });
        };
        if id == FlowId::Send && self.restore.is_none() {
            self.warn(
                "no access to the service's databases: the messages that are sent stay, and the \
                 conversations grow while they are measured"
                    .to_owned(),
            );
        }
        self.step(&format!("{id}: do both sides answer alike"));
        let answers = verify(&*flow, &self.http, &self.sent, self.restore, &mut random).await?;
        if let Some(first) = &answers.first_difference {
            self.warn(format!(
                "flow {id}: {} of {} requests are answered differently by the two sides, so \
                 nothing of it is confirmed; first: {first}",
                answers.differing, answers.checked
            ));
        }
        self.outcome.answers.push((id, answers.clone()));
        let subject = Subject {
            flow,
            audited,
            answers,
        };

        let mut windows = Sides::<Vec<Throughput>>::default();
        for users in &self.plan.users {
            let tapes = self.closed(&subject, *users).await?;
            for side in SIDES {
                let rates = tapes.of(side).answered.iter().map(|answered| Throughput {
                    users: *users,
                    rate: *answered as f64 / self.plan.window.as_secs_f64(),
                });
                windows.of_mut(side).extend(rates);
            }
            self.rows(&subject, Level::Users(*users), &tapes)?;
        }
        for rate in self.rates(id) {
            let tapes = self.open(&subject, rate).await?;
            self.rows(&subject, Level::Rate(rate), &tapes)?;
        }
        for side in SIDES {
            let (capacity, warning) = capacity(
                audited,
                side,
                &self.outcome.flows,
                windows.of(side),
                self.plan.seed,
            );
            self.outcome.capacity.push(capacity);
            if let Some(warning) = warning {
                self.warn(warning);
            }
        }
        Ok(())
    }

    async fn closed(&mut self, subject: &Subject, users: u32) -> Result<Sides<Tape>> {
        let id = subject.flow.id();
        self.step(&format!("{id}: {users} users"));
        let report = self
            .artefacts
            .join(format!("goose-{id}-{users}-users.html"));
        let judged = users == Catalogue::builtin().judged_users;
        // Generators that take turns by the clock must all take as many.
        let stretch = if judged && self.restore.is_some() {
            STRETCH
        } else {
            1
        };
        let tapes = Closed {
            url: &self.target.url,
            flow: &subject.flow,
            users,
            plan: self.plan,
            windows: (self.plan.windows, self.plan.windows * stretch),
            wanted: JUDGED_REQUESTS,
            generator: self.generator,
            sent: &self.sent,
            restore: self.restore,
            report: &report,
        }
        .run(self.turns())
        .await?;
        self.outcome.goose_reports.push(report);
        Ok(tapes)
    }

    async fn open(&mut self, subject: &Subject, rate: f64) -> Result<Sides<Tape>> {
        self.step(&format!("{}: {rate:.0} requests/s", subject.flow.id()));
        Open {
            http: &self.http,
            flow: &subject.flow,
            rate,
            plan: self.plan,
            generator: self.generator,
            sent: &self.sent,
            restore: self.restore,
        }
        .run(self.turns())
        .await
    }

    /// A service elsewhere may have other generators at it, and all must be at the same side.
    fn turns(&self) -> Turns {
        match self.restore {
            Some(_) => Turns::alone(),
            None => Turns::by_clock(self.plan.warm_up + self.plan.window),
        }
    }

    fn rows(&mut self, subject: &Subject, level: Level, tapes: &Sides<Tape>) -> Result<()> {
        for side in SIDES {
            let tape = tapes.of(side);
            let row = Measurement {
                flow: subject.audited,
                side,
                level,
                window: self.plan.window.as_secs_f64(),
                tape,
                answers: &subject.answers,
                about: self.about(subject, tape),
            }
            .evidence()?;
            self.outcome.flows.push(row);
        }
        Ok(())
    }

    fn about(&self, subject: &Subject, tape: &Tape) -> String {
        let asked = subject.flow.about();
        match (subject.flow.id(), self.restore) {
            (FlowId::Send, Some(_)) => format!(
                "{asked}, taken back after each window, in the fullest of which {} were sent",
                tape.most_sent
            ),
            (FlowId::Send, None) => format!("{asked}; the rows stay there"),
            _ => asked.to_owned(),
        }
    }

    /// The rates of the open loop: the plan's, or shares of what the slower side reached.
    fn rates(&self, id: FlowId) -> Vec<f64> {
        if !self.plan.rates.is_empty() {
            return self.plan.rates.clone();
        }
        let id = id.to_string();
        let peak = |side: Side| {
            let side = side.to_string();
            self.outcome
                .flows
                .iter()
                .filter(|row| row.id == id && row.side == side)
                .map(|row| row.throughput)
                .fold(0.0, f64::max)
        };
        let slower = peak(Side::Baseline).min(peak(Side::Optimized));
        // A side that answered nothing gives no rate.
        self.plan
            .shares
            .iter()
            .map(|share| share * slower)
            .filter(|rate| *rate > 0.0)
            .collect()
    }

    fn step(&mut self, what: &str) {
        let rates = match self.plan.rates.len() {
            0 => self.plan.shares.len(),
            given => given,
        };
        let levels = 1 + self.plan.users.len() + rates;
        let steps = self.plan.flows.len() * levels;
        self.watcher.step(what, self.done as f64 / steps as f64);
        self.done += 1;
    }

    fn warn(&mut self, what: String) {
        self.watcher.warn(&what);
        self.outcome.warnings.push(what);
    }
}
