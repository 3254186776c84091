//! Single rows, put into a side as the oracle has them.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query};
use uuid::Uuid;
use verdict_baseline::message_history::Message;
use verdict_baseline::pagination::Post;
use verdict_oracle::conversation::Row;
use verdict_store::Error;
use verdict_store::fault::Doing;

/// A message without what belongs to it.
pub(crate) async fn message(
    connection: &mut PgConnection,
    conversation: Uuid,
    row: &Row,
) -> Result<(), Error> {
    let Message {
        id,
        sender_id,
        created_at,
        recalled_at,
        updated_at,
        content,
        content_encrypted,
        content_nonce,
        ..
    } = &row.message;
    query(
        "INSERT INTO messages
            (id, conversation_id, sender_id, content, content_encrypted, content_nonce,
             created_at, updated_at, deleted_at, recalled_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(id)
    .bind(conversation)
    .bind(sender_id)
    .bind(content)
    .bind(content_encrypted)
    .bind(content_nonce)
    .bind(created_at)
    .bind(updated_at)
    .bind(row.deleted.then_some(created_at))
    .bind(recalled_at)
    .execute(connection)
    .await
    .doing("add a message")?;
    Ok(())
}

/// A reaction to a message.
pub(crate) async fn reaction(
    connection: &mut PgConnection,
    message: Uuid,
    user: Uuid,
    emoji: &str,
    at: DateTime<Utc>,
) -> Result<(), Error> {
    query(
        "INSERT INTO message_reactions (id, message_id, user_id, emoji, created_at)
        VALUES (gen_random_uuid(), $1, $2, $3, $4)",
    )
    .bind(message)
    .bind(user)
    .bind(emoji)
    .bind(at)
    .execute(connection)
    .await
    .doing("add a reaction")?;
    Ok(())
}

/// A post without what belongs to it.
pub(crate) async fn post(connection: &mut PgConnection, post: &Post) -> Result<(), Error> {
    query(
        "INSERT INTO posts
            (id, user_id, caption, image_key, status, content_type, created_at, updated_at,
             soft_delete)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(post.id)
    .bind(post.user_id)
    .bind(&post.caption)
    .bind(&post.image_key)
    .bind(&post.status)
    .bind(&post.content_type)
    .bind(post.created_at)
    .bind(post.updated_at)
    .bind(post.soft_delete)
    .execute(connection)
    .await
    .doing("add a post")?;
    Ok(())
}
