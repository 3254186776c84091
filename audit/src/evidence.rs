//! What a run measured: the shape of `results.json`.
//!
//! Durations are microseconds, rates are per second, ratios are baseline ÷ variant, so a
//! ratio above 1 means that the variant is faster. Nothing here is optional for comfort:
//! an absent value was not measured.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::counter::Counter;
pub use crate::latency::{EngineTime, Latency, Longer, Percentiles, Recorded, SideRecord, Zero};
use crate::names::{ItemId, OperationName, VariantName};
use crate::unit::Unit;
use crate::verdict::Verdict;
use crate::warning::Warning;

pub use crate::estimate::{Estimate, Ratio};
pub use crate::flow_evidence::{
    Capacity, Compared, FlowEvidence, FlowRatio, FlowStage, FlowWindow, Projection, TargetEvidence,
    Usl, WindowStage,
};

/// The version of this shape. A file of another version is refused, never guessed at.
pub const SCHEMA: u32 = 8;

/// One run of Verdict: everything it measured and concluded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`SCHEMA`] at the time of writing.
    pub schema: u32,
    /// Where, when and on what.
    pub run: Run,
    /// The items on trial, in the audit's order.
    pub items: Vec<ItemEvidence>,
    /// The flows under load; empty when none was run.
    #[serde(default)]
    pub flows: Vec<FlowEvidence>,
    /// The two sides of each flow at each level, and today against itself.
    #[serde(default)]
    pub flow_ratios: Vec<FlowRatio>,
    /// The audit's targets under load, both loops together; one per flow and side.
    #[serde(default)]
    pub targets: Vec<TargetEvidence>,
    /// The service's capacity per flow and side, fitted over the flows' concurrency.
    #[serde(default)]
    pub capacity: Vec<Capacity>,
}

/// Where, when and on what a run was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Unique per run.
    pub id: String,
    /// Start of the run.
    pub time: DateTime<Utc>,
    /// The commit of the tree, with `-dirty` when it had changes; absent outside a checkout.
    pub commit: Option<String>,
    /// The machine.
    pub host: Host,
    /// The engines, one entry each.
    pub engines: Vec<EngineInfo>,
    /// The world's scale, `smoke`, `default` or `nightly`.
    pub scale: String,
    /// The world's seed.
    pub seed: u64,
    /// How large the world is: users, days, conversations, messages, posts, and the longest
    /// rung of its ladder.
    #[serde(default)]
    pub sizes: BTreeMap<String, u64>,
    /// The baseline against itself: what the machine's noise does to a ratio. Absent when
    /// the run timed nothing.
    pub aa: Option<SelfCheck>,
    /// What a reader must know before trusting a figure.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

/// The machine a run was made on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Host name.
    pub name: String,
    /// Logical processors available.
    pub cpus: usize,
    /// Processor model as the kernel names it.
    pub cpu: String,
    /// Memory in bytes.
    pub memory: u64,
    /// Operating system and kernel release.
    pub os: String,
}

/// One engine as it was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// `postgres`, `clickhouse` or `redis`.
    pub name: String,
    /// Its own version, as it answered.
    pub version: String,
    /// `embedded`, `containers` or `external`.
    pub mode: String,
    /// The settings that decide its speed and durability, as it answered.
    pub settings: BTreeMap<String, String>,
}

/// The A/A pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelfCheck {
    /// Baseline ÷ baseline.
    pub ratio: Ratio,
    /// [`Verdict::NoEffect`] on a machine that can be trusted, else [`Verdict::Inconclusive`].
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// What was timed.
    pub cell: Latency,
}

/// One item's trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemEvidence {
    /// The audit's number.
    pub number: u32,
    /// The item's id, such as `message-send`.
    pub id: ItemId,
    /// Why today is kept, where nothing that was tried beats it.
    #[serde(default)]
    pub keep: Option<String>,
    /// Baseline first, then the other variants.
    pub variants: Vec<VariantEvidence>,
}

