//! What people read: the terminal's table and the report.

mod common;

use verdict_audit::Counter;
use verdict_audit::evidence::Ratio;
use verdict_reports::artefact::Artefact;
use verdict_reports::html;
use verdict_reports::table;

fn artefacts() -> Vec<Artefact> {
    vec![Artefact {
        title: "baseline".to_owned(),
        href: "goose-baseline.html".to_owned(),
    }]
}

/// The page with each chart replaced by its label: charts are held to their own tests.
fn without_charts(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some(start) = rest.find("<svg ") {
        let end = rest[start..].find("</svg>").expect("a closed chart") + start;
        let label = rest[start..end].split('"').nth(3).expect("a label");
        text.push_str(&rest[..start]);
        text.push_str(&format!("[chart: {label}]"));
        rest = &rest[end + "</svg>".len()..];
    }
    text + rest
}

#[test]
fn the_table_of_a_run() {
    insta::assert_snapshot!(table::render(&common::results(), false));
}

#[test]
fn colour_changes_nothing_but_colour() {
    let results = common::results();
    let coloured = table::render(&results, true);
    assert!(coloured.contains("\u{1b}[31mwrong\u{1b}[0m"));
    let mut plain = coloured;
    for code in ["31", "32", "33", "36", "0"] {
        plain = plain.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(plain, table::render(&results, false));
}

#[test]
fn a_run_that_judged_nothing_says_so() {
    let mut results = common::results();
    results.items.clear();
    results.flows.clear();
    results.targets.clear();
    results.flow_ratios.clear();
    results.run.aa = None;
    assert!(table::render(&results, false).ends_with("no claim was judged\n"));
    let page = html::render(&results, &[]).unwrap();
    assert!(page.contains("Nothing was judged in this run."));
    assert!(page.contains("not measured"));
}

#[test]
fn where_no_ratio_of_p95_is_given_one_line_says_so() {
    let mut results = common::results();
    let line = "no ratio of p95 at ";
    assert!(!table::render(&results, false).contains(line));
    let variants = results.items.iter_mut().flat_map(|item| &mut item.variants);
    let cells: Vec<_> = variants.flat_map(|variant| &mut variant.latency).collect();
    let all = cells.len();
    cells
        .into_iter()
        .take(2)
        .for_each(|cell| cell.p95_ratio = None);
    for shown in [
        table::render(&results, false),
        html::render(&results, &[]).unwrap(),
    ] {
        assert_eq!(shown.matches(line).count(), 1);
        assert!(shown.contains(&format!("{line}2 of {all} places")));
    }
}

#[test]
fn the_report_of_a_run() {
    let page = html::render(&common::results(), &artefacts()).unwrap();
    let body = &page[page.find("<body>").expect("a body")..];
    insta::assert_snapshot!(without_charts(body));
}

#[test]
fn the_report_needs_nothing_from_elsewhere() {
    let page = html::render(&common::results(), &artefacts()).unwrap();
    for foreign in ["<script", "<link", "src=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let outside = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!outside.contains("http://") && !outside.contains("https://"));
}

#[test]
fn every_link_within_the_report_leads_somewhere() {
    let page = html::render(&common::results(), &[]).unwrap();
    let mut links = page.split("href=\"#").skip(1).peekable();
    assert!(links.peek().is_some());
    for link in links {
        let anchor = link.split('"').next().expect("an end");
        assert!(page.contains(&format!("id=\"{anchor}\"")), "#{anchor}");
    }
}

#[test]
fn a_self_check_that_tells_little_says_so_before_anything_else() {
    let mut results = common::results();
    results.run.aa = common::against_itself(Ratio {
        value: 1.3,
        lo: 1.1,
        hi: 1.6,
    });
    let page = html::render(&results, &[]).unwrap();
    let note = page.find("<div class=\"note less\">").expect("a note");
    assert!(note < page.find("<dl class=\"facts\">").expect("facts"));
    assert!(page[note..].contains("an effect of up to 60.0 % may be noise"));
    assert!(table::render(&results, false).starts_with("baseline against itself: 1.30x"));
    assert!(table::render(&results, false).contains("an effect of up to 60.0 % may be noise"));
}

#[test]
fn what_engines_say_is_shown_as_text_and_not_as_markup() {
    let mut results = common::results();
    results.items[0].variants[1].failure = Some("<script>alert(1)</script>".to_owned());
    let page = html::render(&results, &[]).unwrap();
    assert!(!page.contains("<script"));
}

#[test]
fn every_chart_is_well_formed_and_within_its_frame() {
    let page = html::render(&common::results(), &[]).unwrap();
    let charts: Vec<&str> = page
        .split("<svg ")
        .skip(1)
        .map(|rest| rest.split("</svg>").next().expect("a chart"))
        .collect();
    // Work, latency and ratio of four operations, p95 and throughput of three flows.
    assert_eq!(charts.len(), 20);
    for chart in charts {
        assert!(!chart.contains("NaN") && !chart.contains("inf"), "{chart}");
        let mut open = vec![];
        for tag in chart.split('<').skip(1) {
            let tag = tag.split('>').next().expect("a tag's end");
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "{chart}"),
                None if tag.ends_with('/') => {}
                None => open.extend(tag.split_whitespace().next()),
            }
            let x = tag.split(" x=\"").nth(1).and_then(|x| x.split('"').next());
            if let Some(x) = x.and_then(|x| x.parse::<i32>().ok()) {
                assert!((0..=620).contains(&x), "{tag}");
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}

#[test]
fn counts_of_zero_have_no_place_on_a_logarithmic_axis_and_break_nothing() {
    let mut results = common::results();
    for variant in &mut results.items[1].variants {
        for rung in &mut variant.work {
            rung.counters.insert(Counter::RowsRead, 0.0);
        }
    }
    assert!(html::render(&results, &[]).is_ok());
}

#[test]
fn the_report_is_written_where_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report/index.html");
    html::write(&path, &common::results(), &[]).unwrap();
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
}

#[test]
fn a_wrong_variant_has_no_ratio_in_table_or_chart() {
    let page = html::render(&common::results(), &[]).unwrap();
    let send =
        &page[page.find("id=\"message-send\"").unwrap()..page.find("id=\"pagination\"").unwrap()];
    let cte = send
        .split("<tr>")
        .filter(|row| row.contains(">proposed-cte</td>"));
    for row in cte.filter(|row| row.contains(" µs") || row.contains(" ms")) {
        assert!(row.contains("no gain: answers differ"), "{row}");
    }
    let chart = send
        .split("aria-label=\"Times faster")
        .nth(1)
        .expect("a chart of ratios");
    assert!(!chart[..chart.find("</svg>").unwrap()].contains("proposed-cte"));
}

#[test]
fn a_table_has_room_for_a_cell_of_any_length() {
    let mut results = common::results();
    let long = "é".repeat(100_000);
    let claim = &mut results.items[0].variants[1].claims[0];
    claim.expected.clone_from(&long);
    claim.measured = long;
    let table = table::render(&results, false);
    assert!(table.lines().any(|line| line.contains('…')));
    assert!(table.lines().all(|line| line.chars().count() < 1_000));
}
