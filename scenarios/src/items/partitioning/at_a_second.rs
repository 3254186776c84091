//! Likes and events of one second and of the next: what comes twice, in the other order, or of a
//! post that is gone or unknown.

use chrono::TimeDelta;
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::partitioning::{AuthorLikes, EventsRequest, Range, Trending};
use verdict_oracle::events::PostFacts;
use verdict_oracle::{Delivery, same};
use verdict_store::Store;
use verdict_store::fault::Doing;

use super::late_versions::record;
use super::{LikesByAuthor, RecentEvents};
use crate::error::Result as Outcome;
use crate::operation::Operation;
use crate::parts;
use crate::session::Session;
use crate::tally::Tally;

/// Events of a post in the second and in the next, and one of no post.
const EVENTS: &str = "
INSERT INTO post_events (event_time, event_type, user_id, post_id)
SELECT toDateTime(?, 'UTC') + number % 2, 'view', '', if(number = 2, '', ?)
FROM numbers(3)";

/// Delivers them, asks for that second, and takes them back.
pub(super) async fn asked(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Outcome<()> {
    let (world, oracle) = (session.world(), session.oracle());
    let mut random = session.random("partitioning at a second");
    let mut nobody = || oracle.nobody(&mut random);
    let since = world.clock() - TimeDelta::hours(1);
    let second = since.timestamp() as u32;
    let author = nobody();
    let [stays, twice, gone, unknown] = [0; 4].map(|_| nobody());
    let post = |id| {
        let facts = PostFacts {
            author,
            created_at: second,
            deleted: false,
        };
        Delivery::post(world, id, facts)
    };
    let like = |user, post, at| Delivery::like(world, user, post, at);
    let (returns, takes_back, both) = (nobody(), nobody(), nobody());
    let deliveries = [
        post(stays),
        post(twice),
        post(twice),
        post(gone),
        post(gone).gone(),
        like(returns, stays, second),
        like(returns, stays, second),
        like(takes_back, stays, second).gone(),
        like(takes_back, stays, second),
        like(both, stays, second),
        like(both, twice, second),
        like(nobody(), gone, second),
        like(nobody(), unknown, second),
        like(nobody(), stays, second + 1),
    ];
    let due = AuthorLikes {
        author_id: author.to_string(),
        likes: 3,
    };
    let range = Range {
        since,
        until: since + TimeDelta::seconds(1),
    };
    let store = session.store(variant);
    parts::deliver(&store.clickhouse, &deliveries).await?;
    let asked = ask(&store, variant, (range, stays, due), tally).await;
    parts::take_back(&store.clickhouse).await?;
    parts::let_go(&store.clickhouse).await?;
    asked
}

/// Asks for a second, and looks at what is about the author and the post, or about nobody.
async fn ask(
    store: &Store,
    variant: &VariantName,
    (range, post, due): (Range, Uuid, AuthorLikes),
    tally: &mut Tally,
) -> Outcome<()> {
    let likes = LikesByAuthor.call(store, variant, &range).await;
    record(tally, "likes of one second", likes, |likes| {
        let ours = |row: &&AuthorLikes| row.author_id.is_empty() || row.author_id == due.author_id;
        let ours: Vec<_> = likes.iter().filter(ours).cloned().collect();
        same("likes", &vec![due.clone()], &ours)
    })?;
    let due = Trending {
        post_id: post.to_string(),
        events: 1,
    };
    let told = store.clickhouse.query(EVENTS).bind(range.since.timestamp());
    let told = told.bind(&due.post_id).execute().await;
    told.doing("tell events of one second")?;
    let request = EventsRequest {
        range,
        limit: u64::MAX >> 1,
    };
    let events = RecentEvents.call(store, variant, &request).await;
    record(tally, "events of one second", events, |events| {
        let ours = |row: &&Trending| row.post_id.is_empty() || row.post_id == due.post_id;
        let ours: Vec<_> = events.iter().filter(ours).cloned().collect();
        same("events", &vec![due.clone()], &ours)
    })?;
    Ok(())
}
