//! Conversations of the trial's own, which histories are written into and which go again whole.

use std::time::Duration;

use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::writes::join_many;
use verdict_oracle::conversation_fetch::hold_details;
use verdict_oracle::{Difference, Ending};
use verdict_store::fault::Doing;
use verdict_store::{Error, Fault, Store};

use super::Fetch;
use crate::error::Result;
use crate::operation::Operation;
use crate::session::Session;
use crate::tally::Tally;

/// Users who take part.
const USERS: u64 = 12;

/// How long a writer is left to run into another one.
pub(super) const MEANWHILE: Duration = Duration::from_millis(30);

/// Conversations, each with its owner as its only member, and users who may join.
pub(super) struct Scene<'a> {
    pub store: Store,
    pub variant: &'a VariantName,
    pub conversations: Vec<Uuid>,
    pub users: Vec<Uuid>,
}

impl<'a> Scene<'a> {
    pub async fn open(
        session: &Session<'_>,
        variant: &'a VariantName,
        conversations: usize,
    ) -> Result<Self> {
        let world = session.world();
        let scene = Self {
            store: session.store(variant),
            variant,
            // Not from the seeded stream: two runs on one server must not collide.
            conversations: (0..conversations).map(|_| Uuid::new_v4()).collect(),
            users: (0..USERS.min(world.users()))
                .map(|index| world.user(index))
                .collect(),
        };
        scene.fill().await?;
        Ok(scene)
    }

    async fn fill(&self) -> std::result::Result<(), Error> {
        let pool = &self.store.postgres;
        query(
            "INSERT INTO conversations (id, conversation_type, name, created_by)
            SELECT id, 'group', 'written by a trial', $2
            FROM UNNEST($1) AS id",
        )
        .bind(&self.conversations)
        .bind(self.users[0])
        .execute(pool)
        .await
        .doing("add conversations of a trial's own")?;
        join_many(pool, &self.conversations, self.users[0], "owner")
            .await
            .doing("add their owner")?;
        Ok(())
    }

    /// Takes the conversations away, with everything in them.
    pub async fn close(self) -> Result<()> {
        query("DELETE FROM conversations WHERE id = ANY($1)")
            .bind(&self.conversations)
            .execute(&self.store.postgres)
            .await
            .doing("take away conversations of a trial's own")?;
        Ok(())
    }

    /// Puts a message into a conversation, so many seconds ago; its id.
    pub async fn said(&self, conversation: Uuid, seconds_ago: i32) -> Result<Uuid> {
        Ok(query_scalar(SAY)
            .bind(conversation)
            .bind(self.users[0])
            .bind(seconds_ago)
            .fetch_one(&self.store.postgres)
            .await
            .doing("add a message")?)
    }

    /// Holds what the variant answers of every conversation to what a count of its rows comes to.
    pub async fn hold(&self, when: &str, tally: &mut Tally) -> Result<()> {
        for id in &self.conversations {
            let due = self.counted(*id).await?;
            let held = match Fetch.call(&self.store, self.variant, id).await {
                Ok(answer) => hold_details(&due, &answer),
                Err(Fault::Variant(refusal)) => Err(Difference(refusal.to_string())),
                Err(Fault::Harness(error)) => return Err(error.into()),
            };
            tally.record(format_args!("{when}, a conversation"), held);
        }
        Ok(())
    }

    async fn counted(&self, id: Uuid) -> std::result::Result<Ending, Error> {
        let (members, newest, updated_at, last) = query_as(
            "SELECT
                (SELECT COUNT(*)::int FROM conversation_members WHERE conversation_id = $1),
                newest,
                (SELECT updated_at FROM conversations WHERE id = $1),
                ARRAY(
                    SELECT id
                    FROM messages
                    WHERE conversation_id = $1
                      AND created_at = newest
                )
            FROM (
                SELECT MAX(created_at) AS newest
                FROM messages
                WHERE conversation_id = $1
            ) AS messages",
        )
        .bind(id)
        .fetch_one(&self.store.postgres)
        .await
        .doing("count a conversation's rows")?;
        Ok(Ending {
            members,
            last,
            newest,
            updated_at,
        })
    }
}

/// A message of so many seconds ago.
pub(super) const SAY: &str = "
INSERT INTO messages (id, conversation_id, sender_id, content, created_at)
VALUES (GEN_RANDOM_UUID(), $1, $2, 'of a trial', NOW() - MAKE_INTERVAL(secs => $3))
RETURNING id";
