//! A load run from its first request to its last row.

mod climb;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tokio::time::timeout;
use verdict_audit::evidence::Answers;
use verdict_audit::flow_judge::{OPEN_SHARE, judge_load};
use verdict_audit::{Catalogue, FlowId, Side, Target, Warning};
use verdict_oracle::Oracle;
use verdict_seed::World;

use crate::answers::add;
use crate::changes::Changes;
use crate::client::Http;
use crate::closed::Closed;
use crate::databases::Databases;
use crate::error::{Error, Result};
use crate::evidence::{Level, ratios};
use crate::findings::{Findings, Measured};
use crate::flows::{self, Flow};
use crate::moments::Truth;
use crate::open::Open;
use crate::outcome::LoadOutcome;
use crate::per_side::{PerSide, SIDES};
use crate::plan::{LoadPlan, STRETCH};
use crate::schedule::Turns;
use crate::sent_log::SentLog;
use crate::service_url::ServiceUrl;
use crate::stillness::{Patience, stands_still};
use crate::tape::Tape;
use crate::verify;

/// Is told how a load run goes.
pub trait LoadWatcher: Sync {
    /// What is done now, and the share of the run that is done, from 0 to 1.
    fn step(&self, what: &str, done: f64);

    /// What whoever waits wants to know, and nobody else.
    fn say(&self, words: &str);

    /// What a reader must know; told once.
    fn warn(&self, warning: Warning);
}

/// Puts a service under load: for each flow, first the same requests to both sides, then the
/// closed loop at each number of users, then the open loop at each rate, at last up to where the
/// goal breaks; the sides alternate.
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
    databases: Option<&'a Databases>,
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
    databases: Option<&Databases>,
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
        http: Http::connect(service, plan.patience, Arc::clone(&sent)).await?,
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
    let still = {
        let mut flows = std::pin::pin!(run.flows());
        tokio::select! {
            done = &mut flows => {
                done?;
                None
            }
            still = stands_still(service.as_str(), Patience::OURS, watcher) => {
                // What was sent is taken back, where that does not wait for the service, too.
                interrupt("the service stands still");
                let _ = timeout(GOING, &mut flows).await;
                Some(still)
            }
        }
    };
    if let Some(still) = still {
        return Err(still);
    }
    watcher.step("done", 1.0);
    let mut outcome = run.outcome;
    outcome.flow_ratios.extend(ratios(&outcome.flows)?);
    outcome.targets = judge_load(&mut outcome.flows, &mut outcome.flow_ratios, 0);
    Ok(outcome)
}

/// How long a load that was told to end is waited for.
const GOING: Duration = Duration::from_secs(10);

/// Ends the load of this process as Ctrl-C would: what it sent is taken back, and it answers
/// [`Error::Interrupted`].
pub fn interrupt(reason: &str) {
    goose::trigger_killswitch(reason);
}

