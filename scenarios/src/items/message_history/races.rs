//! Two writers of one history, the second of whom begins before the first has ended.

use sqlx::{PgConnection, query, query_as, query_scalar};
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::writes::reactions::react;
use verdict_oracle::same;
use verdict_store::fault::Doing;

use super::scene::{MEANWHILE, SAY, Scene, reaction};
use crate::error::Result;
use crate::session::Session;
use crate::tally::Tally;

/// What a writer does to a conversation of three messages: one bare, one with a reaction and a
/// file, and one between them.
#[derive(Debug, Clone, Copy)]
enum Act {
    Reacts,
    ReactsToo,
    ReactsAgain,
    Unreacts,
    MovesTheReaction,
    AttachesToo,
    AttachesAgain,
    Detaches,
    MovesTheFile,
    ForgetsAll,
    SaysLast,
    SaysLate,
    Recalls,
    DeletesForGood,
    DeletesAllForGood,
    MovesAway,
}

use Act::*;

/// First, and second, and whether the first gives up at its end.
const RACES: [(Act, Act, bool); 17] = [
    (Reacts, ReactsToo, false),
    (Reacts, ReactsToo, true),
    (Reacts, Recalls, false),
    (ReactsAgain, Unreacts, false),
    (ReactsAgain, Unreacts, true),
    (Unreacts, ReactsAgain, false),
    (Unreacts, ReactsAgain, true),
    (MovesTheReaction, ReactsAgain, false),
    (ReactsAgain, MovesTheReaction, false),
    (AttachesAgain, Detaches, false),
    (Detaches, AttachesAgain, false),
    (MovesTheFile, AttachesToo, true),
    (Reacts, DeletesForGood, false),
    (SaysLast, DeletesForGood, true),
    (DeletesForGood, DeletesAllForGood, false),
    (MovesAway, SaysLate, false),
    (MovesAway, DeletesForGood, true),
];

pub(super) async fn run(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let scene = Scene::open(session, variant).await?;
    let alone = alone(&scene, tally).await;
    scene.close().await?;
    alone?;
    for race in RACES {
        let scene = Scene::open(session, variant).await?;
        let run = one(&scene, race, tally).await;
        scene.close().await?;
        run?;
    }
    Ok(())
}

/// Nobody races: the flags tell just the message that has something, and no more when it is gone.
async fn alone(scene: &Scene<'_>, tally: &mut Tally) -> Result<()> {
    const FLAGS: &str = "
        SELECT has_reactions, has_attachments
        FROM messages
        WHERE conversation_id = $1
        ORDER BY created_at";
    let pool = &scene.store.postgres;
    let rows = [
        scene.said(3_000).await?,
        scene.said(2_000).await?,
        scene.said(1_000).await?,
    ];
    let mut connection = pool.acquire().await.doing("write alone")?;
    for (act, due) in [
        (ReactsAgain, [(false, false), (false, false), (true, false)]),
        (
            AttachesAgain,
            [(false, false), (false, false), (true, true)],
        ),
        (
            MovesTheReaction,
            [(true, false), (false, false), (false, true)],
        ),
        (MovesTheFile, [(true, true), (false, false), (false, false)]),
        (ReactsToo, [(true, true), (false, false), (false, false)]),
        (ForgetsAll, [(false, false); 3]),
    ] {
        self::act(&mut connection, scene, rows, act)
            .await
            .doing("write alone")?;
        let flags: Vec<(bool, bool)> = query_as(FLAGS)
            .bind(scene.conversations[0])
            .fetch_all(pool)
            .await
            .doing("look at flags")?;
        let when = format!("{act:?}, alone");
        tally.record(&when, same("flags", &due[..], &flags[..]));
    }
    drop(connection);
    scene.hold("after all was forgotten", tally).await
}

