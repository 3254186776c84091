//! Which charts a report has, and what goes into them.

use verdict_audit::evidence::{
    Capacity, FlowEvidence, ItemEvidence, Latency, PlanMode, VariantEvidence,
};
use verdict_audit::{Counter, FlowId, OperationName, Side, VariantName, usl};

use crate::plot::{Ink, Line, Plot, PlotError, Point, Series, Style};
use crate::tone::Tone;
use crate::units;

/// An operation as it was measured, with either kind of plans: what one section shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) operation: OperationName,
    pub(crate) plan_mode: PlanMode,
}

impl Measured {
    /// Its name, in words.
    pub(crate) fn title(&self) -> String {
        let name = self.operation.as_str().replace('-', " ");
        match self.plan_mode {
            PlanMode::Auto => name,
            PlanMode::Generic => format!("{name}, with generic plans"),
        }
    }
}

/// The operations an item was measured on, in the order in which they first appear.
pub(crate) fn operations(item: &ItemEvidence) -> Vec<Measured> {
    let mut all: Vec<Measured> = Vec::new();
    for variant in &item.variants {
        let timed = variant
            .latency
            .iter()
            .map(|l| (&l.operation, PlanMode::Auto));
        let worked = variant.work.iter().map(|w| (&w.operation, w.plan_mode));
        for (operation, plan_mode) in timed.chain(worked) {
            let measured = Measured {
                operation: operation.clone(),
                plan_mode,
            };
            if !all.contains(&measured) {
                all.push(measured);
            }
        }
    }
    all
}

pub(crate) fn inks(item: &ItemEvidence) -> impl Iterator<Item = (&VariantEvidence, Ink)> {
    let mut proposed = 0;
    item.variants.iter().map(move |variant| {
        let ink = Ink::of(&variant.name, proposed);
        proposed += usize::from(matches!(
            variant.name,
            VariantName::Proposed(_) | VariantName::Mended(_)
        ));
        (variant, ink)
    })
}

/// A variant's name, marked where its figures are no gain.
fn label(variant: &VariantEvidence) -> String {
    if variant.stands() {
        variant.name.to_string()
    } else {
        format!("{} {}", Tone::Act.mark(), variant.name)
    }
}

fn titled(what: &str, measured: &Measured) -> String {
    format!("{what}: {}", measured.title())
}

/// Median latency with a band up to p95, along the ladder. Every variant was measured beside
/// the baseline; the one drawn is the baseline of the last pair, the optimized one's.
pub(crate) fn latency(
    item: &ItemEvidence,
    measured: &Measured,
) -> Result<Option<String>, PlotError> {
    if measured.plan_mode == PlanMode::Generic {
        return Ok(None);
    }
    let mut series = Vec::new();
    let mut today = Vec::new();
    for (variant, ink) in inks(item) {
        let mut points = Vec::new();
        let mut baseline = Vec::new();
        let here = |l: &&Latency| l.operation == measured.operation && l.at.is_rung();
        for l in variant.latency.iter().filter(here) {
            let point = |p: &verdict_audit::evidence::Percentiles| Point {
                x: l.at.n as f64,
                y: p.p50,
                range: Some((p.p50, p.p95)),
            };
            points.push(point(&l.variant));
            baseline.extend(l.baseline.as_ref().map(point));
        }
        if !baseline.is_empty() {
            today = baseline;
        }
        series.push(Series {
            label: label(variant),
            ink,
            style: Style::Band,
            points,
        });
    }
    series.insert(
        0,
        Series {
            label: "baseline".to_owned(),
            ink: Ink::Baseline,
            style: Style::Band,
            points: today,
        },
    );
    sort(&mut series);
    Plot {
        title: titled("Latency, median with a band up to p95", measured),
        x_name: "n (rows)".to_owned(),
        y_name: "time per call".to_owned(),
        show_y: units::duration,
        series,
        lines: Vec::new(),
    }
    .svg()
}

/// How many times faster than today along the ladder, of the variants whose answers stand.
pub(crate) fn ratio(item: &ItemEvidence, measured: &Measured) -> Result<Option<String>, PlotError> {
    if measured.plan_mode == PlanMode::Generic {
        return Ok(None);
    }
    let mut series: Vec<Series> = inks(item)
        .filter(|(variant, _)| variant.stands())
        .map(|(variant, ink)| Series {
            label: variant.name.to_string(),
            ink,
            style: Style::Bars,
            points: variant
                .latency
                .iter()
                .filter(|l| l.operation == measured.operation && l.at.is_rung())
                .filter_map(|l| {
                    let ratio = l.ratio?;
                    Some(Point {
                        x: l.at.n as f64,
                        y: ratio.value,
                        range: Some((ratio.lo, ratio.hi)),
                    })
                })
                .collect(),
        })
        .collect();
    sort(&mut series);
    Plot {
        title: titled("Times faster than today, with 95 % intervals", measured),
        x_name: "n (rows)".to_owned(),
        y_name: "baseline ÷ variant".to_owned(),
        show_y: |factor| format!("{}x", units::count(factor)),
        series,
        lines: vec![Line {
            label: "as today".to_owned(),
            y: 1.0,
        }],
    }
    .svg()
}

