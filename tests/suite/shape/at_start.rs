//! What an item or an operation leaves out or gets wrong is found at the start, or in the check.

use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, Catalogue, VariantName};
use verdict_oracle::{Held, Oracle};
use verdict_scenarios::Error;
use verdict_scenarios::docket;
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{AnyOperation, Between, Leaves, Operation, erase};
use verdict_seed::World;
use verdict_store::{Change, Down, Fault, Store, Table};

use super::everywhere::InRedis;
use super::given_back::FOLLOWS;
use crate::court::{finding, hear, variant};

#[test]
fn an_optimized_change_has_to_have_steps_that_take_it_back() {
    struct NoWayBack;
    impl Item for NoWayBack {
        fn id(&self) -> &'static str {
            "cache"
        }
        fn variants(&self) -> Vec<(VariantName, Change)> {
            let renewed = Change {
                down: Down::Renew,
                ..Change::NONE
            };
            vec![
                (VariantName::Baseline, Change::NONE),
                (VariantName::Optimized, renewed),
            ]
        }
        fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
            Vec::new()
        }
    }
    let refused = docket::hold(Catalogue::builtin(), &[&NoWayBack]).unwrap_err();
    assert!(matches!(refused, Error::NoWayBack("cache")), "{refused}");
}

#[test]
fn a_misspelt_variant_or_operation_is_found_at_start() {
    struct Misspelt;
    impl Item for Misspelt {
        fn id(&self) -> &'static str {
            "cache"
        }
        fn variants(&self) -> Vec<(VariantName, Change)> {
            vec![
                (VariantName::Baseline, Change::NONE),
                (
                    VariantName::Proposed(Some("reddis".to_owned())),
                    Change::NONE,
                ),
                (VariantName::Optimized, Change::NONE),
            ]
        }
        fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
            vec![erase(InRedis)]
        }
    }
    let refused = docket::hold(Catalogue::builtin(), &[&Misspelt]).unwrap_err();
    assert!(matches!(refused, Error::Catalogue(_)), "{refused}");
}

/// An operation that says so much of itself, and no more.
#[derive(Debug, Clone, Copy)]
struct Says {
    between: Between,
    writes: &'static [Table],
    leaves: Leaves,
    reads_back: bool,
}

impl Operation for Says {
    type Request = ();
    type Answer = ();

    fn name(&self) -> &'static str {
        "redis"
    }
    fn rungs(&self, _: &World) -> Vec<At> {
        vec![At::rung(1)]
    }
    fn between(&self) -> Between {
        self.between
    }
    fn writes(&self) -> &'static [Table] {
        self.writes
    }
    fn leaves(&self) -> Leaves {
        self.leaves
    }
    fn reads_back(&self) -> bool {
        self.reads_back
    }
    fn at(&self, _: &Oracle, _: At, _: &mut ChaCha8Rng) -> Option<()> {
        Some(())
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) {}
    async fn call(&self, _: &Store, _: &VariantName, (): &()) -> Result<(), Fault> {
        Ok(())
    }
    fn hold(&self, _: &Oracle, (): &(), (): &()) -> Held {
        Ok(())
    }
}

impl Item for Says {
    fn id(&self) -> &'static str {
        "cache"
    }
    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Optimized, Change::NONE),
        ]
    }
    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(*self)]
    }
}

#[test]
fn an_operation_that_leaves_out_what_its_answers_are_told_right_by_is_found_at_start() {
    let reads = Says {
        between: Between::Drawn,
        writes: &[],
        leaves: Leaves::Nothing,
        reads_back: false,
    };
    let writes = Says {
        between: Between::Unsaid,
        writes: FOLLOWS,
        leaves: Leaves::Rows,
        reads_back: true,
    };
    let refused = |says: Says| {
        let held = docket::hold(Catalogue::builtin(), &[&says]);
        match held {
            Err(Error::Unsaid { lacks, .. }) => Some(lacks),
            _ => None,
        }
    };
    assert_eq!((refused(reads), refused(writes)), (None, None));
    for (says, due) in [
        (
            Says {
                between: Between::Unsaid,
                ..reads
            },
            "write_between",
        ),
        (
            Says {
                between: Between::Nothing(" "),
                ..reads
            },
            "a reason",
        ),
        (
            Says {
                writes: FOLLOWS,
                ..reads
            },
            "tables",
        ),
        (
            Says {
                writes: &[],
                ..writes
            },
            "tables",
        ),
        (
            Says {
                reads_back: false,
                ..writes
            },
            "hold_left",
        ),
    ] {
        let lacks = refused(says);
        assert!(lacks.is_some_and(|lacks| lacks.contains(due)), "{says:?}");
    }
}

#[test]
fn what_is_said_to_be_read_back_or_written_between_and_is_not_makes_answers_wrong() {
    let finding = finding(
        r#"
        variants = ["optimized"]
        operations = ["redis"]
        [[claim]]
        id = "runs"
        promise = "runs"
        "#,
    );
    let says = Says {
        between: Between::Drawn,
        writes: &[],
        leaves: Leaves::Nothing,
        reads_back: false,
    };
    let wrong = Says {
        writes: FOLLOWS,
        leaves: Leaves::Rows,
        reads_back: true,
        ..says
    };
    for (says, due) in [(says, "nothing was written"), (wrong, "nobody looks")] {
        let evidence = hear(&says, &finding).unwrap();
        let fix = variant(&evidence, &VariantName::Optimized);
        let answers = fix.answers.as_ref().unwrap();
        let first = answers.first_difference.as_deref().unwrap();
        assert!(first.contains(due), "{first}");
    }
}
