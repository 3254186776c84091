//! The report's page as its template needs it: sections, with every figure already in words.

use std::collections::BTreeMap;

use askama::Template;
use verdict_audit::evidence::{
    ClaimEvidence, Growth, Host, ItemEvidence, Results, Run, VariantEvidence, Work,
};
use verdict_audit::{Catalogue, Counter, Finding, VariantName, Verdict, load_rules, rules};

use crate::artefact::Artefact;
use crate::charts::{self, Measured};
use crate::flow_page::{FlowSection, flow_sections};
use crate::line_page;
use crate::plot::PlotError;
use crate::table::{UnderLoad, expectation, measured, noise, under_load, without_tails};
use crate::timing_page::{Timing, gains, place, timings};
use crate::tone::Tone;
use crate::units;

#[derive(Template)]
#[template(path = "index.html")]
pub(crate) struct Page<'a> {
    results: &'a Results,
    audit: &'static Catalogue,
    headline: String,
    memory: String,
    sizes: String,
    /// Whether ClickHouse was the library and not the server.
    embedded: bool,
    self_check: Option<SelfCheck>,
    groups: Vec<Group>,
    under_load: Vec<UnderLoad>,
    /// Where there is no ratio of p95, and why.
    without_tails: Option<String>,
    items: Vec<Section<'a>>,
    flows: Vec<FlowSection<'a>>,
    artefacts: &'a [Artefact],
    /// Findings that this run has no evidence for.
    waiting: Vec<&'static Finding>,
    min_requests: u64,
    about: f64,
}

/// The A/A pair in words.
struct SelfCheck {
    words: String,
    sound: bool,
    /// The largest effect that may be noise.
    noise: String,
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
    class: &'static str,
    growth: Vec<String>,
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
    /// What gains are made of.
    gains: Vec<String>,
    /// Where the gain comes to what is promised as the line gets slower.
    crossings: Vec<String>,
    counters: Vec<String>,
    work: Vec<WorkRow>,
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
            sizes: sizes(&results.run),
            embedded: results
                .run
                .engines
                .iter()
                .any(|engine| engine.name == "clickhouse" && engine.mode == "embedded"),
            self_check: results.run.aa.as_ref().map(|check| SelfCheck {
                words: format!("{}, {}", check.ratio, check.verdict),
                sound: check.verdict == Verdict::NoEffect,
                noise: noise(check),
            }),
            groups,
            under_load: under_load(results),
            without_tails: without_tails(results),
            items: results
                .items
                .iter()
                .map(|item| section(item, audit))
                .collect::<Result<_, _>>()?,
            flows: flow_sections(results, audit)?,
            artefacts,
            waiting: audit
                .items
                .iter()
                .filter(|finding| results.items.iter().all(|item| item.id != finding.id))
                .collect(),
            min_requests: load_rules::MIN_REQUESTS,
            about: load_rules::ABOUT,
        })
    }
}

fn memory(host: &Host) -> String {
    units::bytes(host.memory as f64)
}

