//! What was acknowledged, held to what is stored: after a window, when nothing is on its way.
//!
//! Every acknowledged message is there, once, whole, with a number that is its own; one that
//! was refused is not.
//!
//! - With the fix the number is the row's place by time, which it takes while it holds the
//!   conversation's row.
//! - Today counts the conversation after the insert, so a number may be given twice while
//!   several send, which is today's own fault. It counts at least the rows up to its own and
//!   those that were acknowledged before it was sent, and at most those that were sent before it
//!   was acknowledged.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use serde_json::{Map, Value};
use sqlx::PgPool;
use sqlx::types::Json;
use sqlx::types::chrono::{DateTime, Utc};
use uuid::Uuid;
use verdict_audit::Side;
use verdict_baseline::message_send::Sent;
use verdict_oracle::{Difference, Held, Oracle, message_send as oracle, same};
use verdict_store::fault::Doing;

use super::call::parse;
use super::keeper::{Answer, Sending};

const ROWS: &str = "
SELECT id, TO_JSONB(messages), created_at
FROM messages
WHERE id = ANY($1)";

const COUNTS: &str = "
SELECT conversation_id, COUNT(*)
FROM messages
WHERE conversation_id = ANY($1)
GROUP BY conversation_id";

/// Every column by name.
type Columns = Map<String, Value>;

/// A row of what was sent.
#[derive(Debug)]
struct Row {
    columns: Columns,
    created_at: DateTime<Utc>,
}

/// One conversation after a window.
#[derive(Debug, Default)]
struct Conversation<'a> {
    /// The world's own messages.
    before: i64,
    /// All messages.
    after: i64,
    sent: Vec<&'a Sending>,
}

/// Reads back what was sent, in two statements, and holds every message that was acknowledged to
/// it; and every conversation, in which nothing else may have come.
pub(super) async fn hold(
    side: Side,
    world: &Oracle,
    pool: &PgPool,
    sent: &[Sending],
) -> Result<Vec<Held>, verdict_store::Error> {
    let mut conversations: BTreeMap<Uuid, Conversation<'_>> = BTreeMap::new();
    for sending in sent {
        conversations
            .entry(sending.message.conversation)
            .or_default()
            .sent
            .push(sending);
    }
    let ids: Vec<Uuid> = sent.iter().map(|sending| sending.message.id).collect();
    let rows: Vec<(Uuid, Json<Columns>, DateTime<Utc>)> = sqlx::query_as(ROWS)
        .bind(&ids)
        .fetch_all(pool)
        .await
        .doing("read back the messages that were sent")?;
    let rows: HashMap<Uuid, Row> = rows
        .into_iter()
        .map(|(id, Json(columns), created_at)| {
            let row = Row {
                columns,
                created_at,
            };
            (id, row)
        })
        .collect();
    let touched: Vec<Uuid> = conversations.keys().copied().collect();
    let counts: Vec<(Uuid, i64)> = sqlx::query_as(COUNTS)
        .bind(&touched)
        .fetch_all(pool)
        .await
        .doing("count the messages that are stored")?;
    for (id, count) in counts {
        conversations.entry(id).or_default().after = count;
    }
    let mut held = Vec::new();
    for (id, mut conversation) in conversations {
        conversation.before = world
            .conversation(id)
            .map_or(0, |rows| rows.messages as i64);
        held.extend(conversation.hold(id, side, &rows));
    }
    Ok(held)
}

