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

mod clean;
mod clickhouse_copy;
mod clickhouse_host;
mod clone;
mod containers;
mod doctor;
mod embedded;
mod endpoints;
mod engines;
mod error;
mod external;
mod folders;
mod hold;
pub mod host;
mod info;
mod keeper;
mod keeper_handle;
mod launch;
mod options;
mod packages;
mod protocol;
mod settings;
mod world;

pub use clean::{Cleaned, clean};
pub use doctor::{Check, Doctor, doctor};
pub use engines::Engines;
pub use error::Error;
pub use options::{Choice, Mode, Options, cache_dir};
