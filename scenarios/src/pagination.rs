//! Item 7 on trial: deep pages of an author's posts and of a conversation's messages.
//!
//! The rung is the depth: a page that ends at row n, so that n is today's offset plus limit.

use std::fmt::Debug;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use rand::RngExt;
use sqlx::PgPool;
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_audit::evidence::Answers;
use verdict_baseline::message_history as history_contract;
use verdict_baseline::message_history::Message;
use verdict_baseline::pagination::{self as baseline, Post};
use verdict_optimized::as_proposed;
use verdict_optimized::migration::Migration;
use verdict_optimized::pagination::{self as optimized, Cursor, HistoryCursor};
use verdict_seed::{Author, World};

use crate::contract::{Tally, Timeline, same};
use crate::error::Result;
use crate::hostile;
use crate::item::{Item, Operation, Probe};
use crate::ladder;
use crate::message_history;
use crate::session::Session;

/// Pages of an author's posts, newest first.
pub const POSTS: &str = "posts";
/// Pages of a conversation's messages, oldest first.
pub const HISTORY: &str = "history";

/// Rows of a page, as in the audit's example.
pub const LIMIT: i64 = 20;

/// The depth of the audit's page 100.
const PAGE_100: u64 = 2_000;

/// Rows up to which a walk goes through every page.
const LONGEST_WALK: u64 = 10_000;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct Pagination;

/// A page of posts as one variant asks for it: by offset today, by cursor otherwise.
pub async fn posts(
    variant: &VariantName,
    pool: &PgPool,
    user: Uuid,
    limit: i64,
    place: &Place<Cursor>,
) -> verdict_baseline::Result<Vec<Post>> {
    let by_cursor = optimized::PostsRequest {
        user,
        limit,
        after: place.after,
    };
    match variant {
        VariantName::Baseline => {
            let by_offset = baseline::PostsRequest {
                user,
                limit,
                offset: place.offset,
            };
            baseline::posts(pool, &by_offset).await
        }
        VariantName::Proposed(_) => as_proposed::pagination::posts(pool, &by_cursor).await,
        VariantName::Optimized => optimized::posts(pool, &by_cursor).await,
    }
}

/// A page of messages as one variant asks for it. The audit offers no statement for it.
async fn history(
    variant: &VariantName,
    pool: &PgPool,
    conversation: Uuid,
    viewer: Uuid,
    place: &Place<HistoryCursor>,
) -> verdict_baseline::Result<Vec<Message>> {
    match variant {
        VariantName::Optimized => {
            let by_cursor = optimized::HistoryRequest {
                conversation,
                limit: LIMIT,
                after: place.after,
                include_recalled: true,
            };
            optimized::history(pool, &by_cursor).await
        }
        VariantName::Baseline | VariantName::Proposed(_) => {
            let by_offset = history_contract::Request {
                conversation,
                viewer,
                limit: LIMIT,
                offset: place.offset,
                include_recalled: true,
            };
            baseline::history(pool, &by_offset).await
        }
    }
}

/// Where a page begins, told both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<C> {
    /// Rows before the page.
    pub offset: i64,
    /// The last of them.
    pub after: Option<C>,
}

impl<C> Place<C> {
    const START: Self = Self {
        offset: 0,
        after: None,
    };
}

/// The posts of an author that a request sees, in the generator's order.
pub fn timeline(world: &World, author: &Author) -> Timeline {
    Timeline::newest_first(
        world
            .posts(author)
            .into_iter()
            .filter(|post| post.soft_delete.is_none())
            .map(|post| (post.created_at, post.id))
            .collect(),
    )
}

/// The place of the page that ends at row `depth`, or of the last page.
pub fn posts_place(timeline: &Timeline, depth: u64) -> Place<Cursor> {
    let offset = (depth as usize)
        .min(timeline.len())
        .saturating_sub(LIMIT as usize);
    Place {
        offset: offset as i64,
        after: cursor_before(timeline, offset),
    }
}

fn cursor_before(timeline: &Timeline, offset: usize) -> Option<Cursor> {
    let (created_at, id) = timeline.get(offset.checked_sub(1)?)?;
    Some(Cursor { created_at, id })
}

