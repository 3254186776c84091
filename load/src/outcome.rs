//! What a load run comes to.

use std::path::PathBuf;

use verdict_audit::FlowId;
use verdict_audit::evidence::{Answers, Capacity, FlowEvidence, FlowRatio, TargetEvidence};

use crate::per_side::PerSide;

/// What a load run measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadOutcome {
    /// A row per flow, side and level.
    pub flows: Vec<FlowEvidence>,
    /// The two sides of each flow at each level, and today against itself.
    pub flow_ratios: Vec<FlowRatio>,
    /// The audit's targets, both loops together, per flow and side.
    pub targets: Vec<TargetEvidence>,
    /// Capacity per flow and side.
    pub capacity: Vec<Capacity>,
    /// How the answers of each side compared to the generator's rows, per flow: those before any
    /// timing, a sample of the loaded ones, and every message that was acknowledged.
    pub answers: Vec<(FlowId, PerSide<Answers>)>,
    /// goose's own reports, HTML, one per flow and level of the closed loop.
    pub goose_reports: Vec<PathBuf>,
}
