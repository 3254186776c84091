//! The reads that the audit's indexes are for, whatever the variant: today's.

use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::{At, VariantName};
use verdict_baseline::conversation_fetch::Listed;
use verdict_baseline::indexes::{self as baseline, Counts, Membership, RangeRequest, Said};
use verdict_baseline::pagination::Post;
use verdict_oracle::indexes::{self as oracle, PostsRequest};
use verdict_oracle::post_images::{self, Asked};
use verdict_oracle::write::Page;
use verdict_oracle::{Held, Oracle, Write, ladder};
use verdict_seed::World;
use verdict_store::{Fault, Store};

use super::JUDGED;
use crate::items::conversation_fetch::List;
use crate::operation::{Between, Operation};

/// Rows of a page.
const LIMIT: i64 = 20;

/// Posts whose counters are asked for.
const POSTS: u64 = 20;

/// The rung that is judged, and the largest: many variants are timed.
fn rungs(sizes: Vec<u64>) -> Vec<At> {
    let largest = sizes.last().copied();
    let measured = |n: &u64| *n == JUDGED || Some(*n) == largest;
    sizes.into_iter().filter(measured).map(At::rung).collect()
}

fn conversations(world: &World) -> Vec<At> {
    rungs(ladder::conversation_sizes(world))
}

/// The conversations of the member of one who is in the most.
#[derive(Debug, Clone, Copy)]
pub struct MemberConversations;

impl Operation for MemberConversations {
    type Request = Uuid;
    type Answer = Vec<Membership>;

    fn name(&self) -> &'static str {
        "member-conversations"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        conversations(world)
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Uuid> {
        List.at(oracle, at, random)
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Uuid {
        List.draw(oracle, random)
    }

    fn between(&self) -> Between {
        List.between()
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        user: &Uuid,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        List.write_between(oracle, user, random)
    }

    async fn call(
        &self,
        store: &Store,
        _: &VariantName,
        user: &Uuid,
    ) -> Result<Self::Answer, Fault> {
        Ok(baseline::member_conversations(&store.postgres, *user).await?)
    }

    fn hold(&self, oracle: &Oracle, user: &Uuid, answer: &Self::Answer) -> Held {
        oracle::hold_members(oracle, *user, answer)
    }
}

/// An author's newest posts that are to be seen.
#[derive(Debug, Clone, Copy)]
pub struct PublishedPosts;

impl Operation for PublishedPosts {
    type Request = PostsRequest;
    type Answer = Vec<Post>;

    fn name(&self) -> &'static str {
        "published-posts"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        rungs(ladder::author_sizes(world))
    }

    fn at(&self, oracle: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<PostsRequest> {
        let author = ladder::author_with_at_least(oracle.world(), at.n)?;
        Some((author.id, LIMIT))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> PostsRequest {
        oracle::draw_posts(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        (author, limit): &PostsRequest,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        let page = first_page(*limit);
        match oracle.author(*author) {
            Some(rows) => Write::on_page_of(&rows, page, random),
            None => Write::author(*author, oracle.world(), page, random),
        }
    }

    async fn call(
        &self,
        store: &Store,
        _: &VariantName,
        (author, limit): &PostsRequest,
    ) -> Result<Self::Answer, Fault> {
        Ok(baseline::published_posts(&store.postgres, *author, *limit).await?)
    }

    fn hold(&self, oracle: &Oracle, request: &PostsRequest, answer: &Self::Answer) -> Held {
        oracle::hold_posts(oracle, *request, answer)
    }
}

/// The newest messages of a range of time.
#[derive(Debug, Clone, Copy)]
pub struct MessageRange;

impl Operation for MessageRange {
    type Request = RangeRequest;
    type Answer = Vec<Said>;

    fn name(&self) -> &'static str {
        "message-range"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        conversations(world)
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<RangeRequest> {
        let conversation = ladder::conversation(oracle.world(), at.n)?;
        let range = (oracle::MONTH, LIMIT);
        Some(oracle::range_of(oracle, conversation.id, range, random))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> RangeRequest {
        oracle::draw_range(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        request: &RangeRequest,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        oracle::range_between(oracle, request, random)
    }

    async fn call(
        &self,
        store: &Store,
        _: &VariantName,
        request: &RangeRequest,
    ) -> Result<Self::Answer, Fault> {
        Ok(baseline::message_range(&store.postgres, request).await?)
    }

    fn hold(&self, oracle: &Oracle, request: &RangeRequest, answer: &Self::Answer) -> Held {
        oracle::hold_range(oracle, request, answer)
    }
}

/// A user's conversations, those first in which a message came last.
#[derive(Debug, Clone, Copy)]
pub struct ConversationList;

impl Operation for ConversationList {
    type Request = Uuid;
    type Answer = Vec<Listed>;

    fn name(&self) -> &'static str {
        "conversation-list"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        conversations(world)
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Uuid> {
        List.at(oracle, at, random)
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Uuid {
        List.draw(oracle, random)
    }

    fn between(&self) -> Between {
        List.between()
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        user: &Uuid,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        List.write_between(oracle, user, random)
    }

    async fn call(
        &self,
        store: &Store,
        _: &VariantName,
        user: &Uuid,
    ) -> Result<Self::Answer, Fault> {
        List.call(store, &VariantName::Baseline, user).await
    }

    fn hold(&self, oracle: &Oracle, user: &Uuid, answer: &Self::Answer) -> Held {
        List.hold(oracle, user, answer)
    }
}

/// What is counted about a page of posts.
#[derive(Debug, Clone, Copy)]
pub struct PostMetadata;

impl Operation for PostMetadata {
    type Request = Vec<Asked>;
    type Answer = Vec<Counts>;

    fn name(&self) -> &'static str {
        "post-metadata"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        rungs(ladder::author_sizes(world))
    }

    fn at(&self, oracle: &Oracle, _: At, random: &mut ChaCha8Rng) -> Option<Vec<Asked>> {
        Some(post_images::posts(oracle, POSTS, random))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Vec<Asked> {
        post_images::draw_page(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        asked: &Vec<Asked>,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        post_images::between_counts(oracle, asked, random)
    }

    async fn call(
        &self,
        store: &Store,
        _: &VariantName,
        asked: &Vec<Asked>,
    ) -> Result<Self::Answer, Fault> {
        let posts: Vec<Uuid> = asked.iter().map(|(_, post)| *post).collect();
        Ok(baseline::post_metadata(&store.postgres, &posts).await?)
    }

    fn hold(&self, oracle: &Oracle, asked: &Vec<Asked>, answer: &Self::Answer) -> Held {
        oracle::hold_counts(oracle, asked, answer)
    }
}

fn first_page(limit: i64) -> Page {
    Page {
        offset: 0,
        limit,
        moves: false,
        after: None,
    }
}
