//! Faults of sending: what is stored, what is acknowledged, and what racing senders are told.

use verdict_audit::VariantName;
use verdict_baseline::message_send::Sent;
use verdict_scenarios::items::MessageSend;
use verdict_scenarios::items::message_send::{Send, at_once};
use verdict_scenarios::session::Role;
use verdict_scenarios::tally::Tally;

use super::sabotaged::{Fault, FaultOf, Sabotaged};
use super::{each_is_caught, with_fix};

/// A fault that runs a statement with the message's id.
macro_rules! left {
    ($statement:literal) => {
        FaultOf::<Send>::Left(|store, request| {
            Box::pin(async {
                let altered = sqlx::query($statement).bind(request.id);
                let altered = altered.execute(&store.postgres).await.unwrap();
                altered.rows_affected()
            })
        })
    };
}

#[test]
fn of_what_is_stored_and_acknowledged() {
    with_fix(&MessageSend, |court| {
        each_is_caught::<Send, _>(
            court,
            || Send,
            [
                (
                    "deleted at once",
                    left!("UPDATE messages SET deleted_at = now() WHERE id = $1"),
                ),
                (
                    "recalled at once",
                    left!("UPDATE messages SET recalled_at = now() WHERE id = $1"),
                ),
                (
                    "another type",
                    left!("UPDATE messages SET message_type = 'system' WHERE id = $1"),
                ),
                (
                    "another version",
                    left!("UPDATE messages SET version_number = 2 WHERE id = $1"),
                ),
                (
                    "another content",
                    left!("UPDATE messages SET content = content || ' ' WHERE id = $1"),
                ),
                (
                    "another sender",
                    left!(
                        "UPDATE messages SET sender_id = (
                            SELECT id FROM users WHERE id <> sender_id LIMIT 1
                        ) WHERE id = $1"
                    ),
                ),
                (
                    "another conversation",
                    left!(
                        "UPDATE messages SET conversation_id = (
                            SELECT id FROM conversations WHERE id <> conversation_id LIMIT 1
                        ) WHERE id = $1"
                    ),
                ),
                (
                    "encrypted as well",
                    left!("UPDATE messages SET content_encrypted = '' WHERE id = $1"),
                ),
                (
                    "a key that is not kept",
                    left!(
                        "UPDATE messages SET idempotency_key = NULL
                        WHERE id = $1 AND idempotency_key IS NOT NULL"
                    ),
                ),
                (
                    "an older time",
                    left!(
                        "UPDATE messages SET created_at = created_at - INTERVAL '1 hour'
                        WHERE id = $1"
                    ),
                ),
                (
                    "a conversation that stays as old",
                    left!(
                        "UPDATE conversations SET updated_at = updated_at - INTERVAL '1 second'
                        WHERE id = (SELECT conversation_id FROM messages WHERE id = $1)"
                    ),
                ),
                ("not stored", left!("DELETE FROM messages WHERE id = $1")),
                (
                    "not even sent",
                    Fault::Instead(|request| {
                        Ok(Sent {
                            id: request.id,
                            sequence_number: 1_000_000,
                        })
                    }),
                ),
                (
                    "a number off by one",
                    Fault::Answered(|answer| {
                        if let Ok(sent) = answer {
                            sent.sequence_number += 1;
                        }
                    }),
                ),
                (
                    "another message's number",
                    Fault::Mixed(|answer, previous| {
                        if let (Ok(sent), Ok(previous)) = (answer, previous) {
                            sent.sequence_number = previous.sequence_number;
                        }
                    }),
                ),
                (
                    "another message's id",
                    Fault::Mixed(|answer, previous| {
                        if let (Ok(sent), Ok(previous)) = (answer, previous) {
                            sent.id = previous.id;
                        }
                    }),
                ),
                (
                    "a refusal that is no refusal",
                    Fault::Answered(|answer| {
                        if answer.is_err() {
                            *answer = Ok(Sent {
                                id: verdict_oracle::hostile::tied_author(),
                                sequence_number: 1,
                            });
                        }
                    }),
                ),
            ],
        );
    });
}

/// Racing senders: each fault in a race of its own, in one message of 97.
#[test]
fn of_a_race() {
    with_fix(&MessageSend, |court| {
        let race = |fault| {
            let mut tally = Tally::default();
            let send = Sabotaged::new(Send, fault, 97);
            let raced = at_once(&send, court.session, &VariantName::Optimized, &mut tally);
            court.runtime.block_on(raced).unwrap();
            let renewed = court.session.give_back(Role::Trial, &[]);
            court.runtime.block_on(renewed).unwrap();
            tally.into_answers()
        };
        let sound = race(Fault::None);
        assert_eq!(sound.differing, 0, "{sound:?}");
        let faults: [(&str, FaultOf<Send>); 5] = [
            (
                "a number off by one",
                Fault::Answered(|answer| {
                    if let Ok(sent) = answer {
                        sent.sequence_number += 1;
                    }
                }),
            ),
            (
                "numbers given to each other's messages",
                Fault::Mixed(|answer, previous| {
                    if let (Ok(sent), Ok(previous)) = (answer, previous) {
                        sent.sequence_number = previous.sequence_number;
                    }
                }),
            ),
            ("not stored", left!("DELETE FROM messages WHERE id = $1")),
            (
                "another content",
                left!("UPDATE messages SET content = '' WHERE id = $1"),
            ),
            (
                "deleted at once",
                left!("UPDATE messages SET deleted_at = now() WHERE id = $1"),
            ),
        ];
        for (name, fault) in faults {
            let answers = race(fault);
            assert!(answers.differing > 0, "not caught: {name}");
        }
    });
}
