//! Each item of the audit fixed, one file per item beside the file of the same name in
//! `baseline`; and in [`as_proposed`] the audit's own fixes, their semantics exactly.

pub mod as_proposed;
pub mod cache;
pub mod conversation_fetch;
pub mod engagement_rollup;
pub mod feed;
pub mod feed_candidates;
pub mod feed_job;
pub mod feed_tables;
pub mod hot_cold;
pub mod indexes;
pub mod message_history;
pub mod message_search;
pub mod message_send;
pub mod monitoring;
pub mod pagination;
pub mod partitioning;
pub mod pool;
pub mod post_images;

use verdict_store::Change;

/// Every item's fix, but for those where today is kept: what the optimized side of the service
/// carries. In one of the orders that they allow ([`Change::needs`]), all of which end alike. The
/// settings of [`pool`] are not among them: they lose calls unless each is made again where its
/// connection is lost, as that item's own are.
pub const FIXES: &[Change] = &[
    message_history::CHANGE,
    message_send::CHANGE,
    partitioning::CHANGE,
    engagement_rollup::CHANGE,
    feed_tables::CHANGE,
    feed_candidates::CHANGE,
    pagination::CHANGE,
    message_search::CHANGE,
    conversation_fetch::CHANGE,
    indexes::CHANGE,
];
