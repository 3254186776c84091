//! The order of calls and what is recorded of them, on sides that ask no engine.

use std::sync::Mutex;

use futures_util::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use verdict_store::{Connect, Error};

use super::*;

type Log = Arc<Mutex<Vec<Sampled>>>;

/// A side that takes a while and notes that it was called.
struct Noting {
    log: Log,
    side: Sampled,
    takes: Duration,
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
}

/// The order of calls, and the recording, of so many calls of the variant with so many callers.
fn ride(calls: u64, callers: u32, takes: [Option<Duration>; 2]) -> (Vec<Sampled>, Recording) {
    let runtime = Runtime::new().unwrap();
    let log = Log::default();
    let mut recording = Recording::default();
    runtime.block_on(async {
        let store = Store::lazy(
            &PgConnectOptions::new_without_pgpass(),
            &clickhouse::Client::default(),
            &redis::Client::open("redis://localhost").unwrap(),
            &Connect::default(),
        )
        .unwrap();
        let seat = |side, takes: Option<Duration>| {
            takes.map(|takes| Seat {
                probe: Arc::new(Noting {
                    log: Arc::clone(&log),
                    side,
                    takes,
                }),
                store: store.clone(),
            })
        };
        let pair = Pair {
            baseline: seat(Sampled::Baseline, takes[0]),
            variant: seat(Sampled::Variant, takes[1]).unwrap(),
        };
        let sampling = Sampling {
            name: "spin",
            sampled: Sampled::Variant,
            callers,
        };
        let mut tally = Tally::default();
        let mut ride = Ride::new(&pair, sampling, &mut recording, &mut tally);
        ride.warm_up = Duration::ZERO;
        ride.iterate(calls).await;
    });
    let order = log.lock().unwrap().clone();
    (order, recording)
}

fn both(takes: [Duration; 2]) -> [Option<Duration>; 2] {
    takes.map(Some)
}

#[test]
fn the_counterpart_rides_along_before_and_after_in_random_order() {
    let (order, _) = ride(400, 1, both([Duration::from_micros(200); 2]));
    let count = |pair: (Sampled, Sampled)| {
        let pairs = order.windows(2).map(|seen| (seen[0], seen[1]));
        pairs.filter(|seen| *seen == pair).count()
    };
    use Sampled::{Baseline, Variant};
    // In strict alternation neither side ever follows itself.
    assert!(count((Baseline, Baseline)) > 20 && count((Variant, Variant)) > 20);
    assert!(count((Baseline, Variant)) > 50 && count((Variant, Baseline)) > 50);
}

#[test]
fn the_counterpart_takes_at_most_about_as_much_time() {
    let slow = Duration::from_millis(2);
    let quick = Duration::from_micros(250);
    for takes in [[slow, quick], [quick, slow]] {
        let (_, recording) = ride(100, 1, both(takes));
        let (rider, sampled) = recording.time();
        // One slow call more than the credit is the worst a ride can do.
        let slack = slow.as_nanos() as u64 * 4;
        assert!(rider <= sampled + slack, "{rider} beside {sampled}");
    }
}

#[test]
fn every_call_outside_the_warm_up_is_recorded_on_its_side() {
    for callers in [1, 4] {
        let takes = both([Duration::from_micros(300), Duration::from_micros(600)]);
        let (order, recording) = ride(100, callers, takes);
        for side in [Sampled::Baseline, Sampled::Variant] {
            let called = order.iter().filter(|seen| **seen == side).count() as u64;
            assert_eq!(recording.calls(side), called, "{callers} callers");
        }
    }
}

#[test]
fn many_callers_take_turns_in_blocks_and_both_sides_are_called() {
    let (order, _) = ride(200, 8, both([Duration::from_micros(200); 2]));
    let turns = order.windows(2).filter(|seen| seen[0] != seen[1]).count();
    assert!(order.contains(&Sampled::Baseline) && order.contains(&Sampled::Variant));
    // A block is 25 ms of one side.
    assert!(turns * 10 < order.len(), "{turns} turns in {}", order.len());
}

#[test]
fn a_variant_beside_a_baseline_that_does_not_run_is_timed_by_itself() {
    let takes = [None, Some(Duration::from_micros(200))];
    for callers in [1, 4] {
        let (order, recording) = ride(50, callers, takes);
        assert!(order.iter().all(|side| *side == Sampled::Variant));
        let name = "spin".parse().unwrap();
        let at = verdict_audit::At::rung(1);
        let latency = recording.latency(&name, at, 1).unwrap();
        assert!(latency.baseline.is_none() && latency.ratio.is_none());
        assert!(latency.variant.p50 >= 200.0);
    }
}