impl Item for Pagination {
    fn id(&self) -> &'static str {
        "pagination"
    }

    fn migration(&self, variant: &VariantName) -> Option<Migration> {
        (*variant == VariantName::Optimized).then_some(optimized::MIGRATION)
    }

    fn touches(&self) -> &'static [&'static str] {
        &["posts", "messages"]
    }

    fn operations(&self, world: &World) -> Vec<Operation> {
        let depths = |mut sizes: Vec<u64>| {
            if sizes.last().is_some_and(|largest| *largest > PAGE_100) {
                sizes.push(PAGE_100);
                sizes.sort_unstable();
            }
            sizes
        };
        vec![
            Operation {
                name: POSTS,
                rungs: depths(ladder::author_sizes(world)),
            },
            Operation {
                name: HISTORY,
                rungs: depths(ladder::conversation_sizes(world)),
            },
        ]
    }

    fn probe(
        &self,
        world: &World,
        variant: &VariantName,
        operation: &str,
        n: u64,
    ) -> Option<Probe> {
        match operation {
            POSTS => {
                let author = ladder::author_with_at_least(world, n)?;
                let place = posts_place(&timeline(world, &author), n);
                let variant = Arc::new(variant.clone());
                Some(Probe::reading(move |pool, _| {
                    let variant = Arc::clone(&variant);
                    async move {
                        posts(&variant, &pool, author.id, LIMIT, &place)
                            .await
                            .map(drop)
                    }
                }))
            }
            HISTORY if !matches!(variant, VariantName::Proposed(_)) => {
                let conversation = ladder::conversation_with_at_least(world, n)?;
                let timeline = message_history::timeline(world, &conversation, true);
                let offset = (n as usize)
                    .min(timeline.len())
                    .saturating_sub(LIMIT as usize);
                let place = Place {
                    offset: offset as i64,
                    after: cursor_before(&timeline, offset).map(|message| HistoryCursor {
                        message,
                        sequence_number: offset as i64,
                    }),
                };
                let viewer = *conversation.members.first()?;
                let variant = Arc::new(variant.clone());
                Some(Probe::reading(move |pool, _| {
                    let variant = Arc::clone(&variant);
                    let conversation = conversation.id;
                    async move {
                        history(&variant, &pool, conversation, viewer, &place)
                            .await
                            .map(drop)
                    }
                }))
            }
            _ => None,
        }
    }

    fn answers<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
    ) -> BoxFuture<'a, Result<Answers>> {
        Box::pin(async move {
            let mut tally = Tally::default();
            for (user, timeline) in authors(session) {
                let rows = Posts {
                    session,
                    variant,
                    user,
                };
                walk(variant, user, &rows, &timeline, &mut tally).await;
            }
            if matches!(variant, VariantName::Proposed(_)) {
                tally.declare(
                    "message history: the audit names the place and offers no statement, so only \
                     posts are compared"
                        .to_owned(),
                );
                return Ok(tally.into_answers());
            }
            for (conversation, viewer, timeline) in conversations(session) {
                let rows = Messages {
                    session,
                    variant,
                    conversation,
                    viewer,
                };
                walk(variant, conversation, &rows, &timeline, &mut tally).await;
            }
            Ok(tally.into_answers())
        })
    }
}

/// Authors by popularity, the ladder's, one whose posts are all of one instant, an unknown one.
fn authors(session: &Session<'_>) -> Vec<(Uuid, Timeline)> {
    let world = session.world();
    let mut rng = session.rng("pagination requests");
    let mut authors: Vec<Author> = (0..session.sample_size() / 4)
        .map(|_| world.sample_author(&mut rng))
        .collect();
    authors.extend(ladder::authors_up_to(world, LONGEST_WALK));
    let mut walks: Vec<_> = authors
        .into_iter()
        .filter(|author| author.posts <= LONGEST_WALK)
        .map(|author| (author.id, timeline(world, &author)))
        .collect();
    walks.push((hostile::tied_author(), hostile::tied_posts(world)));
    walks.push((Uuid::from_u128(rng.random()), Timeline::default()));
    walks
}

/// Conversations by popularity, the ladder's, and one whose messages are all of one instant; each
/// with a viewer.
fn conversations(session: &Session<'_>) -> Vec<(Uuid, Uuid, Timeline)> {
    let world = session.world();
    let mut rng = session.rng("pagination conversations");
    let mut conversations: Vec<_> = (0..session.sample_size() / 4)
        .map(|_| world.sample_conversation(&mut rng))
        .collect();
    conversations.extend(ladder::conversations_up_to(world, LONGEST_WALK));
    let mut walks: Vec<_> = conversations
        .into_iter()
        .filter(|conversation| conversation.messages <= LONGEST_WALK)
        .map(|conversation| {
            let timeline = message_history::timeline(world, &conversation, true);
            (conversation.id, conversation.members[0], timeline)
        })
        .collect();
    let tied = hostile::tied_messages(world, true);
    walks.push((hostile::tied_conversation(), world.user(0), tied));
    walks
}

/// Rows that are paged through by the cursors a variant itself gives.
trait Walk: Sync {
    /// What a page holds.
    type Row: Send + Sync;
    /// Where the next page begins.
    type Cursor: Copy + Debug + Send + Sync;

