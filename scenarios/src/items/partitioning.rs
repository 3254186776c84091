//! Item 10 on trial: reads of a range of time, look-ups and joins by id, and what is old going.
//!
//! The rung is the number of events in the tables.

use clickhouse::Client;
use clickhouse::sql::Identifier;
use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use verdict_audit::evidence::Price;
use verdict_audit::{At, VariantName};
use verdict_baseline::partitioning::{
    self as baseline, AuthorLikes, EventsRequest, Kept, Post, PostsRequest, Range,
    RetentionRequest, Trending,
};
use verdict_optimized::{as_proposed, partitioning as optimized};
use verdict_oracle::{Held, Oracle, partitioning as oracle, same};
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Change, Error, Fault, Store, Table};

use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{
    AnyOperation, Between, Ladder, Leaves, Operation, erase, event_rungs, no_such_variant,
};
use crate::session::Session;
use crate::tally::Tally;

mod at_a_second;
mod late_versions;
mod price;

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
        Box::pin(async move {
            noted(variant)
                .into_iter()
                .for_each(|words| tally.declare(words.to_owned()));
            at_a_second::asked(session, variant, tally).await?;
            late_versions::try_them(session, variant, tally).await
        })
    }

    fn prices<'a>(
        &'a self,
        session: &'a Session<'_>,
        _: &'a VariantName,
    ) -> BoxFuture<'a, Outcome<Vec<Price>>> {
        Box::pin(price::of(session))
    }
}

/// What is to be known of a variant before its answers.
fn noted(variant: &VariantName) -> Option<&'static str> {
    match variant {
        VariantName::Proposed(_) => Some(
            "not tried: compressing old partitions separately. ClickHouse does it by TTL ... \
             RECOMPRESS, which goes by the server's clock, and the world's stands still",
        ),
        VariantName::Optimized => Some(
            "posts_cdc, likes_cdc and post_events are laid out by month, since they are read by \
             time or what is old of them goes; comments_cdc and follows_cdc stay, since they are \
             read by the ids that their keys begin with and nothing of them goes by age",
        ),
        _ => None,
    }
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
        event_rungs(world)
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
        event_rungs(world)
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
        event_rungs(world)
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
        event_rungs(world)
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
        event_rungs(world)
    }

    fn writes(&self) -> &'static [Table] {
        WRITES
    }

    fn leaves(&self) -> Leaves {
        Leaves::Rows
    }

    /// The same in every call: what is left is looked at after several, and is the last one's.
    fn at(&self, oracle: &Oracle, _: At, _: &mut ChaCha8Rng) -> Option<RetentionRequest> {
        Some(oracle::retention(oracle.world(), 1))
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
