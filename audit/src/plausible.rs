//! Whether results can be true at all: a file that says otherwise is refused rather than judged.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::Catalogue;
use crate::cell_plausible::unfounded_cell;
use crate::evidence::{
    Answers, Estimate, FlowEvidence, Growth, Latency, Percentiles, Ratio, Results, SelfCheck,
    TargetEvidence, Work,
};
use crate::flow_plausible::{same, unfounded_row};
use crate::names::VariantName;
use crate::slope::growth;
use crate::verdict::Verdict;

impl Results {
    /// The first figure that no run could have measured, or verdict that does not follow from
    /// the evidence beside it; `None` where there is none.
    pub fn contradiction(&self) -> Option<String> {
        self.impossible_figure()
            .or_else(|| self.incomplete_item())
            .or_else(|| {
                let mut founded = self.clone();
                founded.judge();
                let verdict = |results: &Self| {
                    let aa = results.run.aa.as_ref();
                    let place = "the baseline against itself".to_owned();
                    aa.map(|aa| (place, aa.verdict)).into_iter().collect()
                };
                unfounded(verdict(self), verdict(&founded))
                    .or_else(|| self.unfounded_interval(&founded))
                    .or_else(|| self.unfounded_claim(&founded))
                    .or_else(|| self.unfounded_target(&founded.targets))
            })
    }

    /// Where an item was not tried in the variants that the audit has, each once.
    fn incomplete_item(&self) -> Option<String> {
        let mut seen = BTreeSet::new();
        self.items.iter().find_map(|item| {
            let id = &item.id;
            if !seen.insert(id) {
                return Some(format!("{id} is in it twice"));
            }
            let Ok(finding) = Catalogue::builtin().item(id.as_str()) else {
                return Some(format!("the audit has no item {id}"));
            };
            if item.number != finding.number {
                return Some(format!("{id} is called item {} of the audit", item.number));
            }
            let mut tried: Vec<_> = item.variants.iter().map(|of| of.name.clone()).collect();
            let mut due = finding.all_variants();
            tried.sort_unstable();
            due.sort_unstable();
            (tried != due).then(|| {
                let names = |of: &[VariantName]| {
                    let names: Vec<_> = of.iter().map(VariantName::to_string).collect();
                    names.join(", ")
                };
                format!(
                    "{id} is tried as {} instead of {}",
                    names(&tried),
                    names(&due)
                )
            })
        })
    }

    fn unfounded_target(&self, founded: &[TargetEvidence]) -> Option<String> {
        let judged = |targets: &[TargetEvidence]| {
            let place = |of: &TargetEvidence| format!("the target of {}, {},", of.id, of.side);
            targets.iter().map(|of| (place(of), of.verdict)).collect()
        };
        let same = |a: &&TargetEvidence, b: &TargetEvidence| (a.id, a.side) == (b.id, b.side);
        for said in &self.targets {
            let due = founded.iter().find(|due| same(due, said));
            if due.is_some_and(|due| due.target_ms != said.target_ms) {
                let (id, ms) = (said.id, said.target_ms);
                return Some(format!("the target of {id} is held to {ms} ms"));
            }
        }
        unfounded(judged(&self.targets), judged(founded))
    }

    fn impossible_figure(&self) -> Option<String> {
        if let Some(words) = self.run.aa.as_ref().and_then(impossible_self) {
            return Some(format!("the baseline against itself: {words}"));
        }
        for item in &self.items {
            for variant in &item.variants {
                let answers = [&variant.answers, &variant.additive];
                let answers = answers.into_iter().flatten().find_map(impossible_answers);
                let cells = || {
                    let mut cells = variant.latency.iter();
                    cells.find_map(|cell| impossible_latency(cell).or_else(|| unfounded_cell(cell)))
                };
                let work = || variant.work.iter().find_map(impossible_work);
                let growth = || {
                    let mut fits = variant.growth.iter();
                    fits.find_map(|said| unfounded_growth(said, &variant.work))
                };
                if let Some(words) = answers.or_else(cells).or_else(work).or_else(growth) {
                    return Some(format!("{}, {}: {words}", item.id, variant.name));
                }
            }
        }
        let mut levels = BTreeSet::new();
        self.flows.iter().find_map(|row| {
            let level = (row.id, row.side, row.users, row.rate.map(f64::to_bits));
            let twice = (!levels.insert(level)).then(|| "a level that is there twice".to_owned());
            let words = impossible_flow(row)
                .or(twice)
                .or_else(|| unfounded_row(row))?;
            Some(format!("{} under load, {}: {words}", row.id, row.side))
        })
    }

