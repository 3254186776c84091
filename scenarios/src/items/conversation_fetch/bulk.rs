//! Two users who join many conversations in one statement each, in opposite order, and leave
//! them again: neither waits for the other for ever.

use futures_util::future;
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::writes::{join_many, leave_many};
use verdict_oracle::Difference;
use verdict_store::Store;
use verdict_store::fault::{Blame, EngineError};

use super::scene::Scene;
use crate::error::Result;
use crate::session::Session;
use crate::tally::Tally;

const CONVERSATIONS: usize = 60;
const ROUNDS: usize = 3;

pub(super) async fn run(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let scene = Scene::open(session, variant, CONVERSATIONS).await?;
    let run = rounds(&scene, tally).await;
    scene.close().await?;
    run
}

async fn rounds(scene: &Scene<'_>, tally: &mut Tally) -> Result<()> {
    let forth = &scene.conversations;
    let back: Vec<Uuid> = forth.iter().rev().copied().collect();
    for _ in 0..ROUNDS {
        for joins in [true, false] {
            let both = future::join(
                change(&scene.store, joins, forth, scene.users[1]),
                change(&scene.store, joins, &back, scene.users[2]),
            );
            let (one, other) = both.await;
            for changed in [one, other] {
                match changed {
                    Err(error) if error.blame() == Blame::Statement => tally.record(
                        "two changes of many conversations in opposite order",
                        Err(Difference(error.words())),
                    ),
                    Err(error) => return Err(error.harness("change many").into()),
                    Ok(()) => {}
                }
            }
            scene.hold("after two changes of many", tally).await?;
        }
    }
    Ok(())
}

async fn change(
    store: &Store,
    joins: bool,
    conversations: &[Uuid],
    user: Uuid,
) -> sqlx::Result<()> {
    let pool = &store.postgres;
    match joins {
        true => join_many(pool, conversations, user, "member").await,
        false => leave_many(pool, conversations, user).await,
    }
}
