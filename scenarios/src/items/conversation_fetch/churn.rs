//! Many writers of a few conversations at once, who do everything that can be done to one.

use futures_util::future::join_all;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::{PgPool, query};
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::writes::{join, leave};
use verdict_oracle::Difference;
use verdict_store::fault::{Blame, EngineError};

use super::scene::{SAY, Scene};
use crate::error::Result;
use crate::session::Session;
use crate::tally::Tally;

const CONVERSATIONS: usize = 3;
const WRITERS: usize = 8;

/// Steps after each of which every conversation is held.
const STEPS: usize = 25;

/// What is done to rows of two conversations, the `$3`th from the newest. Messages that go together
/// are locked in one order, so that no two writers wait for each other over them.
const ACTS: [&str; 7] = [
    "UPDATE messages SET deleted_at = NOW() WHERE id = (
        SELECT id FROM messages WHERE conversation_id = ANY(ARRAY[$1, $2])
        ORDER BY created_at DESC OFFSET $3 LIMIT 1
    )",
    "UPDATE messages SET recalled_at = NOW() WHERE id = (
        SELECT id FROM messages WHERE conversation_id = ANY(ARRAY[$1, $2])
        ORDER BY created_at DESC OFFSET $3 LIMIT 1
    )",
    "DELETE FROM messages WHERE id = (
        SELECT id FROM messages WHERE conversation_id = ANY(ARRAY[$1, $2])
        ORDER BY created_at DESC OFFSET $3 LIMIT 1
    )",
    "DELETE FROM messages WHERE id = ANY(ARRAY(
        SELECT id FROM messages WHERE id = ANY(ARRAY(
            SELECT id FROM messages WHERE conversation_id = ANY(ARRAY[$1, $2])
            ORDER BY created_at DESC OFFSET $3 LIMIT 3
        ))
        ORDER BY id FOR UPDATE
    ))",
    "UPDATE messages SET conversation_id = $2 WHERE id = (
        SELECT id FROM messages WHERE conversation_id = $1
        ORDER BY created_at DESC OFFSET $3 LIMIT 1
    )",
    "UPDATE messages SET created_at = created_at - INTERVAL '1 hour' WHERE id = (
        SELECT id FROM messages WHERE conversation_id = ANY(ARRAY[$1, $2])
        ORDER BY created_at DESC OFFSET $3 LIMIT 1
    )",
    "UPDATE conversation_members AS moved SET conversation_id = $2 WHERE id = (
        SELECT id FROM conversation_members AS member
        WHERE conversation_id = $1
          AND NOT EXISTS (
              SELECT FROM conversation_members
              WHERE conversation_id = $2 AND user_id = member.user_id
          )
        ORDER BY joined_at DESC OFFSET $3 LIMIT 1
    )",
];

/// Of so many messages or members from the newest, one is picked.
const PICKED: i64 = 3;

pub(super) async fn run(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let scene = Scene::open(session, variant, CONVERSATIONS).await?;
    let mut random = session.random("conversations that many write to");
    let run = steps(&scene, &mut random, tally).await;
    scene.close().await?;
    run
}

async fn steps(scene: &Scene<'_>, random: &mut ChaCha8Rng, tally: &mut Tally) -> Result<()> {
    for step in 0..STEPS {
        let writers = (0..WRITERS).map(|_| {
            let own = ChaCha8Rng::from_rng(random);
            write(scene, own)
        });
        for written in join_all(writers.collect::<Vec<_>>()).await {
            match written {
                Err(error) if error.blame() == Blame::Statement && !is_taken(&error) => {
                    tally.record("one of many writers", Err(Difference(error.words())));
                }
                Err(error) if !is_taken(&error) => return Err(error.harness("write").into()),
                _ => {}
            }
        }
        scene
            .hold(&format!("after step {step} of many writers"), tally)
            .await?;
    }
    Ok(())
}

/// Whether somebody is a member of where he or she was to be moved to.
fn is_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

async fn write(scene: &Scene<'_>, mut random: ChaCha8Rng) -> sqlx::Result<()> {
    let pool: &PgPool = &scene.store.postgres;
    let picked =
        |random: &mut ChaCha8Rng, ids: &[Uuid]| *ids.choose(random).unwrap_or(&Uuid::nil());
    let here = picked(&mut random, &scene.conversations);
    let there = picked(&mut random, &scene.conversations);
    let user = picked(&mut random, &scene.users);
    match random.random_range(0..12) {
        0 => join(pool, here, user).await.map(drop),
        1 => leave(pool, here, user).await.map(drop),
        kind @ 2..6 => {
            // Now, or late; now and then of the same instant as another.
            let seconds_ago = if kind < 4 {
                0
            } else {
                random.random_range(0..5) * 900
            };
            query(SAY)
                .bind(here)
                .bind(user)
                .bind(seconds_ago)
                .execute(pool)
                .await
                .map(drop)
        }
        _ => {
            let act = ACTS.choose(&mut random).copied().unwrap_or_default();
            query(act)
                .bind(here)
                .bind(there)
                .bind(random.random_range(0..PICKED))
                .execute(pool)
                .await
                .map(drop)
        }
    }
}
