//! Authors, their posts, and the images of these.

use std::ops::Range;

use chrono::{DateTime, Utc};
use rand::{Rng, RngExt};

use crate::attention::JOINING;
use crate::blocks::{Segment, segments};
use crate::distribution::exponential;
use crate::ids::Kind;
use crate::rhythm::{Bursts, DAY, HOUR, NOW, SECOND, at, instants, later};
use crate::rows::{Author, Post, PostImage, PostStatus};
use crate::stream::Aspect;
use crate::world::World;

/// Numbers of posts whose rows were deleted begin here: beside each post there may be one.
pub(crate) const DELETED: u64 = 1 << 36;
/// Posts that share one set of random streams.
const LONGEST_SEGMENT: u32 = 128;
const BURSTS: Bursts = Bursts {
    length: 1.5,
    pause: 120.0 * SECOND as f64,
};

const VARIANTS: [(&str, i32, i32); 3] = [
    ("original", 2_048, 420_000),
    ("medium", 600, 60_000),
    ("thumbnail", 150, 6_000),
];
const IMAGE_SIZES: &str = r#"{"medium": 600, "original": 2048, "thumbnail": 150}"#;

impl World {
    /// The `index`-th user as an author, of no posts perhaps; `index` wraps around at
    /// [`users`](Self::users).
    pub fn author(&self, index: u64) -> Author {
        self.nth_author((index % self.users()) as u32)
    }

    /// Authors of exactly as many posts as the ladder has messages, ascending. Deleted and
    /// unpublished posts are in the count.
    pub fn ladder_authors(&self) -> Vec<Author> {
        (0..self.sizes.ladder.len() as u32)
            .map(|index| self.nth_author(index))
            .collect()
    }

    /// An author with at least one post, with probability in proportion to popularity,
    /// which is also what followers choose by.
    pub fn sample_author(&self, random: &mut impl Rng) -> Author {
        self.nth_author(self.authors().sample(random))
    }

    fn nth_author(&self, index: u32) -> Author {
        Author {
            id: self.user_id(index),
            posts: self.posts_by_author().of(index),
            index,
        }
    }

    /// Every post of an author, deleted and unpublished ones included, in order of time
    /// (those of one instant in no particular order).
    pub fn posts(&self, author: &Author) -> Vec<Post> {
        self.author_segments(author.index)
            .flat_map(|segment| self.segment_posts(&segment))
            .collect()
    }

    /// Every image row of an author's posts, by post in the order of [`posts`](Self::posts).
    pub fn images(&self, author: &Author) -> Vec<PostImage> {
        self.author_segments(author.index)
            .flat_map(|segment| self.segment_images(&segment, &self.segment_posts(&segment)))
            .collect()
    }

    /// From when to when an author posts, in microseconds since 1970: authors join over the
    /// first four fifths of the history and stay.
    fn author_life(&self, index: u32) -> Range<i64> {
        let mut random = self.stream(Aspect::AUTHOR_LIFE, index.into());
        let beginning = self.beginning();
        let joined = (NOW - beginning) as f64 * JOINING * random.random::<f64>();
        beginning + joined as i64..NOW
    }

    pub(crate) fn author_segments(&self, index: u32) -> impl Iterator<Item = Segment> + use<> {
        segments(
            self.posts_by_author(),
            index,
            self.author_life(index),
            LONGEST_SEGMENT,
        )
    }

