//! Evidence in, pages and files out.
//!
//! - [`json`]: `results.json`, written whole or not at all, read with one clear error
//!   (its fields: `results.schema.md` beside this crate's manifest).
//! - [`html`]: the report, one page without scripts or anything from elsewhere.
//! - [`table`]: the verdicts for the terminal.
//! - [`mod@gate`]: whether a run may pass.
//! - [`gates`]: a team's own gates, from `gates.toml`.
//! - [`comparison_text`]: runs beside each other, for the terminal.
//! - [`units`]: figures as people read them.

pub mod artefact;
mod charts;
pub mod comparison_text;
mod flow_page;
pub mod gate;
pub mod gates;
pub mod html;
pub mod json;
mod line_page;
mod page;
mod plot;
mod replace;
mod stage_page;
pub mod table;
mod timing_page;
mod tone;
pub mod units;

pub use gate::{Gate, gate};
pub use replace::replace;
