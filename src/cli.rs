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
    /// Show what a PostgreSQL of your own, and a ClickHouse, tell of themselves; nothing is written
    Monitor(MonitorArgs),
    /// Say whether results keep the promises: 0 met, 1 missed, 2 cannot judge
    Gate(GateArgs),
    /// Hold two runs against each other: 1 when something is surely worse
    Compare(CompareArgs),
    /// Keep runs, and show their figures over time
    #[command(subcommand)]
    History(HistoryCommand),
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
    /// three items of PostgreSQL in 100 seconds once the world is there, of ClickHouse in minutes
    #[arg(long)]
    pub quick: bool,
    /// Answers and work alone, on any machine and in any noise: what `verdict gate` needs of a
    /// pull request
    #[arg(long)]
    pub untimed: bool,
    /// Go on with the run that was broken off, with the items that it has not brought to an end
    #[arg(long)]
    pub resume: bool,
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
    /// feed, send, history, page, mix or mix-uncached; all of them when none is named
    #[arg(value_name = "FLOW")]
    pub flows: Vec<FlowId>,
    /// Closed loop: users that wait for each answer; may be repeated. Without --rate there is no
    /// open loop then, and a target that both loops judge is not decided
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
    /// Only where the targets are judged, in about a minute for all flows
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

/// `verdict gate`.
#[derive(Debug, Clone, Args)]
pub struct GateArgs {
    /// The results; the last run's when none is named
    #[command(flatten)]
    pub results: ResultsArgs,
    /// What they have to hold; gates.toml where there is one, else what every run has to
    #[arg(long, value_name = "FILE")]
    pub gates: Option<PathBuf>,
    /// Write gates that these results hold, and judge nothing
    #[arg(long)]
    pub propose: bool,
    /// Where proposed gates go; what is there is never written over
    #[arg(
        long,
        value_name = "FILE",
        requires = "propose",
        default_value = "gates.toml"
    )]
    pub to: PathBuf,
    /// JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Markdown for a CI's summary
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Also as workflow commands, which GitHub shows beside the change
    #[arg(long)]
    pub annotations: bool,
}

/// `verdict compare`.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// The earlier run: results, or a file of the history
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// The later run; the last one when none is named
    #[arg(value_name = "AFTER")]
    pub after: Option<PathBuf>,
    /// Also where worlds, machines or engines differ
    #[arg(long)]
    pub anyway: bool,
}

/// `verdict history`.
#[derive(Debug, Clone, Subcommand)]
pub enum HistoryCommand {
    /// Keep a run; `run`, `load` and `cargo bench` do so by themselves
    Add(HistoryAddArgs),
    /// Show figures over the runs of one kind, with the first run after each change
    Show(HistoryShowArgs),
    /// Take runs over from other folders and files
    Import(HistoryImportArgs),
}

/// Where runs are kept.
#[derive(Debug, Clone, Args)]
pub struct FolderArgs {
    /// The folder, in place of target/verdict/history
    #[arg(long, env = "VERDICT_HISTORY", value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
}

/// `verdict history add`.
#[derive(Debug, Clone, Args)]
pub struct HistoryAddArgs {
    /// The run.
    #[command(flatten)]
    pub results: ResultsArgs,
    /// Where to.
    #[command(flatten)]
    pub folder: FolderArgs,
}

/// `verdict history show`.
#[derive(Debug, Clone, Args)]
pub struct HistoryShowArgs {
    /// Items by id or number, and flows: all their figures; the speed-ups of all fixes when none
    /// is named
    #[arg(value_name = "ITEM")]
    pub subjects: Vec<String>,
    /// Where from.
    #[command(flatten)]
    pub folder: FolderArgs,
}

/// `verdict history import`.
#[derive(Debug, Clone, Args)]
pub struct HistoryImportArgs {
    /// Folders of runs, files of such folders, and results
    #[arg(required = true, value_name = "PATH")]
    pub from: Vec<PathBuf>,
    /// Where to.
    #[command(flatten)]
    pub folder: FolderArgs,
}

/// `verdict monitor`.
#[derive(Debug, Clone, Args)]
pub struct MonitorArgs {
    /// The PostgreSQL, postgres://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub url: String,
    /// A ClickHouse beside it, http://USER:PASSWORD@HOST:8123
    #[arg(
        long,
        env = "CLICKHOUSE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub clickhouse: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}
