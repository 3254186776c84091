//! A conversation of the trial's own, with messages on either side of a month's beginning, which
//! goes again whole.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{
    AssertSqlSafe, PgExecutor, PgPool, Postgres, Transaction, query, query_as, query_scalar,
};
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::Error as OperationError;
use verdict_baseline::writes::reactions::{Reaction, react};
use verdict_oracle::{hostile, same};
use verdict_store::fault::{Blame, Doing, EngineError};
use verdict_store::settle::settle;
use verdict_store::{Error, Refusal, Store, Table};

use crate::error::Result;
use crate::session::Session;
use crate::tally::Tally;

/// How long a writer is left to run into another one.
const MEANWHILE: Duration = Duration::from_millis(30);

/// The tables that are written.
pub(super) const WRITTEN: &[Table] = &[
    Table::postgres("messages"),
    Table::postgres("conversations"),
    Table::postgres("message_reactions"),
    Table::postgres("message_attachments"),
];

/// What is said of a message that was sent before, and of a reaction to none.
pub(super) const DUPLICATE: &str = "message was sent before";
pub(super) const NO_MESSAGE: &str = "message_reactions_message_id_fkey";

pub(super) struct Scene {
    store: Store,
    conversation: Uuid,
    pub user: Uuid,
    /// The last instant of a month, and the first of the next.
    pub instants: [DateTime<Utc>; 2],
}

/// What became of a write: made, or refused in these words.
pub(super) type Told = std::result::Result<(), String>;

impl Scene {
    pub async fn open(session: &Session<'_>, variant: &VariantName) -> Result<Self> {
        let month = hostile::month(session.world());
        let scene = Self {
            store: session.store(variant),
            // Not from the seeded stream: two runs on one server must not collide.
            conversation: Uuid::new_v4(),
            user: session.world().user(0),
            instants: [month - TimeDelta::microseconds(1), month],
        };
        query(
            "INSERT INTO conversations (id, conversation_type, name, created_by)
            VALUES ($1, 'group', 'around a border', $2)",
        )
        .bind(scene.conversation)
        .bind(scene.user)
        .execute(scene.pool())
        .await
        .doing("add a conversation around a border")?;
        Ok(scene)
    }

    pub fn pool(&self) -> &PgPool {
        &self.store.postgres
    }

    /// Takes the conversation away with everything in it, and sees that just what is there is kept
    /// unique.
    pub async fn close(self, variant: &VariantName, tally: &mut Tally) -> Result<()> {
        query("DELETE FROM conversations WHERE id = $1")
            .bind(self.conversation)
            .execute(self.pool())
            .await
            .doing("take a conversation around a border away")?;
        if *variant == VariantName::Optimized {
            let (messages, keys, same_keys): (i64, i64, i64) = query_as(KEPT_UNIQUE)
                .fetch_one(self.pool())
                .await
                .doing("count what is kept unique")?;
            let due = [messages; 2];
            tally.record(
                "what is kept unique",
                same("keys", &due, &[keys, same_keys]),
            );
        }
        Ok(settle(self.pool(), WRITTEN).await?)
    }

    /// Says something at a time, with an id and a key.
    pub async fn say(
        &self,
        executor: impl PgExecutor<'_>,
        [id, key]: [Uuid; 2],
        sender: Uuid,
        at: DateTime<Utc>,
    ) -> std::result::Result<Told, Error> {
        let said = query(
            "INSERT INTO messages
                (id, conversation_id, sender_id, content, created_at, idempotency_key)
            VALUES ($1, $2, $3, 'around a border', $4, $5)",
        )
        .bind(id)
        .bind(self.conversation)
        .bind(sender)
        .bind(at)
        .bind(key);
        told(said.execute(executor).await)
    }

    /// Says something that nobody has said; its id.
    pub async fn said(&self, at: DateTime<Utc>) -> Result<Uuid> {
        let ids = [Uuid::new_v4(), Uuid::new_v4()];
        made(self.say(self.pool(), ids, self.user, at).await?)?;
        Ok(ids[0])
    }

    pub async fn react(
        &self,
        executor: impl PgExecutor<'_>,
        message: Uuid,
    ) -> std::result::Result<Told, Error> {
        let reaction = Reaction {
            id: Uuid::new_v4(),
            message,
            user: self.user,
            emoji: "🧪",
            created_at: Utc::now(),
        };
        told(react(executor, reaction).await)
    }

    pub async fn delete(&self, executor: impl PgExecutor<'_>, message: Uuid) -> Result<()> {
        let delete = query("DELETE FROM messages WHERE id = $1").bind(message);
        made(told(delete.execute(executor).await)?)
    }

    /// Rows of a table that a condition on an id is true of.
    pub async fn count(&self, of: &'static str, id: Uuid) -> Result<i64> {
        Ok(
            query_scalar(AssertSqlSafe(format!("SELECT COUNT(*) FROM {of}")))
                .bind(id)
                .fetch_one(self.pool())
                .await
                .doing("count what is left")?,
        )
    }
}

/// Messages, keys, and those of them that are a message's.
const KEPT_UNIQUE: &str = "
SELECT
    (SELECT COUNT(*) FROM messages),
    (SELECT COUNT(*) FROM message_keys),
    (
        SELECT COUNT(*)
        FROM message_keys AS keys
        JOIN messages AS m ON m.id = keys.id
        WHERE m.idempotency_key IS NOT DISTINCT FROM keys.idempotency_key
    )";

/// What a write was told: by the service's word for it, by the constraint, or by the engine.
pub(super) fn told<T>(outcome: sqlx::Result<T>) -> std::result::Result<Told, Error> {
    let Err(error) = outcome else {
        return Ok(Ok(()));
    };
    if error.blame() != Blame::Statement {
        return Err(error.harness("write around a border"));
    }
    let constraint = error.as_database_error().and_then(|of| of.constraint());
    let constraint = constraint.map(str::to_owned);
    Ok(Err(match OperationError::from(error) {
        OperationError::Refused(refused) => refused.to_string(),
        error => constraint.unwrap_or_else(|| error.to_string()),
    }))
}

fn made(told: Told) -> Result<()> {
    told.map_err(|words| Refusal::Refused(words).into())
}

/// Ends a transaction once another writer has had the time to run into it.
pub(super) async fn ended(one: Transaction<'static, Postgres>, gives_up: bool) -> Result<()> {
    tokio::time::sleep(MEANWHILE).await;
    let ended = match gives_up {
        true => one.rollback().await,
        false => one.commit().await,
    };
    Ok(ended.doing("end a race")?)
}
