//! The change feeds of posts, likes and comments in ClickHouse, and the events of posts.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::attention::EVENT_DAYS;
use crate::delivery::{Delivery, deliver};
use crate::pgcopy::Rows;
use crate::rowbinary::SortKey;
use crate::rows::{Comment, Engagement, Like, Post, PostStatus};
use crate::stream::Aspect;
use crate::world::World;

/// Whose versions: a block's, by streams of its own.
#[derive(Clone, Copy)]
pub(crate) struct Versions<'a> {
    pub(crate) world: &'a World,
    pub(crate) block: u64,
}

/// When a row changed.
struct Life {
    made: DateTime<Utc>,
    changed: [Option<DateTime<Utc>>; 2],
    removed: Option<DateTime<Utc>>,
}

impl Versions<'_> {
    /// The versions of rows in order of arrival: each row as it was made, as it was changed, and
    /// once it was deleted.
    fn of(self, aspect: Aspect, rows: impl Iterator<Item = Life>) -> Vec<Delivery> {
        let mut random = self.world.stream(aspect, self.block);
        let mut feed = Vec::new();
        for (i, row) in rows.enumerate() {
            for time in std::iter::once(row.made).chain(row.changed.into_iter().flatten()) {
                deliver(&mut feed, i, time.timestamp_micros(), false, &mut random);
            }
            if let Some(time) = row.removed {
                deliver(&mut feed, i, time.timestamp_micros(), true, &mut random);
            }
        }
        feed.sort_unstable();
        feed
    }
}

/// `deleted` tells when the row of each post was deleted, if it was.
pub(crate) fn post_feed(
    versions: Versions<'_>,
    made: &[(Post, Engagement)],
    deleted: &[Option<DateTime<Utc>>],
) -> Rows {
    let rows = made.iter().zip(deleted).map(|((post, _), deleted)| {
        let edited = (post.updated_at > post.created_at).then_some(post.updated_at);
        Life {
            made: post.created_at,
            changed: [edited, post.soft_delete],
            removed: *deleted,
        }
    });
    let mut table = Rows::default();
    for change in versions.of(Aspect::POST_DELIVERY, rows) {
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
            .binary(SortKey::id(post.id))
            .id(post.id)
            .id(post.author)
            .text(content)
            .maybe_text(media)
            .seconds(post.created_at)
            .change(change.version, change.deleted);
    }
    table.sorted()
}

pub(crate) fn like_feed(versions: Versions<'_>, likes: &[(&Like, Uuid)]) -> Rows {
    let rows = likes.iter().map(|(like, _)| Life {
        made: like.created_at,
        changed: [None; 2],
        removed: like.removed_at,
    });
    let changes = versions.of(Aspect::LIKE_DELIVERY, rows);
    let mut table = Rows::with_room(changes.len(), 87);
    for change in changes {
        let (like, post) = likes[change.row];
        table
            .binary(SortKey::id(like.user).then(post).at(like.created_at))
            .id(like.user)
            .id(post)
            .seconds(like.created_at)
            .change(change.version, change.deleted);
    }
    table.sorted()
}

pub(crate) fn comment_feed(versions: Versions<'_>, comments: &[(&Comment, Uuid)]) -> Rows {
    let rows = comments.iter().map(|(comment, _)| Life {
        made: comment.created_at,
        changed: [comment.soft_delete, None],
        removed: comment.removed_at,
    });
    let changes = versions.of(Aspect::COMMENT_DELIVERY, rows);
    let mut table = Rows::with_room(changes.len(), 180);
    for change in changes {
        let (comment, post) = comments[change.row];
        table
            .binary(SortKey::id(comment.id))
            .id(comment.id)
            .id(post)
            .id(comment.user)
            .text(&comment.content)
            .seconds(comment.created_at)
            .change(change.version, change.deleted);
    }
    table.sorted()
}

/// What was done to posts in the days that events are kept.
pub(crate) fn event_rows(world: &World, made: &[(Post, Engagement)]) -> Rows {
    let kept = world.clock() - TimeDelta::days(EVENT_DAYS.into());
    let events = made.iter().map(|(_, engagement)| {
        let Engagement {
            likes,
            comments,
            views,
        } = engagement;
        likes.len() + comments.len() + views.len()
    });
    let mut table = Rows::with_room(events.sum(), 86);
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
                table
                    .binary(SortKey::time(time, kind))
                    .seconds(time)
                    .text(kind)
                    .id(user)
                    .id(post.id);
            }
        }
    }
    table.sorted()
}
