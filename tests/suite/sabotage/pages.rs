//! Faults of reading: pages of history and of posts.

use chrono::TimeDelta;
use verdict_audit::{Catalogue, VariantName, Verdict};
use verdict_baseline::message_history::{MAX_LIMIT, Reaction};
use verdict_scenarios::court::Clockwork;
use verdict_scenarios::item::Item;
use verdict_scenarios::items::message_history::HistoryPage;
use verdict_scenarios::items::pagination::{History, Posts};
use verdict_scenarios::items::{MessageHistory, Pagination};
use verdict_scenarios::operation::{AnyOperation, erase};
use verdict_store::Change;

use super::sabotaged::{Fault, Sabotaged};
use super::{each_is_caught, with_fix};
use crate::court::{in_court_of, short, variant};

#[test]
fn of_history_with_details() {
    with_fix(&MessageHistory, |court| {
        each_is_caught::<HistoryPage, _>(
            court,
            || HistoryPage::First,
            [
                (
                    "another content",
                    Fault::Answered(|page| {
                        if let Some(row) = page.last_mut() {
                            row.message.content = Some("another".to_owned());
                        }
                    }),
                ),
                (
                    "another sender",
                    Fault::Answered(|page| {
                        if let [first, .., last] = &mut page[..] {
                            std::mem::swap(
                                &mut first.message.sender_id,
                                &mut last.message.sender_id,
                            );
                        }
                    }),
                ),
                (
                    "a recall that is not told",
                    Fault::Answered(|page| {
                        for row in page {
                            row.message.recalled_at = None;
                        }
                    }),
                ),
                (
                    "recalled rows dropped",
                    Fault::Answered(|page| page.retain(|row| row.message.recalled_at.is_none())),
                ),
                (
                    "another version",
                    Fault::Answered(|page| {
                        if let Some(row) = page.first_mut() {
                            row.message.version_number += 1;
                        }
                    }),
                ),
                (
                    "a time floored to seconds",
                    Fault::Answered(|page| {
                        for row in page {
                            let micros = row.message.created_at.timestamp_subsec_micros();
                            row.message.created_at -= TimeDelta::microseconds(micros.into());
                        }
                    }),
                ),
                (
                    "a number off by one",
                    Fault::Answered(|page| {
                        if let Some(row) = page.last_mut() {
                            row.message.sequence_number += 1;
                        }
                    }),
                ),
                (
                    "a reaction counted twice",
                    Fault::Answered(|page| {
                        let mut reactions = page.iter_mut().flat_map(|row| &mut row.reactions);
                        if let Some(Reaction { count, .. }) = reactions.next() {
                            *count += 1;
                        }
                    }),
                ),
                (
                    "a viewer's own reaction not told",
                    Fault::Answered(|page| {
                        for reaction in page.iter_mut().flat_map(|row| &mut row.reactions) {
                            reaction.user_reacted = false;
                        }
                    }),
                ),
                (
                    "an attachment twice",
                    Fault::Answered(|page| {
                        for row in page {
                            if let Some(file) = row.attachments.first().cloned() {
                                row.attachments.push(file);
                            }
                        }
                    }),
                ),
                (
                    "a page that lacks its last row",
                    Fault::Answered(|page| drop(page.pop())),
                ),
                (
                    "two rows in each other's place",
                    Fault::Answered(|page| {
                        if page.len() > 1 {
                            page.swap(0, 1);
                        }
                    }),
                ),
                (
                    "a row twice",
                    Fault::Answered(|page| {
                        if let [first, second, ..] = &mut page[..] {
                            second.clone_from(first);
                        }
                    }),
                ),
                (
                    "another conversation's page",
                    Fault::Mixed(Clone::clone_from),
                ),
                ("a copy that never expires", Fault::Kept),
            ],
        );
    });
}

#[test]
fn of_what_is_asked_for() {
    with_fix(&MessageHistory, |court| {
        each_is_caught::<HistoryPage, _>(
            court,
            || HistoryPage::First,
            [
                (
                    "recalled ones always included",
                    Fault::Asked(|request| request.include_recalled = true),
                ),
                (
                    "recalled ones never included",
                    Fault::Asked(|request| request.include_recalled = false),
                ),
                (
                    "always twenty rows",
                    Fault::Asked(|request| request.limit = 20),
                ),
                (
                    "a cap that is lower",
                    Fault::Asked(|request| request.limit = request.limit.min(MAX_LIMIT - 1)),
                ),
                (
                    "always the first page",
                    Fault::Asked(|request| request.offset = 0),
                ),
                (
                    "an offset off by one",
                    Fault::Asked(|request| request.offset += 1),
                ),
                (
                    "another viewer",
                    Fault::Asked(|request| request.viewer = request.conversation),
                ),
            ],
        );
    });
}

#[test]
fn of_pages_by_cursor() {
    with_fix(&Pagination, |court| {
        each_is_caught::<Posts, _>(
            court,
            || Posts,
            [
                (
                    "another caption",
                    Fault::Answered(|page| {
                        if let Some(post) = page.last_mut() {
                            post.caption = Some("another".to_owned());
                        }
                    }),
                ),
                (
                    "sizes left out",
                    Fault::Answered(|page| {
                        page.iter_mut().for_each(|post| post.image_sizes = None)
                    }),
                ),
                (
                    "a page that lacks its last row",
                    Fault::Answered(|page| drop(page.pop())),
                ),
                (
                    "always the first page",
                    Fault::Asked(|request| request.after = None),
                ),
                ("a copy that never expires", Fault::Kept),
                ("another author's page", Fault::Mixed(Clone::clone_from)),
            ],
        );
        each_is_caught::<History, _>(
            court,
            || History,
            [
                (
                    "a cursor off by one",
                    Fault::Answered(|page| drop((!page.is_empty()).then(|| page.remove(0)))),
                ),
                (
                    "another content, on deep pages alone",
                    Fault::Answered(|page| {
                        let deep = page.iter_mut().find(|row| row.sequence_number > 500);
                        if let Some(row) = deep {
                            row.content = None;
                            row.content_encrypted = None;
                        }
                    }),
                ),
                (
                    "recalled ones always included",
                    Fault::Asked(|request| request.include_recalled = true),
                ),
                ("a copy that never expires", Fault::Kept),
            ],
        );
    });
}

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
        vec![erase(Sabotaged::new(
            Posts,
            Fault::Exhausted(100, Vec::new),
            1,
        ))]
    }
}

#[test]
fn of_a_variant_that_is_right_until_it_is_timed() {
    let finding = Catalogue::builtin().item("pagination").unwrap();
    let evidence = in_court_of(&[&Exhausted], |court| {
        let folder = tempfile::tempdir().unwrap();
        let mut clockwork = Clockwork {
            criterion: &mut short(folder.path()),
            selected: &|_| true,
        };
        court
            .hear(&Exhausted, finding, Some(&mut clockwork))
            .unwrap()
    });
    let fix = variant(&evidence, &VariantName::Optimized);
    let answers = fix.answers.as_ref().unwrap();
    let first = answers.first_difference.as_deref().unwrap();
    assert!(first.contains("for timed posts"), "{first}");
    assert!(
        fix.claims
            .iter()
            .any(|claim| claim.verdict == Verdict::Wrong)
    );
}
