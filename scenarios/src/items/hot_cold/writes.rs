//! Messages on either side of a month's beginning, written by one and by two at once: each is stored
//! once whatever its month, and what belongs to it goes with it.

use chrono::{DateTime, Utc};
use futures_util::future::join;
use sqlx::{Postgres, Transaction, query, query_scalar};
use uuid::Uuid;
use verdict_oracle::same;
use verdict_store::fault::Doing;

use super::scene::{DUPLICATE, NO_MESSAGE, Scene, Told, ended, told};
use crate::error::Result;
use crate::tally::Tally;

pub(super) async fn run(scene: &Scene, tally: &mut Tally) -> Result<()> {
    let [before, after] = scene.instants;
    for times in [[before, after], [after, before], [after, after]] {
        twice(scene, times, tally).await?;
        for gives_up in [false, true] {
            at_once(scene, times, gives_up, tally).await?;
        }
    }
    for at in scene.instants {
        belongs(scene, at, tally).await?;
        for gives_up in [false, true] {
            deleted_first(scene, at, gives_up, tally).await?;
            reacted_first(scene, at, gives_up, tally).await?;
        }
    }
    moved(scene, tally).await
}

/// What was sent before is refused by its id and by its key, whichever month it is of now, and
/// before anything else is found wrong with it.
async fn twice(scene: &Scene, [first, again]: [DateTime<Utc>; 2], tally: &mut Tally) -> Result<()> {
    let (id, key, other) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    let when = format!("sent at {first}, and again at {again}");
    let duplicate: &Told = &Err(DUPLICATE.to_owned());
    for (what, ids, sender, at, due) in [
        ("", [id, key], scene.user, first, &Ok(())),
        (" by its id", [id, other], scene.user, again, duplicate),
        (" by its key", [other, key], scene.user, again, duplicate),
        (" by nobody", [id, key], other, again, duplicate),
    ] {
        let answer = scene.say(scene.pool(), ids, sender, at).await?;
        tally.record(format_args!("{when}{what}"), same("answer", due, &answer));
    }
    Ok(())
}

async fn begin(scene: &Scene) -> Result<Transaction<'static, Postgres>> {
    Ok(scene.pool().begin().await.doing("begin a race")?)
}

fn end(gives_up: bool) -> &'static str {
    match gives_up {
        true => "of which the first gives up",
        false => "of which the first commits",
    }
}

/// The same by two, the second of whom begins before the first has ended.
async fn at_once(
    scene: &Scene,
    [first, again]: [DateTime<Utc>; 2],
    gives_up: bool,
    tally: &mut Tally,
) -> Result<()> {
    let id = Uuid::new_v4();
    let when = format!("sent at {first} and at {again}, {}", end(gives_up));
    let due = match gives_up {
        true => Ok(()),
        false => Err(DUPLICATE.to_owned()),
    };
    let [one_key, other_key] = [(); 2].map(|()| Uuid::new_v4());
    let mut one = begin(scene).await?;
    let sent = scene
        .say(&mut *one, [id, one_key], scene.user, first)
        .await?;
    tally.record(&when, same("the first", &Ok(()), &sent));
    let other = scene.say(scene.pool(), [id, other_key], scene.user, again);
    let (other, ended) = join(other, ended(one, gives_up)).await;
    ended?;
    tally.record(&when, same("the second", &due, &other?));
    let stored = scene.count("messages WHERE id = $1", id).await?;
    tally.record(&when, same("rows", &1, &stored));
    Ok(())
}

