//! Faults of conversations and lists of them: what the columns say, and what is not kept.

use verdict_oracle::write::Kind;
use verdict_scenarios::items::ConversationFetch;
use verdict_scenarios::items::conversation_fetch::{Fetch, List};

use super::sabotaged::Fault;
use super::{each_is_caught, each_kept_is_caught, with_fix};

#[test]
fn of_a_conversation() {
    with_fix(&ConversationFetch, |court| {
        each_is_caught::<Fetch, _>(
            court,
            || Fetch,
            [
                (
                    "a member too many",
                    Fault::Answered(|answer| answer.member_count += 1),
                ),
                (
                    "another conversation's members",
                    Fault::Mixed(|answer, previous| answer.member_count = previous.member_count),
                ),
                (
                    "another conversation's last message",
                    Fault::Mixed(|answer, previous| {
                        answer.last_message_id = previous.last_message_id;
                    }),
                ),
                (
                    "no last message",
                    Fault::Answered(|answer| answer.last_message_id = None),
                ),
                (
                    "another id",
                    Fault::Mixed(|answer, previous| answer.id = previous.id),
                ),
            ],
        );
        each_kept_is_caught(
            court,
            || Fetch,
            &[
                (
                    "but when it comes to be",
                    Fault::Copied(1, |kind| kind != Kind::Created),
                ),
                (
                    "but when somebody joins",
                    Fault::Copied(1, |kind| kind != Kind::Joined),
                ),
                (
                    "but when something is sent",
                    Fault::Copied(1, |kind| kind != Kind::Sent),
                ),
            ],
        );
    });
}

#[test]
fn of_a_list() {
    with_fix(&ConversationFetch, |court| {
        each_is_caught::<List, _>(
            court,
            || List,
            [
                (
                    "two change places",
                    Fault::Answered(|rows| {
                        if rows.len() > 1 {
                            rows.swap(0, 1);
                        }
                    }),
                ),
                (
                    "the last one missing",
                    Fault::Answered(|rows| {
                        rows.pop();
                    }),
                ),
                (
                    "one twice",
                    Fault::Answered(|rows| rows.extend(rows.last().copied())),
                ),
                (
                    "a member too few in the last",
                    Fault::Answered(|rows| {
                        if let Some(row) = rows.last_mut() {
                            row.details.member_count -= 1;
                        }
                    }),
                ),
                (
                    "the first one's last message in the last",
                    Fault::Answered(|rows| {
                        let first = rows.first().map(|row| row.details.last_message_id);
                        if let (Some(first), Some(last)) = (first, rows.last_mut()) {
                            last.details.last_message_id = first;
                        }
                    }),
                ),
                (
                    "another time",
                    Fault::Answered(|rows| {
                        if let Some(row) = rows.first_mut() {
                            row.updated_at += chrono::TimeDelta::microseconds(1);
                        }
                    }),
                ),
            ],
        );
        each_kept_is_caught(
            court,
            || List,
            &[
                (
                    "but when somebody joins",
                    Fault::Copied(1, |kind| kind != Kind::Joined),
                ),
                (
                    "but when something is sent",
                    Fault::Copied(1, |kind| kind != Kind::Sent),
                ),
            ],
        );
    });
}
