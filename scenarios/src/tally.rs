//! The count of answers compared, and of those that are wrong.

use std::fmt::Display;

use verdict_audit::evidence::Answers;
use verdict_oracle::Held;

/// Counts answers.
#[derive(Debug, Default)]
pub struct Tally {
    answers: Answers,
}

impl Tally {
    /// Records one answer; `request` is only shown when it is the first that is wrong.
    pub fn record(&mut self, request: impl Display, held: Held) {
        self.answers.checked += 1;
        if let Err(difference) = held {
            self.answers.differing += 1;
            self.answers
                .first_difference
                .get_or_insert_with(|| format!("{difference}, for {request}"));
        }
    }

    /// Records a difference that the item means, with its reason.
    pub fn declare(&mut self, difference: String) {
        if !self.answers.declared.contains(&difference) {
            self.answers.declared.push(difference);
        }
    }

    /// Notes that less was asked than would be, with the reason.
    pub fn shorten(&mut self, words: String) {
        if !self.answers.shortened.contains(&words) {
            self.answers.shortened.push(words);
        }
    }

    /// Answers compared.
    pub fn checked(&self) -> u64 {
        self.answers.checked
    }

    /// Whether an answer is wrong.
    pub fn differs(&self) -> bool {
        self.answers.differing > 0
    }

    /// Whether more answers are wrong than another one counted.
    pub fn is_worse_than(&self, other: &Self) -> bool {
        self.answers.differing > other.answers.differing
    }

    /// The evidence.
    pub fn into_answers(self) -> Answers {
        self.answers
    }

    /// Adds what another one counted.
    pub fn add(&mut self, other: Self) {
        self.answers.checked += other.answers.checked;
        self.answers.differing += other.answers.differing;
        if self.answers.first_difference.is_none() {
            self.answers.first_difference = other.answers.first_difference;
        }
        for declared in other.answers.declared {
            self.declare(declared);
        }
        for words in other.answers.shortened {
            self.shorten(words);
        }
    }
}

#[cfg(test)]
mod tests {
    use verdict_oracle::Difference;

    use super::*;

    #[test]
    fn the_first_difference_is_kept() {
        let mut tally = Tally::default();
        tally.record("one", Ok(()));
        tally.record("two", Err(Difference("x".to_owned())));
        tally.record("three", Err(Difference("y".to_owned())));
        let answers = tally.into_answers();
        assert_eq!((answers.checked, answers.differing), (3, 2));
        assert_eq!(answers.first_difference.as_deref(), Some("x, for two"));
    }
}
