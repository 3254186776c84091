//! A change of the connection alone, and callers that wait in vain.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, Counter, VariantName, Verdict};
use verdict_oracle::{Held, Oracle};
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{AnyOperation, Operation, erase};
use verdict_seed::World;
use verdict_store::{Change, Connect, Fault, Store};

use crate::court::{finding, hear, variant};

/// A pool of one connection, lent to many callers for longer than they wait.
struct Crowded;

struct Hold;

impl Item for Crowded {
    fn id(&self) -> &'static str {
        "made-up"
    }
    fn variants(&self) -> Vec<(VariantName, Change)> {
        let connect = |connect: Connect| Connect {
            pool: connect
                .pool
                .max_connections(1)
                .acquire_timeout(Duration::from_millis(250)),
            ..connect
        };
        let narrow = Change {
            connect,
            ..Change::NONE
        };
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Proposed(None), narrow),
            (VariantName::Optimized, Change::NONE),
        ]
    }
    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Hold)]
    }
}

impl Operation for Hold {
    /// Seconds.
    type Request = f64;
    type Answer = ();

    fn name(&self) -> &'static str {
        "hold"
    }

    fn rungs(&self, _: &World) -> Vec<At> {
        let crowd = At {
            n: 1,
            callers: 8,
            round_trip_us: 0,
        };
        vec![At::rung(1), crowd]
    }
    fn at(&self, _: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<f64> {
        Some(if at.callers > 1 { 0.3 } else { 0.0 })
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) -> f64 {
        0.0
    }
    async fn call(&self, store: &Store, _: &VariantName, seconds: &f64) -> Result<(), Fault> {
        sqlx::query("SELECT pg_sleep($1)")
            .bind(seconds)
            .execute(&store.postgres)
            .await?;
        Ok(())
    }
    fn hold(&self, _: &Oracle, _: &f64, (): &()) -> Held {
        Ok(())
    }
}

#[test]
fn a_change_of_the_connection_alone_is_applied_and_what_waits_in_vain_is_counted() {
    let finding = finding(
        r#"
        variants = ["proposed", "optimized"]
        operations = ["hold"]
        [[claim]]
        id = "time-outs"
        promise = "count"
        of = "time_outs"
        today = 1
        fixed = 0
        at = { n = 1, callers = 8 }
        [[claim]]
        id = "tail"
        promise = "ratio"
        of = "p95"
        lo = 1.0
        hi = inf
        at = { n = 1, callers = 8 }
        "#,
    );
    let evidence = hear(&Crowded, &finding).unwrap();
    let of = |name: VariantName, counter| {
        let heard = variant(&evidence, &name);
        let work = heard.work.iter().find(|work| work.at.callers == 8).unwrap();
        work.counters[&counter]
    };
    let narrow = VariantName::Proposed(None);
    assert!(of(narrow.clone(), Counter::TimeOuts) > 0.0);
    assert_eq!(of(VariantName::Baseline, Counter::TimeOuts), 0.0);
    assert!(of(VariantName::Optimized, Counter::PoolWaits) > 0.0);
    let timed = variant(&evidence, &narrow);
    assert_eq!(timed.failure, None);
    let crowd = timed.latency.iter().find(|latency| latency.at.callers == 8);
    assert!(crowd.unwrap().variant.count > 0);
    assert_eq!(timed.claims[0].verdict, Verdict::Regression);
}
