//! The closed loop: users under goose who each wait for their answer before they ask again.
//!
//! One goose attack per level. Its users stay from the first window to the last and follow a
//! gate that says which side it is the turn of; while the gate is shut nobody asks, what was
//! sent is taken back, and the turn passes. goose's own clock has whole seconds and counts the
//! ramp-up, so each latency is recorded here, answer's body included.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::metrics::GooseRequestMetric;
use goose::prelude::{
    GooseAttack, GooseError, GooseMethod, GooseMetrics, GooseRequest, GooseUser, Scenario,
    Transaction, TransactionError, TransactionFunction, TransactionResult,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::{RwLock, RwLockWriteGuard};
use verdict_audit::Side;

use crate::body::{Answer, whole, words};
use crate::changes::Changes;
use crate::client::Http;
use crate::error::{Error, Result};
use crate::flows::call::{Amiss, Call};
use crate::flows::{self, Flow};
use crate::hush::hush;
use crate::per_side::{PerSide, SIDES};
use crate::plan::LoadPlan;
use crate::schedule::Turns;
use crate::sent_log::SentLog;
use crate::service_url::ServiceUrl;
use crate::tape::{Measured, Tape};
use crate::usage::share_during;
use crate::verify;

/// One level of the closed loop.
pub(crate) struct Closed<'a> {
    pub http: &'a Http,
    pub service: &'a ServiceUrl,
    pub flow: &'a Arc<dyn Flow>,
    /// Who is asked in either side's turns: that side, or one of them in both.
    pub seats: PerSide<Side>,
    pub users: u32,
    pub plan: &'a LoadPlan,
    /// Windows of each side, and the requests of each side that are wanted before they end;
    /// windows are added up to the second number of them.
    pub windows: (usize, usize),
    pub wanted: u64,
    /// Which of the generators at work this one is: each has requests of its own.
    pub generator: u64,
    pub sent: &'a Arc<SentLog>,
    pub changes: &'a Changes,
    /// Where goose's own report goes.
    pub report: &'a Path,
}

/// Whose turn it is.
enum Turn {
    Of(Side, Measured),
    Over,
}

/// What the users of an attack share with the one who opens and shuts the gate.
struct Stage {
    flow: Arc<dyn Flow>,
    seats: PerSide<Side>,
    sent: Arc<SentLog>,
    /// The gate: held shared through a request, so that whoever holds it alone has shut it and
    /// knows that no request is on its way.
    gate: RwLock<Turn>,
    arrived: AtomicU32,
    users: u32,
    tapes: PerSide<Mutex<Tape>>,
    warm_up: Duration,
    seed: u64,
    /// Of the random streams of the users, the one before the first.
    stream: u64,
}