/// One counter of work along the ladder: the one that growth was fitted on.
pub(crate) fn work(item: &ItemEvidence, measured: &Measured) -> Result<Option<String>, PlotError> {
    let Some(counter) = fitted_counter(item, measured) else {
        return Ok(None);
    };
    let mut series: Vec<Series> = inks(item)
        .map(|(variant, ink)| Series {
            label: label(variant),
            ink,
            style: Style::Bars,
            points: variant
                .work
                .iter()
                .filter(|rung| {
                    rung.operation == measured.operation && rung.plan_mode == measured.plan_mode
                })
                .filter_map(|rung| {
                    Some(Point {
                        x: rung.at.n as f64,
                        y: *rung.counters.get(&counter)?,
                        range: None,
                    })
                })
                .collect(),
        })
        .collect();
    sort(&mut series);
    let name = counter.words().to_owned();
    Plot {
        title: titled(&format!("Work, {name} per call"), measured),
        x_name: "n (rows)".to_owned(),
        y_name: name,
        show_y: units::count,
        series,
        lines: Vec::new(),
    }
    .svg()
}

/// The counter that was fitted for this operation and does not stay at nothing, or else the
/// first that was counted.
fn fitted_counter(item: &ItemEvidence, measured: &Measured) -> Option<Counter> {
    let rungs = || {
        let work = item.variants.iter().flat_map(|variant| &variant.work);
        work.filter(|rung| rung.operation == measured.operation)
    };
    let counted = |counter: Counter| {
        rungs().any(|rung| {
            rung.counters
                .get(&counter)
                .is_some_and(|value| *value > 0.0)
        })
    };
    let mut fits = item.variants.iter().flat_map(|variant| &variant.growth);
    fits.find(|fit| fit.operation == measured.operation && counted(fit.counter))
        .map(|fit| fit.counter)
        .or_else(|| rungs().find_map(|rung| rung.counters.keys().next().copied()))
}

fn sort(series: &mut [Series]) {
    for one in series {
        one.points.sort_by(|a, b| a.x.total_cmp(&b.x));
    }
}

const SIDES: [(Side, Ink); 2] = [
    (Side::Baseline, Ink::Baseline),
    (Side::Optimized, Ink::Optimized),
];

fn closed_loop(
    flows: &[FlowEvidence],
    id: FlowId,
    side: Side,
) -> impl Iterator<Item = (f64, &FlowEvidence)> {
    flows
        .iter()
        .filter(move |row| row.id == id && row.side == side)
        .filter_map(|row| Some((f64::from(row.users?), row)))
}

/// p95 over concurrency, each with its interval, and the goal.
pub(crate) fn p95(flows: &[FlowEvidence], id: FlowId) -> Result<Option<String>, PlotError> {
    let mut series: Vec<Series> = SIDES
        .map(|(side, ink)| Series {
            label: side.to_string(),
            ink,
            style: Style::Bars,
            points: closed_loop(flows, id, side)
                .map(|(x, row)| Point {
                    x,
                    y: row.p95.value,
                    range: row.p95.lo.zip(row.p95.hi),
                })
                .collect(),
        })
        .to_vec();
    sort(&mut series);
    let goal = flows
        .iter()
        .find(|row| row.id == id && row.side == Side::Optimized)
        .and_then(|row| row.target_ms)
        .map(|target_ms| Line {
            label: format!("goal {}", units::duration(target_ms * 1e3)),
            y: target_ms * 1e3,
        });
    Plot {
        title: "p95 over concurrency".to_owned(),
        x_name: "users".to_owned(),
        y_name: "p95".to_owned(),
        show_y: units::duration,
        series,
        lines: goal.into_iter().collect(),
    }
    .svg()
}

/// Throughput over concurrency with the fitted curve.
pub(crate) fn throughput(
    flows: &[FlowEvidence],
    capacity: &[Capacity],
    id: FlowId,
) -> Result<Option<String>, PlotError> {
    let mut series = Vec::new();
    for (side, ink) in SIDES {
        let points: Vec<Point> = closed_loop(flows, id, side)
            .map(|(x, row)| Point {
                x,
                y: row.throughput,
                range: None,
            })
            .collect();
        let most = points.iter().map(|point| point.x).fold(1.0, f64::max);
        let fit = capacity
            .iter()
            .find(|one| one.id == id && one.side == side)
            .and_then(|one| one.usl.as_ref());
        if let Some(fit) = fit {
            const STEPS: i32 = 60;
            let curve = (0..=STEPS).map(|step| {
                let x = most.powf(f64::from(step) / f64::from(STEPS));
                Point {
                    x,
                    y: usl::throughput_at(fit, x),
                    range: None,
                }
            });
            series.push(Series {
                label: String::new(),
                ink,
                style: Style::Curve,
                points: curve.collect(),
            });
        }
        series.push(Series {
            label: side.to_string(),
            ink,
            style: if fit.is_some() {
                Style::Dots
            } else {
                Style::Bars
            },
            points,
        });
    }
    sort(&mut series);
    Plot {
        title: "Throughput over concurrency, with the fitted curve".to_owned(),
        x_name: "users".to_owned(),
        y_name: "requests per second".to_owned(),
        show_y: units::count,
        series,
        lines: Vec::new(),
    }
    .svg()
}
