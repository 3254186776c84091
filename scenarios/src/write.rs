//! A write between equal reads, made on a side and taken back.

use sqlx::query;
use verdict_baseline::message_send::unsend;
use verdict_oracle::Write;
use verdict_store::fault::Doing;
use verdict_store::{Error, Store, Table};

use crate::insert;

/// Makes it, and answers the tables that it touches.
pub(crate) async fn make(store: &Store, write: &Write) -> Result<&'static [Table], Error> {
    let mut connection = store
        .postgres
        .acquire()
        .await
        .doing("connect for a write")?;
    match write {
        Write::Message { conversation, row } => {
            insert::message(&mut connection, *conversation, row).await?;
            Ok(const {
                &[
                    Table::postgres("messages"),
                    Table::postgres("conversations"),
                ]
            })
        }
        Write::Reaction {
            message,
            user,
            emoji,
            ..
        } => {
            let at = chrono::DateTime::UNIX_EPOCH;
            insert::reaction(&mut connection, *message, *user, emoji, at).await?;
            Ok(const { &[Table::postgres("message_reactions")] })
        }
        Write::Post(post) => {
            insert::post(&mut connection, post).await?;
            Ok(const { &[Table::postgres("posts"), Table::postgres("post_metadata")] })
        }
    }
}

/// Takes it back.
pub(crate) async fn take_back(store: &Store, write: &Write) -> Result<(), Error> {
    let pool = &store.postgres;
    match write {
        Write::Message { conversation, row } => unsend(pool, *conversation, &[row.message.id])
            .await
            .doing("take a message back"),
        Write::Reaction {
            message,
            user,
            emoji,
            ..
        } => query(
            "DELETE FROM message_reactions
            WHERE message_id = $1 AND user_id = $2 AND emoji = $3",
        )
        .bind(message)
        .bind(user)
        .bind(emoji)
        .execute(pool)
        .await
        .doing("take a reaction back")
        .map(drop),
        Write::Post(post) => query("DELETE FROM posts WHERE id = $1")
            .bind(post.id)
            .execute(pool)
            .await
            .doing("take a post back")
            .map(drop),
    }
}
