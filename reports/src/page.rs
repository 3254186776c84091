//! The report's page as its template needs it: sections, with every figure already in words.

use std::collections::BTreeMap;

use askama::Template;
use verdict_audit::evidence::{ClaimEvidence, Host, ItemEvidence, Results, VariantEvidence};
use verdict_audit::{Catalogue, Verdict, rules};

use crate::charts;
use crate::flow_page::{FlowSection, flow_sections, load};
use crate::html::Artefact;
use crate::plot::PlotError;
use crate::table::expectation;
use crate::tone::Tone;
use crate::units;

#[derive(Template)]
#[template(path = "index.html")]
pub(crate) struct Page<'a> {
    results: &'a Results,
    audit: &'static Catalogue,
    headline: String,
    memory: String,
    self_check: Option<SelfCheck>,
    groups: Vec<Group>,
    items: Vec<Section<'a>>,
    flows: Vec<FlowSection<'a>>,
    artefacts: &'a [Artefact],
    min_requests: u64,
    about: f64,
}

/// The A/A pair in words.
struct SelfCheck {
    words: String,
    sound: bool,
}

/// The rows of the summary that ask for the same.
struct Group {
    tone: Tone,
    rows: Vec<SummaryRow>,
}

struct SummaryRow {
    anchor: String,
    name: String,
    variant: String,
    expected: String,
    measured: String,
    verdict: Verdict,
    reason: String,
}

struct Section<'a> {
    item: &'a ItemEvidence,
    title: &'static str,
    source: &'static str,
    variants: Vec<VariantView<'a>>,
    operations: Vec<OperationView>,
}

struct VariantView<'a> {
    evidence: &'a VariantEvidence,
    growth: Option<String>,
    prices: Vec<[String; 4]>,
    claims: Vec<ClaimView<'a>>,
}

struct ClaimView<'a> {
    claim: &'a ClaimEvidence,
    tone: Tone,
}

struct OperationView {
    name: String,
    /// Counted and not timed: folded away.
    aside: bool,
    charts: Vec<String>,
    timings: Vec<Timing>,
    counters: Vec<String>,
    work: Vec<WorkRow>,
}

/// A pair at one rung.
struct Timing {
    n: String,
    variant: String,
    baseline: [String; 3],
    percentiles: [String; 3],
    ratio: String,
    blocks: usize,
}

struct WorkRow {
    n: String,
    variant: String,
    cells: Vec<String>,
    plan: String,
}

impl<'a> Page<'a> {
    pub(crate) fn of(results: &'a Results, artefacts: &'a [Artefact]) -> Result<Self, PlotError> {
        let audit = Catalogue::builtin();
        let groups = groups(results);
        Ok(Self {
            results,
            audit,
            headline: headline(&groups),
            memory: memory(&results.run.host),
            self_check: results.run.aa.as_ref().map(|check| SelfCheck {
                words: format!("{}, {}", check.ratio, check.verdict),
                sound: check.verdict == Verdict::NoEffect,
            }),
            groups,
            items: results
                .items
                .iter()
                .map(|item| section(item, audit))
                .collect::<Result<_, _>>()?,
            flows: flow_sections(results, audit)?,
            artefacts,
            min_requests: rules::MIN_REQUESTS,
            about: rules::ABOUT,
        })
    }
}

fn memory(host: &Host) -> String {
    units::bytes(host.memory as f64)
}

fn headline(groups: &[Group]) -> String {
    let count = |tone| {
        groups
            .iter()
            .find(|group| group.tone == tone)
            .map_or(0, |group| group.rows.len())
    };
    let verdicts: usize = groups.iter().map(|group| group.rows.len()).sum();
    if verdicts == 0 {
        return "Nothing was judged in this run.".to_owned();
    }
    let act = match count(Tone::Act) {
        0 => "none asks you to act".to_owned(),
        1 => "1 asks you to act".to_owned(),
        n => format!("{n} ask you to act"),
    };
    format!(
        "{verdicts} verdicts: {act}, {} as promised or better, {} less than promised, {} undecided.",
        count(Tone::Good),
        count(Tone::Less),
        count(Tone::Open)
    )
}

fn groups(results: &Results) -> Vec<Group> {
    let items = results.items.iter().flat_map(|item| {
        item.variants.iter().flat_map(move |variant| {
            variant.claims.iter().map(move |claim| SummaryRow {
                anchor: item.id.clone(),
                name: format!("{} {}", item.number, item.id),
                variant: variant.name.clone(),
                expected: claim.expected.clone(),
                measured: claim.measured.clone(),
                verdict: claim.verdict,
                reason: claim.reason.clone(),
            })
        })
    });
    let flows = results
        .flows
        .iter()
        .filter(|row| row.judged)
        .map(|row| SummaryRow {
            anchor: format!("flow-{}", row.id),
            name: format!("flow {}", row.id),
            variant: row.side.clone(),
            expected: expectation(&row.side, row.target_ms),
            measured: format!(
                "p95 {} at {}",
                units::estimate(&row.p95, units::duration),
                load(row)
            ),
            verdict: row.verdict,
            reason: row.reason.clone(),
        });
    let mut by_tone: BTreeMap<Tone, Vec<SummaryRow>> = BTreeMap::new();
    for row in items.chain(flows) {
        by_tone.entry(Tone::of(row.verdict)).or_default().push(row);
    }
    Tone::ALL
        .into_iter()
        .filter_map(|tone| {
            Some(Group {
                tone,
                rows: by_tone.remove(&tone)?,
            })
        })
        .collect()
}

