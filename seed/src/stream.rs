//! Named random streams: one per aspect, reset per block.
//!
//! Drawing once more from one aspect shifts nothing in another, and a block can be made by
//! any thread without knowing what the others drew.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// What a stream decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aspect(&'static str);

impl Aspect {
    pub(crate) const IDS: Self = Self("ids");
    pub(crate) const POPULARITY: Self = Self("popularity");
    pub(crate) const ACTIVITY: Self = Self("activity");
    pub(crate) const PEOPLE: Self = Self("people");
    pub(crate) const FOLLOWS: Self = Self("follows");
    pub(crate) const FOLLOW_DELIVERY: Self = Self("follow-delivery");
    pub(crate) const CONVERSATION_SIZES: Self = Self("conversation-sizes");
    pub(crate) const CONVERSATION_LIFE: Self = Self("conversation-life");
    pub(crate) const CONVERSATION_KIND: Self = Self("conversation-kind");
    pub(crate) const MEMBERS: Self = Self("members");
    pub(crate) const MEMBERSHIP: Self = Self("membership");
    pub(crate) const MESSAGE_TIMES: Self = Self("message-times");
    pub(crate) const MESSAGE_SENDERS: Self = Self("message-senders");
    pub(crate) const MESSAGE_KINDS: Self = Self("message-kinds");
    pub(crate) const MESSAGE_TEXT: Self = Self("message-text");
    pub(crate) const MESSAGE_FATE: Self = Self("message-fate");
    pub(crate) const REACTIONS: Self = Self("reactions");
    pub(crate) const ATTACHMENTS: Self = Self("attachments");
    pub(crate) const POST_COUNTS: Self = Self("post-counts");
    pub(crate) const AUTHOR_LIFE: Self = Self("author-life");
    pub(crate) const POST_TIMES: Self = Self("post-times");
    pub(crate) const POST_TEXT: Self = Self("post-text");
    pub(crate) const POST_FATE: Self = Self("post-fate");
    pub(crate) const DELETED_POSTS: Self = Self("deleted-posts");
    pub(crate) const IMAGES: Self = Self("images");
    pub(crate) const ATTENTION: Self = Self("attention");
    pub(crate) const LIKES: Self = Self("likes");
    pub(crate) const COMMENTS: Self = Self("comments");
    pub(crate) const COMMENT_TEXT: Self = Self("comment-text");
    pub(crate) const VIEWS: Self = Self("views");
    pub(crate) const POST_DELIVERY: Self = Self("post-delivery");
    pub(crate) const LIKE_DELIVERY: Self = Self("like-delivery");
    pub(crate) const COMMENT_DELIVERY: Self = Self("comment-delivery");
}

/// The stream of one aspect in one block.
pub(crate) fn stream(seed: u64, aspect: Aspect, block: u64) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(aspect.0);
    hash.update(block.to_le_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn streams_differ_by_seed_aspect_and_block_and_repeat_by_all_three() {
        let first = |seed, aspect, block| stream(seed, aspect, block).next_u64();
        let one = first(1, Aspect::LIKES, 0);
        assert_eq!(one, first(1, Aspect::LIKES, 0));
        assert_ne!(one, first(2, Aspect::LIKES, 0));
        assert_ne!(one, first(1, Aspect::VIEWS, 0));
        assert_ne!(one, first(1, Aspect::LIKES, 1));
    }
    #[test]
    fn drawing_once_more_from_one_aspect_changes_no_other() {
        let draws = |more: bool| {
            let mut likes = stream(1, Aspect::LIKES, 3);
            let mut views = stream(1, Aspect::VIEWS, 3);
            let like = likes.next_u64();
            if more {
                likes.next_u64();
            }
            (like, views.next_u64())
        };
        assert_eq!(draws(false), draws(true));
    }
}