    /// Where a verdict rests on another interval than its own ratio's.
    fn unfounded_interval(&self, founded: &Self) -> Option<String> {
        let cells = |results: &Self| {
            let variants = results.items.iter().flat_map(|item| &item.variants);
            let cells = variants.flat_map(|variant| &variant.latency);
            let judged = |cell: &Latency| [cell.judged, cell.p95_judged];
            cells
                .map(|cell| (cell.operation.clone(), cell.at, judged(cell)))
                .collect::<Vec<_>>()
        };
        let ends = |ratio: Option<Ratio>| {
            [
                ratio.map(|ratio| ratio.value),
                ratio.map(|ratio| ratio.lo),
                ratio.map(|ratio| ratio.hi),
            ]
        };
        let (said, founded) = (cells(self), cells(founded));
        let mut pairs = said.into_iter().zip(founded);
        let ((operation, at, said), _) = pairs.find(|((_, _, said), (_, _, due))| {
            let ends = |of: &[Option<Ratio>; 2]| of.map(ends).into_iter().flatten();
            !same(ends(due).zip(ends(said)))
        })?;
        let by = said.into_iter().flatten().next();
        let by = by.map_or("nothing".to_owned(), |by| by.to_string());
        Some(format!(
            "{operation} at {at}: judged by {by}, which is not what its ratio comes to"
        ))
    }

    fn unfounded_claim(&self, founded: &Self) -> Option<String> {
        let open = |results: &Self| {
            let variants = results.items.iter().flat_map(|item| &item.variants);
            let claims = variants.flat_map(|variant| &variant.claims);
            claims
                .map(|claim| (claim.id.clone(), claim.undecided.clone()))
                .collect::<Vec<_>>()
        };
        let judged = |results: &Self| {
            let mut places = Vec::new();
            for item in &results.items {
                for variant in &item.variants {
                    for claim in &variant.claims {
                        let place = format!("{}, {}, {}", item.id, variant.name, claim.id);
                        places.push((place, claim.verdict));
                    }
                }
            }
            places
        };
        unfounded(judged(self), judged(founded)).or_else(|| {
            let (said, founded) = (open(self), open(founded));
            let mut pairs = said.iter().zip(&founded);
            let ((id, _), _) = pairs.find(|(said, founded)| said != founded)?;
            Some(format!(
                "{id} leaves other operations open than its evidence"
            ))
        })
    }
}

/// The first place whose verdict is not the one, and the only one, that the evidence gives it.
fn unfounded(said: Vec<(String, Verdict)>, founded: Vec<(String, Verdict)>) -> Option<String> {
    let count = said.len();
    let said: BTreeMap<_, _> = said.into_iter().collect();
    if said.len() < count {
        return Some("a verdict is given twice".to_owned());
    }
    let founded: BTreeMap<_, _> = founded.into_iter().collect();
    if let Some(place) = founded.keys().find(|place| !said.contains_key(*place)) {
        return Some(format!("{place} is not judged"));
    }
    said.iter()
        .find_map(|(place, said)| match founded.get(place) {
            None => Some(format!(
                "{place} is judged, and the audit asks for no verdict there"
            )),
            Some(founded) if founded != said => Some(format!(
                "{place} is called {said}, and its evidence says {founded}"
            )),
            Some(_) => None,
        })
}

/// What no counter and no time reaches: an exabyte, or thirty thousand years in microseconds.
const BEYOND: f64 = 1e18;

fn positive(value: f64) -> bool {
    value > 1.0 / BEYOND && value < BEYOND
}

fn impossible_work(work: &Work) -> Option<String> {
    let mut counters = work.counters.iter();
    let (counter, value) = counters.find(|(_, value)| !(0.0..BEYOND).contains(*value))?;
    Some(format!(
        "{} at {}: {} of {value} a call",
        work.operation,
        work.at,
        counter.words()
    ))
}

/// A fit that is not what the work beside it comes to.
fn unfounded_growth(said: &Growth, work: &[Work]) -> Option<String> {
    let Growth {
        operation,
        plan_mode,
        counter,
        slope,
        ..
    } = said;
    let due = growth(work, operation, *plan_mode, *counter);
    let is_so = due.is_ok_and(|due| {
        let slopes = (Some(due.slope), Some(*slope));
        said.rungs == due.rungs && same([slopes, (due.lo, said.lo), (due.hi, said.hi)])
    });
    (!is_so).then(|| {
        format!(
            "{operation}: {} growing by a slope of {slope}, which is not what its work comes to",
            counter.words()
        )
    })
}

fn impossible_ratio(ratio: &Ratio) -> Option<String> {
    let Ratio { value, lo, hi } = *ratio;
    let possible = positive(lo) && positive(hi) && lo <= value && value <= hi;
    (!possible).then(|| format!("a ratio of {value} between {lo} and {hi}"))
}

fn impossible_self(check: &SelfCheck) -> Option<String> {
    impossible_ratio(&check.ratio).or_else(|| {
        let cell = &check.cell;
        let other = cell.ratio != Some(check.ratio);
        impossible_latency(cell)
            .or_else(|| unfounded_cell(cell))
            .or_else(|| other.then(|| "a ratio that is not what was timed".to_owned()))
    })
}

