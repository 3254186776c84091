//! Posts with all that hangs on them, and the change feeds and events of it in ClickHouse.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::attention::EVENT_DAYS;
use crate::blocks::{Blocks, Segment};
use crate::delivery::{Delivery, deliver};
use crate::pgcopy::{Jsonb, Rows};
use crate::rows::{Comment, Engagement, Like, Post, PostImage, PostStatus};
use crate::stage::Stage;
use crate::stream::Aspect;
use crate::tables;
use crate::world::World;

/// Posts in a block.
const POSTS_IN_BLOCK: u32 = 1_024;

pub(crate) fn posts(world: World) -> Stage {
    let segments = (0..world.sizes.users).flat_map(|i| world.author_segments(i));
    let blocks = Blocks::new(segments.collect(), POSTS_IN_BLOCK);
    Stage {
        tables: vec![
            tables::POSTS,
            tables::IMAGES,
            tables::METADATA,
            tables::LIKES,
            tables::COMMENTS,
            tables::POSTS_CDC,
            tables::LIKES_CDC,
            tables::COMMENTS_CDC,
            tables::EVENTS,
        ],
        blocks: blocks.len(),
        make: Arc::new(move |block| post_block(&world, blocks.block(block))),
    }
}

fn post_block(world: &World, segments: &[Segment]) -> Vec<Rows> {
    let mut made: Vec<(Post, Engagement)> = Vec::new();
    let mut images: Vec<PostImage> = Vec::new();
    for segment in segments {
        let posts = world.segment_posts(segment);
        images.extend(world.segment_images(segment, &posts));
        let engagement = world.segment_engagement(segment, &posts);
        made.extend(posts.into_iter().zip(engagement));
    }
    made.sort_unstable_by_key(|(post, _)| (post.created_at, post.id));
    images.sort_unstable_by_key(|image| (image.created_at, image.id));

    let mut likes: Vec<(&Like, Uuid)> = Vec::new();
    let mut comments: Vec<(&Comment, Uuid)> = Vec::new();
    for (post, engagement) in &made {
        likes.extend(engagement.likes.iter().map(|like| (like, post.id)));
        comments.extend(engagement.comments.iter().map(|c| (c, post.id)));
    }
    likes.sort_unstable_by_key(|(like, _)| (like.created_at, like.id));
    comments.sort_unstable_by_key(|(comment, _)| (comment.created_at, comment.id));

    // A block's feeds have streams of their own, named by its first segment.
    let block = segments[0].first;
    vec![
        write_posts(&made),
        write_images(&images),
        write_metadata(&made),
        write_likes(&likes),
        write_comments(&comments),
        feed_posts(world, block, &made),
        feed_likes(world, block, &likes),
        feed_comments(world, block, &comments),
        write_events(world, &made),
    ]
}

fn write_posts(made: &[(Post, Engagement)]) -> Rows {
    let mut table = Rows::default();
    for (post, _) in made {
        table
            .row(10)
            .add(post.id)
            .add(post.author)
            .maybe(post.caption.as_deref())
            .add(post.image_key.as_str())
            .maybe(post.image_sizes.map(Jsonb))
            .add(post.status.as_str())
            .add(post.content_type)
            .add(post.created_at)
            .add(post.updated_at)
            .maybe(post.soft_delete);
    }
    table
}

fn write_images(images: &[PostImage]) -> Rows {
    let mut table = Rows::default();
    for image in images {
        table
            .row(11)
            .add(image.id)
            .add(image.post)
            .add(image.s3_key.as_str())
            .add(image.status)
            .add(image.variant)
            .maybe(image.url.as_deref())
            .maybe(image.dimensions.map(|(width, _, _)| width))
            .maybe(image.dimensions.map(|(_, height, _)| height))
            .maybe(image.dimensions.map(|(_, _, bytes)| bytes))
            .add(image.created_at)
            .add(image.updated_at);
    }
    table
}

fn write_metadata(made: &[(Post, Engagement)]) -> Rows {
    let mut table = Rows::default();
    for (post, engagement) in made {
        table
            .row(6)
            .add(post.id)
            .add(engagement.like_count() as i32)
            .add(engagement.comment_count() as i32)
            .add(engagement.views.len() as i32)
            .add(post.created_at)
            .add(engagement.last().unwrap_or(post.created_at));
    }
    table
}

fn write_likes(likes: &[(&Like, Uuid)]) -> Rows {
    let mut table = Rows::default();
    for (like, post) in likes.iter().filter(|(like, _)| like.removed_at.is_none()) {
        table
            .row(4)
            .add(like.id)
            .add(like.user)
            .add(*post)
            .add(like.created_at);
    }
    table
}

