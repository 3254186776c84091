//! Where the time of a flow's answers goes: a bar for each side and level, cut by stage.

use verdict_audit::evidence::FlowEvidence;

use crate::table::load;
use crate::units;

/// The answers of one side at one level.
pub(crate) struct StageRow {
    pub(crate) side: String,
    pub(crate) load: String,
    pub(crate) mean: String,
    /// How long the bar is, in hundredths of the longest one.
    pub(crate) length: String,
    pub(crate) parts: Vec<Part>,
}

/// A stage of them, or what no stage accounts for.
pub(crate) struct Part {
    pub(crate) name: String,
    /// Which of the page's shades.
    pub(crate) shade: usize,
    /// Hundredths of the bar.
    pub(crate) width: String,
    pub(crate) mean: String,
    pub(crate) p95: Option<String>,
}

const SHADES: usize = 4;

/// What is between the caller's clock and the stages that the service names: its own work, the
/// network, and waiting for either.
const REST: &str = "the rest";

/// The rows of a flow whose answers name stages.
pub(crate) fn stage_rows(rows: &[&FlowEvidence]) -> Vec<StageRow> {
    let named: Vec<_> = rows.iter().filter(|row| !row.stages.is_empty()).collect();
    let longest = named.iter().map(|row| row.mean).fold(0.0, f64::max);
    named
        .into_iter()
        .map(|row| StageRow {
            side: row.side.to_string(),
            load: load(row.users, row.rate).unwrap_or("unknown load".to_owned()),
            mean: units::duration(row.mean),
            length: hundredths(row.mean, longest),
            parts: parts(row),
        })
        .collect()
}

fn parts(row: &FlowEvidence) -> Vec<Part> {
    let named: f64 = row.stages.iter().map(|stage| stage.mean).sum();
    let whole = row.mean.max(named);
    let part = |shade, name: &str, mean: f64, p95| Part {
        name: name.replace('-', " "),
        shade,
        width: hundredths(mean, whole),
        mean: units::duration(mean),
        p95,
    };
    let stages = row.stages.iter().enumerate().map(|(place, stage)| {
        let p95 = units::duration(stage.p95.value);
        part(1 + place % SHADES, &stage.name, stage.mean, Some(p95))
    });
    let mut parts: Vec<Part> = stages.collect();
    parts.push(part(0, REST, whole - named, None));
    parts
}

fn hundredths(part: f64, whole: f64) -> String {
    let share = if whole > 0.0 { part / whole } else { 0.0 };
    format!("{:.1}", 100.0 * share.clamp(0.0, 1.0))
}
