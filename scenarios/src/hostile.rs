//! Adding hostile rows to a side, as the oracle has them.

use sqlx::query;
use verdict_baseline::message_history::{Attachment, Message};
use verdict_oracle::{Hostile, hostile};
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Error, Store, Table};

const CONVERSATION: &[Table] = &[
    Table::postgres("conversations"),
    Table::postgres("conversation_members"),
    Table::postgres("messages"),
    Table::postgres("message_reactions"),
    Table::postgres("message_attachments"),
];
const AUTHOR: &[Table] = &[
    Table::postgres("users"),
    Table::postgres("posts"),
    Table::postgres("post_metadata"),
];

/// Adds them, and answers the tables that they are in.
///
/// # Errors
/// When PostgreSQL refuses, or is away.
pub(crate) async fn add(
    store: &Store,
    world: &World,
    rows: Hostile,
) -> Result<&'static [Table], Error> {
    match rows {
        Hostile::TiedConversation => conversation(store, world).await,
        Hostile::TiedAuthor => author(store, world).await,
    }
}

async fn conversation(store: &Store, world: &World) -> Result<&'static [Table], Error> {
    let rows = hostile::conversation(world);
    let now = hostile::instant(world);
    let mut transaction = store
        .postgres
        .begin()
        .await
        .doing("begin adding hostile rows")?;
    query(
        "INSERT INTO conversations
            (id, conversation_type, name, created_by, created_at, updated_at)
        VALUES ($1, 'group', 'all at once', $2, $3, $3)",
    )
    .bind(rows.id)
    .bind(world.user(0))
    .bind(now)
    .execute(&mut *transaction)
    .await
    .doing("add a hostile conversation")?;
    for member in &rows.members {
        query(
            "INSERT INTO conversation_members
                (id, conversation_id, user_id, role, joined_at)
            VALUES (gen_random_uuid(), $1, $2, 'member', $3)",
        )
        .bind(rows.id)
        .bind(member)
        .bind(now)
        .execute(&mut *transaction)
        .await
        .doing("add hostile members")?;
    }
    for row in rows.rows() {
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
        .bind(rows.id)
        .bind(sender_id)
        .bind(content)
        .bind(content_encrypted)
        .bind(content_nonce)
        .bind(created_at)
        .bind(updated_at)
        .bind(row.deleted.then_some(now))
        .bind(recalled_at)
        .execute(&mut *transaction)
        .await
        .doing("add hostile messages")?;
        for (user, emoji) in &row.reactions {
            query(
                "INSERT INTO message_reactions (id, message_id, user_id, emoji, created_at)
                VALUES (gen_random_uuid(), $1, $2, $3, $4)",
            )
            .bind(id)
            .bind(user)
            .bind(emoji)
            .bind(now)
            .execute(&mut *transaction)
            .await
            .doing("add hostile reactions")?;
        }
        for file in &row.attachments {
            let Attachment {
                id: file_id,
                file_name,
                file_type,
                file_size,
                s3_key,
            } = file;
            query(
                "INSERT INTO message_attachments
                    (id, message_id, file_name, file_type, file_size, s3_key, created_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(file_id)
            .bind(id)
            .bind(file_name)
            .bind(file_type)
            .bind(file_size)
            .bind(s3_key)
            .bind(now)
            .execute(&mut *transaction)
            .await
            .doing("add hostile attachments")?;
        }
    }
    transaction.commit().await.doing("add hostile rows")?;
    Ok(CONVERSATION)
}

async fn author(store: &Store, world: &World) -> Result<&'static [Table], Error> {
    let rows = hostile::author(world);
    let now = hostile::instant(world);
    let mut transaction = store
        .postgres
        .begin()
        .await
        .doing("begin adding hostile rows")?;
    query(
        "INSERT INTO users (id, username, email, password_hash, created_at, updated_at)
        VALUES ($1, 'hostile.author', 'hostile.author@example.com', '', $2, $2)",
    )
    .bind(rows.id)
    .bind(now)
    .execute(&mut *transaction)
    .await
    .doing("add a hostile author")?;
    for post in rows.rows() {
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
        .execute(&mut *transaction)
        .await
        .doing("add hostile posts")?;
    }
    transaction.commit().await.doing("add hostile rows")?;
    Ok(AUTHOR)
}
