//! Evidence in, pages and files out.
//!
//! - [`json`]: `results.json`, written whole or not at all, read with one clear error
//!   (its fields: `results.schema.md` beside this crate's manifest).
//! - [`html`]: the report, one page without scripts or anything from elsewhere.
//! - [`table`]: the verdicts for the terminal.
//! - [`mod@gate`]: whether a run may pass.

pub mod artefact;
mod charts;
mod flow_page;
pub mod gate;
pub mod html;
pub mod json;
mod page;
mod plot;
mod replace;
mod stage_page;
pub mod table;
mod timing_page;
mod tone;
mod units;

pub use gate::{Gate, gate};
pub use replace::replace;