impl Closed<'_> {
    /// Runs the level: the tapes of both sides.
    pub async fn run(&self, order: Turns) -> Result<PerSide<Tape>> {
        let stage = Arc::new(Stage {
            flow: Arc::clone(self.flow),
            seats: self.seats.clone(),
            sent: Arc::clone(self.sent),
            gate: RwLock::new(Turn::Over),
            arrived: AtomicU32::new(0),
            users: self.users,
            tapes: PerSide {
                baseline: Mutex::new(Tape::new(self.plan.seed)),
                optimized: Mutex::new(Tape::new(self.plan.seed)),
            },
            warm_up: self.plan.warm_up,
            seed: self.plan.seed,
            stream: (self.generator << 40) + (u64::from(self.users) << 20),
        });
        // Shut before the first user can come to it.
        let gate = stage.gate.write().await;
        let turns = self.turns(&stage, gate, order);
        let attack = self.attack(Arc::clone(&stage));
        tokio::pin!(attack, turns);
        let outcome = tokio::select! {
            outcome = &mut turns => {
                attack.await.map_err(|error| self.goose_failed(&error))?;
                outcome
            }
            // Before its users were told that it is over.
            ended = &mut attack => match ended {
                Err(error) => Err(self.goose_failed(&error)),
                Ok(_) => Err(Error::Interrupted),
            },
        };
        outcome?;
        let of = |side| std::mem::replace(&mut *lock(stage.tapes.of(side)), Tape::new(0));
        Ok(PerSide {
            baseline: of(Side::Baseline),
            optimized: of(Side::Optimized),
        })
    }

    /// Opens the gate for one window after the other, and leaves it saying that it is over.
    async fn turns<'s>(
        &self,
        stage: &'s Stage,
        mut gate: RwLockWriteGuard<'s, Turn>,
        mut order: Turns,
    ) -> Result<()> {
        while stage.arrived.load(Ordering::Relaxed) < self.users {
            tokio::time::sleep(Duration::from_millis(2)).await;
            if goose::is_killswitch_triggered() {
                return Err(Error::Interrupted);
            }
        }
        let (least, most) = self.windows;
        for turn in 0..2 * most {
            let enough = SIDES
                .iter()
                .all(|side| lock(stage.tapes.of(*side)).requests() >= self.wanted);
            // Only after whole pairs: both sides get as many windows.
            if turn >= 2 * least && turn % 2 == 0 && enough {
                break;
            }
            let side = order.next().await;
            let asked = *self.seats.of(side);
            self.changes.renew(asked, &**self.flow).await?;
            lock(stage.tapes.of(side)).next_window();
            let opened = Instant::now();
            let measured = Measured::opening_now(self.plan.warm_up, self.plan.window);
            *gate = Turn::Of(side, measured);
            drop(gate);
            let amid = self.changes.amid(asked, measured.middle());
            let (changed, share) = tokio::join!(amid, share_during(measured));
            gate = stage.gate.write().await;
            *gate = Turn::Over;
            changed?;
            let samples = lock(stage.tapes.of(side)).samples();
            let with = (self.http, &**self.sent);
            let window = verify::window(asked, &**self.flow, with, samples).await?;
            let answered = {
                let mut tape = lock(stage.tapes.of(side));
                tape.close_window(window, share);
                tape.answered()
            };
            if goose::is_killswitch_triggered() {
                return Err(Error::Interrupted);
            }
            self.http.answered(answered, opened).await?;
        }
        Ok(())
    }

    fn goose_failed(&self, error: &GooseError) -> Error {
        Error::Goose {
            flow: self.flow.id().to_string(),
            users: self.users,
            reason: match error {
                // Its own words leave out what is wrong.
                GooseError::InvalidOption { detail, .. } => detail.clone(),
                other => other.to_string(),
            },
        }
    }

    async fn attack(&self, stage: Arc<Stage>) -> std::result::Result<GooseMetrics, GooseError> {
        let users = self.users.to_string();
        let report = self.report.to_string_lossy();
        let configuration = GooseConfiguration::parse_args_default(&[
            "--host",
            self.service.as_str(),
            "--users",
            &users,
            // All at once: nobody asks before everyone is there.
            "--increase-rate",
            "1000",
            "--iterations",
            "1",
            "--no-telnet",
            "--quiet",
            "--no-print-metrics",
            "--report-file",
            &report,
        ])?;
        hush();
        let user: TransactionFunction = Arc::new(move |user| user_of(Arc::clone(&stage), user));
        GooseAttack::initialize_with_config(configuration)?
            // One client for all of them: 64 stores of certificates take seconds to read.
            .set_client_builder_without_cookies(
                GooseClientBuilder::new()
                    .without_cookies()
                    .timeout(self.plan.patience),
            )?
            .register_scenario(
                Scenario::new(&self.flow.id().to_string())
                    .register_transaction(Transaction::new(user).set_name("stay")),
            )
            .execute()
            .await
    }
}