/// What was measured of one variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantEvidence {
    /// Which.
    pub name: VariantName,
    /// The engine's own words when the variant does not run.
    pub failure: Option<String>,
    /// The operations that were called and answered.
    #[serde(default)]
    pub operations: Vec<OperationName>,
    /// Answers held to the generator's own stream, those of a sample of the timed calls too.
    pub answers: Option<Answers>,
    /// Answers of today's operations, of every item, on the schema that the variant makes;
    /// absent when it changes nothing.
    pub additive: Option<Answers>,
    /// Work per call at each rung.
    #[serde(default)]
    pub work: Vec<Work>,
    /// Growth of the work along the ladder, of each operation by itself.
    #[serde(default)]
    pub growth: Vec<Growth>,
    /// Latency of the pair (baseline and this variant) at each place; empty for the baseline.
    #[serde(default)]
    pub latency: Vec<Latency>,
    /// What the fix costs.
    #[serde(default)]
    pub price: Vec<Price>,
    /// The audit's claims, judged; empty for the baseline.
    #[serde(default)]
    pub claims: Vec<ClaimEvidence>,
}

impl VariantEvidence {
    /// A variant of which nothing was measured yet.
    pub fn new(name: VariantName) -> Self {
        Self {
            name,
            failure: None,
            operations: Vec::new(),
            answers: None,
            additive: None,
            work: Vec::new(),
            growth: Vec::new(),
            latency: Vec::new(),
            price: Vec::new(),
            claims: Vec::new(),
        }
    }
}

/// How many answers were compared and how many differ.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// Requests compared.
    pub checked: u64,
    /// Requests answered differently.
    pub differing: u64,
    /// The first differing request and both answers.
    pub first_difference: Option<String>,
    /// Differences that the item declares as meant, with the reason.
    #[serde(default)]
    pub declared: Vec<String>,
    /// Where fewer requests were compared than would be, with the reason.
    #[serde(default)]
    pub shortened: Vec<String>,
}

/// Work per call at one rung.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// The operation.
    pub operation: OperationName,
    /// Where.
    pub at: At,
    /// What was asked of PostgreSQL's planner.
    pub plan_mode: PlanMode,
    /// The plans it used; absent when nothing was planned.
    pub plans: Option<Plans>,
    /// Counters per call.
    pub counters: BTreeMap<Counter, f64>,
}

/// What is asked of PostgreSQL's planner (`plan_cache_mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanMode {
    /// To choose by itself.
    Auto,
    /// To plan once for all parameters, as it may choose to at any time from the sixth call on.
    Generic,
}

/// The plans that prepared statements ran with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plans {
    /// One for each call's parameters.
    Custom,
    /// One for all parameters.
    Generic,
    /// Both.
    Mixed,
}

impl fmt::Display for PlanMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::Generic => "generic",
        })
    }
}

impl fmt::Display for Plans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Custom => "custom",
            Self::Generic => "generic",
            Self::Mixed => "mixed",
        })
    }
}

/// Growth of one operation's work with n: the slope of log work on log n.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// The operation it was fitted on.
    pub operation: OperationName,
    /// With which plans.
    pub plan_mode: PlanMode,
    /// The counter it was fitted on.
    pub counter: Counter,
    /// 0 for O(1), 1 for O(n).
    pub slope: f64,
    /// Lower end of the 95 % interval; absent with fewer than three rungs.
    pub lo: Option<f64>,
    /// Upper end of the 95 % interval; absent with fewer than three rungs.
    pub hi: Option<f64>,
    /// How many rungs it rests on.
    pub rungs: usize,
}

/// One figure of what a fix costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// What is paid.
    pub what: PriceOf,
    /// Today.
    pub baseline: f64,
    /// With the fix.
    pub variant: f64,
    /// What both are given in.
    pub unit: Unit,
}

