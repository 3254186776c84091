//! Inserts while a variant's change is made: none may be lost.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use futures_util::future::join_all;
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::engagement_rollup::MetricsRequest;
use verdict_oracle::{Delivery, Difference, Oracle, engagement_rollup as oracle};
use verdict_store::{Fault, change};

use super::scene::{Part, Scene};
use super::{EngagementRollup, NIGHTLY, OPTIMIZE, REFRESHABLE, solution};
use crate::error::Result;
use crate::item::Item;
use crate::session::Session;
use crate::tally::Tally;

/// Those who insert at once, ten as the change feeds do, and likes of each at the most.
const INSERTERS: usize = 10;
const MOST: usize = 400;

/// Makes a variant's change while likes come, and counts them.
pub(super) async fn run(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    // The others are filled by the same statements.
    let same = [NIGHTLY, OPTIMIZE, REFRESHABLE].contains(&solution(variant));
    if same || *variant == VariantName::Baseline {
        return Ok(());
    }
    let Some(scene) = Scene::open(session, variant, Part::Largest) else {
        return Ok(());
    };
    scene.anew(true).await?;
    let raced = race(session, &scene, tally).await;
    scene.anew(false).await?;
    raced
}

async fn race(session: &Session<'_>, scene: &Scene<'_>, tally: &mut Tally) -> Result<()> {
    let variants = EngagementRollup.variants();
    let Some((_, change)) = variants.iter().find(|(name, _)| name == scene.variant) else {
        return Ok(());
    };
    let likes = likes(session, &scene.oracle);
    let made = AtomicBool::new(false);
    let inserting = join_all(likes.iter().map(|likes| insert(scene, likes, &made)));
    let changing = async {
        let changed = change::run(change.up, &scene.store).await;
        made.store(true, Ordering::Relaxed);
        changed
    };
    let (changed, inserted) = tokio::join!(changing, inserting);
    if let Err(Fault::Variant(refusal)) = changed {
        let refused = Difference(refusal.to_string());
        tally.record("the change, made while likes come", Err(refused));
        return Ok(());
    }
    changed?;
    let mut come: Vec<Delivery> = Vec::new();
    for (likes, inserted) in likes.iter().zip(inserted) {
        come.extend(&likes[..inserted?]);
    }
    let right = scene.oracle.delivered(&come);
    let users: Vec<_> = likes
        .iter()
        .filter_map(|likes| likes.first()?.user())
        .map(|user| oracle::of(&right, user))
        .collect();
    let now = right.world().clock();
    let posts = MetricsRequest {
        posts: come.iter().map(|like| like.about().to_string()).collect(),
        since: now - TimeDelta::days(1),
        until: now,
    };
    let when = format!("{} likes came while the change was made", come.len());
    let wrong = scene.ask(&when, &right, &users, &[posts], tally).await?;
    tally.declare(match wrong {
        Some(wrong) => format!("{when}: {wrong}"),
        None => format!("{when}: none is lost"),
    });
    Ok(())
}

/// Likes of users that nobody knows, each of another post that stands.
fn likes(session: &Session<'_>, oracle: &Oracle) -> Vec<Vec<Delivery>> {
    let mut random = session.random("engagement-rollup race");
    let events = oracle.events();
    let standing = events.posts().filter(|(_, facts)| !facts.deleted);
    let posts: Vec<Uuid> = standing.map(|(id, _)| id).take(MOST).collect();
    let at = (oracle.world().clock() - TimeDelta::hours(1)).timestamp() as u32;
    let of = |user| posts.iter().map(move |post| (user, *post));
    (0..INSERTERS)
        .map(|_| oracle.nobody(&mut random))
        .map(|user| {
            of(user)
                .map(|(user, post)| Delivery::like(oracle.world(), user, post, at))
                .collect()
        })
        .collect()
}

/// Inserts one like after the other until the change is made; how many that were.
async fn insert(
    scene: &Scene<'_>,
    likes: &[Delivery],
    made: &AtomicBool,
) -> std::result::Result<usize, Fault> {
    for (number, like) in likes.iter().enumerate() {
        if made.load(Ordering::Relaxed) {
            return Ok(number);
        }
        match like.deliver(&scene.store.clickhouse).await {
            Ok(()) => {}
            // An INSERT that a half-made view refuses was not acknowledged.
            Err(Fault::Variant(_)) => return Ok(number),
            Err(fault) => return Err(fault),
        }
    }
    Ok(likes.len())
}
