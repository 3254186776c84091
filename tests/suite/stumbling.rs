//! What goes wrong in each step of a trial: the harness's faults, the variant's, today's own.

use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use verdict_audit::evidence::ItemEvidence;
use verdict_audit::{At, VariantName, Verdict, Warning};
use verdict_oracle::{Held, Oracle};
use verdict_scenarios::Error;
use verdict_scenarios::court::{Clockwork, Court, Watcher};
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{AnyOperation, Operation, erase};
use verdict_seed::World;
use verdict_store::{Change, Engine, Fault, Job, Refusal, Step, Store, Table, change};

use crate::court::{finding, hear, in_court_of, short, variant};

/// Changes `users` and asks nothing much; what it does when something goes wrong is up to it.
#[derive(Clone, Copy)]
struct Stumbling {
    ground: Change,
    change: Change,
    histories: fn() -> Result<(), Fault>,
}

impl Stumbling {
    const SOUND: Self = Self {
        ground: Change::NONE,
        change: Change::steps(&[COLUMN], &[NO_COLUMN], USERS),
        histories: || Ok(()),
    };
}

const USERS: &[Table] = &[Table::postgres("users")];

const FAULTY: Step = Step::Job(Job {
    what: "fail as the harness",
    run: |_| Box::pin(async { Err(gone()) }),
});
const COLUMN: Step = Step::Script(Engine::Postgres, "ALTER TABLE users ADD COLUMN made_up int");
const NO_COLUMN: Step = Step::Script(Engine::Postgres, "ALTER TABLE users DROP COLUMN made_up");
const REFUSED: Step = Step::Script(Engine::Postgres, "DROP TABLE there_is_none");

fn gone() -> Fault {
    Fault::Harness(verdict_store::Error::Gone {
        engine: Engine::Postgres,
        what: "be tested",
        words: "made up".to_owned(),
    })
}

fn refused() -> Fault {
    Fault::Variant(Refusal::Refused("made up".to_owned()))
}

impl Item for Stumbling {
    fn id(&self) -> &'static str {
        "made-up"
    }
    fn ground(&self) -> Change {
        self.ground
    }
    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Optimized, self.change),
        ]
    }
    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Call)]
    }
    fn histories<'a>(
        &'a self,
        session: &'a verdict_scenarios::session::Session<'_>,
        variant: &'a VariantName,
        _: &'a mut verdict_scenarios::tally::Tally,
    ) -> BoxFuture<'a, verdict_scenarios::Result<()>> {
        Box::pin(async move {
            if *variant == VariantName::Baseline {
                return Ok(());
            }
            let heard = (self.histories)();
            if let Err(Fault::Variant(_)) = heard {
                // The change is taken back, and cannot be made again.
                change::run(&[NO_COLUMN], &session.store(variant)).await?;
            }
            Ok(heard?)
        })
    }
}

/// Another item, whose writes price the change of the first.
struct Neighbour;

impl Item for Neighbour {
    fn id(&self) -> &'static str {
        "cache"
    }
    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![(VariantName::Baseline, Change::NONE)]
    }
    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Call)]
    }
}

/// The step at which calls fail, and how.
type Stone = Option<(&'static str, fn() -> Fault)>;

/// Where calls fail now.
static STUMBLE: Mutex<Stone> = Mutex::new(None);

/// The step that the trial is at, with its variant: `optimized: work`.
static STEP: Mutex<String> = Mutex::new(String::new());

/// Where calls fail is one for all.
static ALONE: Mutex<()> = Mutex::new(());

struct Noting;

impl Watcher for Noting {
    fn step(&self, _: &str, variant: &VariantName, step: &str) {
        *STEP.lock().unwrap() = format!("{variant}: {step}");
    }
    fn warn(&self, warning: Warning) {
        println!("{warning}");
    }
}

struct Call;

impl Operation for Call {
    type Request = ();
    type Answer = ();

    fn name(&self) -> &'static str {
        "call"
    }

    fn rungs(&self, _: &World) -> Vec<At> {
        [1, 2, 3].map(At::rung).into()
    }
    fn writes(&self) -> &'static [Table] {
        USERS
    }
    fn at(&self, _: &Oracle, _: At, _: &mut ChaCha8Rng) -> Option<()> {
        Some(())
    }
    fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) {}
    async fn call(&self, store: &Store, _: &VariantName, (): &()) -> Result<(), Fault> {
        let stumble = *STUMBLE.lock().unwrap();
        if let Some((when, fault)) = stumble
            && STEP.lock().unwrap().starts_with(when)
        {
            return Err(fault());
        }
        sqlx::query("SELECT 1").execute(&store.postgres).await?;
        Ok(())
    }
    fn hold(&self, _: &Oracle, (): &(), (): &()) -> Held {
        Ok(())
    }
}

const ASKED: &str = r#"
    variants = ["optimized"]
    operations = ["call"]
    [[claim]]
    id = "runs"
    promise = "runs"
    [[claim]]
    id = "faster"
    promise = "ratio"
    of = "time"
    lo = 2
    hi = 3
    at = 2
"#;

type Outcome = Result<ItemEvidence, Error>;

