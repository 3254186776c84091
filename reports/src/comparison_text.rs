//! Two runs beside each other, and one figure over many runs, for the terminal.

use verdict_audit::evidence::Ratio;
use verdict_history::comparison::Change;
use verdict_history::{Comparison, Figure, Measure, Record, Trend, Way};

use crate::units;

/// Lines of what changed that are shown where only the gist is asked for.
const GIST: usize = 5;

/// The whole of a comparison: what sets the runs apart, what surely went either way, and every
/// ratio of both with its interval. Ends with a newline.
pub fn render(before: &Record, after: &Record, comparison: &Comparison) -> String {
    let mut lines = vec![
        format!("before: {}", run(before)),
        format!("after:  {}", run(after)),
    ];
    lines.extend(apart(comparison));
    lines.extend(moved(comparison));
    for way in [Way::Worse, Way::Better] {
        lines.extend(went(comparison, way, usize::MAX));
    }
    lines.extend(turns(comparison, usize::MAX));
    let timed = comparison.changes.iter().filter(|one| one.ratio.is_some());
    let timed: Vec<&Change> = timed.collect();
    if !timed.is_empty() {
        lines.push("ratios of both runs, and the later ÷ the earlier:".to_owned());
        lines.extend(
            timed
                .into_iter()
                .map(|change| format!("  {}", line(change))),
        );
    }
    lines.push(rest(comparison));
    lines.join("\n") + "\n"
}

/// What a run came to since the last of its kind, in a few lines. Ends with a newline.
pub fn since(before: &Record, comparison: &Comparison) -> String {
    let mut lines = vec![format!("since your last run, {}:", run(before))];
    for way in [Way::Worse, Way::Better] {
        lines.extend(went(comparison, way, GIST));
    }
    lines.extend(turns(comparison, GIST));
    lines.push(rest(comparison));
    lines.join("\n") + "\n"
}

/// Each figure over its runs, with the first run after each change. Ends with a newline.
pub fn trends(trends: &[Trend]) -> String {
    let mut lines = Vec::new();
    for trend in trends {
        let values: Vec<f64> = trend.points.iter().map(|point| point.value).collect();
        let last = values.last().copied().unwrap_or_default();
        lines.push(format!(
            "{} {} in {} runs  {}",
            trend.key,
            value(trend.key.measure, last),
            values.len(),
            spark(&values)
        ));
        for place in &trend.changes {
            let parts = [&values[..*place], &values[*place..]];
            let [was, is] = parts.map(|part| value(trend.key.measure, median(part)));
            let point = &trend.points[*place];
            lines.push(format!(
                "  {was} to {is} with {} of {}",
                point.commit.as_deref().unwrap_or("a tree without a commit"),
                point.time.format("%Y-%m-%d %H:%M")
            ));
        }
    }
    if lines.is_empty() {
        lines.push("no figure of this kind in the history".to_owned());
    }
    lines.join("\n") + "\n"
}

fn run(record: &Record) -> String {
    let run = &record.run;
    let commit = run.commit.as_deref();
    let commit = commit.map(|commit| format!(", commit {commit}"));
    format!(
        "{} UTC{}, {} scale on {}",
        run.time.format("%Y-%m-%d %H:%M"),
        commit.unwrap_or_default(),
        run.scale,
        run.host.name
    )
}

fn apart(comparison: &Comparison) -> Vec<String> {
    if comparison.apart.is_empty() {
        return Vec::new();
    }
    let mut lines =
        vec!["not alike, so what follows says as much about this as about the code:".to_owned()];
    lines.extend(comparison.apart.iter().map(|apart| format!("  {apart}")));
    lines
}

/// What says how far times by themselves may be compared.
fn moved(comparison: &Comparison) -> Option<String> {
    let moved = comparison.machine?;
    Some(format!(
        "today's own calls took {moved} the time of before: the machine; ratios, which were taken \
         in the same minutes, are compared"
    ))
}

fn went(comparison: &Comparison, way: Way, most: usize) -> Vec<String> {
    let word = match way {
        Way::Worse => "worse",
        Way::Better => "better",
        Way::Same => "the same",
    };
    let changes: Vec<&Change> = comparison.that_went(way).collect();
    let all = comparison.changes.len();
    let mut lines = vec![match changes.len() {
        0 => format!("{word}: none of {all} figures"),
        some => format!("{word}: {some} of {all} figures"),
    }];
    lines.extend(listed(changes.into_iter().map(line), most));
    lines
}

fn turns(comparison: &Comparison, most: usize) -> Vec<String> {
    if comparison.turns.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("other verdicts: {}", comparison.turns.len())];
    let turns = comparison.turns.iter();
    let turns = turns.map(|turn| format!("{}: {} to {}", turn.of, turn.before, turn.after));
    lines.extend(listed(turns, most));
    lines
}

fn listed(lines: impl ExactSizeIterator<Item = String>, most: usize) -> Vec<String> {
    let more = lines.len().saturating_sub(most);
    let mut listed: Vec<String> = lines.take(most).map(|line| format!("  {line}")).collect();
    if more > 0 {
        listed.push(format!("  and {more} more: `verdict compare` has them"));
    }
    listed
}

fn line(change: &Change) -> String {
    let Change {
        before,
        after,
        ratio,
        ..
    } = change;
    let shown = |figure: &Figure| match figure.with_interval() {
        Some(ratio) => ratio.to_string(),
        None => value(figure.key.measure, figure.value),
    };
    let ratio = ratio.map(|ratio: Ratio| format!(", {ratio}"));
    format!(
        "{} {} to {}{}",
        before.key,
        shown(before),
        shown(after),
        ratio.unwrap_or_default()
    )
}

fn rest(comparison: &Comparison) -> String {
    let same = comparison.that_went(Way::Same).count();
    let mut words = format!("the same within what can be told: {same}");
    for (only, run) in [
        (comparison.only_before, "the earlier"),
        (comparison.only_after, "the later"),
    ] {
        if only > 0 {
            words.push_str(&format!("; {only} figures only in {run} run"));
        }
    }
    words
}

fn value(measure: Measure, value: f64) -> String {
    match measure {
        Measure::SpeedUp | Measure::TailSpeedUp => format!("{value:.2}x"),
        Measure::Median | Measure::P95 => units::duration(value),
        Measure::Work(counter) => units::in_unit(value, counter.unit()),
        Measure::WrongAnswers => format!("{value:.0}"),
        Measure::Throughput => format!("{value:.1}/s"),
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// The last runs as bars from the least to the most of them.
fn spark(values: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const MOST: usize = 40;
    let shown = &values[values.len().saturating_sub(MOST)..];
    let least = shown.iter().copied().fold(f64::INFINITY, f64::min);
    let most = shown.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    shown
        .iter()
        .map(|value| {
            let share = (value - least) / (most - least);
            let bar = if share.is_finite() { share * 7.0 } else { 0.0 };
            BARS[bar.round() as usize]
        })
        .collect()
}
