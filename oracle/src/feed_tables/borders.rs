//! Clocks at which something counts for the last time.

use std::collections::BTreeSet;

use uuid::Uuid;
use verdict_baseline::feed_tables::{Candidate, Request, SOURCES, Source};

use super::{Asked, DAY, FeedRows, SourceRule};
use crate::events::Kind;
use crate::oracle::Oracle;

/// Readers among whom one is sought for whom it makes a difference.
const READERS: u64 = 200;

/// Requests by clocks a second after which another answer is right, where there are such: a post
/// is as old as one of the source may be; a like, or a comment, as old as one may be that makes
/// somebody near to its author.
pub fn borders(oracle: &Oracle) -> Vec<(Source, Asked)> {
    let feed = oracle.feed();
    let posts = SOURCES.map(|source| feed.border(source, |user| feed.posts_end(source, user)));
    let acts = [Kind::Like, Kind::Comment]
        .map(|kind| feed.border(Source::Affinity, |user| feed.acts_end(kind, user)));
    posts.into_iter().chain(acts).flatten().collect()
}

impl FeedRows {
    /// The first of these clocks, as seconds ahead of the world's, which makes a difference to
    /// a reader all of whose candidates are kept.
    fn border<E: Iterator<Item = i64>>(
        &self,
        source: Source,
        ends: impl Fn(Uuid) -> E,
    ) -> Option<(Source, Asked)> {
        let kept = SourceRule::of(source).kept;
        let told = |due: &[Candidate]| -> BTreeSet<_> {
            due.iter()
                .map(|row| (row.post_id, row.affinity_score.to_bits()))
                .collect()
        };
        let readers = (0..READERS).map(|reader| self.world.user(reader));
        readers
            .filter(|user| self.due(source, *user, 0).len() <= kept)
            .flat_map(|user| ends(user).map(move |ahead| (user, ahead)))
            .filter(|(_, ahead)| (0..DAY).contains(ahead))
            .find(|(user, ahead)| {
                let due = |ahead| told(&self.due(source, *user, ahead));
                due(*ahead) != due(ahead + 1)
            })
            .map(|(user, ahead)| {
                let limit = kept as u64;
                let request = Request { user, limit };
                (source, Asked { ahead, request })
            })
    }

    fn posts_end(&self, source: Source, user: Uuid) -> impl Iterator<Item = i64> + use<> {
        let counts = SourceRule::of(source).days * DAY - self.world.clock().timestamp();
        let due = self.due(source, user, 0);
        let made: Vec<i64> = due.iter().map(|row| row.created_at.timestamp()).collect();
        made.into_iter().map(move |made| made + counts)
    }

    fn acts_end(&self, kind: Kind, user: Uuid) -> impl Iterator<Item = i64> + use<> {
        let counts = 90 * DAY - self.world.clock().timestamp();
        let acts = self.events.by_user(user).into_iter();
        acts.filter(move |done| done.kind == kind)
            .map(move |done| i64::from(done.at) + counts)
    }
}
