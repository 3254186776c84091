//! How much engagement the posts of each author have.

use crate::distribution::{Counts, Weights};
use crate::spec::Sizes;

/// How long `post_events` is kept, days.
pub(crate) const EVENT_DAYS: u32 = 90;

/// The first share of the history, over which authors join.
pub(crate) const JOINING: f64 = 0.8;

/// Mean engagement of a post of each author: popular authors have more, those who post a
/// lot have less for each post, and the last 90 days come to the scale's events.
pub(crate) fn attention(sizes: &Sizes, posts: &Counts, popularity: &Weights) -> Vec<f32> {
    let raw: Vec<f64> = (0..sizes.users)
        .map(|user| popularity.of(user).sqrt() / (1.0 + posts.of(user) as f64 / 50.0).powf(0.3))
        .collect();
    let each = (0..)
        .zip(&raw)
        .map(|(user, raw)| raw * posts.of(user) as f64);
    let total: f64 = each.sum();
    let budget = sizes.events as f64 / share_of_last_days(sizes.days);
    raw.iter()
        .map(|raw| (raw * budget / total) as f32)
        .collect()
}

/// The share of all posts that lies within the last 90 days, as authors join uniformly
/// over the first four fifths of the history and then post evenly to its end.
fn share_of_last_days(days: u32) -> f64 {
    let window = (f64::from(EVENT_DAYS) / f64::from(days)).min(1.0);
    let cut = 1.0 - window;
    let before = window * (1.0 / (1.0 - cut.min(JOINING))).ln();
    (before + (JOINING - cut).max(0.0)) / JOINING
}
