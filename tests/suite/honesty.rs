//! The figures on trial, on real engines and a made-up item: today three statements a call, the
//! fix one of them.

use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, VariantName};
use verdict_engines::pgbench::Pgbench;
use verdict_honesty::itself::{self, Asked, Sides};
use verdict_honesty::power::{power, slowable};
use verdict_honesty::saved::saved;
use verdict_honesty::{Plan, calls};
use verdict_oracle::{Held, Oracle, same};
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{AnyOperation, Operation, erase};
use verdict_seed::World;
use verdict_store::{Change, Fault, Store};

use crate::common::options;
use crate::court::{in_court_of, short};

struct Threefold;

struct Count;

/// It has a parameter that is longer than an argument of a program may be.
struct Length;

const LONG: u64 = 10_000;

impl Item for Threefold {
    fn id(&self) -> &'static str {
        "made-up"
    }
    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Optimized, Change::NONE),
        ]
    }
    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Count), erase(Length)]
    }
}

impl Operation for Count {
    type Request = i64;
    type Answer = i64;

    fn name(&self) -> &'static str {
        "count"
    }
    fn rungs(&self, _: &World) -> Vec<At> {
        vec![At::rung(100)]
    }
    fn at(&self, _: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<i64> {
        Some(at.n as i64)
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) -> i64 {
        1
    }
    async fn call(&self, store: &Store, variant: &VariantName, n: &i64) -> Result<i64, Fault> {
        let statements = match variant {
            VariantName::Baseline => 3,
            _ => 1,
        };
        let mut answer = 0;
        for _ in 0..statements {
            answer = sqlx::query_scalar("SELECT COUNT(*) FROM GENERATE_SERIES(1, $1) WHERE $2")
                .bind(n)
                .bind(true)
                .fetch_one(&store.postgres)
                .await?;
        }
        Ok(answer)
    }
    fn hold(&self, _: &Oracle, n: &i64, answer: &i64) -> Held {
        same("rows", n, answer)
    }
}

impl Operation for Length {
    type Request = String;
    type Answer = i32;

    fn name(&self) -> &'static str {
        "length"
    }
    fn rungs(&self, _: &World) -> Vec<At> {
        Vec::new()
    }
    fn at(&self, _: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<String> {
        (at.n == LONG).then(|| "sixteen letters.".repeat(LONG as usize))
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) -> String {
        String::new()
    }
    async fn call(&self, store: &Store, _: &VariantName, text: &String) -> Result<i32, Fault> {
        let length = sqlx::query_scalar("SELECT LENGTH($1)").bind(text);
        Ok(length.fetch_one(&store.postgres).await?)
    }
    fn hold(&self, _: &Oracle, text: &String, answer: &i32) -> Held {
        same("letters", &(text.len() as i32), answer)
    }
}

#[test]
fn a_call_is_heard_with_its_parameters_and_three_clocks_see_what_is_saved() {
    in_court_of(&[&Threefold], |court| {
        let count = erase(Count);
        let heard = calls::heard(court, &*count, &VariantName::Baseline, At::rung(7));
        let heard = heard.unwrap();
        assert_eq!(heard.len(), 3);
        let seven_and_true = [Some(7_i64.to_be_bytes().to_vec()), Some(vec![1])];
        for call in &heard {
            assert_eq!(call.parameters, seven_and_true);
            assert!(call.statement.text.contains("GENERATE_SERIES(1, $1)"));
        }
        let pgbench = Pgbench::new(&options()).unwrap();
        let seen = saved(court, &pgbench, &Plan::SHORT).unwrap();
        let sizes: Vec<_> = seen.saved.iter().map(|saved| saved.place.n).collect();
        assert_eq!(sizes, [1_000, 2_000, 10_000]);
        let left_out: Vec<_> = seen.left_out.iter().map(|place| place.n).collect();
        assert_eq!(left_out, [LONG]);
        let largest = &seen.saved[2];
        assert_eq!(largest.statements, [3, 1]);
        for clock in [largest.caller_us, largest.engine_us, largest.pgbench_us] {
            assert!(clock > 0.0, "{largest:?}");
        }
    });
}

#[test]
fn today_is_beside_itself_on_one_database_and_on_copies_and_a_great_slowdown_is_found() {
    let folder = tempfile::tempdir().unwrap();
    in_court_of(&[&Threefold], |court| {
        let asked = Asked {
            busy: true,
            events: true,
        };
        let cells = itself::run(court, &mut short(folder.path()), asked).unwrap();
        let sides: Vec<_> = cells.iter().map(|cell| cell.sides).collect();
        assert_eq!(sides, [Sides::One, Sides::Copies]);
        assert!(cells.iter().all(|cell| cell.busy && cell.rounds >= 6));

        let mut calls = slowable(court, &mut short(folder.path())).unwrap();
        let clock = (&mut short(folder.path()), "short");
        let power = power(court, clock, &mut calls, 3.0, 1).unwrap();
        assert_eq!((power.found, power.tries), (1, 1));
        assert!(power.waited > 1.0, "{power:?}");
    });
}
