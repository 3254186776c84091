//! Faults that only come while calls are timed.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use verdict_audit::evidence::Answers;
use verdict_audit::{Catalogue, VariantName, Verdict};
use verdict_baseline::message_send::Sent;
use verdict_scenarios::court::{Clockwork, Court};
use verdict_scenarios::item::Item;
use verdict_scenarios::items::message_send::Send;
use verdict_scenarios::items::pagination::Posts;
use verdict_scenarios::items::{MessageSend, Pagination};
use verdict_scenarios::latency::{Pair, Seat, sample};
use verdict_scenarios::operation::{AnyOperation, Ladder, erase};
use verdict_scenarios::recording::Recording;
use verdict_scenarios::session::Role;
use verdict_scenarios::tally::Tally;
use verdict_store::Change;

use super::sabotaged::{Fault, FaultOf, Sabotaged};
use super::with_fix;
use crate::court::{in_court_of, short, variant};

/// What is found wrong with the optimized variant while an operation is timed at its first place,
/// or in the whole world where places are parts of it: a small part has one answer for everybody.
pub fn timed(court: &Court<'_>, operation: &dyn AnyOperation) -> Answers {
    let session = court.session;
    let mut rungs = operation.rungs(session.world());
    rungs.retain(|at| at.is_rung());
    let at = match operation.ladder() {
        Ladder::Rows => rungs[0],
        Ladder::Events => rungs[rungs.len() - 1],
    };
    let probe = operation.probe(session.oracle(), &VariantName::Optimized, at);
    let pair = Pair {
        baseline: None,
        variant: Seat {
            probe: probe.unwrap(),
            store: Box::new(|| {
                let connected = session.connect(Role::Trial, None, std::convert::identity);
                Box::pin(async { Ok(connected.await.unwrap()) })
            }),
        },
        callers: at.callers,
        restore: None,
        order: 0,
        judged: true,
    };
    let folder = tempfile::tempdir().unwrap();
    let mut criterion = short(folder.path()).sample_size(12);
    let mut group = criterion.benchmark_group("sabotage");
    let mut tally = Tally::default();
    let recording = &mut Recording::default();
    let name = operation.name();
    sample(
        &mut group,
        name,
        court.runtime,
        &pair,
        recording,
        &mut tally,
    )
    .unwrap();
    group.finish();
    assert!(tally.checked() > 0);
    tally.into_answers()
}

#[test]
fn of_rows_that_are_acknowledged_and_not_stored_or_stored_and_not_acknowledged() {
    with_fix(&MessageSend, |court| {
        let lost = |one_in| -> (FaultOf<Send>, u64) {
            let gone = FaultOf::<Send>::Left(|store, request| {
                Box::pin(async {
                    let gone = "DELETE FROM messages WHERE id = $1";
                    let gone = sqlx::query(gone).bind(request.id);
                    let gone = gone.execute(&store.postgres).await.unwrap();
                    gone.rows_affected()
                })
            });
            (gone, one_in)
        };
        let refused: FaultOf<Send> = Fault::Answered(|answer| {
            *answer = Err(verdict_baseline::Refused::Duplicate);
        });
        let unsent: FaultOf<Send> = Fault::Instead(|request| {
            Ok(Sent {
                id: request.id,
                sequence_number: 1_000_000,
            })
        });
        let sound = timed(court, &*erase(Sabotaged::new(Send, Fault::None, 1)));
        assert_eq!(sound.differing, 0, "{sound:?}");
        for (fault, one_in) in [lost(1), lost(50), (refused, 50), (unsent, 50)] {
            let faulty = Sabotaged::after(40, Send, fault, one_in);
            let answers = timed(court, &*erase(faulty));
            assert!(answers.differing > 0, "not caught: one in {one_in}");
        }
    });
}

/// Whether the fix is being timed.
static TIMED: AtomicBool = AtomicBool::new(false);

/// Right for as long as it is checked, and then, while it is timed, empty.
struct Exhausted;

impl Item for Exhausted {
    fn id(&self) -> &'static str {
        Pagination.id()
    }
    fn hostile(&self) -> &'static [verdict_oracle::Hostile] {
        Pagination.hostile()
    }
    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Optimized, Change::NONE),
        ]
    }
    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        let checked = |_: &_, _: &_| -> BoxFuture<'_, bool> {
            Box::pin(async { !TIMED.load(Ordering::Relaxed) })
        };
        let empty = Fault::Unless(checked, Vec::new);
        vec![erase(Sabotaged::new(Posts, empty, 1))]
    }
}

#[test]
fn of_a_variant_that_is_right_until_it_is_timed() {
    let finding = Catalogue::builtin().item("pagination").unwrap();
    let evidence = in_court_of(&[&Exhausted], |court| {
        let folder = tempfile::tempdir().unwrap();
        let mut clockwork = Clockwork {
            criterion: &mut short(folder.path()),
            timed: true,
            selected: &|bench| {
                TIMED.store(bench.contains("/optimized/"), Ordering::Relaxed);
                true
            },
        };
        court
            .hear(&Exhausted, finding, Some(&mut clockwork))
            .unwrap()
    });
    let fix = variant(&evidence, &VariantName::Optimized);
    let answers = fix.answers.as_ref().unwrap();
    let first = answers.first_difference.as_deref().unwrap();
    assert!(first.contains("for timed posts"), "{first}");
    let mut claims = fix.claims.iter();
    assert!(claims.any(|claim| claim.verdict == Verdict::Wrong));
}
