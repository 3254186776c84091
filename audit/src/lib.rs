//! The audit as data, the evidence, the statistics and the rules for verdicts.
//!
//! Nothing here talks to an engine or to the file system.
//!
//! - [`catalogue`]: what the audit says, from `audit.toml`.
//! - [`evidence`]: what a run measured.
//! - [`ratio`], [`slope`], [`quantile`], [`usl`]: from samples to figures with intervals.
//! - [`rules`]: from figures to verdicts, every border in one file.
//! - [`judge`]: the rules applied to an item's or a flow's evidence, in words.
//!
//! Every interval is a 95 % interval. What is deterministic once the samples are there stays so:
//! whatever resamples takes a seed.

pub mod catalogue;
pub mod evidence;
pub mod judge;
pub mod names;
mod nearest;
mod normal;
pub mod quantile;
pub mod ratio;
pub mod rules;
pub mod slope;
pub mod usl;
pub mod verdict;

pub use catalogue::{Catalogue, CatalogueError, Claim, ClaimKind, Flow, Item, Order};
pub use judge::{judge_flow, judge_item, judge_self};
pub use names::{FlowId, ItemId, NameError, Side, VariantName};
pub use verdict::Verdict;