/// What is paid for a fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum PriceOf {
    /// The time that the change takes on this world.
    Migration,
    /// A table with its indexes.
    TableSize {
        /// Its name.
        table: String,
    },
    /// The time in which a copy that does not follow by itself is brought up to date.
    Refresh,
    /// How old an answer can be.
    Staleness,
    /// From the order to let go of what is old, to its files being gone.
    GivenBack {
        /// Seconds for which ClickHouse keeps files that nothing reads any more
        /// (`old_parts_lifetime`), the same on both sides.
        lifetime: u64,
    },
    /// Parts that a table lies in.
    Parts {
        /// The table.
        table: String,
    },
    /// Rows written for one row that is inserted into a table, copies included.
    RowsPerInsert {
        /// The table.
        table: String,
    },
    /// Bytes written for it.
    BytesPerInsert {
        /// The table.
        table: String,
    },
    /// The time that inserting it takes.
    TimePerInsert {
        /// The table.
        table: String,
    },
    /// The time that updating a row takes, with all that is told of it.
    TimePerUpdate {
        /// The table.
        table: String,
    },
    /// The longest that a call of those who read or write a table takes while the change is made;
    /// today, while nothing is.
    Held {
        /// The table.
        table: String,
        /// Whether it writes.
        writes: bool,
    },
    /// A search of the largest conversation after many messages were sent to it, which wait to be
    /// merged into an index, or are merged; today, without them.
    SearchWhileWaiting {
        /// How many.
        waiting: u64,
        /// Whether they are merged by then.
        merged: bool,
    },
    /// A counter per call of an operation as today, on the changed schema.
    PerCall {
        /// Whose operation.
        item: ItemId,
        /// The operation.
        operation: OperationName,
        /// What is counted.
        counter: Counter,
    },
    /// Versions of a table's rows that a write as today leaves behind.
    VersionsPerCall {
        /// Its name.
        table: String,
        /// The write.
        call: String,
        /// The item whose fix is there as well.
        beside: Option<String>,
    },
    /// Of the versions that a write as today leaves, the share that no index hears of (HOT).
    HotShare {
        /// Its name.
        table: String,
        /// The write.
        call: String,
    },
    /// The time that a write as today takes with so many callers at once.
    TimePerCall {
        /// The write.
        call: String,
        /// Callers at once.
        callers: u32,
        /// Whether each writes to a row of his or her own.
        many: bool,
    },
    /// The time that a read is planned in.
    Planning {
        /// The read, as an operation of the item.
        operation: String,
        /// The rung that it is at.
        n: u64,
    },
    /// The time that it takes with nothing of its tables in the engine's buffers.
    ColdTime {
        /// The read, as an operation of the item.
        operation: String,
        /// The rung that it is at.
        n: u64,
    },
    /// Pages that are read into the buffers for it then.
    ColdReads {
        /// The read, as an operation of the item.
        operation: String,
        /// The rung that it is at.
        n: u64,
    },
    /// What it takes to let a month of so many messages go.
    Retention {
        /// Messages of the month.
        messages: u64,
        /// What of it.
        what: Retired,
    },
    /// Messages of a month from which on it goes sooner than today, by what smaller ones took;
    /// today, the messages of the world's last month.
    SoonerFrom,
    /// Messages in all up to which what is read and written all the time fits into the engine's
    /// buffers: the last month's, and indexes that have all months.
    InBuffers,
    /// The time that a call takes while its statements are watched; today, while nobody watches.
    Watched {
        /// The call.
        call: String,
    },
    /// How many times as long as while nobody watches, which is 1: an end of the 95 % interval.
    WatchedRatio {
        /// The call.
        call: String,
        /// Which.
        end: End,
    },
}

/// An end of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The lower one.
    Lower,
    /// The upper one.
    Upper,
}

/// What it takes to let a month of messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retired {
    /// The time until it is gone.
    Time,
    /// The time of the vacuum that follows.
    Vacuum,
    /// WAL without full-page images.
    Wal,
    /// Rows that are dead until the vacuum.
    DeadRows,
    /// What the system has back before the vacuum.
    GivenBack,
}

