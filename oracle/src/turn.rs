//! What something was, and what it is.

/// What something is turned from, and into; none where it is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn<T> {
    /// What it was.
    pub before: Option<T>,
    /// What it is.
    pub after: Option<T>,
}

impl<T> Turn<T> {
    /// Something that comes to be.
    pub fn into(after: T) -> Self {
        Self {
            before: None,
            after: Some(after),
        }
    }

    /// Something that is altered.
    pub fn of(before: T, after: T) -> Self {
        Self {
            before: Some(before),
            after: Some(after),
        }
    }

    /// The other way round.
    #[must_use]
    pub fn back(self) -> Self {
        Self {
            before: self.after,
            after: self.before,
        }
    }

    /// The one that is there, whichever.
    pub fn either(&self) -> Option<&T> {
        self.after.as_ref().or(self.before.as_ref())
    }
}
