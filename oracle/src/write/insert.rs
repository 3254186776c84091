//! Single rows, put into today's tables as the oracle has them.

use sqlx::{PgConnection, query};
use uuid::Uuid;
use verdict_baseline::message_history::{Attachment, Message};
use verdict_baseline::pagination::Post;
use verdict_baseline::writes::{gather, posts, reactions};
use verdict_seed::Reaction;
use verdict_store::Error;
use verdict_store::fault::Doing;

use crate::author::AuthorRows;
use crate::conversation::{ConversationRows, Row};

/// A conversation with everything that was said in it, created by its first member when its first
/// message was sent.
///
/// # Errors
/// When PostgreSQL refuses, or is away.
pub async fn conversation(
    connection: &mut PgConnection,
    rows: &ConversationRows,
) -> Result<(), Error> {
    let times = || rows.rows().map(|row| row.message.created_at);
    query(
        "INSERT INTO conversations
            (id, conversation_type, name, created_by, created_at, updated_at, privacy_mode)
        VALUES ($1, 'group', 'written by a trial', $2, $3, $4, $5)",
    )
    .bind(rows.id)
    .bind(rows.members.first())
    .bind(times().min())
    .bind(times().max())
    .bind(if rows.strict {
        "strict_e2e"
    } else {
        "search_enabled"
    })
    .execute(&mut *connection)
    .await
    .doing("add a conversation")?;
    gather(&mut *connection, rows.id, &rows.members, times().min())
        .await
        .doing("add members")?;
    // In the order in which they were sent: each moves the conversation's time.
    let mut sent: Vec<&Row> = rows.rows().collect();
    sent.sort_unstable_by_key(|row| (row.message.created_at, row.message.id));
    for row in sent {
        message(connection, rows.id, row).await?;
    }
    Ok(())
}

/// A message with what belongs to it.
///
/// # Errors
/// When PostgreSQL refuses, or is away.
pub async fn message(
    connection: &mut PgConnection,
    conversation: Uuid,
    row: &Row,
) -> Result<(), Error> {
    let Message {
        id,
        sender_id,
        sequence_number: _,
        created_at,
        recalled_at,
        updated_at,
        version_number,
        content,
        content_encrypted,
        content_nonce,
        message_type,
    } = &row.message;
    query(
        "INSERT INTO messages
            (id, conversation_id, sender_id, content, content_encrypted, content_nonce,
             message_type, version_number, created_at, updated_at, deleted_at, recalled_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(id)
    .bind(conversation)
    .bind(sender_id)
    .bind(content)
    .bind(content_encrypted)
    .bind(content_nonce)
    .bind(message_type)
    .bind(version_number)
    .bind(created_at)
    .bind(updated_at)
    .bind(row.deleted_at)
    .bind(recalled_at)
    .execute(&mut *connection)
    .await
    .doing("add a message")?;
    for given in &row.reactions {
        reaction(connection, given).await?;
    }
    for file in &row.attachments {
        attachment(connection, &row.message, file).await?;
    }
    Ok(())
}

pub(super) async fn reaction(
    connection: &mut PgConnection,
    reaction: &Reaction,
) -> Result<(), Error> {
    let given = reactions::Reaction {
        id: reaction.id,
        message: reaction.message,
        user: reaction.user,
        emoji: reaction.emoji,
        created_at: reaction.created_at,
    };
    let reacted = reactions::react(connection, given).await;
    reacted.doing("add a reaction")
}

pub(super) async fn attachment(
    connection: &mut PgConnection,
    message: &Message,
    file: &Attachment,
) -> Result<(), Error> {
    query(
        "INSERT INTO message_attachments
            (id, message_id, file_name, file_type, file_size, s3_key, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(file.id)
    .bind(message.id)
    .bind(&file.file_name)
    .bind(&file.file_type)
    .bind(file.file_size)
    .bind(&file.s3_key)
    .bind(message.created_at)
    .execute(connection)
    .await
    .doing("add an attachment")?;
    Ok(())
}

/// An author with his or her posts, who came when the first was made.
///
/// # Errors
/// When PostgreSQL refuses, or is away.
pub async fn author(connection: &mut PgConnection, rows: &AuthorRows) -> Result<(), Error> {
    let name = format!("trial.{}", rows.id.simple());
    query(
        "INSERT INTO users (id, username, email, password_hash, created_at, updated_at)
        VALUES ($1, $2, $2 || '@example.com', '', $3, $3)",
    )
    .bind(rows.id)
    .bind(name)
    .bind(rows.rows().map(|post| post.created_at).min())
    .execute(&mut *connection)
    .await
    .doing("add an author")?;
    for row in rows.rows() {
        post(connection, row).await?;
    }
    Ok(())
}

/// A post without what belongs to it.
///
/// # Errors
/// When PostgreSQL refuses, or is away.
pub async fn post(connection: &mut PgConnection, post: &Post) -> Result<(), Error> {
    let posted = posts::post(&mut *connection, post).await;
    posted.doing("add a post")?;
    // Today's trigger stamps it with the time of the trial.
    query("UPDATE post_metadata SET created_at = $2, updated_at = $2 WHERE post_id = $1")
        .bind(post.id)
        .bind(post.created_at)
        .execute(connection)
        .await
        .doing("add a post's counters")?;
    Ok(())
}
