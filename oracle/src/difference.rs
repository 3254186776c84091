//! What is wrong with an answer.

use std::fmt::{Debug, Display};

/// A wrong answer, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Difference(pub String);

/// Whether an answer is right.
pub type Held = Result<(), Difference>;

impl Difference {
    /// The difference with the place where it is before it.
    pub fn at(self, place: impl Display) -> Self {
        Self(format!("{place}: {}", self.0))
    }
}

impl From<String> for Difference {
    fn from(words: String) -> Self {
        Self(words)
    }
}

/// Equal, or the two values.
///
/// # Errors
/// What is due, and what was answered.
pub fn same<T: PartialEq + Debug + ?Sized>(what: &str, due: &T, answered: &T) -> Held {
    if due == answered {
        Ok(())
    } else {
        Err(Difference(format!(
            "{what}: due is {due:?}, answered was {answered:?}"
        )))
    }
}