/// Whether the load of this process was ended so, or by Ctrl-C.
pub fn interrupted() -> bool {
    goose::is_killswitch_triggered()
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

/// What was asked at every level.
struct Levels {
    /// The answers before any timing.
    answers: PerSide<Answers>,
    measured: Vec<Measured>,
    /// Today against itself.
    itself: Vec<(Level, PerSide<Tape>)>,
}

impl Run<'_> {
    async fn flows(&mut self) -> Result<()> {
        for (place, id) in self.plan.flows.iter().enumerate() {
            self.flow(*id, place < self.plan.self_checks).await?;
        }
        Ok(())
    }

    async fn flow(&mut self, id: FlowId, checks_itself: bool) -> Result<()> {
        let mut random = ChaCha8Rng::seed_from_u64(self.plan.seed);
        random.set_stream(id as u64);
        let flow = flows::flow(id, &self.truth, &mut random)?;
        let target = Catalogue::builtin().target(id);
        if flow.keeper().is_some() && !self.sent.restores() {
            self.watcher.warn(Warning::RowsStay);
        }
        let levels = self.levels(&flow, target, checks_itself, &mut random).await;
        // What was late in the last windows, or is there because something failed.
        let sent = self.sent.take_back().await;
        let changed = self.changes.take_back().await;
        let Levels {
            mut answers,
            measured,
            itself,
        } = levels?;
        sent.and(changed)?;
        for measured in &measured {
            add(answers.of_mut(measured.side), measured.tape.answers.clone());
        }
        for (_, tapes) in &itself {
            for tape in [&tapes.baseline, &tapes.optimized] {
                add(&mut answers.baseline, tape.answers.clone());
            }
        }
        for side in SIDES {
            let answers = answers.of(side);
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
        let findings = Findings {
            flow: &*flow,
            target,
            plan: self.plan,
            restores: self.sent.restores(),
            changes: self.changes.about(&*flow),
            measured: &measured,
            itself: &itself,
            answers: &answers,
        };
        for warning in findings.add_to(&mut self.outcome)? {
            self.watcher.warn(warning);
        }
        self.outcome.answers.push((id, answers));
        Ok(())
    }

    async fn levels(
        &mut self,
        flow: &Arc<dyn Flow>,
        target: Option<&Target>,
        checks_itself: bool,
        random: &mut ChaCha8Rng,
    ) -> Result<Levels> {
        self.step(&format!("{}: do both sides answer rightly", flow.id()));
        let (http, sent) = (&self.http, &self.sent);
        let deadline = Instant::now() + self.plan.before;
        let answers = verify::before(&**flow, http, sent, &self.changes, random, deadline).await?;
        let mut measured = Vec::new();
        let mut itself = Vec::new();
        for users in &self.plan.users {
            let tapes = self.closed(flow, *users, PerSide::each()).await?;
            measured.extend(Measured::both(Level::Users(*users), tapes));
            if checks_itself && *users == judged_users() {
                let tapes = self
                    .closed(flow, *users, PerSide::twice(Side::Baseline))
                    .await?;
                itself.push((Level::Users(*users), tapes));
            }
        }
        for (rate, judged) in self.rates(&measured) {
            let tapes = self.open(flow, rate, judged, PerSide::each()).await?;
            measured.extend(Measured::both(Level::Rate(rate), tapes));
            if checks_itself && judged {
                let seats = PerSide::twice(Side::Baseline);
                let tapes = self.open(flow, rate, judged, seats).await?;
                itself.push((Level::Rate(rate), tapes));
            }
        }
        // Without a goal there is nothing that a higher rate could break.
        if let Some(target) = target {
            for side in SIDES {
                self.climb(flow, target, side, &mut measured).await?;
            }
        }
        Ok(Levels {
            answers,
            measured,
            itself,
        })
    }

    async fn closed(
        &mut self,
        flow: &Arc<dyn Flow>,
        users: u32,
        seats: PerSide<Side>,
    ) -> Result<PerSide<Tape>> {
        let id = flow.id();
        let (what, file) = if seats == PerSide::each() {
            (
                format!("{users} users"),
                format!("goose-{id}-{users}-users"),
            )
        } else {
            (
                "today against itself".to_owned(),
                format!("goose-{id}-{users}-users-today-against-itself"),
            )
        };
        self.step(&format!("{id}: {what}"));
        let report = self.artefacts.join(format!("{file}.html"));
        let judged = users == judged_users();
        let windows = if seats == PerSide::each() {
            self.plan.windows_at(judged)
        } else {
            self.plan.self_windows
        };
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
            seats,
            users,
            plan: self.plan,
            windows: (windows, windows * stretch),
            wanted: self.plan.wanted,
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

    async fn open(
        &mut self,
        flow: &Arc<dyn Flow>,
        rate: f64,
        judged: bool,
        seats: PerSide<Side>,
    ) -> Result<PerSide<Tape>> {
        let mut open = self.at_rate(flow, rate, judged);
        let what = if seats == PerSide::each() {
            String::new()
        } else {
            open.windows = self.plan.self_windows;
            ", today against itself".to_owned()
        };
        open.seats = seats;
        let turns = self.turns();
        self.watcher.step(
            &format!("{}: {rate:.0} requests/s{what}", flow.id()),
            self.share(),
        );
        let tapes = open.run(turns).await?;
        self.done += 1;
        let held_back = tapes.baseline.held_back + tapes.optimized.held_back;
        self.tell_held_back(flow.id(), rate, held_back);
        Ok(tapes)
    }

    fn at_rate<'o>(&'o self, flow: &'o Arc<dyn Flow>, rate: f64, judged: bool) -> Open<'o> {
        let windows = if self.sent.restores() && self.plan.rates.is_empty() {
            self.plan.windows_of(rate, judged)
        } else {
            self.plan.windows_at(judged)
        };
        Open {
            http: &self.http,
            flow,
            seats: PerSide::each(),
            rate,
            windows,
            plan: self.plan,
            generator: self.generator,
            sent: &self.sent,
            changes: &self.changes,
        }
    }

    fn tell_held_back(&self, flow: FlowId, rate: f64, requests: u64) {
        if requests > 0 {
            self.watcher.warn(Warning::HeldBack {
                flow,
                rate: rate.round() as u64,
                requests,
                most: self.plan.at_once,
            });
        }
    }

    /// A service elsewhere may have other generators at it, and all must be at the same side.
    fn turns(&self) -> Turns {
        if self.sent.restores() {
            Turns::alone()
        } else {
            Turns::by_clock(self.plan.warm_up + self.plan.window)
        }
    }

    /// The most that a side reached in the closed loop.
    fn best(&self, measured: &[Measured], side: Side) -> f64 {
        measured
            .iter()
            .filter(|measured| measured.side == side && matches!(measured.level, Level::Users(_)))
            .map(|measured| measured.tape.throughput(self.plan.window))
            .fold(0.0, f64::max)
    }

    /// The rates of the open loop that both sides meet, and whether the targets are judged there:
    /// the plan's, or shares of the slower side's throughput in the closed loop.
    fn rates(&self, closed: &[Measured]) -> Vec<(f64, bool)> {
        if !self.plan.rates.is_empty() {
            return self.plan.rates.iter().map(|rate| (*rate, false)).collect();
        }
        let of = |side: Side| {
            let judged =
                |one: &&Measured| one.side == side && one.level == Level::Users(judged_users());
            let here = closed.iter().find(judged);
            here.map_or_else(
                || self.best(closed, side),
                |one| one.tape.throughput(self.plan.window),
            )
        };
        let slower = of(Side::Baseline).min(of(Side::Optimized));
        // A side that answered nothing gives no rate.
        self.plan
            .shares
            .iter()
            .map(|share| (share * slower, *share == OPEN_SHARE))
            .filter(|(rate, _)| *rate > 0.0)
            .collect()
    }

    /// The share of the run that is done.
    fn share(&self) -> f64 {
        let rates = match self.plan.rates.len() {
            0 => self.plan.shares.len(),
            given => given,
        };
        let levels = 1 + self.plan.users.len() + rates;
        let checks = self.plan.self_checks.min(self.plan.flows.len()) * self.plan.loops_judged();
        let steps = self.plan.flows.len() * levels + checks;
        (self.done as f64 / steps as f64).min(1.0)
    }

    fn step(&mut self, what: &str) {
        self.watcher.step(what, self.share());
        self.done += 1;
    }
}

/// Users of the closed loop at which the audit's targets are judged.
fn judged_users() -> u32 {
    Catalogue::builtin().judged_users
}