async fn one(
    scene: &Scene<'_>,
    (first, second, gives_up): (Act, Act, bool),
    tally: &mut Tally,
) -> Result<()> {
    let pool = &scene.store.postgres;
    let rows = [
        scene.said(3_000).await?,
        scene.said(2_000).await?,
        scene.said(1_000).await?,
    ];
    let told: bool = query_scalar(
        "SELECT conversation.updated_at = message.created_at
        FROM messages AS message
        JOIN conversations AS conversation ON conversation.id = message.conversation_id
        WHERE message.id = $1",
    )
    .bind(rows[2])
    .fetch_one(pool)
    .await
    .doing("look at a conversation's time")?;
    tally.record(
        "a conversation's time is its last message's",
        same("told", &true, &told),
    );
    let mut other = pool.acquire().await.doing("begin a race")?;
    react(&mut *other, reaction(rows[2], scene.users[0]))
        .await
        .doing("prepare a race")?;
    query(ATTACH)
        .bind(rows[2])
        .bind(scene.users[0])
        .execute(&mut *other)
        .await
        .doing("prepare a race")?;
    let mut transaction = pool.begin().await.doing("begin a race")?;
    let begun = act(&mut transaction, scene, rows, first).await;
    // The second waits for the first, or does not, as the variant has it.
    let (outcome, ended) =
        futures_util::future::join(act(&mut other, scene, rows, second), async {
            tokio::time::sleep(MEANWHILE).await;
            match gives_up {
                true => transaction.rollback().await,
                false => transaction.commit().await,
            }
        })
        .await;
    drop(other);
    ended.doing("end a race")?;
    let end = if gives_up { "gives up" } else { "commits" };
    let race = format!("{first:?}, which {end}, and {second:?}");
    for outcome in [begun, outcome] {
        scene.wrote(&race, outcome, tally)?;
    }
    scene.hold(&race, tally).await
}

const ATTACH: &str = "
INSERT INTO message_attachments (id, message_id, file_name, file_type, file_size, s3_key)
VALUES (GEN_RANDOM_UUID(), $1, $2::text, 'text/plain', 1, '')";

async fn act(
    connection: &mut PgConnection,
    scene: &Scene<'_>,
    [bare, _, full]: [Uuid; 3],
    act: Act,
) -> sqlx::Result<()> {
    let [here, there] = scene.conversations;
    let by = |statement, message: Uuid, user: usize| {
        query(statement).bind(message).bind(scene.users[user])
    };
    let say = |seconds_ago: i32| query(SAY).bind(here).bind(scene.users[0]).bind(seconds_ago);
    let to = |statement| query(statement).bind(full).bind(bare);
    let one = |statement| query(statement).bind(bare);
    match act {
        Reacts | ReactsToo | ReactsAgain => {
            let (message, user) = match act {
                Reacts => (bare, 1),
                ReactsToo => (bare, 2),
                _ => (full, 1),
            };
            return react(connection, reaction(message, scene.users[user])).await;
        }
        Unreacts => by(
            "DELETE FROM message_reactions WHERE message_id = $1 AND user_id = $2",
            full,
            0,
        ),
        MovesTheReaction => {
            to("UPDATE message_reactions SET message_id = $2 WHERE message_id = $1")
        }
        AttachesToo => by(ATTACH, bare, 2),
        AttachesAgain => by(ATTACH, full, 1),
        Detaches => query("DELETE FROM message_attachments WHERE message_id = $1").bind(full),
        MovesTheFile => to("UPDATE message_attachments SET message_id = $2 WHERE message_id = $1"),
        ForgetsAll => one(
            "WITH reactions AS (DELETE FROM message_reactions WHERE message_id = $1)
            DELETE FROM message_attachments WHERE message_id = $1",
        ),
        SaysLast => say(10),
        SaysLate => say(2_500),
        Recalls => one("UPDATE messages SET recalled_at = NOW() WHERE id = $1"),
        DeletesForGood => one("DELETE FROM messages WHERE id = $1"),
        DeletesAllForGood => query("DELETE FROM messages WHERE conversation_id = $1").bind(here),
        MovesAway => one("UPDATE messages SET conversation_id = $2 WHERE id = $1").bind(there),
    }
    .execute(connection)
    .await
    .map(drop)
}
