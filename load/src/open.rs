//! The open loop: requests arrive at a fixed rate and wait for nobody.
//!
//! Arrivals are Poisson: users who do not know of each other. Latency counts from the instant
//! at which a request was due, so a service that stalls is charged for every request that it
//! kept waiting, and not only for the one it was busy with (coordinated omission). How late the
//! generator itself sent is recorded beside it: a generator that cannot keep up measures itself.
//! So does one that may not have as many requests under way as arrive.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::{Semaphore, mpsc};
use verdict_audit::Side;

use crate::body::Answer;
use crate::changes::Changes;
use crate::client::Http;
use crate::error::{Error, Result};
use crate::flows::call::{Amiss, Call};
use crate::flows::{self, Flow};
use crate::per_side::PerSide;
use crate::plan::LoadPlan;
use crate::schedule::Turns;
use crate::sent_log::SentLog;
use crate::tape::{Measured, Tape};
use crate::usage::share_during;
use crate::verify;

/// One level of the open loop.
pub(crate) struct Open<'a> {
    pub http: &'a Http,
    pub flow: &'a Arc<dyn Flow>,
    /// The side in each one's place.
    pub seats: PerSide<Side>,
    /// Arrivals per second.
    pub rate: f64,
    /// Windows of each side.
    pub windows: usize,
    pub plan: &'a LoadPlan,
    /// Which of the generators at work this one is: each has arrivals of its own.
    pub generator: u64,
    pub sent: &'a SentLog,
    pub changes: &'a Changes,
}

/// A request on its way, or back.
struct Flight {
    call: Call,
    due: Instant,
    sent: Instant,
    ended: Instant,
    answer: std::result::Result<Answer, String>,
    held_back: bool,
}

impl Open<'_> {
    /// Runs the level on both sides, in turns: their tapes.
    pub async fn run(&self, mut turns: Turns) -> Result<PerSide<Tape>> {
        let mut tapes = PerSide {
            baseline: Tape::new(self.plan.seed),
            optimized: Tape::new(self.plan.seed),
        };
        for turn in 0..2 * self.windows {
            let seat = turns.next().await;
            // Both sides of a pair meet the same arrivals.
            let (stream, side) = (turn as u64 / 2, *self.seats.of(seat));
            self.turn(side, stream, tapes.of_mut(seat)).await?;
        }
        Ok(tapes)
    }

    /// Runs the level on one side: its tape.
    pub async fn alone(&self, side: Side) -> Result<Tape> {
        let mut tape = Tape::new(self.plan.seed);
        for turn in 0..self.windows {
            self.turn(side, turn as u64, &mut tape).await?;
        }
        Ok(tape)
    }

    async fn turn(&self, side: Side, stream: u64, tape: &mut Tape) -> Result<()> {
        let mut random = ChaCha8Rng::seed_from_u64(self.plan.seed ^ self.rate.to_bits());
        random.set_stream((self.generator << 40) + stream);
        self.changes.renew(side, &**self.flow).await?;
        let opened = Instant::now();
        let share = self.window(side, &mut random, tape).await?;
        let samples = tape.samples();
        let with = (self.http, self.sent);
        let window = verify::window(side, &**self.flow, with, samples).await?;
        tape.close_window(window, share);
        if goose::is_killswitch_triggered() {
            return Err(Error::Interrupted);
        }
        self.http.answered(tape.answered(), opened).await
    }

    /// One window: every arrival is sent, and every answer waited for; the generator's share of
    /// the machine.
    async fn window(
        &self,
        side: Side,
        random: &mut ChaCha8Rng,
        tape: &mut Tape,
    ) -> Result<Option<f64>> {
        let length = self.plan.warm_up + self.plan.window;
        let arrivals = poisson(self.rate, length, random);
        let mut next = |after| {
            let warm_up = self.plan.warm_up;
            flows::next(&**self.flow, side, (after, warm_up), random)
        };
        let calls: Vec<(Duration, Call)> = arrivals
            .into_iter()
            .map(|arrival| (arrival, next(arrival)))
            .collect();
        tape.next_window();
        let (back, mut flights) = mpsc::unbounded_channel();
        let http = self.http.clone();
        let places = Arc::new(Semaphore::new(self.plan.at_once as usize));
        let runtime = tokio::runtime::Handle::current();
        let measured = Measured::opening_now(self.plan.warm_up, self.plan.window);
        let opened = measured.from - self.plan.warm_up;
        let share = tokio::spawn(share_during(measured));
        // A thread of its own: the runtime's timer is a millisecond coarse, a thread's sleep a
        // twentieth of that.
        let pacer = tokio::task::spawn_blocking(move || {
            for (arrival, call) in calls {
                let due = opened + arrival;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                runtime.spawn(fly(
                    http.clone(),
                    call,
                    due,
                    Arc::clone(&places),
                    back.clone(),
                ));
            }
        });
        let answers = async {
            while let Some(flight) = flights.recv().await {
                tape.record_lag(measured, flight.due, flight.sent);
                tape.held_back += u64::from(flight.held_back);
                let outcome = match flight.answer {
                    Ok(answer) => match flight.call.judge(answer.status, &answer.body) {
                        Ok(()) => {
                            tape.record_stages(measured, flight.due, &answer.stages);
                            tape.keep(flight.call, answer.body);
                            Ok(())
                        }
                        Err(amiss) => Err(amiss),
                    },
                    Err(words) => Err(Amiss::Failed(words)),
                };
                tape.record(measured, flight.due, flight.ended, outcome);
            }
        };
        let changed = self.changes.amid(side, measured.middle());
        let (changed, ()) = tokio::join!(changed, answers);
        // The channel has closed, so the pacer has ended; it has nothing to panic on.
        let _ = pacer.await;
        changed?;
        Ok(share.await.ok().flatten())
    }
}

