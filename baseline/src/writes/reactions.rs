//! Reactions to messages.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

/// A reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reaction<'a> {
    /// Its id.
    pub id: Uuid,
    /// The message.
    pub message: Uuid,
    /// Who reacts.
    pub user: Uuid,
    /// How.
    pub emoji: &'a str,
    /// When.
    pub created_at: DateTime<Utc>,
}

const REACT: &str = "
INSERT INTO message_reactions (id, message_id, user_id, emoji, created_at)
VALUES ($1, $2, $3, $4, $5)";

const UNREACT: &str = "
DELETE FROM message_reactions
WHERE id = $1";

/// A user reacts to a message.
pub async fn react(executor: impl PgExecutor<'_>, reaction: Reaction<'_>) -> sqlx::Result<()> {
    sqlx::query(REACT)
        .bind(reaction.id)
        .bind(reaction.message)
        .bind(reaction.user)
        .bind(reaction.emoji)
        .bind(reaction.created_at)
        .execute(executor)
        .await
        .map(drop)
}

/// A reaction is taken back; whether it was there.
pub async fn unreact(executor: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<bool> {
    let gone = sqlx::query(UNREACT).bind(id).execute(executor).await?;
    Ok(gone.rows_affected() > 0)
}
