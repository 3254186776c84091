//! The command line's words.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, FromArgMatches, Parser, Subcommand};
use verdict_audit::FlowId;
use verdict_engines::Choice;
use verdict_seed::{Scale, WorldSpec};

/// Puts a database performance audit on trial.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try items: answers, work, latency, price and load, then the report
    Run(RunArgs),
    /// Build the world, or find it again
    Seed(WorldArgs),
    /// Compare answers only
    Check(CheckArgs),
    /// Put a service under load, ours or one elsewhere
    Load(LoadArgs),
    /// Serve both sides of the world over HTTP until Ctrl-C
    Serve(ServeArgs),
    /// Put the results of several load generators together
    Merge(MergeArgs),
    /// Say whether results keep the promises: 0 met, 1 missed, 2 cannot judge
    Gate(ResultsArgs),
    /// List the audit's items
    List(ListArgs),
    /// Write the report again from results
    Report(ResultsArgs),
    /// Say which engines would be used and why, and what is missing
    Doctor(DoctorArgs),
    /// Remove what Verdict keeps: worlds, leftovers of dead runs, its databases on your servers
    Clean(EnginesArgs),
}

/// Which engines.
#[derive(Debug, Clone, Args)]
pub struct EnginesArgs {
    /// auto, embedded, containers, or external (DATABASE_URL, CLICKHOUSE_URL and REDIS_URL)
    #[arg(long, env = "VERDICT_ENGINES", default_value_t, value_name = "MODE")]
    pub engines: Choice,
}

/// Which world, on which engines.
#[derive(Debug, Clone, Args)]
pub struct ScaleArgs {
    /// smoke, quick, default or nightly; quick for `check` and `--quick`, else default
    #[arg(long, env = "VERDICT_SCALE")]
    pub scale: Option<Scale>,
    /// Seed of every random stream
    #[arg(long, env = "VERDICT_SEED", default_value_t = 1)]
    pub seed: u64,
    /// Which engines.
    #[command(flatten)]
    pub engines: EnginesArgs,
}

/// Which world in detail, on which engines.
#[derive(Debug, Clone, Args)]
pub struct WorldArgs {
    /// The scale.
    #[command(flatten)]
    pub scale: ScaleArgs,
    /// Users, in place of the scale's number
    #[arg(long, value_parser = clap::value_parser!(u32).range(20..=10_000_000))]
    pub users: Option<u32>,
    /// Days of history, in place of the scale's number
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub days: Option<u32>,
}

impl ScaleArgs {
    /// The same, of the scale in question where none is asked for.
    #[must_use]
    pub fn or(mut self, scale: Scale) -> Self {
        self.scale.get_or_insert(scale);
        self
    }

    /// The world that is asked for.
    pub fn spec(&self) -> WorldSpec {
        WorldSpec {
            scale: self.scale.unwrap_or(Scale::Default),
            users: None,
            days: None,
            seed: self.seed,
        }
    }
}

impl WorldArgs {
    /// The world that a bench's environment asks for; `flags` are as if on its command line.
    ///
    /// # Errors
    /// When a variable has a value that its flag does not take.
    pub fn of_environment(flags: &[&str]) -> clap::error::Result<Self> {
        let command = Self::augment_args(clap::Command::new("cargo bench"));
        let words = ["cargo bench"].iter().chain(flags);
        Self::from_arg_matches(&command.try_get_matches_from(words)?)
    }

    /// The same, of the scale in question where none is asked for.
    #[must_use]
    pub fn or(self, scale: Scale) -> Self {
        Self {
            scale: self.scale.or(scale),
            ..self
        }
    }

    /// The world that is asked for.
    pub fn spec(&self) -> WorldSpec {
        WorldSpec {
            users: self.users,
            days: self.days,
            ..self.scale.spec()
        }
    }
}

/// `verdict run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Items by id or number; all of them when none is named
    #[arg(value_name = "ITEM")]
    pub items: Vec<String>,
    /// Fewer requests, shorter samples and a smaller world, and no load where items are named:
    /// three items in 100 seconds once the world is there
    #[arg(long)]
    pub quick: bool,
    /// Which world.
    #[command(flatten)]
    pub world: WorldArgs,
}

/// `verdict check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Items by id or number; all of them when none is named
    #[arg(value_name = "ITEM")]
    pub items: Vec<String>,
    /// Which world.
    #[command(flatten)]
    pub world: WorldArgs,
}

/// `verdict list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// A results file.
#[derive(Debug, Clone, Args)]
pub struct ResultsArgs {
    /// The results; the last run's when none is named
    #[arg(value_name = "RESULTS")]
    pub results: Option<PathBuf>,
}

/// `verdict load`.
#[derive(Debug, Clone, Args)]
pub struct LoadArgs {
    /// feed, send, history or page; all of them when none is named
    #[arg(value_name = "FLOW")]
    pub flows: Vec<FlowId>,
    /// Closed loop: users that wait for each answer; may be repeated
    #[arg(long, value_delimiter = ',')]
    pub users: Vec<u32>,
    /// Open loop: requests per second that wait for nobody; may be repeated
    #[arg(long, value_delimiter = ',')]
    pub rate: Vec<f64>,
    /// Seconds of measurement of each side at each level, in windows of 1.5 s
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub duration: Option<u64>,
    /// A service elsewhere that serves the same world, in place of one of our own
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// Only where the targets are judged, in less than a minute for all flows
    #[arg(long)]
    pub quick: bool,
    /// Where results go, in place of target/verdict/results.json
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which world.
    #[command(flatten)]
    pub world: ScaleArgs,
}

/// `verdict doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Read every kept world whole, too
    #[arg(long)]
    pub worlds: bool,
    /// Which engines.
    #[command(flatten)]
    pub engines: EnginesArgs,
}

/// `verdict serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Which world.
    #[command(flatten)]
    pub world: ScaleArgs,
}

/// `verdict merge`.
#[derive(Debug, Clone, Args)]
pub struct MergeArgs {
    /// Results of generators that drove the same service at the same time
    #[arg(required = true, num_args = 2.., value_name = "RESULTS")]
    pub results: Vec<PathBuf>,
    /// Where the whole goes, in place of target/verdict/results.json
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
