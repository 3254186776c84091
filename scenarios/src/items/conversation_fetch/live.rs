//! A variant's change, made while people write: nobody is refused, and nothing is lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future;
use sqlx::query;
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::writes::{join, leave};
use verdict_oracle::Difference;
use verdict_store::fault::{Blame, EngineError};
use verdict_store::settle::settle;
use verdict_store::{Change, Down, change};

use super::scene::{MEANWHILE, SAY, Scene};
use crate::error::Result;
use crate::session::Session;
use crate::tally::Tally;

const CONVERSATIONS: usize = 6;

const WHEN: &str = "while the change was made";

/// How long writers go on before the change and after it.
const AROUND: Duration = MEANWHILE;

pub(super) async fn run(
    session: &Session<'_>,
    variant: &VariantName,
    made: &Change,
    tally: &mut Tally,
) -> Result<()> {
    let Down::Steps(down) = made.down else {
        return Ok(());
    };
    if made.is_none() {
        return Ok(());
    }
    let scene = Scene::open(session, variant, CONVERSATIONS).await?;
    change::run(down, &scene.store).await?;
    let ended = AtomicBool::new(false);
    let change = async {
        tokio::time::sleep(AROUND).await;
        let outcome = change::run(made.up, &scene.store).await;
        tokio::time::sleep(AROUND).await;
        ended.store(true, Ordering::Relaxed);
        outcome
    };
    let writers = scene
        .conversations
        .iter()
        .map(|id| write(&scene, *id, &ended));
    let (outcome, written) = future::join(change, future::join_all(writers)).await;
    for error in written.into_iter().flatten() {
        match error.blame() {
            Blame::Statement => tally.record(WHEN, Err(Difference(error.words()))),
            _ => return Err(error.harness("write while a change is made").into()),
        }
    }
    // One that is refused stays half-made: the side has to be given back.
    outcome?;
    scene
        .hold("after the change was made under writers", tally)
        .await?;
    let store = scene.store.clone();
    scene.close().await?;
    Ok(settle(&store.postgres, made.touches).await?)
}

/// Writes to a conversation until it ended, or was refused.
async fn write(scene: &Scene<'_>, id: Uuid, ended: &AtomicBool) -> Option<sqlx::Error> {
    let pool = &scene.store.postgres;
    for number in 0.. {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        let user = scene.users[1 + number % (scene.users.len() - 1)];
        let written = match number % 3 {
            0 => join(pool, id, user).await.map(drop),
            1 => leave(pool, id, scene.users[1]).await.map(drop),
            _ => {
                let say = query(SAY).bind(id).bind(user).bind(0);
                say.execute(pool).await.map(drop)
            }
        };
        if let Err(error) = written {
            return Some(error);
        }
    }
    None
}
