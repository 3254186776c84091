//! Many writers of two histories at once, who do everything that can be done to one.

use futures_util::future::join_all;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::query;
use verdict_audit::VariantName;

use super::scene::{SAY, Scene};
use crate::error::Result;
use crate::session::Session;
use crate::tally::Tally;

const WRITERS: usize = 8;

/// Steps after each of which both histories are held.
const STEPS: usize = 12;

/// What is done to messages of conversations `$1` and `$2`, the `$3`th from the newest; by a user
/// `$4`. Rows that go together are locked in one order, so that no two writers wait for each other
/// over them.
const ACTS: [&str; 10] = [
    "INSERT INTO message_reactions (id, message_id, user_id, emoji)
    SELECT GEN_RANDOM_UUID(), id, $4, '👍' FROM messages WHERE conversation_id = ANY(ARRAY[$1, $2])
    ORDER BY created_at DESC OFFSET $3 LIMIT 1
    ON CONFLICT (message_id, user_id, emoji) DO NOTHING",
    "DELETE FROM message_reactions WHERE user_id = $4 AND message_id = (
        SELECT id FROM messages WHERE conversation_id = ANY(ARRAY[$1, $2])
        ORDER BY created_at DESC OFFSET $3 LIMIT 1
    )",
    "INSERT INTO message_attachments (id, message_id, file_name, file_type, file_size, s3_key)
    SELECT GEN_RANDOM_UUID(), id, $4::text, 'text/plain', 1, '' FROM messages
    WHERE conversation_id = ANY(ARRAY[$1, $2])
    ORDER BY created_at DESC OFFSET $3 LIMIT 1",
    "DELETE FROM message_attachments WHERE $4 IS NOT NULL AND message_id = (
        SELECT id FROM messages WHERE conversation_id = ANY(ARRAY[$1, $2])
        ORDER BY created_at DESC OFFSET $3 LIMIT 1
    )",
    "UPDATE messages SET deleted_at = NOW() WHERE $4 IS NOT NULL AND id = (
        SELECT id FROM messages WHERE conversation_id = ANY(ARRAY[$1, $2])
        ORDER BY created_at DESC OFFSET $3 LIMIT 1
    )",
    "UPDATE messages SET recalled_at = NOW() WHERE $4 IS NOT NULL AND id = (
        SELECT id FROM messages WHERE conversation_id = ANY(ARRAY[$1, $2])
        ORDER BY created_at DESC OFFSET $3 LIMIT 1
    )",
    "UPDATE messages SET deleted_at = NULL, recalled_at = NULL WHERE $4 IS NOT NULL AND id = (
        SELECT id FROM messages WHERE conversation_id = ANY(ARRAY[$1, $2])
        ORDER BY created_at DESC OFFSET $3 LIMIT 1
    )",
    "DELETE FROM messages WHERE id = ANY(ARRAY(
        SELECT id FROM messages WHERE $4 IS NOT NULL AND id = ANY(ARRAY(
            SELECT id FROM messages WHERE conversation_id = ANY(ARRAY[$1, $2])
            ORDER BY created_at DESC OFFSET $3 LIMIT 2
        ))
        ORDER BY id FOR UPDATE
    ))",
    "UPDATE messages SET conversation_id = $2 WHERE $4 IS NOT NULL AND id = (
        SELECT id FROM messages WHERE conversation_id = $1
        ORDER BY created_at DESC OFFSET $3 LIMIT 1
    )",
    "UPDATE messages SET created_at = created_at - INTERVAL '1 hour'
    WHERE $4 IS NOT NULL AND id = (
        SELECT id FROM messages WHERE conversation_id = ANY(ARRAY[$1, $2])
        ORDER BY created_at DESC OFFSET $3 LIMIT 1
    )",
];

/// Of so many messages from the newest, one is picked.
const PICKED: i64 = 4;

pub(super) async fn run(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let scene = Scene::open(session, variant).await?;
    let mut random = session.random("histories that many write to");
    let run = steps(&scene, &mut random, tally).await;
    scene.close().await?;
    run
}

async fn steps(scene: &Scene<'_>, random: &mut ChaCha8Rng, tally: &mut Tally) -> Result<()> {
    for step in 0..STEPS {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| write(scene, ChaCha8Rng::from_rng(random)))
            .collect();
        for outcome in join_all(writers).await {
            scene.wrote("one of many writers", outcome, tally)?;
        }
        let when = format!("after step {step} of many writers");
        scene.hold(&when, tally).await?;
    }
    Ok(())
}

async fn write(scene: &Scene<'_>, mut random: ChaCha8Rng) -> sqlx::Result<()> {
    let [here, there] = match random.random() {
        true => scene.conversations,
        false => {
            let [here, there] = scene.conversations;
            [there, here]
        }
    };
    let user = scene.users.choose(&mut random).copied().unwrap_or_default();
    let statement = match random.random_range(0..3) {
        // Now, or late.
        0 => query(SAY)
            .bind(here)
            .bind(user)
            .bind(random.random_range(0..3) * 900),
        _ => query(ACTS.choose(&mut random).copied().unwrap_or_default())
            .bind(here)
            .bind(there)
            .bind(random.random_range(0..PICKED))
            .bind(user),
    };
    statement.execute(&scene.store.postgres).await.map(drop)
}
