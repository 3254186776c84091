//! Item 7 on trial: deep pages of an author's posts and of a conversation's messages.
//!
//! The rung is the depth: a page that ends at row n, so that n is today's offset plus limit.

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::{At, VariantName};
use verdict_baseline::message_history::Message;
use verdict_baseline::pagination::{self as baseline, Post, PostsRequest};
use verdict_optimized::pagination::{self as optimized, Cursor, HistoryCursor};
use verdict_optimized::{as_proposed, pagination};
use verdict_oracle::pagination::{self as oracle, PageRequest};
use verdict_oracle::timeline::Key;
use verdict_oracle::{Difference, Held, Hostile, Oracle, Write, hostile, ladder, same};
use verdict_seed::World;
use verdict_store::{Change, Fault, Store};

use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{AnyOperation, Between, Operation, erase, no_such_variant};
use crate::session::Session;
use crate::tally::Tally;

/// Rows of a page, as in the audit's example.
const LIMIT: i64 = 20;

/// The depth of the audit's page 100.
const PAGE_100: u64 = 2_000;

/// Rows of a page of a long walk, so that it does not take long, and what is one. A short one
/// has as many pages as can be: rows of one instant may only change places at a page's border.
const LONG_WALK_LIMIT: i64 = 100;
const LONG_WALK: u64 = 1_000;

/// Rows up to which a walk goes through every page.
const LONGEST_WALK: u64 = 10_000;

/// Authors and conversations drawn by popularity that are walked through.
const WALKS: usize = 5;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct Pagination;

impl Item for Pagination {
    fn id(&self) -> &'static str {
        "pagination"
    }

    fn hostile(&self) -> &'static [Hostile] {
        &[Hostile::TiedConversation, Hostile::TiedAuthor]
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Proposed(None), Change::NONE),
            (VariantName::Optimized, optimized::CHANGE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Posts), erase(History)]
    }

    fn histories<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async move {
            let world = session.world();
            let mut random = session.random("pagination walks");
            let limit = |rows| match rows > LONG_WALK {
                true => LONG_WALK_LIMIT,
                false => LIMIT,
            };
            let mut authors: Vec<(Uuid, i64)> = (0..WALKS)
                .map(|_| world.sample_author(&mut random))
                .chain(ladder::authors_up_to(world, LONGEST_WALK))
                .filter(|author| author.posts <= LONGEST_WALK)
                .map(|author| (author.id, limit(author.posts)))
                .collect();
            authors.push((hostile::tied_author(), LIMIT));
            for author in authors {
                walk(&Posts, session, variant, author, true, tally).await?;
            }
            if !History.offered_by(variant) {
                tally.declare(
                    "message history: the audit names the place and offers no statement, so only \
                     posts are compared"
                        .to_owned(),
                );
                return Ok(());
            }
            let mut conversations: Vec<(Uuid, i64)> = (0..WALKS)
                .map(|_| world.sample_conversation(&mut random))
                .chain(ladder::conversations_up_to(world, LONGEST_WALK))
                .filter(|conversation| conversation.messages <= LONGEST_WALK)
                .map(|conversation| (conversation.id, limit(conversation.messages)))
                .collect();
            conversations.push((hostile::tied_conversation(), LIMIT));
            for conversation in conversations {
                for recalled in [true, false] {
                    walk(&History, session, variant, conversation, recalled, tally).await?;
                }
            }
            Ok(())
        })
    }
}

fn depths(mut sizes: Vec<u64>) -> Vec<At> {
    if sizes.last().is_some_and(|largest| *largest > PAGE_100) {
        sizes.push(PAGE_100);
        sizes.sort_unstable();
    }
    sizes.into_iter().map(At::rung).collect()
}

/// Pages of an author's posts, newest first.
#[derive(Debug, Clone, Copy)]
pub struct Posts;

impl Operation for Posts {
    type Request = PageRequest;
    type Answer = Vec<Post>;

