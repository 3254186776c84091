//! Which charts a report has, and what goes into them.

use verdict_audit::evidence::{Capacity, FlowEvidence, ItemEvidence, VariantEvidence};
use verdict_audit::usl;

use crate::plot::{Ink, Line, Plot, PlotError, Point, Series, Style};
use crate::tone::Tone;
use crate::units;

/// The operations an item was measured on, in the order in which they first appear.
pub(crate) fn operations(item: &ItemEvidence) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for variant in &item.variants {
        let timed = variant.latency.iter().map(|l| &l.operation);
        for name in timed.chain(variant.work.iter().map(|w| &w.operation)) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names
}

fn inks(item: &ItemEvidence) -> impl Iterator<Item = (&VariantEvidence, Ink)> {
    let mut proposed = 0;
    item.variants.iter().map(move |variant| {
        let ink = Ink::of(&variant.name, proposed);
        proposed += usize::from(variant.name.starts_with("proposed"));
        (variant, ink)
    })
}

/// A variant's name, marked where its figures are no gain.
fn label(variant: &VariantEvidence) -> String {
    if variant.stands() {
        variant.name.clone()
    } else {
        format!("{} {}", Tone::Act.mark(), variant.name)
    }
}

fn titled(what: &str, operation: &str) -> String {
    if operation.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {operation}")
    }
}

/// Median latency with a band up to p95, along the ladder. Every variant was measured beside
/// the baseline; the one drawn is the baseline of the last pair, the optimized one's.
pub(crate) fn latency(item: &ItemEvidence, operation: &str) -> Result<Option<String>, PlotError> {
    let mut series = Vec::new();
    let mut today = Vec::new();
    for (variant, ink) in inks(item) {
        let mut points = Vec::new();
        let mut baseline = Vec::new();
        for l in variant.latency.iter().filter(|l| l.operation == operation) {
            let point = |p: &verdict_audit::evidence::Percentiles| Point {
                x: l.n as f64,
                y: p.p50,
                range: Some((p.p50, p.p95)),
            };
            points.push(point(&l.variant));
            baseline.push(point(&l.baseline));
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
        title: titled("Latency, median with a band up to p95", operation),
        x_name: "n (rows)".to_owned(),
        y_name: "time per call".to_owned(),
        show_y: units::duration,
        series,
        lines: Vec::new(),
    }
    .svg()
}

/// How many times faster than today along the ladder, of the variants whose answers stand.
pub(crate) fn ratio(item: &ItemEvidence, operation: &str) -> Result<Option<String>, PlotError> {
    let mut series: Vec<Series> = inks(item)
        .filter(|(variant, _)| variant.stands())
        .map(|(variant, ink)| Series {
            label: variant.name.clone(),
            ink,
            style: Style::Bars,
            points: variant
                .latency
                .iter()
                .filter(|l| l.operation == operation)
                .map(|l| Point {
                    x: l.n as f64,
                    y: l.ratio.value,
                    range: Some((l.ratio.lo, l.ratio.hi)),
                })
                .collect(),
        })
        .collect();
    sort(&mut series);
    Plot {
        title: titled("Times faster than today, with 95 % intervals", operation),
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
pub(crate) fn work(item: &ItemEvidence, operation: &str) -> Result<Option<String>, PlotError> {
    let Some(counter) = fitted_counter(item, operation) else {
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
                .filter(|rung| rung.operation == operation)
                .filter_map(|rung| {
                    Some(Point {
                        x: rung.n as f64,
                        y: *rung.counters.get(&counter)?,
                        range: None,
                    })
                })
                .collect(),
        })
        .collect();
    sort(&mut series);
    let name = counter.replace('_', " ");
    Plot {
        title: titled(&format!("Work, {name} per call"), operation),
        x_name: "n (rows)".to_owned(),
        y_name: name,
        show_y: units::count,
        series,
        lines: Vec::new(),
    }
    .svg()
}

/// The counter that was fitted for this operation, or else for another one, or else the first.
fn fitted_counter(item: &ItemEvidence, operation: &str) -> Option<String> {
    let fits = || item.variants.iter().filter_map(|v| v.complexity.as_ref());
    fits()
        .find(|fit| fit.operation == operation)
        .or_else(|| fits().next())
        .map(|fit| fit.counter.clone())
        .or_else(|| {
            let mut rungs = item.variants.iter().flat_map(|variant| &variant.work);
            rungs.find_map(|rung| rung.counters.keys().next().cloned())
        })
}

fn sort(series: &mut [Series]) {
    for one in series {
        one.points.sort_by(|a, b| a.x.total_cmp(&b.x));
    }
}

const SIDES: [(&str, Ink); 2] = [("baseline", Ink::Baseline), ("optimized", Ink::Optimized)];

fn closed_loop<'a>(
    flows: &'a [FlowEvidence],
    id: &'a str,
    side: &'a str,
) -> impl Iterator<Item = (f64, &'a FlowEvidence)> {
    flows
        .iter()
        .filter(move |row| row.id == id && row.side == side)
        .filter_map(|row| Some((f64::from(row.users?), row)))
}

/// p95 over concurrency, each with its interval, and the goal.
pub(crate) fn p95(flows: &[FlowEvidence], id: &str) -> Result<Option<String>, PlotError> {
    let mut series: Vec<Series> = SIDES
        .map(|(side, ink)| Series {
            label: side.to_owned(),
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
        .find(|row| row.id == id && row.side == "optimized")
        .map(|row| Line {
            label: format!("goal {}", units::duration(row.target_ms * 1e3)),
            y: row.target_ms * 1e3,
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
    id: &str,
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
            label: side.to_owned(),
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
