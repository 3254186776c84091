//! The order of calls and what is recorded of them, on sides that ask no engine.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use verdict_store::Connect;

use super::*;

type Log = Arc<Mutex<Vec<Sampled>>>;

/// A side that takes a while and notes that it was called.
struct Noting {
    log: Log,
    side: Sampled,
    takes: Duration,
    doubts: Arc<AtomicUsize>,
}

impl Probe for Noting {
    fn call<'a>(&'a self, _: &'a Store, _: bool) -> BoxFuture<'a, Result<Duration, Fault>> {
        Box::pin(async {
            let started = Instant::now();
            while started.elapsed() < self.takes {
                std::hint::spin_loop();
            }
            self.log.lock().unwrap().push(self.side);
            Ok(started.elapsed())
        })
    }

    fn settle<'a>(&'a self, _: &'a Store, _: &'a mut Tally) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn doubt<'a>(&'a self, _: &'a Store, _: &'a mut Tally) -> BoxFuture<'a, Result<(), Error>> {
        self.doubts.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// What came of so many rounds.
struct Made {
    /// The calls, those of warm-ups too.
    order: Vec<Sampled>,
    recording: Recording,
    /// Stores that were connected.
    stores: usize,
    /// Times that reads were doubted.
    doubts: usize,
}

fn made(rounds: usize, callers: u32, judged: bool, takes: [Option<Duration>; 2]) -> Made {
    let runtime = Runtime::new().unwrap();
    let (log, stores) = (Log::default(), AtomicUsize::new(0));
    let doubts = Arc::<AtomicUsize>::default();
    let mut recording = Recording::default();
    runtime.block_on(async {
        let seat = |side, takes: Option<Duration>| {
            let stores = &stores;
            takes.map(|takes| Seat {
                probe: Arc::new(Noting {
                    log: Arc::clone(&log),
                    side,
                    takes,
                    doubts: Arc::clone(&doubts),
                }),
                store: Box::new(move || {
                    stores.fetch_add(1, Ordering::Relaxed);
                    Box::pin(std::future::ready(nowhere()))
                }),
            })
        };
        let pair = Pair {
            baseline: seat(Sampled::Baseline, takes[0]),
            variant: seat(Sampled::Variant, takes[1]).unwrap(),
            callers,
            restore: None,
            order: 0,
            judged,
        };
        let mut tally = Tally::default();
        let mut ride = Rounds::new(&pair, &mut recording, &mut tally);
        ride.next(1).await.unwrap();
        for _ in 0..rounds {
            // As criterion asks: as many iterations as it takes to fill 60 ms.
            let iteration = ride.paced.unwrap().iteration.as_nanos();
            let iterations = (60_000_000 / iteration).max(1) as u64;
            ride.next(iterations).await.unwrap();
        }
    });
    Made {
        order: log.lock().unwrap().clone(),
        recording,
        stores: stores.into_inner(),
        doubts: doubts.load(Ordering::Relaxed),
    }
}

/// A store of engines that nobody asks.
fn nowhere() -> Result<Store, Error> {
    Store::lazy(
        &PgConnectOptions::new_without_pgpass(),
        &clickhouse::Client::default(),
        &redis::Client::open("redis://localhost").unwrap(),
        &Connect::default(),
    )
}

/// A side whose calls go well so many times, and then do not.
struct Ending {
    left: AtomicUsize,
    ends: fn() -> Fault,
}

impl Probe for Ending {
    fn call<'a>(&'a self, _: &'a Store, _: bool) -> BoxFuture<'a, Result<Duration, Fault>> {
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(1), Ordering::Relaxed);
        let called = match left {
            0 => Err((self.ends)()),
            _ => Ok(Duration::from_micros(50)),
        };
        Box::pin(std::future::ready(called))
    }

    fn settle<'a>(&'a self, _: &'a Store, _: &'a mut Tally) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn doubt<'a>(&'a self, _: &'a Store, _: &'a mut Tally) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Has criterion sample a side that ends so after some calls; what came of it, and whether
/// criterion made anything of what it had seen by then.
fn ended(calls: usize, ends: fn() -> Fault) -> (Result<(), Stopped>, bool) {
    let folder = tempfile::tempdir().unwrap();
    let mut criterion = criterion::Criterion::default()
        .without_plots()
        .output_directory(folder.path())
        .sample_size(10)
        .nresamples(1_000)
        .measurement_time(Duration::from_millis(200));
    let mut group = criterion.benchmark_group("made-up");
    let pair = Pair {
        baseline: None,
        variant: Seat {
            probe: Arc::new(Ending {
                left: calls.into(),
                ends,
            }),
            store: Box::new(|| Box::pin(std::future::ready(nowhere()))),
        },
        callers: 1,
        restore: None,
        order: 0,
        judged: true,
    };
    let (mut recording, mut tally) = (Recording::default(), Tally::default());
    let runtime = Runtime::new().unwrap();
    let recorded = (&mut recording, &mut tally);
    let outcome = sample(&mut group, "call", &runtime, &pair, recorded.0, recorded.1);
    group.finish();
    let concluded = folder.path().join("made-up/call/new/estimates.json");
    (outcome, concluded.exists())
}