    fn name(&self) -> &'static str {
        "posts"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        depths(ladder::author_sizes(world))
    }

    fn at(&self, oracle: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<PageRequest> {
        let author = ladder::author_with_at_least(oracle.world(), at.n)?;
        Some(oracle::posts_page(oracle, &author, LIMIT, at.n))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> PageRequest {
        oracle::draw_posts(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        request: &PageRequest,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        oracle::post_between(oracle, request, random)
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        request: &PageRequest,
    ) -> Result<Self::Answer, Fault> {
        let pool = &store.postgres;
        let by_cursor = pagination::PostsRequest {
            user: request.of,
            limit: request.limit,
            after: request.after.map(cursor),
        };
        Ok(match variant {
            VariantName::Baseline => {
                let by_offset = PostsRequest {
                    user: request.of,
                    limit: request.limit,
                    offset: request.offset,
                };
                baseline::posts(pool, &by_offset).await?
            }
            VariantName::Proposed(None) => as_proposed::pagination::posts(pool, &by_cursor).await?,
            VariantName::Optimized => optimized::posts(pool, &by_cursor).await?,
            _ => return Err(no_such_variant(variant)),
        })
    }

    fn hold(&self, oracle: &Oracle, request: &PageRequest, answer: &Self::Answer) -> Held {
        oracle::hold_posts(oracle, request, answer)
    }
}

/// Pages of a conversation's messages, oldest first. The audit names the place and offers no
/// statement for it.
#[derive(Debug, Clone, Copy)]
pub struct History;

impl Operation for History {
    type Request = PageRequest;
    type Answer = Vec<Message>;

    fn name(&self) -> &'static str {
        "history"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        depths(ladder::conversation_sizes(world))
    }

    fn offered_by(&self, variant: &VariantName) -> bool {
        !matches!(variant, VariantName::Proposed(_))
    }

    fn at(&self, oracle: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<PageRequest> {
        let conversation = ladder::conversation_with_at_least(oracle.world(), at.n)?;
        Some(oracle::messages_page(oracle, conversation.id, LIMIT, at.n))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> PageRequest {
        oracle::draw_messages(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        request: &PageRequest,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        oracle::message_between(oracle, request, random)
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        request: &PageRequest,
    ) -> Result<Self::Answer, Fault> {
        let pool = &store.postgres;
        Ok(match variant {
            VariantName::Baseline => baseline::history(pool, &request.by_offset()).await?,
            VariantName::Optimized => {
                let by_cursor = optimized::HistoryRequest {
                    conversation: request.of,
                    limit: request.limit,
                    after: request.after.map(|key| HistoryCursor {
                        message: cursor(key),
                        sequence_number: request.offset,
                    }),
                    include_recalled: request.include_recalled,
                };
                optimized::history(pool, &by_cursor).await?
            }
            _ => return Err(no_such_variant(variant)),
        })
    }

    fn hold(&self, oracle: &Oracle, request: &PageRequest, answer: &Self::Answer) -> Held {
        oracle::hold_messages(oracle, request, answer)
    }
}

fn cursor((created_at, id): Key) -> Cursor {
    Cursor { created_at, id }
}

/// A row's place in the order.
trait Keyed {
    fn key(&self) -> Key;
}

impl Keyed for Post {
    fn key(&self) -> Key {
        (self.created_at, self.id)
    }
}

impl Keyed for Message {
    fn key(&self) -> Key {
        (self.created_at, self.id)
    }
}

/// Walks through all pages by the cursors that a variant itself gives: each page is right, and
/// the walk meets every row once. Today's order leaves ties open, so a walk by offset may miss
/// one and meet another twice: only the number of rows is asked of it.
async fn walk<O, R>(
    operation: &O,
    session: &Session<'_>,
    variant: &VariantName,
    (of, limit): (Uuid, i64),
    include_recalled: bool,
    tally: &mut Tally,
) -> Outcome<()>
where
    O: Operation<Request = PageRequest, Answer = Vec<R>>,
    R: Keyed + Send,
{
    let store = session.store(variant);
    let mut request = PageRequest {
        of,
        limit,
        offset: 0,
        after: None,
        include_recalled,
    };
    let mut met = Vec::new();
    loop {
        let page = match operation.call(&store, variant, &request).await {
            Ok(page) => page,
            Err(Fault::Variant(refusal)) => {
                tally.record(
                    format_args!("{request:?}"),
                    Err(Difference(refusal.to_string())),
                );
                return Ok(());
            }
            Err(Fault::Harness(error)) => return Err(error.into()),
        };
        let held = operation.hold(session.oracle(), &request, &page);
        let right = held.is_ok();
        tally.record(format_args!("{request:?}"), held);
        met.extend(page.iter().map(|row| row.key().1));
        let Some(last) = page.last().filter(|_| right) else {
            break;
        };
        request.offset += page.len() as i64;
        request.after = Some(last.key());
    }
    let rows = met.len();
    if *variant != VariantName::Baseline {
        met.sort_unstable();
        met.dedup();
    }
    tally.record(
        format_args!("a walk through all pages of {of}"),
        same("rows met, each once", &rows, &met.len()),
    );
    Ok(())
}
