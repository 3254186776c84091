//! Gates from a run.

use std::fmt::Write;

use verdict_audit::evidence::{ItemEvidence, Latency, PlanMode, Results, VariantEvidence, Work};
use verdict_audit::rules::Interval;
use verdict_audit::{At, Counter, Side, VariantName, Verdict};

use super::file::SCHEMA;

/// What a fix is made for, and a rerun finds again.
const GATED: [Counter; 6] = [
    Counter::Statements,
    Counter::WireTurns,
    Counter::RowsRead,
    Counter::RowsWritten,
    Counter::RedisCommands,
    Counter::TimeOuts,
];

/// A `gates.toml` that these results just hold, commented.
pub fn propose(results: &Results) -> String {
    let mut text = format!(
        "# Gates that a run held: `verdict gate` holds results to them, one line each.\n\
         # Answers and counted work fail hard. What is timed fails only where the whole interval,\n\
         # noise floor included, is on the wrong side. Written by `verdict gate --propose`\n\
         # from a run of {} UTC{}; change what you like.\n\
         schema = {SCHEMA}\n\
         # Results of another world cannot be judged by these.\n\
         scale = \"{}\"\n\
         seed = {}\n\n\
         # By how much a counter may be more than its gate, as a share. What is not named has the\n\
         # margin of its kind: 0.005 of what is countable on fingers, 0.1 of rows and pages read and\n\
         # one of them at least, 0.05 of bytes and of whatever several callers do at once.\n\
         [margins]\n# rows_read = 0.05\n",
        results.run.time.format("%Y-%m-%d %H:%M"),
        results
            .run
            .commit
            .as_ref()
            .map_or_else(String::new, |commit| format!(", commit {commit}")),
        results.run.scale,
        results.run.seed
    );
    for item in &results.items {
        of_item(&mut text, item);
    }
    let held = results.targets.iter().filter(|target| {
        target.side == Side::Optimized
            && [Verdict::Confirmed, Verdict::Exceeded].contains(&target.verdict)
    });
    for target in held {
        let _ = write!(
            text,
            "\n[[flows]]\nid = \"{}\"\n# p95 where the audit's target is judged, at most.\np95_ms = {:?}\n",
            target.id, target.target_ms
        );
    }
    text
}

fn of_item(text: &mut String, item: &ItemEvidence) {
    let mut variants = item.variants.iter();
    let Some(fix) = variants.find(|one| one.name == VariantName::Optimized) else {
        return;
    };
    let _ = write!(
        text,
        "\n[[items]]\nid = \"{}\"\n# The fix answers as is due, today's operations still run on its schema, and no claim is a regression.\nanswers = true\nno_regression = true\n",
        item.id
    );
    list(
        text,
        "work",
        "the most of each counter, per call",
        fix.work.iter().filter_map(work),
    );
    list(text, "growth", "along the ladder, at most", growth(fix));
    list(
        text,
        "speed_up",
        "today ÷ the fix, at least: the lower end of what was measured",
        fix.latency.iter().filter_map(speed_up),
    );
}

fn list(text: &mut String, name: &str, about: &str, entries: impl Iterator<Item = String>) {
    let entries: Vec<String> = entries.collect();
    if entries.is_empty() {
        return;
    }
    let _ = writeln!(text, "# {about}\n{name} = [");
    for entry in entries {
        let _ = writeln!(text, "    {{ {entry} }},");
    }
    let _ = writeln!(text, "]");
}

fn place(at: At) -> String {
    match at.is_rung() {
        true => at.n.to_string(),
        false => format!(
            "{{ n = {}, callers = {}, round_trip_us = {} }}",
            at.n, at.callers, at.round_trip_us
        ),
    }
}

fn work(work: &Work) -> Option<String> {
    if work.plan_mode != PlanMode::Auto {
        return None;
    }
    let counted = GATED.iter().filter_map(|counter| {
        let value = work.counters.get(counter)?;
        Some(format!("{} = {value:?}", counter.as_str()))
    });
    let counted: Vec<String> = counted.collect();
    (!counted.is_empty()).then(|| {
        format!(
            "operation = \"{}\", at = {}, most = {{ {} }}",
            work.operation,
            place(work.at),
            counted.join(", ")
        )
    })
}

fn growth(fix: &VariantEvidence) -> impl Iterator<Item = String> {
    fix.growth.iter().filter_map(|growth| {
        let interval = Interval {
            lo: growth.lo?,
            hi: growth.hi?,
        };
        let class = interval.order()?;
        (growth.plan_mode == PlanMode::Auto).then(|| {
            format!(
                "operation = \"{}\", counter = \"{}\", class = \"{class}\"",
                growth.operation,
                growth.counter.as_str()
            )
        })
    })
}

fn speed_up(latency: &Latency) -> Option<String> {
    let least = (latency.judged?.lo * 100.0).floor() / 100.0;
    (least > 1.0).then(|| {
        format!(
            "operation = \"{}\", at = {}, least = {least:?}",
            latency.operation,
            place(latency.at)
        )
    })
}
