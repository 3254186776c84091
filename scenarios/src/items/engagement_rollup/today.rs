//! By how much today's views are off, before anything is merged and after everything is.

use verdict_audit::VariantName;
use verdict_store::Error;
use verdict_store::fault::Doing;

use super::scene::{Part, Scene};
use crate::error::Result;
use crate::session::Session;
use crate::tally::Tally;

/// Adds up what today's view answers of all posts, and says how far that is from what stands.
pub(super) async fn off_by(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    if *variant != VariantName::Baseline {
        return Ok(());
    }
    let Some(scene) = Scene::open(session, variant, Part::Largest) else {
        return Ok(());
    };
    let events = scene.oracle.events();
    let standing = events.posts().flat_map(|(post, _)| events.by_hour(post));
    let right: u64 = standing
        .map(|(_, counts)| counts.likes + counts.comments)
        .sum();
    let unmerged = total(&scene).await?;
    scene.merge().await?;
    let merged = total(&scene).await;
    scene.anew(false).await?;
    let merged = merged?;
    let off = |answered: i64| format!("{answered} ({:+})", answered - right as i64);
    tally.declare(format!(
        "of {right} likes and comments that stand among {} events, today's view has {} before \
         parts are merged and {} after: it adds up versions, so one that came twice counts twice, \
         and one that says a row is deleted takes another row along once the row's other versions \
         are merged away",
        scene.events(),
        off(unmerged),
        off(merged),
    ));
    Ok(())
}

async fn total(scene: &Scene<'_>) -> std::result::Result<i64, Error> {
    scene
        .store
        .clickhouse
        .query("SELECT toInt64(sum(likes_count) + sum(comments_count)) FROM post_metrics_1h")
        .fetch_one()
        .await
        .doing("add up what today's view answers")
}
