//! Two writers of one conversation, the second of whom begins before the first has committed.

use sqlx::{PgConnection, query};
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::writes::{join, leave};
use verdict_oracle::Difference;
use verdict_store::fault::{Blame, Doing, EngineError};

use super::scene::{MEANWHILE, SAY, Scene};
use crate::error::Result;
use crate::session::Session;
use crate::tally::Tally;

/// What a writer does to a conversation with two members and two messages.
#[derive(Debug, Clone, Copy)]
enum Act {
    Joins,
    JoinsToo,
    Leaves,
    MovesAMemberAway,
    SaysLast,
    SaysLate,
    DeletesTheLast,
    DeletesTheOneBefore,
    MovesTheLastAway,
    MakesTheLastLate,
}

/// First, and second.
const RACES: [(Act, Act); 11] = [
    (Act::Joins, Act::JoinsToo),
    (Act::Joins, Act::Leaves),
    (Act::Leaves, Act::Joins),
    (Act::Joins, Act::MovesAMemberAway),
    (Act::SaysLast, Act::SaysLate),
    (Act::SaysLate, Act::SaysLast),
    (Act::SaysLate, Act::DeletesTheLast),
    (Act::DeletesTheLast, Act::SaysLate),
    (Act::DeletesTheOneBefore, Act::DeletesTheLast),
    (Act::DeletesTheOneBefore, Act::MovesTheLastAway),
    (Act::MakesTheLastLate, Act::SaysLate),
];

pub(super) async fn run(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    for race in RACES {
        let scene = Scene::open(session, variant, 2).await?;
        let run = one(&scene, race, tally).await;
        scene.close().await?;
        run?;
    }
    Ok(())
}

async fn one(scene: &Scene<'_>, (first, second): (Act, Act), tally: &mut Tally) -> Result<()> {
    let pool = &scene.store.postgres;
    let here = scene.conversations[0];
    join(pool, here, scene.users[1])
        .await
        .doing("add a member")?;
    let rows = [
        scene.said(here, 2_000).await?,
        scene.said(here, 1_000).await?,
    ];
    let mut transaction = pool.begin().await.doing("begin a race")?;
    let mut other = pool.acquire().await.doing("begin a race")?;
    let begun = act(&mut transaction, scene, rows, first).await;
    // The second waits for the first, or does not, as the variant has it.
    let (outcome, committed) =
        futures_util::future::join(act(&mut other, scene, rows, second), async {
            tokio::time::sleep(MEANWHILE).await;
            transaction.commit().await
        })
        .await;
    drop(other);
    committed.doing("end a race")?;
    for outcome in [begun, outcome] {
        match outcome {
            Err(error) if error.blame() == Blame::Statement => {
                tally.record(
                    format_args!("{first:?} and {second:?}"),
                    Err(Difference(error.words())),
                );
            }
            outcome => outcome.doing("race")?,
        }
    }
    scene
        .hold(&format!("{first:?} and {second:?}"), tally)
        .await
}

async fn act(
    connection: &mut PgConnection,
    scene: &Scene<'_>,
    [before, last]: [Uuid; 2],
    act: Act,
) -> sqlx::Result<()> {
    let [here, there] = [scene.conversations[0], scene.conversations[1]];
    let say = |seconds_ago: i32| query(SAY).bind(here).bind(scene.users[0]).bind(seconds_ago);
    let gone = |id: Uuid| query("DELETE FROM messages WHERE id = $1").bind(id);
    match act {
        Act::Joins => return join(connection, here, scene.users[2]).await.map(drop),
        Act::JoinsToo => return join(connection, here, scene.users[3]).await.map(drop),
        Act::Leaves => return leave(connection, here, scene.users[1]).await.map(drop),
        Act::SaysLast => say(10),
        Act::SaysLate => say(1_500),
        Act::DeletesTheLast => gone(last),
        Act::DeletesTheOneBefore => gone(before),
        Act::MovesAMemberAway => query(
            "UPDATE conversation_members SET conversation_id = $3
            WHERE conversation_id = $1 AND user_id = $2",
        )
        .bind(here)
        .bind(scene.users[1])
        .bind(there),
        Act::MovesTheLastAway => query("UPDATE messages SET conversation_id = $2 WHERE id = $1")
            .bind(last)
            .bind(there),
        Act::MakesTheLastLate => {
            query("UPDATE messages SET created_at = created_at - INTERVAL '1 day' WHERE id = $1")
                .bind(last)
        }
    }
    .execute(connection)
    .await
    .map(drop)
}