fn section<'a>(
    item: &'a ItemEvidence,
    audit: &'static Catalogue,
) -> Result<Section<'a>, PlotError> {
    let known = audit
        .items
        .iter()
        .find(|known| known.id.as_str() == item.id);
    Ok(Section {
        item,
        title: known.map_or("not in this audit", |known| &known.title),
        source: known.map_or("", |known| &known.source),
        variants: item.variants.iter().map(variant_view).collect(),
        operations: charts::operations(item)
            .into_iter()
            .map(|operation| operation_view(item, operation))
            .collect::<Result<_, _>>()?,
    })
}

fn variant_view(evidence: &VariantEvidence) -> VariantView<'_> {
    let growth = evidence.complexity.as_ref().map(|fit| {
        let interval = match (fit.lo, fit.hi) {
            (Some(lo), Some(hi)) => format!("{lo:.2} to {hi:.2}"),
            _ => "no interval".to_owned(),
        };
        let order = fit
            .lo
            .zip(fit.hi)
            .and_then(|(lo, hi)| rules::Growth { lo, hi }.order())
            .map(|order| format!(", {order}"))
            .unwrap_or_default();
        let operation = match fit.operation.as_str() {
            "" => String::new(),
            name => format!(" of {name}"),
        };
        format!(
            "slope {:.2} ({interval}){order}: {}{operation} over {} rungs",
            fit.slope,
            fit.counter.replace('_', " "),
            fit.rungs
        )
    });
    VariantView {
        evidence,
        growth,
        prices: evidence
            .price
            .iter()
            .map(|price| {
                [
                    price.what.clone(),
                    units::in_unit(price.baseline, &price.unit),
                    units::in_unit(price.variant, &price.unit),
                    units::in_unit(price.variant - price.baseline, &price.unit),
                ]
            })
            .collect(),
        claims: evidence
            .claims
            .iter()
            .map(|claim| ClaimView {
                claim,
                tone: Tone::of(claim.verdict),
            })
            .collect(),
    }
}

fn operation_view(item: &ItemEvidence, name: String) -> Result<OperationView, PlotError> {
    let charts = [
        charts::work(item, &name)?,
        charts::latency(item, &name)?,
        charts::ratio(item, &name)?,
    ];
    let mut timings = Vec::new();
    let mut rungs = Vec::new();
    for variant in &item.variants {
        for l in variant.latency.iter().filter(|l| l.operation == name) {
            let three = |p: &verdict_audit::evidence::Percentiles| {
                [p.p50, p.p95, p.p99].map(units::duration)
            };
            timings.push((
                l.n,
                Timing {
                    n: units::count(l.n as f64),
                    variant: variant.name.clone(),
                    baseline: three(&l.baseline),
                    percentiles: three(&l.variant),
                    ratio: if variant.stands() {
                        l.ratio.to_string()
                    } else {
                        "no gain: answers differ".to_owned()
                    },
                    blocks: l.blocks,
                },
            ));
        }
        let counted = variant.work.iter().filter(|rung| rung.operation == name);
        rungs.extend(counted.map(|rung| (variant.name.as_str(), rung)));
    }
    timings.sort_by_key(|(n, _)| *n);
    rungs.sort_by_key(|(_, rung)| rung.n);
    let mut counters: Vec<String> = rungs
        .iter()
        .flat_map(|(_, rung)| rung.counters.keys().cloned())
        .collect();
    counters.sort();
    counters.dedup();
    let work = rungs
        .iter()
        .map(|(variant, rung)| WorkRow {
            n: units::count(rung.n as f64),
            variant: (*variant).to_owned(),
            cells: counters
                .iter()
                .map(|counter| match rung.counters.get(counter) {
                    Some(value) if counter.ends_with("bytes") => units::bytes(*value),
                    Some(value) => units::count(*value),
                    None => "–".to_owned(),
                })
                .collect(),
            plan: rung.plan.clone().unwrap_or_default(),
        })
        .collect();
    Ok(OperationView {
        charts: charts.into_iter().flatten().collect(),
        aside: timings.is_empty(),
        timings: timings.into_iter().map(|(_, timing)| timing).collect(),
        counters: counters.iter().map(|name| name.replace('_', " ")).collect(),
        work,
        name,
    })
}