    /// The variant's page at a place.
    fn page(
        &self,
        place: &Place<Self::Cursor>,
    ) -> impl Future<Output = verdict_baseline::Result<Vec<Self::Row>>> + Send;

    /// Holds a page whose rows are right to what else its item promises.
    fn check(
        &self,
        place: &Place<Self::Cursor>,
        page: &[Self::Row],
    ) -> impl Future<Output = std::result::Result<(), String>> + Send;

    /// A row's place in the order.
    fn key(row: &Self::Row) -> (DateTime<Utc>, Uuid);

    /// The cursor of the page after a row.
    fn cursor(row: &Self::Row) -> Self::Cursor;
}

/// Walks through all pages: each page is right, and the walk meets every row once.
async fn walk<W: Walk>(
    variant: &VariantName,
    owner: Uuid,
    rows: &W,
    timeline: &Timeline,
    tally: &mut Tally,
) {
    let mut place = Place::START;
    let mut met = Vec::new();
    loop {
        let page = match rows.page(&place).await {
            Ok(page) => page,
            Err(error) => return tally.record((owner, place), Err(error.to_string())),
        };
        let mut outcome = timeline.check(
            place.offset as usize,
            LIMIT as usize,
            page.iter().map(W::key),
        );
        if outcome.is_ok() {
            outcome = rows.check(&place, &page).await;
        }
        let right = outcome.is_ok();
        tally.record((owner, place), outcome);
        met.extend(page.iter().map(|row| W::key(row).1));
        let Some(last) = page.last().filter(|_| right) else {
            break;
        };
        place = Place {
            offset: place.offset + page.len() as i64,
            after: Some(W::cursor(last)),
        };
    }
    tally.record(
        (owner, "a walk through all pages"),
        each_once(variant, met, timeline),
    );
}

/// An author's posts; each tenth page is held to today's, column by column.
struct Posts<'a> {
    session: &'a Session<'a>,
    variant: &'a VariantName,
    user: Uuid,
}

impl Walk for Posts<'_> {
    type Row = Post;
    type Cursor = Cursor;

    async fn page(&self, place: &Place<Cursor>) -> verdict_baseline::Result<Vec<Post>> {
        let pool = self.session.side(self.variant);
        posts(self.variant, pool, self.user, LIMIT, place).await
    }

    async fn check(&self, place: &Place<Cursor>, page: &[Post]) -> std::result::Result<(), String> {
        if place.offset % (10 * LIMIT) != 0 || *self.variant == VariantName::Baseline {
            return Ok(());
        }
        let (today, pool) = (VariantName::Baseline, self.session.baseline());
        let today = posts(&today, pool, self.user, LIMIT, place)
            .await
            .map_err(|error| error.to_string())?;
        page.iter().try_for_each(
            |post| match today.iter().find(|other| other.id == post.id) {
                Some(other) => same("post", other, post),
                None => Ok(()),
            },
        )
    }

    fn key(post: &Post) -> (DateTime<Utc>, Uuid) {
        (post.created_at, post.id)
    }

    fn cursor(post: &Post) -> Cursor {
        Cursor::from(post)
    }
}

/// A conversation's messages, which are numbered as today.
struct Messages<'a> {
    session: &'a Session<'a>,
    variant: &'a VariantName,
    conversation: Uuid,
    viewer: Uuid,
}

impl Walk for Messages<'_> {
    type Row = Message;
    type Cursor = HistoryCursor;

    async fn page(&self, place: &Place<HistoryCursor>) -> verdict_baseline::Result<Vec<Message>> {
        let pool = self.session.side(self.variant);
        history(self.variant, pool, self.conversation, self.viewer, place).await
    }

    async fn check(
        &self,
        place: &Place<HistoryCursor>,
        page: &[Message],
    ) -> std::result::Result<(), String> {
        (place.offset + 1..)
            .zip(page)
            .try_for_each(|(due, message)| same("number", &due, &message.sequence_number))
    }

    fn key(message: &Message) -> (DateTime<Utc>, Uuid) {
        (message.created_at, message.id)
    }

    fn cursor(message: &Message) -> HistoryCursor {
        HistoryCursor::from(message)
    }
}

/// Every row once. Today's order leaves ties open, so a walk by offset may miss one and meet
/// another twice: only the number of rows is asked of it.
fn each_once(
    variant: &VariantName,
    mut met: Vec<Uuid>,
    timeline: &Timeline,
) -> std::result::Result<(), String> {
    let rows = met.len();
    if *variant != VariantName::Baseline {
        met.sort_unstable();
        met.dedup();
    }
    same("rows met", &timeline.len(), &met.len())
        .map_err(|difference| format!("{difference} ({rows} rows with repetitions)"))
}
