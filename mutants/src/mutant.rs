//! One small fault in a statement.

use std::fmt;

/// What is done to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A condition, or an arm of one, is dropped.
    Predicate,
    /// A comparison is moved by one or turned, or loses the key that decides ties.
    Comparison,
    /// A test for NULL is turned.
    NullTest,
    /// A key of an order is turned.
    Order,
    /// A limit or an offset is off by one, or gone.
    Limit,
    /// An outer join is made inner, or an inner one outer.
    Join,
    /// A column stands where its neighbour should.
    Column,
    /// A column is not set.
    Assignment,
    /// DISTINCT is dropped, or put in.
    Distinct,
    /// A default for NULL is dropped.
    Default,
    /// An aggregate is another, or off by one.
    Aggregate,
    /// A sum or a number in it is off.
    Arithmetic,
    /// Rows are not locked.
    Lock,
    /// Versions of a row are not told apart.
    Version,
    /// What rows replace each other by, or are numbered within, lacks a column.
    Key,
    /// A leg of a union is left out.
    Leg,
    /// A choice between two values is always the same.
    Choice,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Predicate => "predicate",
            Self::Comparison => "comparison",
            Self::NullTest => "null test",
            Self::Order => "order",
            Self::Limit => "limit",
            Self::Join => "join",
            Self::Column => "column",
            Self::Assignment => "assignment",
            Self::Distinct => "distinct",
            Self::Default => "default",
            Self::Aggregate => "aggregate",
            Self::Arithmetic => "arithmetic",
            Self::Lock => "lock",
            Self::Version => "version",
            Self::Key => "key",
            Self::Leg => "leg",
            Self::Choice => "choice",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A statement with one fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// What was done.
    pub kind: Kind,
    /// The line of the statement that it was done in, from 1.
    pub line: usize,
    /// What stood there.
    pub before: String,
    /// What stands there.
    pub after: String,
    /// The whole statement.
    pub text: String,
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nothing = |text: &str| match text {
            "" => "nothing".to_owned(),
            text => format!("`{text}`"),
        };
        write!(
            f,
            "{}, line {}: {} in place of {}",
            self.kind,
            self.line,
            nothing(&self.after),
            nothing(&self.before)
        )
    }
}
