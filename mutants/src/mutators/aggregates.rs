//! What is counted, collected and summed.

use crate::mutant::{Kind, Mutant};
use crate::sql::Sql;
use crate::tokens::TokenKind;

/// Each aggregate another, each count off by one, and each default for NULL dropped.
pub(crate) fn changed(sql: &Sql<'_>) -> Vec<Mutant> {
    const OTHERS: [(&str, &str); 11] = [
        ("BOOL_OR", "BOOL_AND"),
        ("BOOL_AND", "BOOL_OR"),
        ("MAX", "MIN"),
        ("MIN", "MAX"),
        ("SUM", "MAX"),
        ("AVG", "MAX"),
        ("COUNT", "1 + COUNT"),
        ("ROW_NUMBER", "1 + ROW_NUMBER"),
        ("COUNTIF", "1 + countIf"),
        ("ARGMAX", "argMin"),
        ("ARRAYREVERSESORT", "arraySort"),
    ];
    let mut mutants = Vec::new();
    for (before, after) in OTHERS {
        for at in sql.every(&[before, "("]) {
            mutants.push(sql.mutant(Kind::Aggregate, at..at + 1, after));
        }
    }
    for at in sql.every(&["COALESCE", "("]) {
        if let Some(close) = sql.close(at + 1)
            && let [first, _, ..] = &sql.split(at + 2..close, ",")[..]
        {
            let after = format!("({})", sql.of(first));
            mutants.push(sql.mutant(Kind::Default, at..close + 1, &after));
        }
    }
    mutants
}

/// Each DISTINCT dropped, and one put into each aggregate that collects.
pub(crate) fn distinct(sql: &Sql<'_>) -> Vec<Mutant> {
    // DISTINCT ON and IS DISTINCT FROM are something else.
    let is_other = |at: usize| sql.is(at + 1, "ON") || sql.is(at + 1, "FROM");
    let mut mutants: Vec<_> = sql
        .every(&["DISTINCT"])
        .filter(|at| !is_other(*at))
        .map(|at| sql.mutant(Kind::Distinct, at..at + 1, ""))
        .collect();
    for name in ["ARRAY_AGG", "JSON_AGG", "JSONB_AGG", "STRING_AGG"] {
        for at in sql.every(&[name, "("]) {
            if !sql.is(at + 2, "DISTINCT") {
                let before = at..at + 3;
                let after = format!(
                    "{}DISTINCT {}",
                    sql.of(&(at..at + 2)),
                    sql.of(&(at + 2..at + 3))
                );
                mutants.push(sql.mutant(Kind::Distinct, before, &after));
            }
        }
    }
    mutants
}

/// Each sum turned into a difference, and each number in one off by one, in its last digit.
pub(crate) fn arithmetic(sql: &Sql<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (before, after) in [("+", "-"), ("-", "+")] {
        for at in sql.every(&[before]) {
            mutants.push(sql.mutant(Kind::Arithmetic, at..at + 1, after));
        }
    }
    // How a statement is run is no part of what it answers.
    let settings = sql.every(&["SETTINGS"]).next();
    for at in 0..settings.unwrap_or(sql.tokens.len()) {
        let cuts = at > 0 && (sql.is(at - 1, "LIMIT") || sql.is(at - 1, "OFFSET"));
        if cuts || sql.kind(at) != Some(TokenKind::Number) {
            continue;
        }
        if let Some(after) = one_more(sql.of(&(at..at + 1))) {
            mutants.push(sql.mutant(Kind::Arithmetic, at..at + 1, &after));
        }
    }
    mutants
}

/// A number, and one more in its last digit.
fn one_more(number: &str) -> Option<String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: u64 = format!("{whole}{fraction}").parse().ok()?;
    let more = format!("{:0width$}", digits + 1, width = fraction.len() + 1);
    let (whole, fraction) = more.split_at(more.len() - fraction.len());
    Some(match number.contains('.') {
        true => format!("{whole}.{fraction}"),
        false => whole.to_owned(),
    })
}
