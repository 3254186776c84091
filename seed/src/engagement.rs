//! Likes, comments and views as rows, which decay after a post is published.

use chrono::{DateTime, Utc};
use rand::Rng;
use uuid::Uuid;

use crate::acts::{Acts, Commented, decay, poisson};
use crate::blocks::Segment;
use crate::ids::Kind;
use crate::posts::DELETED;
use crate::rhythm::{NOW, at};
use crate::rows::{Author, Comment, DeletedPost, Engagement, Like, Post, View};
use crate::stream::Aspect;
use crate::world::World;

impl World {
    /// What became of each of an author's posts, in the order of [`posts`](Self::posts).
    pub fn engagement(&self, author: &Author) -> Vec<Engagement> {
        self.author_segments(author.index)
            .flat_map(|segment| self.segment_engagement(&segment, &self.segment_posts(&segment)))
            .collect()
    }

    /// An author's posts whose rows were deleted, with all that was done to them.
    pub fn deleted_posts(&self, author: &Author) -> Vec<DeletedPost> {
        self.author_segments(author.index)
            .flat_map(|segment| self.segment_deleted(&segment, &self.segment_posts(&segment)))
            .collect()
    }

    pub(crate) fn segment_engagement(&self, segment: &Segment, posts: &[Post]) -> Vec<Engagement> {
        let acts = self.acts(segment.entity, segment.first, posts);
        self.written(segment.entity, segment.first, posts, acts)
    }

    /// Posts of an author's segment whose rows were deleted, as the change feeds still tell.
    pub(crate) fn segment_deleted(&self, segment: &Segment, posts: &[Post]) -> Vec<DeletedPost> {
        let (gone, acts) = self.deleted_acts(segment, posts);
        let (posts, times): (Vec<Post>, Vec<DateTime<Utc>>) = gone.into_iter().unzip();
        let engagement = self.written(segment.entity, deleted_block(segment), &posts, acts);
        posts
            .into_iter()
            .zip(times)
            .zip(engagement)
            .map(|((post, deleted_at), mut engagement)| {
                engagement.views.retain(|view| view.at < deleted_at);
                DeletedPost {
                    post,
                    deleted_at,
                    engagement,
                }
            })
            .collect()
    }

    /// The same before it is written out.
    pub(crate) fn deleted_acts(
        &self,
        segment: &Segment,
        posts: &[Post],
    ) -> (Vec<(Post, DateTime<Utc>)>, Vec<Acts>) {
        let gone = self.segment_deleted_posts(segment, posts);
        let all: Vec<Post> = gone.iter().map(|(post, _)| post.clone()).collect();
        let acts = self.acts(segment.entity, deleted_block(segment), &all);
        let acts = acts.into_iter().zip(&gone);
        let acts = acts.map(|(acts, (_, deleted))| acts.deleted(deleted.timestamp_micros()));
        let acts = acts.collect();
        (gone, acts)
    }

    /// Acts as rows, with the words of comments and with views.
    fn written(&self, author: u32, block: u64, posts: &[Post], acts: Vec<Acts>) -> Vec<Engagement> {
        let mut text = self.stream(Aspect::COMMENT_TEXT, block);
        let mut views = self.stream(Aspect::VIEWS, block);
        let written = |(post, acts): (&Post, Acts)| Engagement {
            views: self.views(author, post, acts.views, &mut views),
            comments: self.comments(post, &acts, &mut text),
            likes: acts
                .likes
                .iter()
                .map(|like| Like {
                    id: self.ids.id(Kind::Like, (post.number << 24) + like.number),
                    user: self.user_id(like.user),
                    created_at: at(like.time),
                    removed_at: like.removed.map(at),
                })
                .collect(),
        };
        posts.iter().zip(acts).map(written).collect()
    }

    fn comments(&self, post: &Post, acts: &Acts, text: &mut impl Rng) -> Vec<Comment> {
        let id = |number: usize| self.comment_id(post.number, number);
        let comments = acts.comments.iter().enumerate();
        let comment = |(number, comment): (usize, &Commented)| Comment {
            id: id(number),
            user: self.user_id(comment.user),
            parent: comment.parent.map(id),
            content: self.vocabulary().text(text, comment.words),
            created_at: at(comment.time),
            soft_delete: comment.hidden.map(at),
            removed_at: comment.removed.map(at),
        };
        comments.map(comment).collect()
    }

    pub(crate) fn comment_id(&self, post: u64, number: usize) -> Uuid {
        self.ids.id(Kind::Comment, (post << 24) + number as u64)
    }

    fn views(&self, author: u32, post: &Post, mean: f64, random: &mut impl Rng) -> Vec<View> {
        (0..poisson(random, mean))
            .map(|_| (self.reader(author, random), decay(post, random)))
            .filter(|&(_, time)| time < NOW)
            .map(|(user, time)| View {
                user: self.user_id(user),
                at: at(time),
            })
            .collect()
    }
}

/// The number of the streams of a segment's deleted posts.
fn deleted_block(segment: &Segment) -> u64 {
    DELETED + segment.first
}
