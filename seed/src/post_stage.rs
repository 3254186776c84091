//! Posts with all that hangs on them, and the change feeds and events of it in ClickHouse.

use std::sync::Arc;

use uuid::Uuid;

use crate::blocks::{Blocks, Segment};
use crate::feed::{Versions, comment_feed, event_rows, like_feed, post_feed};
use crate::pgcopy::{Jsonb, Rows};
use crate::rows::{Comment, DeletedPost, Engagement, Like, Post, PostImage};
use crate::stage::Stage;
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
    let mut deleted: Vec<DeletedPost> = Vec::new();
    let mut images: Vec<PostImage> = Vec::new();
    for segment in segments {
        let posts = world.segment_posts(segment);
        images.extend(world.segment_images(segment, &posts));
        deleted.extend(world.segment_deleted(segment, &posts));
        let engagement = world.segment_engagement(segment, &posts);
        made.extend(posts.into_iter().zip(engagement));
    }
    made.sort_unstable_by_key(|(post, _)| (post.created_at, post.id));
    images.sort_unstable_by_key(|image| (image.created_at, image.id));
    let mut likes = likes_of(&made);
    let mut comments = comments_of(&made);
    likes.sort_unstable_by_key(|(like, _)| (like.created_at, like.id));
    comments.sort_unstable_by_key(|(comment, _)| (comment.created_at, comment.id));
    let mut tables = vec![
        write_posts(&made),
        write_images(&images),
        write_metadata(&made),
        write_likes(&likes),
        write_comments(&comments),
    ];

    // The feeds also tell of posts that are gone. A block's have streams of their own, named by
    // its first segment.
    let versions = Versions {
        world,
        block: segments[0].first,
    };
    let gone: Vec<_> = deleted.iter().map(|gone| Some(gone.deleted_at)).collect();
    let gone = std::iter::repeat_n(None, made.len())
        .chain(gone)
        .collect::<Vec<_>>();
    made.extend(deleted.into_iter().map(|gone| (gone.post, gone.engagement)));
    tables.extend([
        post_feed(versions, &made, &gone),
        like_feed(versions, &likes_of(&made)),
        comment_feed(versions, &comments_of(&made)),
        event_rows(world, &made),
    ]);
    tables
}

fn likes_of(made: &[(Post, Engagement)]) -> Vec<(&Like, Uuid)> {
    let likes = made.iter().flat_map(|(post, engagement)| {
        let likes = engagement.likes.iter();
        likes.map(|like| (like, post.id))
    });
    likes.collect()
}

fn comments_of(made: &[(Post, Engagement)]) -> Vec<(&Comment, Uuid)> {
    let comments = made.iter().flat_map(|(post, engagement)| {
        let comments = engagement.comments.iter();
        comments.map(|comment| (comment, post.id))
    });
    comments.collect()
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
    let mut table = Rows::with_room(likes.len(), 74);
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
    for (comment, post) in comments.iter().filter(|(c, _)| c.removed_at.is_none()) {
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
