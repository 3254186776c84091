//! Rows that no ordinary world has, added to both sides before answers are compared: a
//! conversation and an author whose rows are all of one instant, with deleted, recalled and
//! much reacted-to messages among them.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgPool, query};
use uuid::Uuid;
use verdict_seed::World;

use crate::contract::Timeline;
use crate::error::{Doing, Result};

/// Rows of the tied conversation and of the tied author.
const ROWS: u128 = 60;

/// Ids of this module lie in a range of their own: the version bits say 8, "custom".
const IDS: u128 = 0x7e0f_0000_0000_8000_8000_0000_0000_0000;
const CONVERSATION: u128 = IDS;
const AUTHOR: u128 = IDS + 1;
const MESSAGES: u128 = IDS + 0x1_0000;
const POSTS: u128 = IDS + 0x2_0000;

fn instant(world: &World) -> DateTime<Utc> {
    world.clock() - TimeDelta::days(3)
}

fn deleted(row: u128) -> bool {
    row % 7 == 3
}

fn recalled(row: u128) -> bool {
    row % 5 == 2
}

/// The conversation whose messages are all of one instant.
pub fn tied_conversation() -> Uuid {
    Uuid::from_u128(CONVERSATION)
}

/// What a history of the tied conversation must hold.
pub fn tied_messages(world: &World, include_recalled: bool) -> Timeline {
    Timeline::oldest_first(
        (0..ROWS)
            .filter(|row| !deleted(*row) && (include_recalled || !recalled(*row)))
            .map(|row| (instant(world), Uuid::from_u128(MESSAGES + row)))
            .collect(),
    )
}

/// The author whose posts are all of one instant.
pub fn tied_author() -> Uuid {
    Uuid::from_u128(AUTHOR)
}

/// What pages of the tied author's posts must hold.
pub fn tied_posts(world: &World) -> Timeline {
    Timeline::newest_first(
        (0..ROWS)
            .filter(|row| !deleted(*row))
            .map(|row| (instant(world), Uuid::from_u128(POSTS + row)))
            .collect(),
    )
}

/// Adds the hostile rows to a side.
pub async fn add(pool: &PgPool, world: &World) -> Result<()> {
    let now = instant(world);
    let owner = world.user(0);
    let mut transaction = pool.begin().await.doing("begin adding hostile rows")?;
    query(
        "INSERT INTO users (id, username, email, password_hash, created_at, updated_at)
        VALUES ($1, 'hostile.author', 'hostile.author@example.com', '', $2, $2)",
    )
    .bind(Uuid::from_u128(AUTHOR))
    .bind(now)
    .execute(&mut *transaction)
    .await
    .doing("add the hostile author")?;
    query(
        "INSERT INTO conversations
            (id, conversation_type, name, created_by, created_at, updated_at)
        VALUES ($1, 'group', 'all at once', $2, $3, $3)",
    )
    .bind(Uuid::from_u128(CONVERSATION))
    .bind(owner)
    .bind(now)
    .execute(&mut *transaction)
    .await
    .doing("add the hostile conversation")?;
    for row in 0..ROWS {
        let message = Uuid::from_u128(MESSAGES + row);
        query(
            "INSERT INTO messages
                (id, conversation_id, sender_id, content, created_at, updated_at,
                 deleted_at, recalled_at)
            VALUES ($1, $2, $3, $4, $5, $5, $6, $7)",
        )
        .bind(message)
        .bind(Uuid::from_u128(CONVERSATION))
        .bind(owner)
        .bind((row % 4 != 0).then(|| format!("tied {row}: \"quotes\", \\slashes\\ and ✓")))
        .bind(now)
        .bind(deleted(row).then_some(now))
        .bind(recalled(row).then_some(now))
        .execute(&mut *transaction)
        .await
        .doing("add hostile messages")?;
        // Several users with one emoji, one user with several, and several attachments: where
        // a join of both would multiply rows.
        for reaction in 0..row % 5 {
            query(
                "INSERT INTO message_reactions (id, message_id, user_id, emoji, created_at)
                VALUES (gen_random_uuid(), $1, $2, $3, $4)",
            )
            .bind(message)
            .bind(world.user((reaction % 3) as u64))
            .bind(["👍", "🎉", "'"][(reaction / 2) as usize % 3])
            .bind(now)
            .execute(&mut *transaction)
            .await
            .doing("add hostile reactions")?;
        }
        for attachment in 0..row % 3 {
            query(
                "INSERT INTO message_attachments
                    (id, message_id, file_name, file_type, file_size, s3_key, created_at)
                VALUES ($1, $2, 'same name.txt', 'text/plain', 0, '', $3)",
            )
            .bind(Uuid::from_u128(MESSAGES + 0x1000 * (attachment + 1) + row))
            .bind(message)
            .bind(now)
            .execute(&mut *transaction)
            .await
            .doing("add hostile attachments")?;
        }
        query(
            "INSERT INTO posts
                (id, user_id, caption, image_key, status, created_at, updated_at, soft_delete)
            VALUES ($1, $2, NULL, '', 'published', $3, $3, $4)",
        )
        .bind(Uuid::from_u128(POSTS + row))
        .bind(Uuid::from_u128(AUTHOR))
        .bind(now)
        .bind(deleted(row).then_some(now))
        .execute(&mut *transaction)
        .await
        .doing("add hostile posts")?;
    }
    transaction.commit().await.doing("add hostile rows")
}
