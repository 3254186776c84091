//! The count of answers compared, and of those that are wrong.

use std::fmt::Display;

use verdict_audit::evidence::Answers;
use verdict_oracle::{Difference, Held};
use verdict_store::Refusal;

/// Counts answers.
#[derive(Debug, Default)]
pub struct Tally {
    answers: Answers,
    refused: u64,
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

    /// Records that there was no answer but an engine's refusal, which is a wrong one.
    pub fn refuse(&mut self, request: impl Display, refusal: &Refusal) {
        self.refused += 1;
        self.record(request, Err(Difference(refusal.to_string())));
    }

    /// Notes what is to be known of the answers: a difference that is meant, what was seen on the
    /// way, or what was not tried, with its reason.
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

    /// Whether more answers are wrong than another one counted, or more were refused.
    pub fn is_worse_than(&self, other: &Self) -> bool {
        self.answers.differing > other.answers.differing || self.refused > other.refused
    }

    /// The evidence.
    pub fn into_answers(self) -> Answers {
        self.answers
    }

    /// Adds what another one counted.
    pub fn add(&mut self, other: Self) {
        self.answers.checked += other.answers.checked;
        self.answers.differing += other.answers.differing;
        self.refused += other.refused;
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
    use super::*;

    #[test]
    fn a_refusal_is_worse_than_an_answer_that_is_wrong() {
        let (mut wrong, mut refused) = (Tally::default(), Tally::default());
        wrong.record("one", Err(Difference("x".to_owned())));
        refused.refuse("one", &Refusal::Refused("no such table".to_owned()));
        assert!(refused.is_worse_than(&wrong) && !wrong.is_worse_than(&refused));
    }

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
