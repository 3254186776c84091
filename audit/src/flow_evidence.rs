//! What a run measured under load.

use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Ratio};
use crate::names::{FlowId, Side};
use crate::verdict::Verdict;

/// One flow on one side at one level of load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowEvidence {
    /// Which.
    pub id: FlowId,
    /// Which side.
    pub side: Side,
    /// Closed loop: users that wait for each answer before they ask again.
    pub users: Option<u32>,
    /// Open loop: arrivals per second that wait for nobody.
    pub rate: Option<f64>,
    /// Measured requests, warm-up apart.
    pub requests: u64,
    /// Requests answered with a wrong status, wrongly at sight, or not at all.
    pub errors: u64,
    /// Seconds of measurement.
    pub duration: f64,
    /// Answered requests per second.
    pub throughput: f64,
    /// Median, microseconds.
    pub p50: Estimate,
    /// 95th percentile, microseconds.
    pub p95: Estimate,
    /// 99th percentile, microseconds.
    pub p99: Estimate,
    /// Closed loop of several users only: 95th percentile of how long, at any instant, the next
    /// answer to anybody still took, microseconds. Users who wait meet a service that stands still
    /// once each, and their p95 does not show it; this does, for as long as it lasts.
    pub standing_p95: Option<Estimate>,
    /// Open loop only: 99th percentile of how late the generator itself sent, microseconds.
    pub generator_lag_p99: Option<f64>,
    /// The share of the generator's machine, all its processors together, that the generator used
    /// while the windows were measured; absent where it cannot be had.
    pub generator_share: Option<f64>,
    /// What this row is held to, milliseconds: the audit's goal for the optimized side, its
    /// "before" figure for the baseline. Absent where the audit has no target for the flow.
    pub target_ms: Option<f64>,
    /// The verdict on `target_ms`; where there is none, inconclusive, unless answers are wrong.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// Whether the audit's target is judged by this row: see [`TargetEvidence`].
    pub judged: bool,
    /// Mean latency, microseconds, of which the stages are parts.
    pub mean: f64,
    /// What its stages took, in their order; empty where answers name none.
    pub stages: Vec<FlowStage>,
    /// The windows, in the order in which they were measured.
    pub windows: Vec<FlowWindow>,
}

/// One window. Its histograms are in HDR's V2 format, base64, so that results of several
/// generators merge exactly.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowWindow {
    /// Right answers that came while it was measured.
    pub answered: u64,
    /// Latencies of its requests, microseconds.
    pub latencies: String,
    /// Closed loop of several users only: how long, at any instant, the next answer to anybody
    /// still took, microseconds.
    pub standing: Option<String>,
    /// What the stages took of the right answers that name them (`Server-Timing`).
    pub stages: Vec<WindowStage>,
}

/// A stage of the answers of one window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowStage {
    /// Its name, as the answers give it.
    pub name: String,
    /// What it took of each, microseconds: a histogram as in [`FlowWindow`].
    pub times: String,
}

/// What one stage of a flow's answers took, as the service's own clock has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowStage {
    /// Its name, as the answers give it.
    pub name: String,
    /// Its share of an answer on average, microseconds: means add up, as percentiles do not.
    pub mean: f64,
    /// Median, microseconds.
    pub p50: Estimate,
    /// 95th percentile, microseconds.
    pub p95: Estimate,
}

/// What is compared under load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compared {
    /// Today with the optimized side.
    Sides,
    /// Today with itself, in turns taken the same way: what it differs by is noise.
    Itself,
}

/// Two sides of one flow at one level of load, in turns: baseline ÷ the other, each with an
/// interval over pairs of windows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowRatio {
    /// The flow.
    pub id: FlowId,
    /// Closed loop: users.
    pub users: Option<u32>,
    /// Open loop: arrivals per second.
    pub rate: Option<f64>,
    /// What is compared.
    pub of: Compared,
    /// Windows of each side.
    pub windows: usize,
    /// Of the typical call, the median of each window; absent with too few windows.
    pub p50: Option<Ratio>,
    /// Of the 95th percentile of each window.
    pub p95: Option<Ratio>,
    /// Of the sides, what is said of `p50` rests on this interval: at the level at which all figures
    /// of the run hold together, and wider by what today differs by from itself.
    pub p50_judged: Option<Ratio>,
    /// The same of `p95`.
    pub p95_judged: Option<Ratio>,
    /// What that comes to, or why there is nothing.
    pub says: String,
}

/// One of the audit's targets, on one side: both loops together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetEvidence {
    /// The flow.
    pub id: FlowId,
    /// Which side.
    pub side: Side,
    /// Users of the closed loop that it is judged at; absent when it was not measured there.
    pub users: Option<u32>,
    /// Arrivals per second of the open loop that it is judged at; absent when it was not
    /// measured there.
    pub rate: Option<f64>,
    /// p95 of the loop that is slower, microseconds; absent when neither was measured.
    pub p95: Option<Estimate>,
    /// The same with the interval that the verdict rests on, at the level at which all figures of
    /// the run hold together.
    pub judged: Option<Estimate>,
    /// What it is held to, milliseconds: the audit's goal for the optimized side, its "before"
    /// figure for the baseline.
    pub target_ms: f64,
    /// The verdict of both loops together.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// How the side stands to the audit's goal, in a sentence: `today meets this target 30 times
    /// over`.
    pub says: String,
}

/// Capacity of one flow on one side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// The flow.
    pub id: FlowId,
    /// Which side.
    pub side: Side,
    /// Most users at which p95 still holds the audit's goal; absent when none did.
    pub max_users: Option<u32>,
    /// Highest rate at which p95 still holds the audit's goal; absent when none did.
    pub max_rate: Option<f64>,
    /// The universal scalability law fitted to throughput over users; absent with too few levels.
    pub usl: Option<Usl>,
    /// What the sizes in the audit's plan would need, from the fit.
    pub projection: Option<Projection>,
}

/// Universal scalability law (Gunther): X(N) = λN / (1 + σ(N − 1) + κN(N − 1)).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Usl {
    /// Requests per second of one user.
    pub lambda: Estimate,
    /// Contention.
    pub sigma: Estimate,
    /// Coherency delay.
    pub kappa: Estimate,
    /// Greatest throughput of the fitted curve, requests per second.
    pub peak: Estimate,
}

/// What a planned load would need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    /// Planned requests per second.
    pub demand: f64,
    /// Machines like this one needed for it.
    pub machines: Estimate,
    /// What must hold for the figure to mean anything.
    pub assumptions: Vec<String>,
}
