//! Item 13: which posts and conversations are read, and what is right of them.

use std::sync::Arc;

use chrono::TimeDelta;
use rand::{Rng, RngExt};
use verdict_baseline::cache::Post;

pub use crate::conversation_fetch::{
    draw as draw_conversation, hold as hold_conversation, write_between as conversation_between,
};
use crate::difference::{Held, same};
use crate::oracle::Oracle;
pub use crate::post_images::{Asked, draw, posts};
use crate::turn::Turn;
use crate::write::{Kind, Rows, Write};

/// As many reads, one after the other, as readers of the world came to its posts, from a moment
/// that is drawn; `None` where fewer came.
pub fn reads(oracle: &Oracle, number: usize, random: &mut impl Rng) -> Option<Vec<Asked>> {
    let slices = oracle.slices();
    let moments = (slices.times.len() + 1).checked_sub(number)?;
    let first = random.random_range(0..moments.max(1));
    let reads = slices.times.get(first..first + number)?.iter();
    let asked = reads.map(|(_, place)| {
        let post = &slices.posts[*place as usize];
        (oracle.world().user(post.author), post.post)
    });
    Some(asked.collect())
}

/// The number of the post that each reader of the world came to, in the order in which they came.
pub fn trace(oracle: &Oracle) -> Vec<u32> {
    let times = oracle.slices().times.iter();
    times.map(|(_, place)| *place).collect()
}

/// What is right of a post; none where it is deleted, or nobody's.
pub fn due(oracle: &Oracle, (author, post): Asked) -> Option<Post> {
    let rows = oracle.author(author)?;
    let row = rows.post(post)?;
    row.soft_delete.is_none().then(|| Post::clone(row))
}

/// Whether posts are right, each in the place in which it was asked for.
///
/// # Errors
/// The first that is wrong.
pub fn hold(oracle: &Oracle, asked: &[Asked], answer: &[Option<Post>]) -> Held {
    same("answers", &asked.len(), &answer.len())?;
    for (place, (asked, answered)) in asked.iter().zip(answer).enumerate() {
        same("post", &due(oracle, *asked), answered)
            .map_err(|wrong| wrong.at(format!("read {}", place + 1)))?;
    }
    Ok(())
}

/// A write that makes another answer right: a post edited, deleted, there again, or one that comes
/// to be.
pub fn between(oracle: &Oracle, (author, post): Asked, random: &mut impl Rng) -> Option<Write> {
    let rows = oracle.author(author)?;
    let Some(row) = rows.post(post) else {
        return Write::post(&rows, post, random);
    };
    if row.soft_delete.is_some() {
        let after = Post {
            soft_delete: None,
            // Of every change today's trigger notes the time.
            updated_at: row.updated_at + TimeDelta::seconds(1),
            ..Post::clone(row)
        };
        let turn = Turn::of(Arc::clone(row), Arc::new(after));
        return Some(Write {
            kind: Kind::Edited,
            rows: Rows::Post { author, turn },
        });
    }
    let kind = match random.random() {
        true => Kind::Edited,
        false => Kind::Deleted,
    };
    Write::on_post(&rows, post, kind)
}
