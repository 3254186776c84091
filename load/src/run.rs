//! A load run from its first request to its last row.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sqlx::PgPool;
use verdict_audit::evidence::{Answers, Capacity, FlowEvidence};
use verdict_audit::usl::Throughput;
use verdict_audit::{Catalogue, FlowId, Side, Target, Warning};
use verdict_oracle::Oracle;
use verdict_seed::World;

use crate::answers::add;
use crate::changes::Changes;
use crate::client::Http;
use crate::closed::Closed;
use crate::error::{Error, Result};
use crate::evidence::{Level, Measurement, capacity};
use crate::flows::{self, Flow};
use crate::moments::Truth;
use crate::open::Open;
use crate::per_side::{PerSide, SIDES};
use crate::plan::{JUDGED_REQUESTS, LoadPlan, STRETCH};
use crate::schedule::Turns;
use crate::sent_log::SentLog;
use crate::service_url::ServiceUrl;
use crate::tape::Tape;
use crate::verify;

/// Is told how a load run goes.
pub trait LoadWatcher: Sync {
    /// What is done now, and the share of the run that is done, from 0 to 1.
    fn step(&self, what: &str, done: f64);

    /// What a reader must know; told once.
    fn warn(&self, warning: Warning);
}

/// What a load run measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadOutcome {
    /// A row per flow, side and level.
    pub flows: Vec<FlowEvidence>,
    /// Capacity per flow and side.
    pub capacity: Vec<Capacity>,
    /// How the answers of each side compared to the generator's rows, per flow: those before any
    /// timing, a sample of the loaded ones, and every message that was acknowledged.
    pub answers: Vec<(FlowId, PerSide<Answers>)>,
    /// goose's own reports, HTML, one per flow and level of the closed loop.
    pub goose_reports: Vec<PathBuf>,
}

/// Puts a service under load: for each flow, first the same requests to both sides, then the
/// closed loop at each number of users, then the open loop at each rate; the sides alternate.
///
/// With `databases` what is sent is held to what is stored, and taken back after every window,
/// and before an error or the outcome is returned, as is what is written into what is read;
/// without them the rows stay, and a warning says so, nothing else is written, and the sides take
/// turns by the wall clock, so that several generators can drive one service. goose takes over
/// Ctrl-C for the rest of the process: the first one ends the run with [`Error::Interrupted`],
/// a second one the process.
///
/// # Errors
/// A plan that asks for nothing, a service that does not answer, a world that lacks what a flow
/// asks for, rows that cannot be taken back. Wrong answers are no error: they are counted.
pub fn run<'a>(
    service: &'a ServiceUrl,
    world: &'a World,
    plan: &'a LoadPlan,
    databases: Option<&'a PerSide<PgPool>>,
    watcher: &'a dyn LoadWatcher,
    artefacts: &'a Path,
) -> BoxFuture<'a, Result<LoadOutcome>> {
    // Boxed here, so that it is compiled once and not in every program that loads.
    Box::pin(drive(service, world, plan, databases, watcher, artefacts))
}

