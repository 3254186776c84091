//! A write, made on today's tables.

use sqlx::postgres::PgQueryResult;
use sqlx::{PgConnection, PgPool, query};
use verdict_baseline::message_history::Message;
use verdict_baseline::message_send::unsend;
use verdict_baseline::writes::{join, leave, posts, reactions};
use verdict_store::fault::Doing;
use verdict_store::{Engine, Error};

use super::{Rows, Write, hung, insert};
use crate::conversation::Row;
use crate::turn::Turn;

/// Makes a write. One that is turned round is made in the same way.
///
/// # Errors
/// When PostgreSQL refuses, is away, or no longer has the row that is to be altered.
pub async fn apply(pool: &PgPool, write: &Write) -> Result<(), Error> {
    if let Rows::Message {
        conversation,
        turn: Turn {
            before: Some(row),
            after: None,
        },
    } = &write.rows
    {
        return unsend(pool, *conversation, &[row.message.id])
            .await
            .map(drop)
            .doing("take a message back");
    }
    let mut transaction = pool.begin().await.doing("begin a write")?;
    // What is taken back needs to survive no crash.
    query("SET LOCAL synchronous_commit = off")
        .execute(&mut *transaction)
        .await
        .doing("begin a write")?;
    make(&mut transaction, &write.rows).await?;
    transaction.commit().await.doing("commit a write")
}

async fn make(connection: &mut PgConnection, rows: &Rows) -> Result<(), Error> {
    match rows {
        Rows::Conversation(turn) => {
            if let Some(rows) = &turn.before {
                let gone = query("DELETE FROM conversations WHERE id = $1").bind(rows.id);
                let gone = gone.execute(&mut *connection).await;
                one(gone.doing("take a conversation back")?)?;
            }
            if let Some(rows) = &turn.after {
                insert::conversation(connection, rows).await?;
            }
            Ok(())
        }
        Rows::Author(turn) => {
            if let Some(rows) = &turn.before {
                let gone = query("DELETE FROM users WHERE id = $1").bind(rows.id);
                let gone = gone.execute(&mut *connection).await;
                one(gone.doing("take an author back")?)?;
            }
            if let Some(rows) = &turn.after {
                insert::author(connection, rows).await?;
            }
            Ok(())
        }
        Rows::Message { conversation, turn } => match (&turn.before, &turn.after) {
            (Some(before), Some(after)) => alter(connection, before, after).await,
            (None, Some(row)) => insert::message(connection, *conversation, row).await,
            (_, None) => Ok(()),
        },
        Rows::Member { conversation, turn } => {
            if let Some(user) = turn.before {
                let gone = leave(&mut *connection, *conversation, user).await;
                found(gone.doing("take a member back")?)?;
            }
            if let Some(user) = turn.after {
                let come = join(connection, *conversation, user).await;
                found(come.doing("add a member")?)?;
            }
            Ok(())
        }
        Rows::Post { turn, .. } => match (&turn.before, &turn.after) {
            (Some(_), Some(post)) => {
                let altered = posts::edit(connection, post).await;
                found(altered.doing("alter a post")?)
            }
            (None, Some(post)) => insert::post(connection, post).await,
            (Some(post), None) => {
                let gone = posts::unpost(connection, post.id).await;
                found(gone.doing("take a post back")?)
            }
            (None, None) => Ok(()),
        },
        Rows::Hung { post, turn, .. } => match (&turn.before, &turn.after) {
            (Some(before), Some(after)) => hung::alter(connection, *post, before, after).await,
            _ => Ok(()),
        },
        Rows::Delivered(_) => Err(Error::Refused {
            engine: Engine::Postgres,
            what: "make a write",
            words: "versions are brought to ClickHouse".to_owned(),
        }),
    }
}

/// A row that is not there any more is the doing of whoever moved it.
pub(super) fn one(result: PgQueryResult) -> Result<(), Error> {
    rows_were_one(result.rows_affected())
}

fn found(written: bool) -> Result<(), Error> {
    rows_were_one(u64::from(written))
}

fn rows_were_one(rows: u64) -> Result<(), Error> {
    match rows {
        1 => Ok(()),
        rows => Err(Error::Refused {
            engine: Engine::Postgres,
            what: "alter a row",
            words: format!("{rows} rows where one was due"),
        }),
    }
}

async fn alter(connection: &mut PgConnection, before: &Row, after: &Row) -> Result<(), Error> {
    if (&before.message, before.deleted_at) != (&after.message, after.deleted_at) {
        let Message {
            id,
            recalled_at,
            updated_at,
            version_number,
            content,
            content_encrypted,
            content_nonce,
            message_type,
            ..
        } = &after.message;
        let altered = query(
            "UPDATE messages
            SET content = $2,
                content_encrypted = $3,
                content_nonce = $4,
                message_type = $5,
                version_number = $6,
                updated_at = $7,
                recalled_at = $8,
                deleted_at = $9
            WHERE id = $1",
        )
        .bind(id)
        .bind(content)
        .bind(content_encrypted)
        .bind(content_nonce)
        .bind(message_type)
        .bind(version_number)
        .bind(updated_at)
        .bind(recalled_at)
        .bind(after.deleted_at)
        .execute(&mut *connection)
        .await
        .doing("alter a message")?;
        one(altered)?;
    }
    for reaction in &before.reactions {
        if !after.reactions.contains(reaction) {
            let gone = reactions::unreact(&mut *connection, reaction.id).await;
            found(gone.doing("take a reaction away")?)?;
        }
    }
    for reaction in &after.reactions {
        if !before.reactions.contains(reaction) {
            insert::reaction(connection, reaction).await?;
        }
    }
    for file in &before.attachments {
        if !after.attachments.contains(file) {
            let gone = query("DELETE FROM message_attachments WHERE id = $1").bind(file.id);
            let gone = gone.execute(&mut *connection).await;
            one(gone.doing("take a file away")?)?;
        }
    }
    for file in &after.attachments {
        if !before.attachments.contains(file) {
            insert::attachment(connection, &after.message, file).await?;
        }
    }
    Ok(())
}
