//! Gates' lines for machines and for people elsewhere.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Line, Standing};

/// JUnit's XML: one suite per item or flow.
///
/// # Errors
/// When a line has what XML cannot hold.
pub fn junit(lines: &[Line]) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("verdict gate");
    for of_one in lines.chunk_by(|one, other| one.subject == other.subject) {
        let mut suite = TestSuite::new(&of_one[0].subject);
        suite.add_test_cases(of_one.iter().map(case));
        report.add_test_suite(suite);
    }
    report.to_string()
}

fn case(line: &Line) -> TestCase {
    let mut status = match line.standing {
        Standing::Missed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Standing::Unknown => TestCaseStatus::non_success(NonSuccessKind::Error),
        Standing::Untimed => TestCaseStatus::skipped(),
        Standing::Open | Standing::Met => TestCaseStatus::success(),
    };
    status.set_message(&line.words);
    let mut case = TestCase::new(&line.gate, status);
    case.set_classname(&line.subject);
    if [Standing::Open, Standing::Met].contains(&line.standing) {
        case.set_system_out(&line.words);
    }
    case
}

/// A page for a CI's summary: what needs somebody first, the rest folded.
pub fn markdown(lines: &[Line]) -> String {
    let count = |standing| {
        lines
            .iter()
            .filter(|line| line.standing == standing)
            .count()
    };
    let mut text = format!(
        "### Gates: {} missed, {} cannot be judged, {} open, {} met\n",
        count(Standing::Missed),
        count(Standing::Unknown),
        count(Standing::Open),
        count(Standing::Met)
    );
    let loud = |line: &&Line| [Standing::Missed, Standing::Unknown].contains(&line.standing);
    text.push_str(&table(lines.iter().filter(loud)));
    let quiet = table(lines.iter().filter(|line| !loud(line)));
    if !quiet.is_empty() {
        text.push_str(&format!(
            "\n<details><summary>the others</summary>\n{quiet}\n</details>\n"
        ));
    }
    text
}

fn table<'a>(lines: impl Iterator<Item = &'a Line>) -> String {
    let cell = |words: &str| {
        words
            .replace('|', "\\|")
            .replace(['\n', '\r'], " ")
            .replace('<', "&lt;")
    };
    let rows: String = lines
        .map(|line| {
            format!(
                "| {} | {} | {} | {} |\n",
                line.standing,
                cell(&line.subject),
                cell(&line.gate),
                cell(&line.words)
            )
        })
        .collect();
    match rows.is_empty() {
        true => rows,
        false => format!("\n| | item or flow | gate | found |\n|---|---|---|---|\n{rows}"),
    }
}

/// The lines as JSON.
///
/// # Errors
/// None that is known of.
pub fn json(lines: &[Line]) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(lines)? + "\n")
}

/// Workflow commands that a CI shows beside the change: errors and warnings, one line each.
pub fn annotations(lines: &[Line]) -> String {
    let escape = |words: &str| {
        words
            .replace('%', "%25")
            .replace('\r', "%0D")
            .replace('\n', "%0A")
    };
    lines
        .iter()
        .filter_map(|line| {
            let kind = match line.standing {
                Standing::Missed => "error",
                Standing::Unknown => "warning",
                _ => return None,
            };
            let title = escape(&format!("{}: {}", line.subject, line.gate));
            let title = title.replace(':', "%3A").replace(',', "%2C");
            Some(format!("::{kind} title={title}::{}\n", escape(&line.words)))
        })
        .collect()
}
