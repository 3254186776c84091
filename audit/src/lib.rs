//! The audit as data, the evidence, the statistics and the rules for verdicts.
//!
//! Nothing here talks to an engine or to the file system.
//!
//! - [`catalogue`], [`promise`]: what the audit says, from `audit.toml`.
//! - [`counter`], [`at`], [`mod@unit`]: what is counted, where, and in what.
//! - [`evidence`], [`latency`], [`histogram`]: what a run measured, and how it is kept; under load
//!   [`flow_evidence`]; figures with intervals are [`estimate`]s.
//! - [`ratio`], [`slope`], [`quantile`], [`usl`]: from samples to figures with intervals, by
//!   [`student`]'s t; [`mod@line`] foretells what a slower line does to one.
//! - [`rules`], [`load_rules`]: from figures to verdicts, every border.
//! - [`judge`], [`flow_judge`], [`flow_compare`]: the rules applied to an item's or a flow's
//!   evidence, in words.
//!
//! Every interval is a 95 % interval, but those that a verdict rests on, which are wider. What is deterministic once the samples are there stays so:
//! whatever resamples takes a seed.

pub mod at;
pub mod catalogue;
mod cell_plausible;
mod claim_judge;
pub mod counter;
pub mod estimate;
pub mod evidence;
pub mod exit;
pub mod flow_compare;
pub mod flow_evidence;
pub mod flow_judge;
mod flow_plausible;
pub mod histogram;
pub mod judge;
mod keep;
pub mod latency;
pub mod line;
pub mod load_rules;
pub mod names;
mod plausible;
pub mod promise;
pub mod quantile;
pub mod ratio;
pub mod rules;
pub mod slope;
pub mod student;
mod timed;
pub mod unit;
pub mod usl;
pub mod verdict;
pub mod warning;

pub use at::At;
pub use catalogue::{Catalogue, CatalogueError, Finding, Part, Phase, Share, Target};
pub use counter::{Counter, Quantity};
pub use exit::Exit;
pub use flow_judge::judge_flow;
pub use judge::{judge_item, judge_self};
pub use names::{FlowId, ItemId, NameError, OperationName, Side, VariantName};
pub use promise::{Claim, Order, Promise};
pub use timed::gain;
pub use unit::Unit;
pub use verdict::Verdict;
pub use warning::Warning;
