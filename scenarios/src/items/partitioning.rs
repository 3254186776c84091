//! Item 10 on trial: reads of a range of time, look-ups and joins by id, and what is old going.
//!
//! The rung is the number of events in the tables.

use clickhouse::Client;
use clickhouse::sql::Identifier;
use futures_util::future::BoxFuture;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::{At, VariantName};
use verdict_baseline::partitioning::{
    self as baseline, AuthorLikes, EventsRequest, Kept, Post, PostsRequest, Range,
    RetentionRequest, Trending,
};
use verdict_optimized::{as_proposed, partitioning as optimized};
use verdict_oracle::events::{Event, PostFacts};
use verdict_oracle::{Delivery, Held, Oracle, partitioning as oracle, same};
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Change, Error, Fault, Store, Table};

use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{AnyOperation, Between, Ladder, Leaves, Operation, erase, no_such_variant};
use crate::parts;
use crate::session::Session;
use crate::tally::Tally;

/// Rows of a page.
const LIMIT: u64 = 200;

/// Posts whose ids are looked up at a rung.
const IDS: usize = 20;

const DAY_HOURS: i64 = 24;
const WEEK_HOURS: i64 = 7 * DAY_HOURS;

/// Why nothing is written between two equal reads.
const FEED: &str = "what is read is the change feed, whose late and hostile versions are the \
                    item's histories";

/// The copy of the events that what is old goes from: copies share their parts, so that one is
/// made in no time and nothing has to be given back.
const COPY: &str = "post_events_retained";

const WRITES: &[Table] = &[Table::clickhouse(COPY)];

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct Partitioning;

impl Item for Partitioning {
    fn id(&self) -> &'static str {
        "partitioning"
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (
                VariantName::Proposed(None),
                as_proposed::partitioning::CHANGE,
            ),
            (VariantName::Optimized, optimized::CHANGE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![
            erase(RecentPosts),
            erase(PostsById),
            erase(LikesByAuthor),
            erase(RecentEvents),
            erase(Retention { by_mark: false }),
            erase(Retention { by_mark: true }),
        ]
    }

    fn histories<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async move { late_versions(session, variant, tally).await })
    }
}

fn rungs(world: &World) -> Vec<At> {
    let cuts = world.cuts().into_iter();
    cuts.map(|cut| At::rung(cut.events)).collect()
}

/// Posts of a range of time.
#[derive(Debug, Clone, Copy)]
pub struct RecentPosts;

impl Operation for RecentPosts {
    type Request = PostsRequest;
    type Answer = Vec<Post>;

