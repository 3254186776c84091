//! Faults of recent messages, and of what keeps messages whole where each month has a table.

use chrono::TimeDelta;
use sqlx::Executor;
use verdict_audit::VariantName;
use verdict_oracle::hostile;
use verdict_scenarios::item::Item;
use verdict_scenarios::items::HotCold;
use verdict_scenarios::items::hot_cold::Recent;

use super::sabotaged::Fault;
use super::{each_is_caught, with_fix};
use crate::common::world;

#[test]
fn of_recent_messages() {
    with_fix(&HotCold, |court| {
        each_is_caught::<Recent, _>(
            court,
            || Recent::Week,
            [
                (
                    "older ones too",
                    Fault::Asked(|request| request.since = None),
                ),
                (
                    "without the first instant",
                    Fault::Asked(|request| {
                        request.since = request.since.map(|at| at + TimeDelta::microseconds(1));
                    }),
                ),
                ("one more", Fault::Asked(|request| request.limit += 1)),
                (
                    "none of the last month",
                    Fault::Answered(|rows| {
                        let month = hostile::month(&world());
                        rows.retain(|row| row.created_at < month);
                    }),
                ),
                (
                    "two change places",
                    Fault::Answered(|rows| {
                        if rows.len() > 1 {
                            rows.swap(0, 1);
                        }
                    }),
                ),
            ],
        );
    });
}

/// What keeps messages whole, each part of it left out or done otherwise.
const OTHERWISE: [(&str, &str); 6] = [
    (
        "ids unique in a month alone",
        "ALTER TABLE messages DISABLE TRIGGER messages_note;
        CREATE FUNCTION note_new() RETURNS trigger
        LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO message_keys (id, idempotency_key)
            VALUES (NEW.id, NEW.idempotency_key)
            ON CONFLICT DO NOTHING;
            RETURN NEW;
        END;
        $$;
        CREATE TRIGGER messages_note_new
        BEFORE INSERT ON messages
        FOR EACH ROW EXECUTE FUNCTION note_new()",
    ),
    (
        "keys that are sent twice",
        "DROP INDEX idx_messages_idempotency",
    ),
    (
        "keys of what is gone",
        "ALTER TABLE messages DISABLE TRIGGER messages_forget",
    ),
    (
        "reactions to nothing",
        "ALTER TABLE message_reactions DROP CONSTRAINT message_reactions_message_id_fkey",
    ),
    (
        "files of what is gone",
        "ALTER TABLE message_attachments DROP CONSTRAINT message_attachments_message_id_fkey",
    ),
    (
        "what belongs to a month that is dropped",
        "CREATE OR REPLACE FUNCTION retire_messages(keep_from timestamptz) RETURNS bigint
        LANGUAGE plpgsql AS $$
        DECLARE
            part regclass;
            gone bigint;
            retired bigint := 0;
        BEGIN
            FOR part IN
                SELECT inhrelid::regclass
                FROM pg_inherits
                JOIN pg_class ON pg_class.oid = inhrelid
                WHERE inhparent = 'messages'::regclass
                  AND relname < TO_CHAR(keep_from AT TIME ZONE 'UTC', '\"messages_\"YYYY_MM')
            LOOP
                EXECUTE FORMAT('SELECT COUNT(*) FROM %s', part) INTO gone;
                retired := retired + gone;
                EXECUTE FORMAT('DROP TABLE %s', part);
            END LOOP;
            RETURN retired;
        END;
        $$",
    ),
];

#[test]
fn of_what_keeps_messages_whole_in_every_month() {
    with_fix(&HotCold, |court| {
        let optimized = VariantName::Optimized;
        let (_, change) = HotCold.variants().pop().unwrap();
        let differing = |otherwise: Option<&'static str>| {
            let store = court.session.store(&optimized);
            if let Some(statements) = otherwise {
                let made = store.postgres.execute(statements);
                court.runtime.block_on(made).unwrap();
            }
            let tally = court.histories_over(&HotCold, &optimized, &store);
            court.change_again(&HotCold, &optimized, &change).unwrap();
            tally.unwrap().into_answers().differing
        };
        assert_eq!(differing(None), 0);
        let passed: Vec<&str> = OTHERWISE
            .into_iter()
            .filter(|(_, statements)| differing(Some(statements)) == 0)
            .map(|(name, _)| name)
            .collect();
        assert!(passed.is_empty(), "not caught: {passed:?}");
    });
}
