//! What a server told, or why it did not.

use serde::Serialize;

/// What a server told, or why it did not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen<T> {
    /// It did.
    Told(T),
    /// It has it not, or not for this user.
    Missing(Missing),
}

/// What is not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// What, and why.
    pub what: String,
    /// What would have it told: a command, as a rule.
    pub remedy: String,
}

impl<T> Seen<T> {
    /// What was told, if anything was.
    pub fn told(&self) -> Option<&T> {
        match self {
            Self::Told(told) => Some(told),
            Self::Missing(_) => None,
        }
    }

    /// What is missing, if it is.
    pub fn missing(&self) -> Option<&Missing> {
        match self {
            Self::Told(_) => None,
            Self::Missing(missing) => Some(missing),
        }
    }

    pub(crate) fn without(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Missing(Missing {
            what: what.into(),
            remedy: remedy.into(),
        })
    }
}