    pub(crate) fn segment_posts(&self, segment: &Segment) -> Vec<Post> {
        let stream = |aspect| self.stream(aspect, segment.first);
        let mut times = stream(Aspect::POST_TIMES);
        let mut text = stream(Aspect::POST_TEXT);
        let mut fate = stream(Aspect::POST_FATE);
        let author = self.user_id(segment.entity);
        let len = segment.len as usize;
        let times = instants(&mut times, len, segment.from, segment.to, BURSTS);
        let post = |(i, time)| {
            let number = segment.first + i as u64;
            let id = self.ids.id(Kind::Post, number);
            let words = text.random_range(0..=20);
            let status = match fate.random_range(0..100) {
                0..1 => PostStatus::Pending,
                1..2 => PostStatus::Processing,
                2..4 => PostStatus::Failed,
                _ => PostStatus::Published,
            };
            let changed = later(time, SECOND as f64 + exponential(&mut fate, DAY as f64));
            let deleted = later(time, HOUR as f64 + exponential(&mut fate, 5.0 * DAY as f64));
            let published = status == PostStatus::Published;
            Post {
                id,
                author,
                caption: (words > 0).then(|| self.vocabulary().text(&mut text, words)),
                image_key: format!("uploads/{id}.jpg"),
                image_sizes: published.then_some(IMAGE_SIZES),
                status,
                content_type: match fate.random_range(0..100) {
                    0..10 => "video",
                    10..15 => "mixed",
                    _ => "image",
                },
                created_at: at(time),
                updated_at: at(if fate.random_bool(0.05) {
                    changed
                } else {
                    time
                }),
                soft_delete: fate.random_bool(0.03).then(|| at(deleted)),
                number,
            }
        };
        times.into_iter().enumerate().map(post).collect()
    }

    /// Posts that were made beside those of a segment and whose rows were deleted since, with the
    /// time of that.
    pub(crate) fn segment_deleted_posts(
        &self,
        segment: &Segment,
        posts: &[Post],
    ) -> Vec<(Post, DateTime<Utc>)> {
        let mut random = self.stream(Aspect::DELETED_POSTS, segment.first);
        let mut deleted = Vec::new();
        for post in posts {
            let pause = exponential(&mut random, HOUR as f64);
            let life = HOUR as f64 + exponential(&mut random, 5.0 * DAY as f64);
            let made = post.created_at.timestamp_micros() + pause as i64;
            let gone = made + life as i64;
            if !random.random_bool(0.004) || gone >= NOW {
                continue;
            }
            let number = DELETED + post.number;
            let id = self.ids.id(Kind::Post, number);
            let post = Post {
                id,
                image_key: format!("uploads/{id}.jpg"),
                image_sizes: Some(IMAGE_SIZES),
                status: PostStatus::Published,
                created_at: at(made),
                updated_at: at(made),
                soft_delete: None,
                number,
                ..post.clone()
            };
            deleted.push((post, at(gone)));
        }
        deleted
    }

    pub(crate) fn segment_images(&self, segment: &Segment, posts: &[Post]) -> Vec<PostImage> {
        let mut random = self.stream(Aspect::IMAGES, segment.first);
        let mut images = Vec::with_capacity(posts.len() * 3);
        for post in posts {
            for (place, &variant) in (0..).zip(&VARIANTS) {
                images.push(self.image(post, variant, place, &mut random));
                // A retry leaves a second row of the same variant behind.
                if random.random_bool(0.015) {
                    images.push(self.image(post, variant, place + 3, &mut random));
                }
            }
        }
        images
    }

    fn image(
        &self,
        post: &Post,
        (variant, width, bytes): (&'static str, i32, i32),
        place: u64,
        random: &mut impl Rng,
    ) -> PostImage {
        let post_id = post.id;
        let status = match (post.status, random.random_range(0..1_000)) {
            (PostStatus::Pending, _) => "pending",
            (PostStatus::Processing, _) => "processing",
            (PostStatus::Failed, _) | (_, 0..20) => "failed",
            (_, 20..25) => "processing",
            _ => "completed",
        };
        let completed = status == "completed";
        let created = post.created_at.timestamp_micros();
        let pause = exponential(random, 2.0 * SECOND as f64);
        let created = later(
            created,
            place as f64 * 1_000.0 + if place > 2 { pause } else { 0.0 },
        );
        let done = later(created, pause);
        let served = completed && !random.random_bool(0.015);
        let height = width * random.random_range(3..=8) / 6;
        let bytes = bytes / 2 + random.random_range(0..bytes);
        PostImage {
            id: self.ids.id(Kind::Image, (post.number << 3) + place),
            post: post_id,
            s3_key: format!("posts/{post_id}/{variant}-{place}.jpg"),
            status,
            variant,
            url: served.then(|| format!("https://cdn.example.com/{post_id}/{variant}-{place}.jpg")),
            dimensions: completed.then_some((width, height, bytes)),
            created_at: at(created),
            updated_at: at(done),
        }
    }
}