impl fmt::Display for PriceOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Migration => f.write_str("time to migrate this world"),
            Self::TableSize { table } => write!(f, "size of {table} with its indexes"),
            Self::Refresh => f.write_str("time to bring its copies up to date"),
            Self::Staleness => f.write_str("age of an answer at the most"),
            Self::GivenBack { lifetime } => write!(
                f,
                "time until the files of what goes are gone, kept for {lifetime} s by both"
            ),
            Self::Parts { table } => write!(f, "parts of {table}"),
            Self::RowsPerInsert { table } => {
                write!(f, "rows written for one inserted into {table}")
            }
            Self::BytesPerInsert { table } => {
                write!(f, "bytes written for a row inserted into {table}")
            }
            Self::TimePerInsert { table } => {
                write!(f, "time to insert a row into {table}")
            }
            Self::TimePerUpdate { table } => {
                write!(f, "time to update a row of {table}")
            }
            Self::Held { table, writes } => {
                let who = if *writes { "writer" } else { "reader" };
                write!(
                    f,
                    "longest that a {who} of {table} waits while it is put on"
                )
            }
            Self::SearchWhileWaiting { waiting, merged } => {
                let state = if *merged { "merged" } else { "not yet merged" };
                write!(
                    f,
                    "time of a search with {waiting} new messages {state} into its index"
                )
            }
            Self::PerCall {
                item,
                operation,
                counter,
            } => write!(f, "{} of {item}'s {operation} as today", counter.words()),
            Self::VersionsPerCall {
                table,
                call,
                beside,
            } => {
                write!(f, "versions of rows of {table} for a {call}")?;
                match beside {
                    Some(item) => write!(f, ", with the fix of {item} too"),
                    None => Ok(()),
                }
            }
            Self::HotShare { table, call } => {
                write!(
                    f,
                    "share of the versions in {table} for a {call} that are HOT"
                )
            }
            Self::TimePerCall {
                call,
                callers,
                many,
            } => {
                let place = if *many { "one each" } else { "one place" };
                write!(f, "time of a {call}, callers: {callers}, in {place}")
            }
            Self::Planning { operation, n } => write!(f, "time to plan {operation} at {n}"),
            Self::ColdTime { operation, n } => {
                write!(f, "time of {operation} at {n} with nothing in the buffers")
            }
            Self::ColdReads { operation, n } => {
                write!(
                    f,
                    "pages read for {operation} at {n} with nothing in the buffers"
                )
            }
            Self::Retention { messages, what } => {
                let what = match what {
                    Retired::Time => "time to let go of",
                    Retired::Vacuum => "time to vacuum after",
                    Retired::Wal => "WAL bytes to let go of",
                    Retired::DeadRows => "rows dead after",
                    Retired::GivenBack => "bytes given back before a vacuum by",
                };
                write!(f, "{what} a month of {messages} messages")
            }
            Self::SoonerFrom => f.write_str(
                "messages of a month from which on it goes sooner (today: of the last one here)",
            ),
            Self::InBuffers => {
                f.write_str("messages up to which what is used all the time fits into the buffers")
            }
            Self::Watched { call } => write!(f, "time of a {call} with its statements watched"),
            Self::WatchedRatio { call, end } => {
                let end = match end {
                    End::Lower => "lower",
                    End::Upper => "upper",
                };
                write!(
                    f,
                    "times as long as unwatched, a {call}: {end} end of 95 % (at most 1.03 is wanted)"
                )
            }
        }
    }
}

/// One claim of the audit, judged for one variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimEvidence {
    /// The claim's id in audit.toml, such as `speed-up`.
    pub id: String,
    /// What the audit expects, in words: `100-1000x`, `O(n) to O(1)`.
    pub expected: String,
    /// What was measured, in words: `1.31x (1.25-1.38) at n = 10000`.
    pub measured: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, and what is missing when it is inconclusive.
    pub reason: String,
    /// Of a claim over several operations that is decided by the worst of them: what another of
    /// them came to that is open, and may be a regression.
    pub undecided: Option<String>,
}
