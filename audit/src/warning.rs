//! What a reader must know before trusting a figure. Each says what to do next.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::names::{FlowId, ItemId, OperationName, Side, VariantName};

/// What a reader must know before trusting a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Warning {
    /// A load run had no access to the service's databases.
    RowsStay,
    /// One side of a flow does not answer rightly.
    FlowAnswersDiffer {
        /// The flow.
        flow: FlowId,
        /// The side.
        side: Side,
        /// Requests answered wrongly.
        differing: u64,
        /// Requests compared.
        checked: u64,
        /// The first of them.
        first: String,
    },
    /// More requests were due at once than files may be open.
    HeldBack {
        /// The flow.
        flow: FlowId,
        /// Requests per second.
        rate: u64,
        /// Requests that waited for another one to end.
        requests: u64,
        /// Requests under way at once, at most.
        most: u32,
    },
    /// Today stopped running while a pair was timed; the variant is timed by itself.
    TodayStopped {
        /// The item.
        item: ItemId,
        /// The operation.
        operation: OperationName,
        /// Where.
        at: At,
        /// In the engine's own words.
        words: String,
    },
    /// A pair was called in too few rounds for a ratio.
    NoRatio {
        /// The item.
        item: ItemId,
        /// The variant.
        variant: VariantName,
        /// The operation.
        operation: OperationName,
        /// Where.
        at: At,
    },
    /// A ratio on a slower line is not what the turns on the wire foretell.
    LineParted {
        /// The item.
        item: ItemId,
        /// The variant.
        variant: VariantName,
        /// The operation.
        operation: OperationName,
        /// Where.
        at: At,
        /// The ratio.
        measured: String,
        /// What the turns come to.
        foretold: String,
    },
    /// The run was broken off, and went on later.
    Resumed {
        /// When it began.
        began: DateTime<Utc>,
        /// How many of its items are of that start.
        items: usize,
    },
    /// The capacity of a flow could not be fitted.
    NoFit {
        /// The flow, and its side, in words.
        of: String,
        /// Why, and what to do.
        reason: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resumed { began, items } => write!(
                f,
                "the run began at {} UTC, was broken off, and went on: its first {items} items are \
                 of that start",
                began.format("%Y-%m-%d %H:%M")
            ),
            Self::RowsStay => f.write_str(
                "no access to the service's databases: the messages that are sent stay, and the \
                 conversations grow while they are measured",
            ),
            Self::FlowAnswersDiffer {
                flow,
                side,
                differing,
                checked,
                first,
            } => write!(
                f,
                "flow {flow}, {side} side: {differing} of {checked} answers are wrong, so every \
                 figure of it is; first: {first}"
            ),
            Self::HeldBack {
                flow,
                rate,
                requests,
                most,
            } => write!(
                f,
                "flow {flow} at {rate} requests/s: {requests} requests waited until one of {most} \
                 ended, which are all that the limit on open files leaves, and were charged for it: \
                 raise the limit (`ulimit -n`)"
            ),
            Self::TodayStopped {
                item,
                operation,
                at,
                words,
            } => write!(
                f,
                "{item}: today stopped running while {operation} at {at} was timed, so there is \
                 nothing to compare with there: {words}"
            ),
            Self::NoRatio {
                item,
                variant,
                operation,
                at,
            } => write!(
                f,
                "{item} {variant}: {operation} at {at} was called in too few rounds for a ratio: \
                 measure for longer"
            ),
            Self::LineParted {
                item,
                variant,
                operation,
                at,
                measured,
                foretold,
            } => write!(
                f,
                "{item} {variant}: {operation} at {at} came to {measured}, where its turns on the \
                 wire foretell {foretold}: turns that overlap cost less, and noise of the direct \
                 call is in it"
            ),
            Self::NoFit { of, reason } => write!(f, "{of}: {reason}"),
        }
    }
}