async fn drive(
    service: &ServiceUrl,
    world: &World,
    plan: &LoadPlan,
    databases: Option<&PerSide<PgPool>>,
    watcher: &dyn LoadWatcher,
    artefacts: &Path,
) -> Result<LoadOutcome> {
    plan.check()?;
    std::fs::create_dir_all(artefacts).map_err(|source| Error::Artefacts {
        path: artefacts.display().to_string(),
        source,
    })?;
    let sent = Arc::new(SentLog::new(databases.cloned()));
    let truth = Truth::new(Oracle::new(world));
    let mut run = Run {
        http: Http::connect(service, Arc::clone(&sent)).await?,
        service,
        changes: Changes::new(&truth, databases.cloned(), plan.seed),
        truth,
        plan,
        sent,
        watcher,
        artefacts,
        generator: generator(),
        done: 0,
        outcome: LoadOutcome::default(),
    };
    for id in &plan.flows {
        run.flow(*id).await?;
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
    service: &'a ServiceUrl,
    truth: Truth,
    changes: Changes,
    plan: &'a LoadPlan,
    sent: Arc<SentLog>,
    watcher: &'a dyn LoadWatcher,
    artefacts: &'a Path,
    generator: u64,
    /// Levels done, checks of answers included.
    done: usize,
    outcome: LoadOutcome,
}

/// What was measured at one level.
struct Measured {
    level: Level,
    tapes: PerSide<Tape>,
}

impl Run<'_> {
    async fn flow(&mut self, id: FlowId) -> Result<()> {
        let mut random = ChaCha8Rng::seed_from_u64(self.plan.seed);
        random.set_stream(id as u64);
        let flow = flows::flow(id, &self.truth, &mut random)?;
        let Some(target) = Catalogue::builtin().target(id) else {
            return Err(Error::EmptyPlan {
                what: "target of the audit for one of its flows",
            });
        };
        if flow.keeper().is_some() && !self.sent.restores() {
            self.watcher.warn(Warning::RowsStay);
        }
        let levels = self.levels(&flow, &mut random).await;
        // What was late in the last windows, or is there because something failed.
        let sent = self.sent.take_back().await;
        let changed = self.changes.take_back().await;
        let (mut answers, measured) = levels?;
        sent.and(changed)?;
        for side in SIDES {
            let answers = answers.of_mut(side);
            for measured in &measured {
                add(answers, measured.tapes.of(side).answers.clone());
            }
            if let Some(first) = &answers.first_difference {
                self.watcher.warn(Warning::FlowAnswersDiffer {
                    flow: id,
                    side,
                    differing: answers.differing,
                    checked: answers.checked,
                    first: first.clone(),
                });
            }
        }
        self.rows(&*flow, target, &answers, &measured)?;
        self.capacities(target, &measured);
        self.outcome.answers.push((id, answers));
        Ok(())
    }

    /// The answers before any timing, and what was measured at each level.
    async fn levels(
        &mut self,
        flow: &Arc<dyn Flow>,
        random: &mut ChaCha8Rng,
    ) -> Result<(PerSide<Answers>, Vec<Measured>)> {
        self.step(&format!("{}: do both sides answer rightly", flow.id()));
        let (http, sent) = (&self.http, &self.sent);
        let answers = verify::before(&**flow, http, sent, &self.changes, random).await?;
        let mut measured = Vec::new();
        for users in &self.plan.users {
            let tapes = self.closed(flow, *users).await?;
            measured.push(Measured {
                level: Level::Users(*users),
                tapes,
            });
        }
        for rate in self.rates(&measured) {
            let tapes = self.open(flow, rate).await?;
            measured.push(Measured {
                level: Level::Rate(rate),
                tapes,
            });
        }
        Ok((answers, measured))
    }

    async fn closed(&mut self, flow: &Arc<dyn Flow>, users: u32) -> Result<PerSide<Tape>> {
        let id = flow.id();
        self.step(&format!("{id}: {users} users"));
        let report = self
            .artefacts
            .join(format!("goose-{id}-{users}-users.html"));
        let judged = users == Catalogue::builtin().judged_users;
        // Generators that take turns by the clock must all take as many.
        let stretch = if judged && self.sent.restores() {
            STRETCH
        } else {
            1
        };
        let tapes = Closed {
            http: &self.http,
            service: self.service,
            flow,
            users,
            plan: self.plan,
            windows: (self.plan.windows, self.plan.windows * stretch),
            wanted: JUDGED_REQUESTS,
            generator: self.generator,
            sent: &self.sent,
            changes: &self.changes,
            report: &report,
        }
        .run(self.turns())
        .await?;
        self.outcome.goose_reports.push(report);
        Ok(tapes)
    }

    async fn open(&mut self, flow: &Arc<dyn Flow>, rate: f64) -> Result<PerSide<Tape>> {
        self.step(&format!("{}: {rate:.0} requests/s", flow.id()));
        Open {
            http: &self.http,
            flow,
            rate,
            plan: self.plan,
            generator: self.generator,
            sent: &self.sent,
            changes: &self.changes,
        }
        .run(self.turns())
        .await
    }

    /// A service elsewhere may have other generators at it, and all must be at the same side.
    fn turns(&self) -> Turns {
        if self.sent.restores() {
            Turns::alone()
        } else {
            Turns::by_clock(self.plan.warm_up + self.plan.window)
        }
    }

    /// A row for each side at each level. One wrong answer at any of them, and every row of that
    /// side is wrong; the other side's stand by themselves.
    fn rows(
        &mut self,
        flow: &dyn Flow,
        target: &Target,
        answers: &PerSide<Answers>,
        measured: &[Measured],
    ) -> Result<()> {
        for measured in measured {
            for side in SIDES {
                let tape = measured.tapes.of(side);
                let row = Measurement {
                    target,
                    side,
                    level: measured.level,
                    window: self.plan.window,
                    tape,
                    answers: answers.of(side),
                    about: self.about(flow, tape),
                }
                .evidence()?;
                self.outcome.flows.push(row);
            }
        }
        Ok(())
    }

    fn about(&self, flow: &dyn Flow, tape: &Tape) -> String {
        let asked = flow.about();
        let held = tape.answers.checked;
        let rows = match (flow.keeper().is_some(), self.sent.restores()) {
            (true, true) => format!(
                ", read back and taken back after each window, in the fullest of which {} were sent",
                tape.most_sent
            ),
            (true, false) => "; the rows stay there, unread".to_owned(),
            (false, _) => String::new(),
        };
        let changed = self.changes.about(flow);
        format!(
            "{asked}{rows}; {changed}; {held} answers under this load held to what is due, whole rows"
        )
    }

    fn capacities(&mut self, target: &Target, measured: &[Measured]) {
        let seconds = self.plan.window.as_secs_f64();
        for side in SIDES {
            let windows: Vec<Throughput> = measured
                .iter()
                .filter_map(|measured| match measured.level {
                    Level::Users(users) => Some((users, measured.tapes.of(side))),
                    Level::Rate(_) => None,
                })
                .flat_map(|(users, tape)| {
                    tape.answered.iter().map(move |answered| Throughput {
                        users,
                        rate: *answered as f64 / seconds,
                    })
                })
                .collect();
            let (capacity, warning) =
                capacity(target, side, &self.outcome.flows, &windows, self.plan.seed);
            self.outcome.capacity.push(capacity);
            if let Some(warning) = warning {
                self.watcher.warn(warning);
            }
        }
    }

    /// The rates of the open loop: the plan's, or shares of the most that the slower side
    /// reached in the closed loop.
    fn rates(&self, closed: &[Measured]) -> Vec<f64> {
        if !self.plan.rates.is_empty() {
            return self.plan.rates.clone();
        }
        let peak = |side: Side| {
            closed
                .iter()
                .map(|measured| measured.tapes.of(side).throughput(self.plan.window))
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
}
