//! Each item of the audit fixed, one file per item beside the file of the same name in
//! `baseline`; and in [`as_proposed`] the audit's own fixes, their semantics exactly.

pub mod as_proposed;
pub mod engagement_rollup;
pub mod message_history;
pub mod message_send;
pub mod pagination;

use verdict_store::Change;

/// Every item's fix, in the audit's order: what the optimized side of the service carries.
pub const FIXES: &[Change] = &[
    message_history::CHANGE,
    message_send::CHANGE,
    engagement_rollup::CHANGE,
    pagination::CHANGE,
];
