//! Faults of conversations and lists of them: what the columns say, and what is not kept.

use sqlx::Executor;
use verdict_audit::VariantName;
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

/// What keeps the columns, each part of it left out or done otherwise.
const KEPT_OTHERWISE: [(&str, &str); 4] = [
    (
        "messages deleted for good",
        "ALTER TABLE messages DISABLE TRIGGER messages_renew_of_deleted",
    ),
    (
        "messages moved",
        "ALTER TABLE messages DISABLE TRIGGER messages_renew_of_moved",
    ),
    (
        "members moved",
        "ALTER TABLE conversation_members DISABLE TRIGGER members_renew_of_moved",
    ),
    (
        "members one by one",
        "CREATE FUNCTION renew_of_one() RETURNS trigger
        LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM renew_conversations(ARRAY[NEW.conversation_id]);
            RETURN NULL;
        END;
        $$;
        DROP TRIGGER members_renew_of_joined ON conversation_members;
        CREATE TRIGGER members_renew_of_joined
        AFTER INSERT ON conversation_members
        FOR EACH ROW EXECUTE FUNCTION renew_of_one()",
    ),
];

#[test]
fn of_what_keeps_a_conversation_while_many_write() {
    with_fix(&ConversationFetch, |court| {
        let optimized = VariantName::Optimized;
        let differing = |otherwise: Option<&'static str>| {
            let store = court.session.store(&optimized);
            if let Some(statements) = otherwise {
                let made = store.postgres.execute(statements);
                court.runtime.block_on(made).unwrap();
            }
            // The last of them makes the change anew.
            let tally = court.histories_over(&ConversationFetch, &optimized, &store);
            tally.unwrap().into_answers().differing
        };
        assert_eq!(differing(None), 0);
        let passed: Vec<&str> = KEPT_OTHERWISE
            .into_iter()
            .filter(|(_, statements)| differing(Some(statements)) == 0)
            .map(|(name, _)| name)
            .collect();
        assert!(passed.is_empty(), "not caught: {passed:?}");
    });
}
