//! Two conversations of the trial's own, which histories are written into and which go again whole.

use std::time::Duration;

use chrono::Utc;
use sqlx::{query, query_scalar};
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::message_history::{DetailedMessage, MAX_LIMIT, Request, history as today};
use verdict_baseline::writes::reactions::Reaction;
use verdict_oracle::{Difference, same};
use verdict_store::fault::{Blame, Doing, EngineError};
use verdict_store::{Error, Fault, Store};

use super::history;
use crate::error::Result;
use crate::session::Session;
use crate::tally::Tally;

/// Users who take part.
const USERS: u64 = 4;

/// How long a writer is left to run into another one.
pub(super) const MEANWHILE: Duration = Duration::from_millis(30);

pub(super) struct Scene<'a> {
    pub store: Store,
    variant: &'a VariantName,
    pub conversations: [Uuid; 2],
    pub users: Vec<Uuid>,
}

impl<'a> Scene<'a> {
    pub async fn open(session: &Session<'_>, variant: &'a VariantName) -> Result<Self> {
        let world = session.world();
        let scene = Self {
            store: session.store(variant),
            variant,
            // Not from the seeded stream: two runs on one server must not collide.
            conversations: [Uuid::new_v4(), Uuid::new_v4()],
            users: (0..USERS).map(|index| world.user(index)).collect(),
        };
        query(
            "INSERT INTO conversations (id, conversation_type, name, created_by)
            SELECT id, 'group', 'of a history', $2
            FROM UNNEST($1) AS id",
        )
        .bind(scene.conversations)
        .bind(scene.users[0])
        .execute(&scene.store.postgres)
        .await
        .doing("add conversations for histories")?;
        Ok(scene)
    }

    pub async fn close(self) -> Result<()> {
        query("DELETE FROM conversations WHERE id = ANY($1)")
            .bind(self.conversations)
            .execute(&self.store.postgres)
            .await
            .doing("take conversations of histories away")?;
        Ok(())
    }

    /// Puts a message into the first conversation, so many seconds ago; its id.
    pub async fn said(&self, seconds_ago: i32) -> Result<Uuid> {
        Ok(query_scalar(SAY)
            .bind(self.conversations[0])
            .bind(self.users[0])
            .bind(seconds_ago)
            .fetch_one(&self.store.postgres)
            .await
            .doing("add a message to a history")?)
    }

    /// Notes what a writer was refused; what it may be refused today too is none of it.
    pub fn wrote(&self, who: &str, outcome: sqlx::Result<()>, tally: &mut Tally) -> Result<()> {
        let Err(error) = outcome else {
            return Ok(());
        };
        let gone_or_there = error
            .as_database_error()
            .is_some_and(|error| error.is_foreign_key_violation() || error.is_unique_violation());
        match error.blame() {
            Blame::Statement if gone_or_there => {}
            Blame::Statement => tally.record(who, Err(Difference(error.words()))),
            _ => return Err(error.harness("write into a history").into()),
        }
        Ok(())
    }

    /// Holds pages from the start, the middle and the end to today's three statements, which read
    /// the same rows while nobody writes.
    pub async fn hold(&self, when: &str, tally: &mut Tally) -> Result<()> {
        for conversation in self.conversations {
            for (viewer, include_recalled) in [(0, true), (1, false)] {
                let whole = Request {
                    conversation,
                    viewer: self.users[viewer],
                    limit: MAX_LIMIT,
                    offset: 0,
                    include_recalled,
                };
                let due = self.today(&whole).await?;
                let rows = due.len();
                let mut pages = vec![whole];
                for offset in [1, rows / 2, rows.saturating_sub(1), rows] {
                    pages.push(Request {
                        offset: offset.max(1) as i64,
                        limit: 2,
                        ..pages[0].clone()
                    });
                }
                for page in &pages {
                    self.hold_page(when, page, &due, tally).await?;
                }
            }
        }
        Ok(())
    }

    async fn today(&self, request: &Request) -> Result<Vec<DetailedMessage>> {
        match today(&self.store.postgres, request)
            .await
            .map_err(Fault::from)
        {
            Ok(due) => Ok(sorted(due)),
            Err(Fault::Harness(error)) => Err(error.into()),
            Err(Fault::Variant(refusal)) => Err(Error::NotRenewed(refusal.to_string()).into()),
        }
    }

    /// Holds a page to the rows of the whole history.
    async fn hold_page(
        &self,
        when: &str,
        request: &Request,
        whole: &[DetailedMessage],
        tally: &mut Tally,
    ) -> Result<()> {
        let from = whole.len().min(request.offset as usize);
        let to = whole.len().min(from + request.limit as usize);
        let held = match history(&self.store, self.variant, request).await {
            Ok(answer) => same("page", &whole[from..to], &sorted(answer)[..]),
            Err(Fault::Variant(refusal)) => Err(Difference(refusal.to_string())),
            Err(Fault::Harness(error)) => return Err(error.into()),
        };
        tally.record(format_args!("{when}, {request:?}"), held);
        Ok(())
    }
}

/// Neither reactions nor files have an order.
fn sorted(mut page: Vec<DetailedMessage>) -> Vec<DetailedMessage> {
    for message in &mut page {
        message.reactions.sort();
        message.attachments.sort();
    }
    page
}

/// A reaction that nothing in the world is like.
pub(super) fn reaction(message: Uuid, user: Uuid) -> Reaction<'static> {
    Reaction {
        id: Uuid::new_v4(),
        message,
        user,
        emoji: "🧪",
        created_at: Utc::now(),
    }
}

/// A message of so many seconds ago.
pub(super) const SAY: &str = "
INSERT INTO messages (id, conversation_id, sender_id, content, created_at)
VALUES (GEN_RANDOM_UUID(), $1, $2, 'of a history', NOW() - MAKE_INTERVAL(secs => $3))
RETURNING id";