async fn fly(
    http: Http,
    call: Call,
    due: Instant,
    places: Arc<Semaphore>,
    back: mpsc::UnboundedSender<Flight>,
) {
    let held_back = places.available_permits() == 0;
    // Nobody closes it.
    let place = places.acquire().await;
    let sent = Instant::now();
    let answer = http.send(&call).await;
    let ended = Instant::now();
    drop(place);
    // The receiver stays until every sender is gone.
    let _ = back.send(Flight {
        call,
        due,
        sent,
        ended,
        answer,
        held_back,
    });
}

/// Instants of arrival within a time, with gaps that are exponential.
fn poisson(rate: f64, length: Duration, random: &mut ChaCha8Rng) -> Vec<Duration> {
    let mut arrivals = Vec::with_capacity((rate * length.as_secs_f64()) as usize + 1);
    let mut at = 0.0;
    loop {
        // 1 − u lies in (0, 1]: its logarithm is finite.
        at -= (1.0 - random.random::<f64>()).ln() / rate;
        if at >= length.as_secs_f64() {
            return arrivals;
        }
        arrivals.push(Duration::from_secs_f64(at));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;
    use crate::knock::{Knock, changes, listen};

    const STALL: Duration = Duration::from_millis(500);

    /// A real service that serves one request at a time and, `after` its first one, stalls once.
    async fn stalling(after: Duration) -> String {
        let turn = Arc::new(tokio::sync::Mutex::new(None::<Instant>));
        let stalled = Arc::new(AtomicBool::new(false));
        listen(move |_| {
            let (turn, stalled) = (Arc::clone(&turn), Arc::clone(&stalled));
            async move {
                let mut first = turn.lock().await;
                let due = first.get_or_insert_with(Instant::now).elapsed() >= after;
                if due && !stalled.swap(true, Ordering::Relaxed) {
                    tokio::time::sleep(STALL).await;
                }
            }
        })
        .await
    }

    fn plan() -> LoadPlan {
        LoadPlan {
            window: Duration::from_secs(2),
            warm_up: Duration::from_millis(100),
            ..LoadPlan::short()
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_stall_is_charged_for_every_arrival_that_it_delayed() {
        let http = Http::without_health(&stalling(Duration::from_millis(600)).await);
        let flow: Arc<dyn Flow> = Arc::new(Knock);
        let rate = 200.0;
        let plan = plan();
        let open = Open {
            http: &http,
            flow: &flow,
            seats: PerSide::each(),
            rate,
            windows: 1,
            plan: &plan,
            generator: 0,
            sent: &SentLog::default(),
            changes: &changes(),
        };
        let mut tape = Tape::new(1);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        open.window(Side::Baseline, &mut random, &mut tape)
            .await
            .unwrap();

        assert_eq!(tape.errors, 0, "{:?}", tape.first_error);
        // A loop that waits would have met the stall once. Half of the arrivals of the stall
        // came in its first half and waited for more than the other half of it.
        let half = STALL.as_micros() as u64 / 2;
        let latencies = &tape.windows.last().unwrap().latencies;
        let waited = latencies.count_between(half, u64::MAX);
        let due = rate * STALL.as_secs_f64() / 2.0;
        assert!(waited as f64 > due * 0.6, "{waited} of about {due}");
        assert!(latencies.value_at_quantile(0.99) > half);
        assert!(latencies.max() >= STALL.as_micros() as u64 * 9 / 10);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn arrivals_wait_for_nobody() {
        let http = Http::without_health(&stalling(Duration::ZERO).await);
        let flow: Arc<dyn Flow> = Arc::new(Knock);
        let plan = plan();
        let open = Open {
            http: &http,
            flow: &flow,
            seats: PerSide::each(),
            rate: 100.0,
            windows: 1,
            plan: &plan,
            generator: 0,
            sent: &SentLog::default(),
            changes: &changes(),
        };
        let mut tape = Tape::new(1);
        open.window(Side::Baseline, &mut ChaCha8Rng::seed_from_u64(2), &mut tape)
            .await
            .unwrap();
        // 200 expected, with a standard deviation of 14, whatever the service does.
        assert!((130..270).contains(&tape.requests()), "{}", tape.requests());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_more_are_under_way_than_may_be_and_those_that_wait_are_charged_for_it() {
        const AT_ONCE: u32 = 3;
        let under_way = Arc::new(AtomicU32::new(0));
        let most = Arc::new(AtomicU32::new(0));
        let (now, highest) = (Arc::clone(&under_way), Arc::clone(&most));
        let http = Http::without_health(
            &listen(move |_| {
                let (now, highest) = (Arc::clone(&now), Arc::clone(&highest));
                async move {
                    let others = now.fetch_add(1, Ordering::SeqCst);
                    highest.fetch_max(others + 1, Ordering::SeqCst);
                    tokio::time::sleep(STALL).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                }
            })
            .await,
        );
        let flow: Arc<dyn Flow> = Arc::new(Knock);
        let plan = LoadPlan {
            at_once: AT_ONCE,
            window: Duration::from_secs(1),
            ..plan()
        };
        let open = Open {
            http: &http,
            flow: &flow,
            seats: PerSide::each(),
            rate: 20.0,
            windows: 1,
            plan: &plan,
            generator: 0,
            sent: &SentLog::default(),
            changes: &changes(),
        };
        let mut tape = Tape::new(1);
        open.window(Side::Baseline, &mut ChaCha8Rng::seed_from_u64(3), &mut tape)
            .await
            .unwrap();
        assert_eq!(tape.errors, 0, "{:?}", tape.first_error);
        assert_eq!(most.load(Ordering::SeqCst), AT_ONCE);
        assert!(tape.held_back > 0);
        let stall = STALL.as_micros() as u64;
        let latencies = &tape.windows.last().unwrap().latencies;
        assert!(latencies.max() > 2 * stall && tape.lags.max() > stall);
    }

    #[test]
    fn arrivals_come_at_the_rate_and_in_order() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let arrivals = poisson(1_000.0, Duration::from_secs(10), &mut random);
        assert!(
            (9_500..10_500).contains(&arrivals.len()),
            "{}",
            arrivals.len()
        );
        assert!(arrivals.is_sorted());
        assert!(arrivals.iter().all(|at| *at < Duration::from_secs(10)));
        // Exponential gaps: about 63 % of them are shorter than the mean.
        let short = arrivals
            .windows(2)
            .filter(|pair| pair[1] - pair[0] < Duration::from_millis(1))
            .count();
        let share = short as f64 / arrivals.len() as f64;
        assert!((0.60..0.66).contains(&share), "{share}");
    }
}
