//! How many answers were held to what is due, how many were wrong, and the first of them.

use verdict_audit::evidence::Answers;
use verdict_oracle::Held;

/// When a wrong answer came.
pub(crate) const LOADED: &str = "while the service was loaded";

/// Counts one more.
pub(crate) fn count(answers: &mut Answers, held: Held) {
    answers.checked += 1;
    if let Err(wrong) = held {
        answers.differing += 1;
        answers
            .first_difference
            .get_or_insert_with(|| wrong.to_string());
    }
}

/// Adds what was counted later.
pub(crate) fn add(answers: &mut Answers, later: Answers) {
    answers.checked += later.checked;
    answers.differing += later.differing;
    if answers.first_difference.is_none() {
        answers.first_difference = later.first_difference;
    }
}