/// Reactions and files are of a message that is there, and go with it.
async fn belongs(scene: &Scene, at: DateTime<Utc>, tally: &mut Tally) -> Result<()> {
    let when = format!("what belongs to a message of {at}");
    let message = scene.said(at).await?;
    let reacted = scene.react(scene.pool(), message).await?;
    tally.record(&when, same("reaction", &Ok(()), &reacted));
    query(
        "INSERT INTO message_attachments
            (id, message_id, file_name, file_type, file_size, s3_key)
        VALUES (GEN_RANDOM_UUID(), $1, 'a file', 'text/plain', 1, '')",
    )
    .bind(message)
    .execute(scene.pool())
    .await
    .doing("add a file")?;
    let stray = scene.react(scene.pool(), Uuid::new_v4()).await?;
    let due = Err(NO_MESSAGE.to_owned());
    tally.record(&when, same("reaction to nothing", &due, &stray));
    scene.delete(scene.pool(), message).await?;
    for left in [
        "message_reactions WHERE message_id = $1",
        "message_attachments WHERE message_id = $1",
    ] {
        let rows = scene.count(left, message).await?;
        tally.record(&when, same(left, &0, &rows));
    }
    let ids = [message, Uuid::new_v4()];
    let again = scene.say(scene.pool(), ids, scene.user, at).await?;
    tally.record(&when, same("said again", &Ok(()), &again));
    Ok(())
}

/// Somebody reacts to a message that another is deleting.
async fn deleted_first(
    scene: &Scene,
    at: DateTime<Utc>,
    gives_up: bool,
    tally: &mut Tally,
) -> Result<()> {
    let when = format!("deletes and reacts at {at}, {}", end(gives_up));
    let message = scene.said(at).await?;
    let mut one = begin(scene).await?;
    scene.delete(&mut *one, message).await?;
    let reacts = scene.react(scene.pool(), message);
    let (reacted, ended) = join(reacts, ended(one, gives_up)).await;
    ended?;
    let due = match gives_up {
        true => Ok(()),
        false => Err(NO_MESSAGE.to_owned()),
    };
    tally.record(&when, same("reaction", &due, &reacted?));
    left(scene, &when, message, gives_up, tally).await
}

/// Somebody deletes a message that another is reacting to.
async fn reacted_first(
    scene: &Scene,
    at: DateTime<Utc>,
    gives_up: bool,
    tally: &mut Tally,
) -> Result<()> {
    let when = format!("reacts and deletes at {at}, {}", end(gives_up));
    let message = scene.said(at).await?;
    let mut one = begin(scene).await?;
    let reacted = scene.react(&mut *one, message).await?;
    tally.record(&when, same("reaction", &Ok(()), &reacted));
    let deletes = scene.delete(scene.pool(), message);
    let (deleted, ended) = join(deletes, ended(one, gives_up)).await;
    ended?;
    deleted?;
    left(scene, &when, message, false, tally).await
}

/// A reaction to a message is left, or none.
async fn left(
    scene: &Scene,
    when: &str,
    message: Uuid,
    due: bool,
    tally: &mut Tally,
) -> Result<()> {
    let reactions = "message_reactions WHERE message_id = $1";
    let rows = scene.count(reactions, message).await?;
    tally.record(when, same("reactions left", &i64::from(due), &rows));
    Ok(())
}

/// A message's time is put back to the month before. Nothing in the service does that.
async fn moved(scene: &Scene, tally: &mut Tally) -> Result<()> {
    let [before, after] = scene.instants;
    let message = scene.said(after).await?;
    let moved = query("UPDATE messages SET created_at = $2 WHERE id = $1")
        .bind(message)
        .bind(before)
        .execute(scene.pool())
        .await;
    let due = match told(moved)? {
        Ok(()) => before,
        Err(words) => {
            tally.declare(format!(
                "a message's time cannot be put back into another month ({words}). Today it can, \
                 and nothing in the service does it"
            ));
            after
        }
    };
    let at: DateTime<Utc> = query_scalar("SELECT created_at FROM messages WHERE id = $1")
        .bind(message)
        .fetch_one(scene.pool())
        .await
        .doing("look at a message that was moved")?;
    tally.record("a message put back a month", same("time", &due, &at));
    Ok(())
}
