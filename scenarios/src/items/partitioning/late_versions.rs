//! Versions of posts that the change feed brings late.

use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::partitioning::PostsRequest;
use verdict_oracle::events::{Event, PostFacts};
use verdict_oracle::{Delivery, Held, partitioning as oracle};
use verdict_store::fault::Doing;
use verdict_store::{Fault, Store};

use super::{PostsById, RecentPosts};
use crate::error::Result as Outcome;
use crate::operation::Operation;
use crate::parts;
use crate::session::Session;
use crate::tally::Tally;

/// Versions that come in the next month, late, or in the other order, each with its row's own
/// time as change feeds keep it: a post that was deleted stays deleted, and one of long ago is
/// found where its time is. What a deletion does that brings another time is noted besides.
pub(super) async fn try_them(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Outcome<()> {
    let world = session.world();
    let month = oracle::retention(world, 0).keep_from.timestamp() as u32;
    let clock = world.clock().timestamp() as u32;
    let author = world.user(0);
    let made = |place: u128, created_at| Delivery {
        event: Event::Post {
            id: Uuid::from_u128(0xFFFF_FFFF << 96 | place),
            facts: PostFacts {
                author,
                created_at,
                deleted: false,
            },
        },
        version: u64::from(clock) * 1_000,
    };
    // The last second of a month, whose deletion comes in the next one; the same with the
    // deletion first; twice the same; and one that is nearly as old as the world.
    let eve = month - 1;
    let [deleted, late, twice] = [0, 1, 2].map(|place| made(place, eve));
    let old = made(3, clock - 150 * 86_400);
    let deliveries = [
        deleted,
        deleted.gone(),
        late.gone(),
        late,
        twice,
        twice,
        old,
    ];
    let store = session.store(variant);
    parts::let_go(&store.clickhouse).await?;
    for delivery in deliveries {
        let delivered = delivery.deliver(&store.clickhouse).await;
        if record(tally, "a version is told", delivered, |()| Ok(()))?.is_none() {
            return Ok(());
        }
    }
    let mut ids: Vec<String> = [deleted, late, twice, old]
        .iter()
        .filter_map(|delivery| match delivery.event {
            Event::Post { id, .. } => Some(id.to_string()),
            Event::Like { .. } | Event::Comment { .. } => None,
        })
        .collect();
    let expected = session.oracle().delivered(&deliveries);
    for merged in [false, true] {
        if merged {
            merge(&store).await?;
        }
        let when = if merged {
            "once merged"
        } else {
            "as they came"
        };
        let by_id = PostsById.call(&store, variant, &ids).await;
        record(
            tally,
            &format!("late versions by id, {when}"),
            by_id,
            |answer| PostsById.hold(&expected, &ids, answer),
        )?;
        for hours in [24, 30 * 24, 180 * 24] {
            let request = PostsRequest {
                range: oracle::last_hours(world, hours),
                limit: u64::MAX >> 1,
            };
            let of_range = RecentPosts.call(&store, variant, &request).await;
            let words = format!("late versions in the last {hours} hours, {when}");
            record(tally, &words, of_range, |answer| {
                RecentPosts.hold(&expected, &request, answer)
            })?;
        }
    }
    let (moved, words) = of_another_time(&store, variant, made(4, eve), month).await?;
    tally.declare(words.to_owned());
    ids.extend(moved);
    take_back(&store, &ids).await
}

/// What becomes of a post whose deletion brings another time than its row's, in the next month.
async fn of_another_time(
    store: &Store,
    variant: &VariantName,
    post: Delivery,
    month: u32,
) -> Outcome<(Vec<String>, &'static str)> {
    let mut gone = post.gone();
    let Event::Post { id, facts } = &mut gone.event else {
        unreachable!("it is a post's");
    };
    facts.created_at = month;
    let ids = vec![id.to_string()];
    for delivery in [post, gone] {
        delivery.deliver(&store.clickhouse).await?;
    }
    merge(store).await?;
    let there = PostsById.call(store, variant, &ids).await?;
    Ok((
        ids,
        match there.is_empty() {
            true => "a deletion that brings another time than its row's deletes it",
            false => {
                "a deletion that brings another time than its row's is a row of its own, and the \
                 post stays: the key begins with the time, which the feed has to keep, as it does"
            }
        },
    ))
}

/// Records an answer; a refusal is a wrong one.
pub(super) fn record<T>(
    tally: &mut Tally,
    words: &str,
    answered: Result<T, Fault>,
    hold: impl FnOnce(&T) -> Held,
) -> Outcome<Option<T>> {
    let (held, answer) = match answered {
        Ok(answer) => (hold(&answer), Some(answer)),
        Err(Fault::Variant(refusal)) => (Err(refusal.to_string().into()), None),
        Err(Fault::Harness(error)) => return Err(error.into()),
    };
    tally.record(words, held);
    Ok(answer)
}

async fn merge(store: &Store) -> Outcome<()> {
    let merge = store.clickhouse.query("OPTIMIZE TABLE posts_cdc FINAL");
    merge.execute().await.doing("merge the parts of posts")?;
    Ok(())
}

async fn take_back(store: &Store, ids: &[String]) -> Outcome<()> {
    store
        .clickhouse
        .query("ALTER TABLE posts_cdc DELETE WHERE id IN ?")
        .with_setting("mutations_sync", "2")
        .bind(ids)
        .execute()
        .await
        .doing("take versions of posts back")?;
    Ok(())
}
