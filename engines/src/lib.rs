//! PostgreSQL, ClickHouse and Redis on a plate: embedded, in containers, or yours.
//!
//! [`Engines::start`] gives three empty engines, [`Engines::with_world`] gives three engines
//! that hold a world which is built once and found again. Whatever is started here is gone
//! at the end of the process, in whatever way that end comes.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use verdict_engines::{Choice, Engines, Options, cache_dir};
//!
//! let options = Options {
//!     choice: Choice::Auto,
//!     cache: cache_dir()?,
//!     host: std::env::current_exe()?, // the `verdict` program
//!     progress: indicatif::MultiProgress::new(),
//! };
//! let engines = Engines::start(&options).await?;
//! let pool = sqlx::PgPool::connect_with(engines.postgres(engines.world())).await?;
//! # Ok(())
//! # }
//! ```

mod blocking;
mod clean;
mod clickhouse_copy;
mod clickhouse_host;
mod commands;
mod containers;
mod docker;
mod doctor;
mod embedded;
mod endpoints;
mod engines;
mod error;
mod external;
mod folders;
mod heir;
mod hold;
pub mod host;
mod info;
mod keeper;
mod keeper_handle;
mod launch;
mod mode;
mod names;
mod options;
mod packages;
pub mod pgbench;
mod postgres_copy;
mod protocol;
mod quote;
mod redis_address;
mod redis_claim;
mod redis_number;
mod roll;
mod run_databases;
mod sandbox;
mod sandboxes;
mod seal;
mod settings;
mod variables;
mod vigil;
mod wire;
mod world;

pub use clean::{Cleaned, clean};
pub use doctor::{Check, Doctor, doctor};
pub use endpoints::{ClickHouseAddress, Endpoints, clickhouse_client_at, postgres_at};
pub use engines::Engines;
pub use error::Error;
pub use mode::Mode;
pub use options::{Choice, Options, cache_dir};
pub use redis_address::RedisAddress;
pub use sandbox::Sandbox;
pub use vigil::{Death, Vigil};
pub use wire::{
    Address, Call, Line, Query, Relay, Rewrite, Statement, Summaries, Wire, Wires, with_values,
};
