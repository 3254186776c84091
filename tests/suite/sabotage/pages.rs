//! Faults of reading: pages of history and of posts.

use chrono::TimeDelta;
use verdict_baseline::message_history::{MAX_LIMIT, Reaction, Request};
use verdict_oracle::write::Kind;
use verdict_scenarios::items::message_history::HistoryPage;
use verdict_scenarios::items::pagination::{History, Posts};
use verdict_scenarios::items::{MessageHistory, Pagination};
use verdict_scenarios::operation::Operation;

use super::sabotaged::{Fault, FaultOf};
use super::{each_is_caught, each_kept_is_caught, with_fix};

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
                    "a cap that is missing",
                    Fault::Joined(
                        |request| {
                            let beyond = request.limit - MAX_LIMIT;
                            (beyond > 0).then(|| Request {
                                limit: beyond,
                                offset: request.offset + MAX_LIMIT,
                                ..request.clone()
                            })
                        },
                        |page, more| page.extend(more),
                    ),
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
                ("another author's page", Fault::Mixed(Clone::clone_from)),
                (
                    "nothing after a post that was deleted since",
                    Fault::Unless(
                        |store, request| {
                            let after = request.after.map(|(_, id)| id);
                            Box::pin(async move {
                                let Some(after) = after else {
                                    return true;
                                };
                                let shown = "SELECT EXISTS (
                                    SELECT FROM posts WHERE id = $1 AND soft_delete IS NULL
                                )";
                                let shown = sqlx::query_scalar(shown).bind(after);
                                shown.fetch_one(&store.postgres).await.unwrap()
                            })
                        },
                        Vec::new,
                    ),
                ),
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
                (
                    "nothing after a message that was deleted or recalled since",
                    Fault::Unless(
                        |store, request| {
                            let after = request.after.map(|(_, id)| id);
                            Box::pin(async move {
                                let Some(after) = after else {
                                    return true;
                                };
                                let shown = "SELECT EXISTS (
                                    SELECT FROM messages
                                    WHERE id = $1 AND deleted_at IS NULL AND recalled_at IS NULL
                                )";
                                let shown = sqlx::query_scalar(shown).bind(after);
                                shown.fetch_one(&store.postgres).await.unwrap()
                            })
                        },
                        Vec::new,
                    ),
                ),
            ],
        );
    });
}

/// Which pages are kept, and how they go stale: each kind of write is forgotten once.
#[test]
fn of_copies_that_one_kind_of_write_leaves_stale() {
    fn copied<O: Operation>() -> [(&'static str, FaultOf<O>); 11] {
        [
            ("a copy that never expires", Fault::Copied(1, |_| false)),
            (
                "made of what is asked for often",
                Fault::Copied(5, |_| false),
            ),
            (
                "dropped when rows are counted anew",
                Fault::Copied(1, |kind| matches!(kind, Kind::Created | Kind::Sent)),
            ),
            (
                "that there is nothing",
                Fault::Copied(1, |kind| kind != Kind::Created),
            ),
            (
                "stale after a send",
                Fault::Copied(1, |kind| kind != Kind::Sent),
            ),
            (
                "stale after an edit",
                Fault::Copied(1, |kind| kind != Kind::Edited),
            ),
            (
                "stale after a recall",
                Fault::Copied(1, |kind| kind != Kind::Recalled),
            ),
            (
                "stale after a deletion",
                Fault::Copied(1, |kind| kind != Kind::Deleted),
            ),
            (
                "stale after a reaction",
                Fault::Copied(1, |kind| kind != Kind::Reacted),
            ),
            (
                "with a reaction withdrawn",
                Fault::Copied(1, |kind| kind != Kind::Unreacted),
            ),
            (
                "without a file",
                Fault::Copied(1, |kind| kind != Kind::Attached),
            ),
        ]
    }
    with_fix(&MessageHistory, |court| {
        each_kept_is_caught(court, || HistoryPage::First, &copied::<HistoryPage>());
    });
    with_fix(&Pagination, |court| {
        // No reactions, no files, and of posts no recalls.
        each_kept_is_caught(court, || History, &copied::<History>()[..8]);
        let mut of_posts = copied::<Posts>();
        of_posts.swap(6, 7);
        each_kept_is_caught(court, || Posts, &of_posts[..7]);
    });
}
