//! What one like does to the audit's views.

use chrono::TimeDelta;
use verdict_audit::VariantName;
use verdict_baseline::engagement_rollup::MetricsRequest;
use verdict_oracle::{Delivery, engagement_rollup as oracle};
use verdict_store::fault::Doing;

use super::scene::{Part, Scene};
use super::{AFFINITY, METRICS, solution};
use crate::error::Result;
use crate::parts;
use crate::session::Session;
use crate::tally::Tally;

/// Delivers one like to a post that stands, and says what the view makes of it: to whom it was
/// given, and all that it has added up.
pub(super) async fn told(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let total = match solution(variant) {
        AFFINITY => "SELECT toInt64(sum(interaction_count)) FROM user_author_90d_mv",
        METRICS => "SELECT toInt64(sum(likes_count + comments_count)) FROM post_metrics_1h_mv",
        _ => return Ok(()),
    };
    let Some(scene) = Scene::open(session, variant, Part::Largest) else {
        return Ok(());
    };
    let (world, events) = (scene.oracle.world(), scene.oracle.events());
    let mut random = session.random("engagement-rollup one like");
    let user = oracle::measured_user(&scene.oracle, &mut random);
    let standing = events.posts().find(|(_, facts)| !facts.deleted);
    let (Some((post, _)), Ok(liker)) = (standing, user.user.parse()) else {
        return Ok(());
    };
    let until = world.clock();
    let at = until - TimeDelta::minutes(1);
    let like = Delivery::like(world, liker, post, at.timestamp() as u32);
    let posts = MetricsRequest {
        posts: vec![post.to_string()],
        since: until - TimeDelta::days(200),
        until,
    };
    let client = &scene.store.clickhouse;
    let sum = || async {
        let sum = client.query(total).fetch_one::<i64>().await;
        sum.doing("add up a view of the audit's")
    };
    let before = sum().await?;
    parts::deliver(client, &[like]).await?;
    let right = scene.oracle.delivered(&[like]);
    let asked = scene
        .ask("one like", &right, &[user], &[posts], tally)
        .await;
    let after = sum().await;
    parts::take_back(client).await?;
    let (wrong, rose) = (asked?, after? - before);
    let answered = wrong.map_or_else(|| "right".to_owned(), |wrong| wrong.to_string());
    tally.declare(format!(
        "one like, among {} events: all that the view has added up goes from {before} to {} \
         ({rose:+}); the answer it belongs to: {answered}",
        scene.events(),
        before + rose,
    ));
    Ok(())
}