/// Holds a court in which an item is heard beside [`Neighbour`], again and again, with calls that
/// fail at a step; each time the sides are as the world has them afterwards.
fn stumble<T>(held: impl FnOnce(&dyn Fn(Stumbling, Stone) -> Outcome) -> T) -> T {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    in_court_of(&[&Stumbling::SOUND, &Neighbour], |court| {
        let court = Court {
            watcher: &Noting,
            ..*court
        };
        held(&|item, at| {
            *STUMBLE.lock().unwrap() = at;
            let folder = tempfile::tempdir().unwrap();
            let mut clockwork = Clockwork {
                criterion: &mut short(folder.path()),
                selected: &|_| true,
                timed: true,
            };
            let outcome = court.hear(&item, &finding(ASKED), Some(&mut clockwork));
            *STUMBLE.lock().unwrap() = None;
            for variant in [VariantName::Baseline, VariantName::Optimized] {
                let store = court.session.store(&variant);
                let count = "SELECT COUNT(*) FROM information_schema.columns
                    WHERE column_name = 'made_up'";
                let columns = sqlx::query_scalar(count).fetch_one(&store.postgres);
                let columns: i64 = court.runtime.block_on(columns).unwrap();
                assert_eq!(columns, 0, "{variant} {at:?}");
            }
            outcome
        })
    })
}

fn is_gone(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Err(Error::Store(verdict_store::Error::Gone { .. }))
    )
}

#[test]
fn a_fault_of_the_harness_is_no_verdict_and_the_next_trial_starts_clean() {
    let sound = Stumbling::SOUND;
    stumble(|hear| {
        for change in [
            Change::steps(&[FAULTY], &[], USERS),
            Change::steps(&[COLUMN, FAULTY], &[], USERS),
        ] {
            let outcome = hear(Stumbling { change, ..sound }, None);
            assert!(is_gone(&outcome), "{change:?}: {outcome:?}");
        }
        let ground = Change::steps(&[FAULTY], &[], USERS);
        assert!(is_gone(&hear(Stumbling { ground, ..sound }, None)));
        let histories = || Err(gone());
        assert!(is_gone(&hear(Stumbling { histories, ..sound }, None)));
        for step in [
            "baseline: running",
            "optimized: today on the changed schema",
            "optimized: running",
            "optimized: answers",
            "optimized: work",
            "optimized: price",
            "optimized: timing",
        ] {
            let outcome = hear(sound, Some((step, gone)));
            assert!(is_gone(&outcome), "{step}: {outcome:?}");
        }
        let change = Change::steps(&[COLUMN], &[REFUSED], USERS);
        let outcome = hear(Stumbling { change, ..sound }, None);
        assert!(
            matches!(outcome, Err(Error::NotTakenBack { .. })),
            "{outcome:?}"
        );
        let ground = Change::steps(&[REFUSED], &[], USERS);
        let outcome = hear(Stumbling { ground, ..sound }, None);
        assert!(
            matches!(outcome, Err(Error::NoGround { .. })),
            "{outcome:?}"
        );
    });
}

#[test]
fn a_variant_that_stops_running_in_the_middle_fails_and_keeps_what_was_found() {
    stumble(|hear| {
        let of = |step| {
            let evidence = hear(Stumbling::SOUND, Some((step, refused))).unwrap();
            variant(&evidence, &VariantName::Optimized).clone()
        };
        let running = of("optimized: running");
        assert_eq!(running.failure.as_deref(), Some("made up"));
        for step in ["optimized: work", "optimized: timing"] {
            let stopped = of(step);
            let words = stopped.failure.as_deref().unwrap();
            assert!(words.contains("stopped running: made up"), "{words}");
            assert!(stopped.answers.unwrap().checked > 0);
            assert_eq!(stopped.claims[0].verdict, Verdict::Fails);
            assert_eq!(stopped.work.is_empty(), step == "optimized: work");
        }
        let histories = || Err(refused());
        let item = Stumbling {
            histories,
            ..Stumbling::SOUND
        };
        let evidence = hear(item, None).unwrap();
        let answers = &variant(&evidence, &VariantName::Optimized).answers;
        assert_eq!(answers.as_ref().unwrap().differing, 1);
        // A neighbour that does not run has no price, and the variant is none the worse.
        let priced = of("optimized: price");
        assert_eq!(priced.failure, None);
        assert!(!priced.latency.is_empty());
        // What today answers wrongly on its own schema too is no fault of the change's.
        let additive = of("").additive.unwrap();
        assert_eq!(additive.differing, 0);
    });
}

#[test]
fn an_operation_that_a_variant_does_not_offer_does_not_run() {
    struct Partly;
    struct Other;
    impl Item for Partly {
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
            vec![erase(Call), erase(Other)]
        }
    }
    impl Operation for Other {
        type Request = ();
        type Answer = ();

        fn name(&self) -> &'static str {
            "other"
        }
        fn rungs(&self, world: &World) -> Vec<At> {
            Call.rungs(world)
        }
        fn offered_by(&self, variant: &VariantName) -> bool {
            *variant == VariantName::Baseline
        }
        fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<()> {
            Call.at(oracle, at, random)
        }
        fn draw(&self, _: &Oracle, _: &mut ChaCha8Rng) {}
        async fn call(&self, _: &Store, _: &VariantName, (): &()) -> Result<(), Fault> {
            Ok(())
        }
        fn hold(&self, _: &Oracle, (): &(), (): &()) -> Held {
            Ok(())
        }
    }
    let finding = finding(
        r#"
        variants = ["optimized"]
        operations = ["call", "other"]
        [[claim]]
        id = "runs"
        promise = "runs"
        "#,
    );
    // Its calls would fail where another test's do.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let evidence = hear(&Partly, &finding).unwrap();
    let claim = &variant(&evidence, &VariantName::Optimized).claims[0];
    assert_eq!(claim.verdict, Verdict::Inconclusive);
    assert!(claim.reason.starts_with("other was promised"), "{claim:?}");
}