impl Conversation<'_> {
    fn hold(&self, id: Uuid, side: Side, rows: &HashMap<Uuid, Row>) -> Vec<Held> {
        let stored: Vec<&Sending> = self
            .sent
            .iter()
            .copied()
            .filter(|sending| rows.contains_key(&sending.message.id))
            .collect();
        let places = self.places(&stored, rows);
        let counted = self.counted(&stored);
        let due = |sending: &Sending, at| {
            let (least, most) = counted(sending, at);
            match (side, places.get(&sending.message.id)) {
                (Side::Optimized, Some(place)) => (*place, *place),
                _ => (least, most),
            }
        };
        let mut held = self.each(side, rows, &due);
        if side == Side::Optimized {
            held.push(self.distinct(id));
        }
        let others = self.after - self.before - stored.len() as i64;
        held.push(if others == 0 {
            Ok(())
        } else {
            Err(Difference(format!(
                "after the load {id} on the {side} side holds {} messages: the world's {}, {} of \
                 those that were sent, and {others} that nobody sent",
                self.after,
                self.before,
                stored.len(),
            )))
        });
        held
    }

    /// Holds each message that was acknowledged to its row, and its number to those that it may
    /// have been given; and each that was refused to there being none.
    fn each(
        &self,
        side: Side,
        rows: &HashMap<Uuid, Row>,
        due: &dyn Fn(&Sending, Instant) -> (i64, i64),
    ) -> Vec<Held> {
        let one = |sending: &Sending, at: Instant, body: &[u8]| {
            let row = rows.get(&sending.message.id).map(|row| &row.columns);
            oracle::hold_row(&sending.message, row)?;
            let number = parse::<Sent>(body)?.sequence_number;
            let (least, most) = due(sending, at);
            if least == most {
                same("the number of its row", &least, &number)
            } else if (least..=most).contains(&number) {
                Ok(())
            } else {
                Err(Difference(format!(
                    "number {number} was given where {least} to {most} messages can have been counted"
                )))
            }
        };
        let answered = |sending: &&Sending| {
            let message = &sending.message;
            let held = match sending.answer.as_ref()? {
                Answer::Acknowledged(answer) => one(sending, answer.at, &answer.body),
                Answer::Refused => {
                    let row = rows.get(&message.id).map(|row| &row.columns);
                    same("the row of what was refused", &None, &row)
                }
            };
            Some(held.map_err(|wrong| {
                wrong.at(format!(
                    "read back after the load, message {} of {} into {} on the {side} side",
                    message.id, message.sender, message.conversation
                ))
            }))
        };
        self.sent.iter().filter_map(answered).collect()
    }

    /// What can have been counted between a question and its answer, from the least to the most.
    fn counted(&self, stored: &[&Sending]) -> impl Fn(&Sending, Instant) -> (i64, i64) {
        let mut ended: Vec<Instant> = stored
            .iter()
            .filter_map(|sending| sending.acknowledged())
            .map(|answer| answer.at)
            .collect();
        ended.sort_unstable();
        let mut began: Vec<Instant> = self
            .sent
            .iter()
            .filter(|sending| !sending.refused())
            .map(|sending| sending.began)
            .collect();
        began.sort_unstable();
        let before = self.before;
        move |sending, at| {
            let surely = ended.partition_point(|ended| *ended < sending.began);
            let perhaps = began.partition_point(|began| *began < at);
            (before + surely as i64 + 1, before + perhaps as i64)
        }
    }

    /// The place of each row by time.
    fn places(&self, stored: &[&Sending], rows: &HashMap<Uuid, Row>) -> HashMap<Uuid, i64> {
        let keyed = |sending: &&Sending| {
            let id = sending.message.id;
            Some((rows.get(&id)?.created_at, id))
        };
        let mut keys: Vec<_> = stored.iter().filter_map(keyed).collect();
        keys.sort_unstable();
        (self.before + 1..)
            .zip(keys)
            .map(|(place, (_, id))| (id, place))
            .collect()
    }

    /// Whether no number was given twice.
    fn distinct(&self, id: Uuid) -> Held {
        let mut given = HashSet::new();
        let answers = self.sent.iter().filter_map(|one| one.acknowledged());
        for answer in answers {
            // One that cannot be read is told as a wrong answer.
            if let Ok(Sent {
                sequence_number, ..
            }) = parse(&answer.body)
                && !given.insert(sequence_number)
            {
                return Err(Difference(format!(
                    "read back after the load, number {sequence_number} of {id} was given twice"
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::json;
    use verdict_baseline::message_send::Request;

    use super::*;
    use crate::flows::keeper::Acknowledged;

    /// The world's messages in the conversation.
    const BEFORE: i64 = 100;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    /// The milliseconds at which messages were sent and acknowledged, and the number that each
    /// was given. All are stored, their times in this order.
    fn after(sent: &[(u64, u64, i64)]) -> (Vec<Sending>, HashMap<Uuid, Row>) {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let sending = |(place, (began, ended, number)): (u128, &(u64, u64, i64))| Sending {
            message: Arc::new(Request {
                id: id(place),
                conversation: id(77),
                sender: id(78),
                content: "a message".to_owned(),
                idempotency_key: None,
            }),
            began: at(*began),
            answer: Some(Answer::Acknowledged(Acknowledged {
                at: at(*ended),
                body: json!({"id": id(place), "sequence_number": number})
                    .to_string()
                    .into_bytes()
                    .into(),
            })),
            late: false,
        };
        let sent: Vec<Sending> = (1..).zip(sent).map(sending).collect();
        let row = |(second, sending): (i64, &Sending)| {
            let message = &sending.message;
            let columns = json!({
                "id": message.id,
                "conversation_id": message.conversation,
                "sender_id": message.sender,
                "content": message.content,
                "content_encrypted": null,
                "content_nonce": null,
                "message_type": "text",
                "version_number": 1,
                "created_at": "2025-01-01T00:00:00Z",
                "updated_at": "2025-01-01T00:00:00Z",
                "edited_at": null,
                "recalled_at": null,
                "deleted_at": null,
                "idempotency_key": null,
            });
            let columns = columns.as_object().cloned().unwrap();
            let row = Row {
                columns,
                created_at: DateTime::from_timestamp(second, 0).unwrap(),
            };
            (message.id, row)
        };
        let rows = (1..).zip(&sent).map(row).collect();
        (sent, rows)
    }

    /// How many are wrong, of so many messages in the conversation.
    fn wrong(side: Side, sent: &[Sending], rows: &HashMap<Uuid, Row>, after: i64) -> usize {
        let conversation = Conversation {
            before: BEFORE,
            after,
            sent: sent.iter().collect(),
        };
        let held = conversation.hold(id(77), side, rows);
        held.iter().filter(|held| held.is_err()).count()
    }

    /// As above, with every row there.
    fn told(side: Side, sent: &[(u64, u64, i64)]) -> bool {
        let (sent, rows) = after(sent);
        wrong(side, &sent, &rows, BEFORE + sent.len() as i64) > 0
    }

    #[test]
    fn numbers_in_the_order_of_the_rows_are_right() {
        for side in [Side::Baseline, Side::Optimized] {
            let sent = [(0, 9, 101), (1, 8, 102), (10, 12, 103)];
            assert!(!told(side, &sent), "{side}");
        }
    }

    #[test]
    fn numbers_of_overlapping_sends_that_changed_places_are_told_of_the_fix_alone() {
        let sent = [(0, 9, 102), (1, 8, 101)];
        assert!(told(Side::Optimized, &sent));
        // Today counts when it likes.
        assert!(!told(Side::Baseline, &sent));
    }

    #[test]
    fn numbers_of_sends_one_after_the_other_that_changed_places_are_always_told() {
        for side in [Side::Baseline, Side::Optimized] {
            assert!(told(side, &[(0, 1, 102), (2, 3, 101)]));
        }
    }

    #[test]
    fn a_number_given_twice_is_todays_own_fault_and_no_others() {
        let sent = [(0, 9, 102), (1, 8, 102)];
        assert!(!told(Side::Baseline, &sent));
        assert!(told(Side::Optimized, &sent));
    }

    #[test]
    fn a_number_one_too_high_or_too_low_is_told() {
        for side in [Side::Baseline, Side::Optimized] {
            for number in [100, 102] {
                assert!(told(side, &[(0, 1, number)]), "{number}");
            }
        }
    }

    #[test]
    fn a_lost_an_altered_and_an_uninvited_message_are_each_told_once() {
        let (mut sent, mut rows) = after(&[(0, 1, 101), (2, 3, 102)]);
        let of = |side, sent: &[Sending], rows: &_, more| wrong(side, sent, rows, BEFORE + more);
        for side in [Side::Baseline, Side::Optimized] {
            assert_eq!(of(side, &sent, &rows, 2), 0);
            assert_eq!(of(side, &sent, &rows, 3), 1);
        }
        let content = json!("something else");
        let altered = rows.get_mut(&id(2)).unwrap();
        altered.columns.insert("content".to_owned(), content);
        assert_eq!(of(Side::Optimized, &sent, &rows, 2), 1);
        rows.remove(&id(2));
        assert_eq!(of(Side::Optimized, &sent, &rows, 1), 1);
        // What was not acknowledged may be lost.
        sent[1].answer = None;
        assert_eq!(of(Side::Optimized, &sent, &rows, 1), 0);
    }

    #[test]
    fn a_message_that_was_refused_and_is_stored_is_told() {
        let (mut sent, mut rows) = after(&[(0, 1, 101), (2, 3, 0)]);
        sent[1].answer = Some(Answer::Refused);
        let side = Side::Optimized;
        assert_eq!(wrong(side, &sent, &rows, BEFORE + 2), 1);
        rows.remove(&id(2));
        assert_eq!(wrong(side, &sent, &rows, BEFORE + 1), 0);
    }
}