/// `, 10 000 users, 1 500 000 messages`.
fn sizes(run: &Run) -> String {
    let of = |(name, size): (&String, &u64)| format!(", {} {name}", units::count(*size as f64));
    run.sizes.iter().map(of).collect()
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
                anchor: item.id.to_string(),
                name: format!("{} {}", item.number, item.id),
                variant: variant.name.to_string(),
                expected: claim.expected.clone(),
                measured: claim.measured.clone(),
                verdict: claim.verdict,
                reason: claim.reason.clone(),
            })
        })
    });
    let flows = results.targets.iter().map(|target| SummaryRow {
        anchor: format!("flow-{}", target.id),
        name: format!("flow {}", target.id),
        variant: target.side.to_string(),
        expected: expectation(target.side, Some(target.target_ms)),
        measured: format!("p95 {}", measured(target)),
        verdict: target.verdict,
        reason: format!("{}; {}", target.says, target.reason),
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
    let known = audit.items.iter().find(|known| known.id == item.id);
    Ok(Section {
        item,
        title: known.map_or("not in this audit", |known| &known.title),
        source: known.map_or("", |known| &known.source),
        variants: item.variants.iter().map(variant_view).collect(),
        operations: charts::operations(item)
            .into_iter()
            .map(|measured| operation_view(item, &measured))
            .collect::<Result<_, _>>()?,
    })
}

fn growth_words(fit: &Growth) -> String {
    let interval = match (fit.lo, fit.hi) {
        (Some(lo), Some(hi)) => format!("{lo:.2} to {hi:.2}"),
        _ => "no interval".to_owned(),
    };
    let order = fit
        .lo
        .zip(fit.hi)
        .and_then(|(lo, hi)| rules::Interval { lo, hi }.order())
        .map(|order| format!(", {order}"))
        .unwrap_or_default();
    let measured = Measured {
        operation: fit.operation.clone(),
        plan_mode: fit.plan_mode,
    };
    format!(
        "slope {:.2} ({interval}){order}: {} of {} over {} rungs",
        fit.slope,
        fit.counter.words(),
        measured.title(),
        fit.rungs
    )
}

fn variant_view(evidence: &VariantEvidence) -> VariantView<'_> {
    VariantView {
        evidence,
        class: match evidence.name {
            VariantName::Baseline => "baseline",
            VariantName::Proposed(_) | VariantName::Mended(_) => "proposed",
            VariantName::Optimized => "optimized",
        },
        growth: evidence
            .growth
            .iter()
            .filter(|fit| fit.counter == Counter::RowsRead || fit.slope != 0.0)
            .map(growth_words)
            .collect(),
        prices: evidence
            .price
            .iter()
            .map(|price| {
                [
                    price.what.to_string(),
                    units::in_unit(price.baseline, price.unit),
                    units::in_unit(price.variant, price.unit),
                    units::in_unit(price.variant - price.baseline, price.unit),
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

fn operation_view(item: &ItemEvidence, measured: &Measured) -> Result<OperationView, PlotError> {
    let charts = [
        charts::work(item, measured)?,
        charts::latency(item, measured)?,
        charts::ratio(item, measured)?,
        line_page::chart(item, measured)?,
    ];
    let timings = timings(item, measured);
    let (counters, work) = work(item, measured);
    Ok(OperationView {
        name: measured.title(),
        charts: charts.into_iter().flatten().collect(),
        aside: timings.is_empty(),
        timings,
        gains: gains(item, measured),
        crossings: line_page::crossings(item, measured),
        counters: counters
            .iter()
            .map(|counter| counter.words().to_owned())
            .collect(),
        work,
    })
}

fn work(item: &ItemEvidence, measured: &Measured) -> (Vec<Counter>, Vec<WorkRow>) {
    let mut rungs: Vec<(&VariantName, &Work)> = Vec::new();
    for variant in &item.variants {
        let counted = variant.work.iter().filter(|rung| {
            rung.operation == measured.operation && rung.plan_mode == measured.plan_mode
        });
        rungs.extend(counted.map(|rung| (&variant.name, rung)));
    }
    rungs.sort_by_key(|(_, rung)| rung.at);
    // A column in which nobody counted anything is no help.
    let counters: Vec<Counter> = Counter::ALL
        .into_iter()
        .filter(|counter| {
            let mut values = rungs
                .iter()
                .filter_map(|(_, rung)| rung.counters.get(counter));
            values.any(|value| *value != 0.0)
        })
        .collect();
    let rows = rungs
        .iter()
        .map(|(variant, rung)| WorkRow {
            n: place(rung.at),
            variant: variant.to_string(),
            cells: counters
                .iter()
                .map(|counter| match rung.counters.get(counter) {
                    Some(value) => units::in_unit(*value, counter.unit()),
                    None => "–".to_owned(),
                })
                .collect(),
            plan: rung
                .plans
                .map(|plans| plans.to_string())
                .unwrap_or_default(),
        })
        .collect();
    (counters, rows)
}
