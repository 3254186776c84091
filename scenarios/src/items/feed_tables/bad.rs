//! What is wrong with pages that are read during refreshes.

use std::collections::HashSet;
use std::fmt;

use uuid::Uuid;
use verdict_baseline::feed_tables::Candidate;

/// Bad reads, by what was wrong with them.
#[derive(Default)]
pub(super) struct Bad {
    pub refused: u64,
    empty: u64,
    doubled: u64,
    short: u64,
    mixed: u64,
}

impl Bad {
    /// Counts a page that is wrong.
    pub fn count(&mut self, answer: &[Candidate], limit: u64) {
        let posts: HashSet<Uuid> = answer.iter().map(|row| row.post_id).collect();
        let of_what = if answer.is_empty() {
            &mut self.empty
        } else if posts.len() < answer.len() {
            &mut self.doubled
        } else if (answer.len() as u64) < limit {
            &mut self.short
        } else {
            &mut self.mixed
        };
        *of_what += 1;
    }
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            refused,
            empty,
            doubled,
            short,
            mixed,
        } = self;
        let bad = refused + empty + doubled + short + mixed;
        write!(
            f,
            "{bad} were bad: {refused} refused, {empty} empty, {doubled} with a post twice, {short} \
             short or mixed, {mixed} full and mixed"
        )
    }
}