fn gone() -> Fault {
    Fault::Harness(Error::NoAnswer(Duration::ZERO))
}

#[test]
fn criterion_concludes_nothing_from_rounds_that_never_were() {
    let (outcome, concluded) = ended(usize::MAX, gone);
    assert!(outcome.is_ok() && concluded);
    for calls in [0, 3, 1_000] {
        let (outcome, concluded) = ended(calls, gone);
        let stopped = outcome.unwrap_err();
        assert!(matches!(stopped.fault, Fault::Harness(_)), "{calls}");
        assert!(!concluded, "{calls}");
    }
}

#[test]
#[should_panic(expected = "a bug of a call")]
fn a_panic_in_a_call_stays_one() {
    let _ = ended(100, || panic!("a bug of a call"));
}

fn both(takes: [Duration; 2]) -> [Option<Duration>; 2] {
    takes.map(Some)
}

#[test]
fn within_a_block_the_order_of_calls_is_random_and_both_sides_are_called_as_often() {
    let Made {
        order, recording, ..
    } = made(6, 1, true, both([Duration::from_micros(200); 2]));
    let count = |pair: (Sampled, Sampled)| {
        let pairs = order.windows(2).map(|seen| (seen[0], seen[1]));
        pairs.filter(|seen| *seen == pair).count()
    };
    use Sampled::{Baseline, Variant};
    // In strict alternation neither side ever follows itself but in a warm-up.
    assert!(count((Baseline, Baseline)) > 100 && count((Variant, Variant)) > 100);
    assert!(count((Baseline, Variant)) > 200 && count((Variant, Baseline)) > 200);
    assert_eq!(recording.calls(Baseline), recording.calls(Variant));
    let warm_ups = 7 * 2 * WARM_UP_CALLS as usize;
    let recorded = recording.calls(Baseline) + recording.calls(Variant);
    assert_eq!(order.len() - warm_ups, recorded as usize);
}

#[test]
fn each_round_has_connections_of_its_own_on_both_sides() {
    for callers in [1, 4] {
        let takes = both([Duration::from_micros(300), Duration::from_micros(600)]);
        let Made {
            recording, stores, ..
        } = made(8, callers, true, takes);
        // One pair more is for the estimate.
        assert_eq!(stores, 2 * 9, "{callers} callers");
        let latency = recording.latency(&"spin".parse().unwrap(), verdict_audit::At::rung(1));
        let latency = latency.unwrap();
        assert_eq!(latency.rounds, 8);
        let ratio = latency.ratio.unwrap();
        assert!(ratio.lo > 0.3 && ratio.hi < 0.8, "{ratio}");
    }
}

#[test]
fn some_rounds_end_with_doubts_of_both_sides_which_no_call_is_recorded_of() {
    let made = made(11, 1, true, both([Duration::from_micros(200); 2]));
    assert_eq!(made.doubts, 2 * 3);
}

#[test]
fn many_callers_take_turns_in_blocks_and_both_sides_are_called_as_often() {
    let takes = both([Duration::from_micros(100), Duration::from_micros(200)]);
    let Made {
        order, recording, ..
    } = made(6, 8, true, takes);
    let calls = SIDES.map(|side| recording.calls(side));
    assert!(calls[0] > 0 && calls[0] == calls[1], "{calls:?}");
    let turns = order.windows(2).filter(|seen| seen[0] != seen[1]).count();
    assert!(turns * 10 < order.len(), "{turns} turns in {}", order.len());
}

#[test]
fn a_variant_beside_a_baseline_that_does_not_run_is_timed_by_itself() {
    let takes = [None, Some(Duration::from_micros(200))];
    for callers in [1, 4] {
        let Made {
            order, recording, ..
        } = made(6, callers, true, takes);
        assert!(order.iter().all(|side| *side == Sampled::Variant));
        let name = "spin".parse().unwrap();
        let latency = recording
            .latency(&name, verdict_audit::At::rung(1))
            .unwrap();
        assert!(latency.baseline.is_none() && latency.ratio.is_none());
        assert!(latency.variant.p50 >= 200.0);
    }
}

#[test]
fn of_a_dear_call_on_which_no_verdict_rests_it_is_said_what_it_costs() {
    let takes = both([Duration::from_millis(1), Duration::from_millis(510)]);
    let Made {
        order, recording, ..
    } = made(6, 1, false, takes);
    let latency = recording.latency(&"spin".parse().unwrap(), verdict_audit::At::rung(1));
    let latency = latency.unwrap();
    assert_eq!((latency.variant.count, latency.ratio), (1, None));
    assert!(latency.variant.p50 >= 510_000.0);
    let dear = order.iter().filter(|side| **side == Sampled::Variant);
    assert_eq!(dear.count(), 1);
}