fn impossible_percentiles(of: &Percentiles) -> Option<String> {
    let Percentiles {
        count,
        p50,
        p95,
        p99,
    } = *of;
    let possible = count > 0 && positive(p50) && p50 <= p95 && p95 <= p99 && positive(p99);
    (!possible).then(|| format!("{count} calls with percentiles of {p50}, {p95}, {p99} µs"))
}

fn impossible_latency(cell: &Latency) -> Option<String> {
    let zeros = [cell.zero, cell.p95_zero].map(|zero| zero.map(|zero| zero.ratio));
    let judged = [&cell.judged, &cell.p95_judged];
    let ratios = [&cell.ratio, &cell.p95_ratio, &zeros[0], &zeros[1]];
    let sides = [cell.baseline.as_ref(), Some(&cell.variant)];
    let words = ratios
        .into_iter()
        .chain(judged)
        .flatten()
        .find_map(impossible_ratio)
        .or_else(|| sides.into_iter().flatten().find_map(impossible_percentiles))
        .or_else(|| impossible_engine(cell))
        .or_else(|| impossible_rounds(cell))?;
    Some(format!("{} at {}: {words}", cell.operation, cell.at))
}

/// More rounds than a century has moments for.
const ROUNDS: usize = 1_000_000_000;

fn impossible_rounds(cell: &Latency) -> Option<String> {
    let zeros = [cell.zero, cell.p95_zero].into_iter().flatten();
    let mut rounds = zeros
        .map(|zero| zero.rounds)
        .chain([cell.rounds, cell.p95_rounds]);
    if let Some(rounds) = rounds.find(|rounds| *rounds > ROUNDS) {
        return Some(format!("{rounds} rounds"));
    }
    let mut figures = [cell.seconds, cell.floor].into_iter();
    let figure = figures.find(|figure| !(0.0..BEYOND).contains(figure))?;
    Some(format!("{figure} of seconds or of noise"))
}

fn impossible_engine(cell: &Latency) -> Option<String> {
    let engine = cell.engine?;
    let mut times = [engine.baseline_us, Some(engine.variant_us)]
        .into_iter()
        .flatten();
    let time = times.find(|time| !(0.0..BEYOND).contains(time))?;
    Some(format!("{time} µs of the engine's own time"))
}

/// More answers than anybody compares.
const ANSWERS: u64 = 1_000_000_000_000;

fn impossible_answers(answers: &Answers) -> Option<String> {
    if answers.checked > ANSWERS {
        return Some(format!("{} answers are compared", answers.checked));
    }
    (answers.differing > answers.checked).then(|| {
        format!(
            "{} of {} answers are wrong",
            answers.differing, answers.checked
        )
    })
}

/// Answers there may be for each request that was measured: those to requests from before the
/// window count as well.
const THROUGHPUT: f64 = 10.0;

fn impossible_flow(row: &FlowEvidence) -> Option<String> {
    if row.errors > row.requests {
        return Some(format!(
            "{} of {} requests failed",
            row.errors, row.requests
        ));
    }
    let is_a_level = match (row.users, row.rate) {
        (Some(users), None) => users > 0,
        (None, Some(rate)) => positive(rate),
        _ => false,
    };
    if !is_a_level {
        return Some("a load of neither users nor arrivals, or of both".to_owned());
    }
    let generator = [row.generator_lag_p99, row.generator_share];
    if let Some(of) = generator
        .into_iter()
        .flatten()
        .find(|of| !(0.0..BEYOND).contains(of))
    {
        return Some(format!(
            "{of} µs of lag or of the machine for the generator"
        ));
    }
    let most = THROUGHPUT * (row.requests as f64 + 1.0);
    if row.throughput * row.duration > most {
        return Some(format!(
            "{} answers/s for {} s, and {} requests",
            row.throughput, row.duration, row.requests
        ));
    }
    if !positive(row.duration) || !row.target_ms.is_none_or(positive) {
        return Some(format!(
            "{} s against a target of {:?} ms",
            row.duration, row.target_ms
        ));
    }
    if row.errors == row.requests {
        return None;
    }
    let ordered = |estimate: &Estimate| {
        estimate.lo.is_none_or(|lo| lo <= estimate.value)
            && estimate.hi.is_none_or(|hi| estimate.value <= hi)
    };
    let stages = || row.stages.iter().map(|stage| stage.mean);
    if let Some(mean) = stages()
        .chain([row.mean])
        .find(|mean| !(0.0..BEYOND).contains(mean))
    {
        return Some(format!("{mean} µs on average"));
    }
    let estimates = [&row.p50, &row.p95, &row.p99];
    let values = estimates.map(|estimate| estimate.value);
    let possible = estimates.iter().all(|of| positive(of.value) && ordered(of))
        && values.is_sorted()
        && positive(row.throughput);
    (!possible).then(|| {
        let [p50, p95, p99] = values;
        format!(
            "percentiles of {p50}, {p95}, {p99} µs at {} answers/s",
            row.throughput
        )
    })
}
