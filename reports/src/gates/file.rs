//! `gates.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use verdict_audit::promise::Order;
use verdict_audit::{At, Catalogue, CatalogueError, Counter, Exit, FlowId, ItemId, OperationName};

/// The version of this shape.
pub(super) const SCHEMA: u32 = 1;

/// Bytes that are read of a file.
const LARGEST: u64 = 4 << 20;

/// What results have to hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gates {
    /// The version of this shape.
    pub schema: u32,
    /// The scale whose results these gates are for.
    pub scale: String,
    /// The seed of the world.
    pub seed: u64,
    /// By how much a counter may be more than its gate, as a share; where none is named, by what
    /// its kind differs by from run to run.
    #[serde(default)]
    pub margins: BTreeMap<Counter, f64>,
    /// Gates of items.
    #[serde(default)]
    pub items: Vec<ItemGates>,
    /// Gates of flows.
    #[serde(default)]
    pub flows: Vec<FlowGates>,
}

/// What an item's optimized variant has to hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemGates {
    /// The item.
    pub id: ItemId,
    /// Whether its answers have to be right, and today's on the schema that it makes.
    #[serde(default = "yes")]
    pub answers: bool,
    /// Whether none of its claims may be a regression.
    #[serde(default = "yes")]
    pub no_regression: bool,
    /// Work per call.
    #[serde(default)]
    pub work: Vec<WorkGate>,
    /// How work may grow.
    #[serde(default)]
    pub growth: Vec<GrowthGate>,
    /// How much faster than today it has to be.
    #[serde(default)]
    pub speed_up: Vec<SpeedUpGate>,
}

/// Work per call at one place.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkGate {
    /// The operation.
    pub operation: OperationName,
    /// Where.
    pub at: At,
    /// The most of each counter.
    pub most: BTreeMap<Counter, f64>,
}

/// How work may grow along the ladder.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrowthGate {
    /// The operation.
    pub operation: OperationName,
    /// What grows.
    pub counter: Counter,
    /// No more than that.
    pub class: Order,
}

/// How much faster than today.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeedUpGate {
    /// The operation.
    pub operation: OperationName,
    /// Where.
    pub at: At,
    /// Whether it is the 95th percentile, and not the typical call.
    #[serde(default)]
    pub p95: bool,
    /// Today ÷ the fix, at least.
    pub least: f64,
}

/// What a flow's optimized side has to hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowGates {
    /// The flow.
    pub id: FlowId,
    /// p95 where its target is judged, at most, milliseconds.
    pub p95_ms: f64,
}

fn yes() -> bool {
    true
}

/// Why gates cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum GatesError {
    /// The file system refuses.
    #[error("reading gates from {path} failed: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("{path} has no gates: {reason}; `verdict gate --propose` writes such a file")]
    NoGates {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// It names an item that the audit does not have.
    #[error("{path}: {source}")]
    Item {
        /// The file.
        path: PathBuf,
        /// Which.
        source: CatalogueError,
    },
}

impl GatesError {
    /// The exit code that says so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Io { source, .. } => Exit::of_io(source),
            Self::NoGates { .. } | Self::Item { .. } => Exit::Data,
        }
    }
}

impl Gates {
    /// Reads gates.
    ///
    /// # Errors
    /// One for each way in which the file is not what it should be.
    pub fn read(path: &Path) -> Result<Self, GatesError> {
        let failed = |source| GatesError::Io {
            path: path.to_owned(),
            source,
        };
        let no_gates = |reason: String| GatesError::NoGates {
            path: path.to_owned(),
            reason: reason.trim_end().chars().take(600).collect(),
        };
        let about = fs::metadata(path).map_err(failed)?;
        if !about.is_file() || about.len() > LARGEST {
            return Err(no_gates("it is no file of a few megabytes".to_owned()));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        let gates: Self = toml::from_str(&text).map_err(|error| no_gates(error.to_string()))?;
        if gates.schema != SCHEMA {
            let schema = gates.schema;
            return Err(no_gates(format!(
                "schema {schema}, this Verdict reads {SCHEMA}"
            )));
        }
        for item in &gates.items {
            let known = Catalogue::builtin().item(item.id.as_str());
            known.map_err(|source| GatesError::Item {
                path: path.to_owned(),
                source,
            })?;
        }
        Ok(gates)
    }
}