    fn name(&self) -> &'static str {
        "recent-posts"
    }

    fn ladder(&self) -> Ladder {
        Ladder::Events
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        rungs(world)
    }

    fn at(&self, oracle: &Oracle, _: At, random: &mut ChaCha8Rng) -> Option<PostsRequest> {
        Some(PostsRequest {
            range: oracle::range_of(oracle, WEEK_HOURS, random),
            limit: LIMIT,
        })
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> PostsRequest {
        oracle::draw_posts(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Nothing(FEED)
    }

    async fn call(
        &self,
        store: &Store,
        _: &VariantName,
        request: &PostsRequest,
    ) -> Result<Self::Answer, Fault> {
        Ok(baseline::recent_posts(&store.clickhouse, request).await?)
    }

    fn hold(&self, oracle: &Oracle, request: &PostsRequest, answer: &Self::Answer) -> Held {
        oracle::hold_posts(oracle, request, answer)
    }
}

/// Posts by id.
#[derive(Debug, Clone, Copy)]
pub struct PostsById;

impl Operation for PostsById {
    type Request = Vec<String>;
    type Answer = Vec<Post>;

    fn name(&self) -> &'static str {
        "posts-by-id"
    }

    fn ladder(&self) -> Ladder {
        Ladder::Events
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        rungs(world)
    }

    fn at(&self, oracle: &Oracle, _: At, random: &mut ChaCha8Rng) -> Option<Vec<String>> {
        let ids = std::iter::repeat_with(|| self.draw(oracle, random));
        Some(ids.flatten().take(IDS).collect())
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Vec<String> {
        oracle::draw_ids(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Nothing(FEED)
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        ids: &Vec<String>,
    ) -> Result<Self::Answer, Fault> {
        Ok(match variant {
            VariantName::Optimized => optimized::posts_by_id(&store.clickhouse, ids).await?,
            _ => baseline::posts_by_id(&store.clickhouse, ids).await?,
        })
    }

    fn hold(&self, oracle: &Oracle, ids: &Vec<String>, answer: &Self::Answer) -> Held {
        oracle::hold_ids(oracle, ids, answer)
    }
}

/// Likes joined with their posts by id.
#[derive(Debug, Clone, Copy)]
pub struct LikesByAuthor;

impl Operation for LikesByAuthor {
    type Request = Range;
    type Answer = Vec<AuthorLikes>;

    fn name(&self) -> &'static str {
        "likes-by-author"
    }

    fn ladder(&self) -> Ladder {
        Ladder::Events
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        rungs(world)
    }

    fn at(&self, oracle: &Oracle, _: At, random: &mut ChaCha8Rng) -> Option<Range> {
        Some(oracle::range_of(oracle, WEEK_HOURS, random))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Range {
        oracle::draw_likes(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Nothing(FEED)
    }

    async fn call(
        &self,
        store: &Store,
        _: &VariantName,
        range: &Range,
    ) -> Result<Self::Answer, Fault> {
        Ok(baseline::author_likes(&store.clickhouse, range).await?)
    }

    fn hold(&self, oracle: &Oracle, range: &Range, answer: &Self::Answer) -> Held {
        oracle::hold_likes(oracle, range, answer)
    }
}

/// The posts to which most was done in a range of time.
#[derive(Debug, Clone, Copy)]
pub struct RecentEvents;

impl Operation for RecentEvents {
    type Request = EventsRequest;
    type Answer = Vec<Trending>;

    fn name(&self) -> &'static str {
        "recent-events"
    }

    fn ladder(&self) -> Ladder {
        Ladder::Events
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        rungs(world)
    }

    fn at(&self, oracle: &Oracle, _: At, random: &mut ChaCha8Rng) -> Option<EventsRequest> {
        Some(EventsRequest {
            range: oracle::range_of(oracle, DAY_HOURS, random),
            limit: LIMIT,
        })
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> EventsRequest {
        oracle::draw_events(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Nothing(FEED)
    }

    async fn call(
        &self,
        store: &Store,
        _: &VariantName,
        request: &EventsRequest,
    ) -> Result<Self::Answer, Fault> {
        Ok(baseline::recent_events(&store.clickhouse, request).await?)
    }

    fn hold(&self, oracle: &Oracle, request: &EventsRequest, answer: &Self::Answer) -> Held {
        oracle::hold_events(oracle, request, answer)
    }
}

/// What is old going: today by either kind of DELETE, with partitions by the month. The time of a
/// call includes that of making the copy it goes from, on every side.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    by_mark: bool,
}

impl Operation for Retention {
    type Request = RetentionRequest;
    type Answer = Kept;

    fn name(&self) -> &'static str {
        if self.by_mark {
            "retention-by-mark"
        } else {
            "retention"
        }
    }

    fn ladder(&self) -> Ladder {
        Ladder::Events
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        rungs(world)
    }

    fn writes(&self) -> &'static [Table] {
        WRITES
    }

    fn leaves(&self) -> Leaves {
        Leaves::Rows
    }

    fn at(&self, oracle: &Oracle, _: At, random: &mut ChaCha8Rng) -> Option<RetentionRequest> {
        Some(oracle::retention(
            oracle.world(),
            random.random_range(1..=2),
        ))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> RetentionRequest {
        oracle::draw_retention(oracle, random)
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        request: &RetentionRequest,
    ) -> Result<Kept, Fault> {
        let client = &store.clickhouse;
        copy(client).await?;
        Ok(match variant {
            VariantName::Baseline if self.by_mark => {
                baseline::retention_by_mark(client, COPY, request).await?
            }
            VariantName::Baseline => baseline::retention(client, COPY, request).await?,
            VariantName::Proposed(None) | VariantName::Optimized => {
                optimized::retention(client, COPY, request).await?
            }
            _ => return Err(no_such_variant(variant)),
        })
    }

    fn hold(&self, oracle: &Oracle, request: &RetentionRequest, answer: &Kept) -> Held {
        oracle::hold_kept(oracle, request, answer)
    }

    fn reads_back(&self) -> bool {
        true
    }

    fn acknowledged(&self, _: &Kept) -> u64 {
        0
    }

    async fn hold_left(
        &self,
        store: &Store,
        _: &RetentionRequest,
        answer: &Kept,
    ) -> Result<Held, Error> {
        let left = baseline::kept(&store.clickhouse, COPY)
            .await
            .doing("count the events that are left")?;
        Ok(same("events that are left", answer, &left))
    }

    async fn undo(&self, store: &Store, _: Vec<RetentionRequest>) -> Result<u64, Error> {
        forget(&store.clickhouse)
            .await
            .doing("drop the copy that events went from")?;
        Ok(0)
    }
}

async fn copy(client: &Client) -> clickhouse::error::Result<()> {
    forget(client).await?;
    client
        .query("CREATE TABLE ? CLONE AS post_events")
        .bind(Identifier(COPY))
        .execute()
        .await
}

async fn forget(client: &Client) -> clickhouse::error::Result<()> {
    client
        .query("DROP TABLE IF EXISTS ? SYNC")
        .bind(Identifier(COPY))
        .execute()
        .await
}

/// Versions that come late, in the other order, or in another month than the row's own: a post
/// that was deleted stays deleted, and one of long ago is found where its time is.
async fn late_versions(
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
    let ids: Vec<String> = [deleted, late, twice, old]
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
    take_back(&store, &ids).await
}

/// Records an answer; a refusal is a wrong one.
fn record<T>(
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
