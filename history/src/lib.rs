//! Runs beside each other: what changed, and since when.
//!
//! - [`record`]: the [`figure`]s of one run, without what only its own report needs.
//! - [`comparison`]: two records side by side, and [`mod@apart`] what forbids it.
//! - [`folder`]: records, one file each.
//! - [`trend`]: one figure over many runs, with its [`change_points`].

pub mod apart;
pub mod change_points;
pub mod comparison;
pub mod figure;
pub mod folder;
mod nested;
pub mod record;
pub mod trend;

pub use apart::{Apart, apart};
pub use comparison::{Comparison, Way};
pub use figure::{Figure, Key, Measure};
pub use folder::{Folder, FolderError};
pub use record::Record;
pub use trend::Trend;