fn write_comments(comments: &[(&Comment, Uuid)]) -> Rows {
    let mut table = Rows::default();
    for (comment, post) in comments {
        table
            .row(7)
            .add(comment.id)
            .add(*post)
            .add(comment.user)
            .maybe(comment.parent)
            .add(comment.content.as_str())
            .add(comment.created_at)
            .maybe(comment.soft_delete);
    }
    table
}

/// The versions of rows that are created once and removed perhaps, in order of arrival.
fn feed(
    world: &World,
    aspect: Aspect,
    block: u64,
    rows: impl Iterator<Item = (DateTime<Utc>, Option<DateTime<Utc>>)>,
) -> Vec<Delivery> {
    let mut random = world.stream(aspect, block);
    let mut feed = Vec::new();
    for (i, (created, removed)) in rows.enumerate() {
        deliver(&mut feed, i, created.timestamp_micros(), false, &mut random);
        if let Some(removed) = removed {
            deliver(&mut feed, i, removed.timestamp_micros(), true, &mut random);
        }
    }
    feed.sort_unstable();
    feed
}

fn feed_posts(world: &World, block: u64, made: &[(Post, Engagement)]) -> Rows {
    let mut random = world.stream(Aspect::POST_DELIVERY, block);
    let mut feed = Vec::new();
    for (i, (post, _)) in made.iter().enumerate() {
        let created = post.created_at.timestamp_micros();
        let updated = post.updated_at.timestamp_micros();
        let deleted = post.soft_delete.map(|time| time.timestamp_micros());
        deliver(&mut feed, i, created, false, &mut random);
        // Changes after the deletion are part of its version.
        if updated > created && deleted.is_none_or(|deleted| updated < deleted) {
            deliver(&mut feed, i, updated, false, &mut random);
        }
        if let Some(deleted) = deleted {
            deliver(&mut feed, i, deleted, true, &mut random);
        }
    }
    feed.sort_unstable();
    let mut table = Rows::default();
    for change in feed {
        let post = &made[change.row].0;
        let caption = post.caption.as_deref().unwrap_or_default();
        let edited =
            i64::try_from(change.version).is_ok_and(|v| v >= post.updated_at.timestamp_millis());
        // Before an edit the first word was missing.
        let content = if edited {
            caption
        } else {
            caption.split_once(' ').map_or("", |(_, rest)| rest)
        };
        let media = format!("https://cdn.example.com/{}", post.image_key);
        let media = (post.status == PostStatus::Published).then_some(media.as_str());
        table
            .binary()
            .id(post.id)
            .id(post.author)
            .text(content)
            .maybe_text(media)
            .seconds(post.created_at)
            .change(change.version, change.deleted);
    }
    table
}

fn feed_likes(world: &World, block: u64, likes: &[(&Like, Uuid)]) -> Rows {
    let times = likes
        .iter()
        .map(|(like, _)| (like.created_at, like.removed_at));
    let mut table = Rows::default();
    for change in feed(world, Aspect::LIKE_DELIVERY, block, times) {
        let (like, post) = likes[change.row];
        table
            .binary()
            .id(like.user)
            .id(post)
            .seconds(like.created_at)
            .change(change.version, change.deleted);
    }
    table
}

fn feed_comments(world: &World, block: u64, comments: &[(&Comment, Uuid)]) -> Rows {
    let times = comments.iter().map(|(c, _)| (c.created_at, c.soft_delete));
    let mut table = Rows::default();
    for change in feed(world, Aspect::COMMENT_DELIVERY, block, times) {
        let (comment, post) = comments[change.row];
        table
            .binary()
            .id(comment.id)
            .id(post)
            .id(comment.user)
            .text(&comment.content)
            .seconds(comment.created_at)
            .change(change.version, change.deleted);
    }
    table
}

fn write_events(world: &World, made: &[(Post, Engagement)]) -> Rows {
    let kept = world.clock() - TimeDelta::days(EVENT_DAYS.into());
    let mut table = Rows::default();
    for (post, engagement) in made {
        let likes = engagement
            .likes
            .iter()
            .map(|l| (l.created_at, "like", l.user));
        let comments = engagement
            .comments
            .iter()
            .map(|c| (c.created_at, "comment", c.user));
        let views = engagement.views.iter().map(|v| (v.at, "view", v.user));
        for (time, kind, user) in likes.chain(comments).chain(views) {
            if time >= kept {
                table.binary().seconds(time).text(kind).id(user).id(post.id);
            }
        }
    }
    table
}
