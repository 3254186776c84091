//! The figures of one run, without what only its own report needs.

use serde::{Deserialize, Serialize};
use verdict_audit::evidence::{
    Compared, FlowEvidence, FlowRatio, ItemEvidence, Latency, PlanMode, Ratio, Results, Run,
    SideRecord, VariantEvidence,
};
use verdict_audit::ratio::geometric_mean;
use verdict_audit::{VariantName, Verdict};

use crate::figure::{Figure, GENERIC, Key, Measure};
use crate::nested;

/// The version of this shape. Older ones are read, newer ones refused.
pub const SCHEMA: u32 = 1;

/// What is kept of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`] at the time of writing.
    pub schema: u32,
    /// Where, when and on what; without its warnings.
    pub run: Run,
    /// Its figures, ordered by their keys.
    #[serde(with = "nested")]
    pub figures: Vec<Figure>,
    /// Its verdicts, ordered.
    pub verdicts: Vec<Judged>,
}

/// A verdict of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// An item's id, or a flow's.
    pub subject: String,
    /// The variant, or the side.
    pub variant: String,
    /// The claim; `target` of a flow.
    pub claim: String,
    /// The verdict.
    pub verdict: Verdict,
}

impl Record {
    /// What is kept of results.
    pub fn of(results: &Results) -> Self {
        let mut figures: Vec<Figure> = results.items.iter().flat_map(of_item).collect();
        figures.extend(results.flows.iter().flat_map(of_flow));
        figures.extend(of_ratios(results));
        // Of no use beside another, and JSON cannot hold it.
        figures.retain(|figure| figure.value.is_finite());
        figures.sort_by(|one, other| one.key.cmp(&other.key));
        figures.dedup_by(|one, other| one.key == other.key);
        Self {
            schema: SCHEMA,
            run: Run {
                aa: None,
                warnings: Vec::new(),
                ..results.run.clone()
            },
            figures,
            verdicts: verdicts(results),
        }
    }

    /// What a history keeps of it.
    #[must_use]
    pub fn kept(mut self) -> Self {
        self.figures.retain(|figure| figure.key.is_kept());
        self
    }

    /// A figure by its key.
    pub fn figure(&self, key: &Key) -> Option<&Figure> {
        let place = self.figures.binary_search_by(|one| one.key.cmp(key)).ok()?;
        self.figures.get(place)
    }
}

fn of_item(item: &ItemEvidence) -> Vec<Figure> {
    item.variants
        .iter()
        .flat_map(|variant| of_variant(item, variant))
        .collect()
}

fn of_variant(item: &ItemEvidence, variant: &VariantEvidence) -> Vec<Figure> {
    let key = |place: String, name: &VariantName, measure| Key {
        subject: item.id.to_string(),
        variant: name.to_string(),
        place,
        measure,
    };
    let mut figures = Vec::new();
    if let Some(answers) = &variant.answers {
        let key = key(String::new(), &variant.name, Measure::WrongAnswers);
        figures.push(Figure::counted(key, answers.differing as f64));
    }
    for work in &variant.work {
        for (counter, value) in &work.counters {
            let mut place = format!("{} at {}", work.operation, work.at);
            if work.plan_mode == PlanMode::Generic {
                place.push_str(GENERIC);
            }
            let key = key(place, &variant.name, Measure::Work(*counter));
            figures.push(Figure::counted(key, *value));
        }
    }
    for latency in &variant.latency {
        let place = || format!("{} at {}", latency.operation, latency.at);
        let key = |measure| key(place(), &variant.name, measure);
        let timed = |measure, ratio: Option<Ratio>, rounds| {
            ratio.map(|ratio| Figure::timed(key(measure), ratio, rounds))
        };
        figures.extend(timed(Measure::SpeedUp, latency.ratio, latency.rounds));
        figures.extend(timed(
            Measure::TailSpeedUp,
            latency.p95_ratio,
            latency.p95_rounds,
        ));
        figures.extend(
            typical(latency).map(|(of, rounds)| Figure::timed(key(Measure::Median), of, rounds)),
        );
        if let Some((of, rounds)) = latency.recorded.baseline.as_ref().and_then(of_rounds) {
            // Today as it stands beside this variant, in its minutes.
            let key = Key {
                variant: format!("baseline beside {}", variant.name),
                ..key(Measure::Median)
            };
            figures.push(Figure::timed(key, of, rounds));
        }
    }
    figures
}

fn typical(latency: &Latency) -> Option<(Ratio, usize)> {
    of_rounds(&latency.recorded.variant)
}

/// A side's typical call over its rounds.
fn of_rounds(side: &SideRecord) -> Option<(Ratio, usize)> {
    Some((geometric_mean(&side.rounds_us)?, side.rounds_us.len()))
}

/// The load of a flow's row, in words.
fn load(users: Option<u32>, rate: Option<f64>) -> String {
    match (users, rate) {
        (Some(1), _) => "1 user".to_owned(),
        (Some(users), _) => format!("{users} users"),
        (None, Some(rate)) => format!("{rate:.1} per second"),
        (None, None) => String::new(),
    }
}

fn of_flow(row: &FlowEvidence) -> Vec<Figure> {
    let key = |measure| Key {
        subject: row.id.to_string(),
        variant: row.side.to_string(),
        place: load(row.users, row.rate),
        measure,
    };
    let windows = row.windows.len();
    let seconds = row.duration / windows.max(1) as f64;
    let rates: Vec<f64> = row
        .windows
        .iter()
        .map(|window| window.answered as f64 / seconds)
        .collect();
    let p95 = Figure::estimated(key(Measure::P95), &row.p95, windows);
    let closed = row.users.and_then(|_| geometric_mean(&rates));
    let throughput = closed.map(|of| Figure::timed(key(Measure::Throughput), of, windows));
    p95.into_iter().chain(throughput).collect()
}

fn of_ratios(results: &Results) -> Vec<Figure> {
    let sides = |row: &&FlowRatio| row.of == Compared::Sides;
    let mut figures = Vec::new();
    for row in results.flow_ratios.iter().filter(sides) {
        let key = |measure| Key {
            subject: row.id.to_string(),
            variant: "optimized".to_owned(),
            place: load(row.users, row.rate),
            measure,
        };
        let timed = |measure, ratio: Option<Ratio>| {
            ratio.map(|ratio| Figure::timed(key(measure), ratio, row.windows))
        };
        figures.extend(timed(Measure::SpeedUp, row.p50));
        figures.extend(timed(Measure::TailSpeedUp, row.p95));
    }
    figures
}

fn verdicts(results: &Results) -> Vec<Judged> {
    let mut verdicts = Vec::new();
    for item in &results.items {
        for variant in &item.variants {
            verdicts.extend(variant.claims.iter().map(|claim| Judged {
                subject: item.id.to_string(),
                variant: variant.name.to_string(),
                claim: claim.id.clone(),
                verdict: claim.verdict,
            }));
        }
    }
    verdicts.extend(results.targets.iter().map(|target| Judged {
        subject: target.id.to_string(),
        variant: target.side.to_string(),
        claim: "target".to_owned(),
        verdict: target.verdict,
    }));
    verdicts
}