/// A user's whole stay: asks whenever the gate is open, and leaves when it is over.
fn user_of(stage: Arc<Stage>, user: &mut GooseUser) -> BoxFuture<'_, TransactionResult> {
    Box::pin(async move {
        let mut random = ChaCha8Rng::seed_from_u64(stage.seed);
        random.set_stream(stage.stream + user.weighted_users_index as u64);
        stage.arrived.fetch_add(1, Ordering::Relaxed);
        loop {
            let gate = stage.gate.read().await;
            let Turn::Of(side, measured) = *gate else {
                return Ok(());
            };
            let asked = *stage.seats.of(side);
            let after = (Instant::now() + stage.warm_up).saturating_duration_since(measured.from);
            let call = flows::next(&*stage.flow, asked, (after, stage.warm_up), &mut random);
            let ticket = stage.sent.leaving(&call);
            let began = Instant::now();
            let mut answer = ask(user, &call).await;
            let ended = Instant::now();
            let outcome = match &answer {
                Ok((Answer { status, body, .. }, _)) => {
                    stage.sent.answered(ticket, asked, *status, body);
                    call.judge(*status, body)
                }
                Err(reason) => Err(Amiss::Failed(reason.clone())),
            };
            if let (Err(amiss), Ok((_, metric))) = (&outcome, &mut answer) {
                // So that goose's own report counts it too; it answers with the error it was given.
                let _ = user.set_failure(&amiss.to_string(), metric, None, None);
            }
            let mut tape = lock(stage.tapes.of(side));
            if let (Ok(()), Ok((answer, _))) = (&outcome, answer) {
                tape.record_stages(measured, began, &answer.stages);
                tape.keep(call, answer.body);
            }
            tape.record(measured, began, ended, outcome);
            // One alone who waits long is slow; only where all do, the service stands still.
            if stage.users > 1 {
                tape.record_standing(measured, began, ended);
            }
        }
    })
}

/// Asks through goose, and reads the whole answer; with it, what goose keeps of the request.
async fn ask(
    user: &mut GooseUser,
    call: &Call,
) -> std::result::Result<(Answer, GooseRequestMetric), String> {
    let failed = |error: Box<TransactionError>| error.to_string();
    let method = match call.body {
        None => GooseMethod::Get,
        Some(_) => GooseMethod::Post,
    };
    let mut request = user
        .get_request_builder(&method, &call.path)
        .map_err(failed)?;
    if let Some(json) = &call.body {
        request = request
            .header(CONTENT_TYPE, "application/json")
            .body(json.clone());
    }
    let name = call.side.to_string();
    let request = GooseRequest::builder()
        .method(method)
        .name(name.as_str())
        .expect_status_code(call.status)
        .set_request_builder(request)
        .build();
    let answer = user.request(request).await.map_err(failed)?;
    let response = answer.response.map_err(words)?;
    Ok((whole(response).await?, answer.request))
}

fn lock(tape: &Mutex<Tape>) -> MutexGuard<'_, Tape> {
    tape.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knock::{Knock, changes, listen};
    use crate::schedule;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn users_knock_at_the_side_whose_turn_it_is_and_never_at_both_at_once() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        let url = listen(move |side| {
            let ear = Arc::clone(&ear);
            async move {
                ear.lock().unwrap().push(side.clone());
                tokio::time::sleep(Duration::from_millis(5)).await;
                ear.lock().unwrap().push(side);
            }
        })
        .await;
        let flow: Arc<dyn Flow> = Arc::new(Knock);
        let plan = LoadPlan {
            window: Duration::from_millis(150),
            warm_up: Duration::from_millis(50),
            ..LoadPlan::short()
        };
        let folder = std::env::temp_dir().join(format!("verdict-closed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let report = folder.join("goose.html");
        let tapes = Closed {
            http: &Http::without_health(&url),
            service: &ServiceUrl::new(&url),
            flow: &flow,
            seats: PerSide::each(),
            users: 6,
            plan: &plan,
            windows: (2, 4),
            wanted: u64::MAX,
            generator: 0,
            sent: &Arc::default(),
            changes: &changes(),
            report: &report,
        }
        .run(Turns::alone())
        .await
        .unwrap();

        let mut heard = heard.lock().unwrap().clone();
        heard.dedup();
        let mut expected: Vec<String> = (0..8)
            .map(|turn| schedule::side(turn).to_string())
            .collect();
        expected.dedup();
        assert_eq!(heard, expected);
        for side in SIDES {
            let tape = tapes.of(side);
            assert_eq!(
                (tape.errors, tape.windows.len()),
                (0, 4),
                "{:?}",
                tape.first_error
            );
            // Six users at 5 ms, four windows of 150 ms: 720 at most.
            assert!((50..=720).contains(&tape.requests()), "{}", tape.requests());
            let fastest = tape.windows.iter().map(|window| window.latencies.min());
            assert!(fastest.min().unwrap() >= 4_990);
            assert!(tape.shares.len() == 4 && tape.shares.iter().all(|share| *share > 0.0));
        }
        assert!(std::fs::read_to_string(&report).unwrap().contains("<html"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
