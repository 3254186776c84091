//! Conditions: dropped, moved, turned.

use std::ops::Range;

use crate::mutant::{Kind, Mutant};
use crate::sql::Sql;

/// Each arm of each condition replaced by what lets the others decide.
pub(crate) fn dropped(sql: &Sql<'_>) -> Vec<Mutant> {
    let mut arms = Vec::new();
    for word in ["WHERE", "ON", "HAVING", "QUALIFY"] {
        for at in sql.every(&[word]) {
            let clause = sql.clause(at + 1);
            // What follows a join's condition after a comma is another table.
            let Some(condition) = sql.split(clause, ",").into_iter().next() else {
                continue;
            };
            if sql.split(condition.clone(), "AND").len() == 1
                && sql.split(condition.clone(), "OR").len() == 1
            {
                arms.push((condition.clone(), "TRUE"));
            }
            inner(sql, condition, &mut arms);
        }
    }
    arms.into_iter()
        .filter(|(arm, _)| !sql.of(arm).eq_ignore_ascii_case("TRUE"))
        .map(|(arm, neutral)| sql.mutant(Kind::Predicate, arm, neutral))
        .collect()
}

fn inner(sql: &Sql<'_>, condition: Range<usize>, arms: &mut Vec<(Range<usize>, &'static str)>) {
    for (word, neutral) in [("OR", "FALSE"), ("AND", "TRUE")] {
        let parts = sql.split(condition.clone(), word);
        if parts.len() > 1 {
            for part in parts {
                arms.push((part.clone(), neutral));
                inner(sql, part, arms);
            }
            return;
        }
    }
    if let Some(unwrapped) = sql.unwrapped(&condition) {
        inner(sql, unwrapped, arms);
    }
}

/// Each value left out of each list of several that something is sought in.
pub(crate) fn members(sql: &Sql<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for at in sql.every(&["IN", "("]) {
        let Some(close) = sql.close(at + 1) else {
            continue;
        };
        let list = at + 2..close;
        let values = sql.split(list.clone(), ",");
        if values.len() < 2 || sql.is(list.start, "SELECT") {
            continue;
        }
        for left_out in &values {
            let kept: Vec<_> = values
                .iter()
                .filter(|value| *value != left_out)
                .map(|value| sql.of(value))
                .collect();
            mutants.push(sql.mutant(Kind::Predicate, list.clone(), &kept.join(", ")));
        }
    }
    mutants
}

/// Each comparison moved by one: its bound let in, or left out.
pub(crate) fn moved(sql: &Sql<'_>) -> Vec<Mutant> {
    const MOVES: [(&str, &str); 7] = [
        ("<", "<="),
        ("<=", "<"),
        (">", ">="),
        (">=", ">"),
        ("=", "<>"),
        ("<>", "="),
        ("!=", "="),
    ];
    let moves = MOVES.iter().flat_map(|(before, after)| {
        sql.every(std::slice::from_ref(before))
            .map(|at| sql.mutant(Kind::Comparison, at..at + 1, after))
            .collect::<Vec<_>>()
    });
    moves.collect()
}

/// Each comparison of rows reduced to their first column.
pub(crate) fn untied(sql: &Sql<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for open in sql.every(&["("]) {
        let Some(close) = sql.close(open) else {
            continue;
        };
        let operator = close + 1;
        let compares = ["<", "<=", ">", ">="]
            .iter()
            .any(|word| sql.is(operator, word));
        if !compares || !sql.is(operator + 1, "(") {
            continue;
        }
        let Some(end) = sql.close(operator + 1) else {
            continue;
        };
        let left = sql.split(open + 1..close, ",");
        let right = sql.split(operator + 2..end, ",");
        if let (2.., [left, ..], [right, ..]) = (left.len(), &left[..], &right[..]) {
            let operator = sql.of(&(operator..operator + 1));
            let after = format!("({}) {operator} ({})", sql.of(left), sql.of(right));
            mutants.push(sql.mutant(Kind::Comparison, open..end + 1, &after));
        }
    }
    mutants
}

/// Each test for NULL turned.
pub(crate) fn null_tests(sql: &Sql<'_>) -> Vec<Mutant> {
    let is_null = sql
        .every(&["IS", "NULL"])
        .map(|at| sql.mutant(Kind::NullTest, at..at + 2, "IS NOT NULL"));
    let is_not_null = sql
        .every(&["IS", "NOT", "NULL"])
        .map(|at| sql.mutant(Kind::NullTest, at..at + 3, "IS NULL"));
    is_null.chain(is_not_null).collect()
}
