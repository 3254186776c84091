//! Columns in each other's places.

use std::ops::Range;

use crate::mutant::{Kind, Mutant};
use crate::sql::Sql;
use crate::tokens::TokenKind;

/// In each list of what is selected or returned, each column's value that of either
/// neighbour, under its own name: callers read columns by name.
pub(crate) fn selected(sql: &Sql<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for word in ["SELECT", "RETURNING"] {
        for at in sql.every(&[word]) {
            let first = at + 1 + usize::from(sql.is(at + 1, "DISTINCT"));
            let items = sql.split(sql.clause(first), ",");
            for (place, item) in items.iter().enumerate() {
                let (value, name) = named(sql, item);
                for neighbour in neighbours(&items, place) {
                    let (other, _) = named(sql, neighbour);
                    let (value, other) = (sql.of(&value), sql.of(&other));
                    if value == other || value.ends_with('*') || other.ends_with('*') {
                        continue;
                    }
                    let after = match name {
                        Some(name) => format!("{other} AS {name}"),
                        None => other.to_owned(),
                    };
                    mutants.push(sql.mutant(Kind::Column, item.clone(), &after));
                }
            }
        }
    }
    mutants
}

/// The one before and the next one.
fn neighbours(items: &[Range<usize>], place: usize) -> impl Iterator<Item = &Range<usize>> {
    let before = place.checked_sub(1).and_then(|before| items.get(before));
    before.into_iter().chain(items.get(place + 1))
}

/// What is selected, and the name that it gets, if it has one.
fn named<'a>(sql: &Sql<'a>, item: &Range<usize>) -> (Range<usize>, Option<&'a str>) {
    let depth = sql.tokens[item.start].depth;
    let alias = item
        .clone()
        .rev()
        .find(|at| sql.tokens[*at].depth == depth && sql.is(*at, "AS"));
    if let Some(alias) = alias {
        return (item.start..alias, Some(sql.of(&(alias + 1..item.end))));
    }
    // A column, with or without its table.
    let last = item.end - 1;
    let is_column = sql.kind(last) == Some(TokenKind::Word)
        && (item.len() == 1 || (item.len() == 3 && sql.is(last - 1, ".")));
    let name = is_column.then(|| sql.of(&(last..item.end)));
    (item.clone(), name)
}

/// In each list of columns or values that are inserted, two neighbours changed.
pub(crate) fn written(sql: &Sql<'_>) -> Vec<Mutant> {
    let columns = sql.every(&["INSERT", "INTO"]).map(|at| at + 3);
    let values = sql.every(&["VALUES"]).map(|at| at + 1);
    let mut mutants = Vec::new();
    for open in columns.chain(values).filter(|open| sql.is(*open, "(")) {
        let Some(close) = sql.close(open) else {
            continue;
        };
        for pair in sql.split(open + 1..close, ",").windows(2) {
            let after = format!("{}, {}", sql.of(&pair[1]), sql.of(&pair[0]));
            mutants.push(sql.mutant(Kind::Column, pair[0].start..pair[1].end, &after));
        }
    }
    mutants
}

/// In each list of what an update sets, each column left as it is.
pub(crate) fn unset(sql: &Sql<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for at in sql.every(&["SET"]) {
        let list = sql.clause(at + 1);
        let items = sql.split(list.clone(), ",");
        for left_out in items.iter().filter(|_| items.len() > 1) {
            let kept = items.iter().filter(|item| *item != left_out);
            let kept: Vec<_> = kept.map(|item| sql.of(item)).collect();
            mutants.push(sql.mutant(Kind::Assignment, list.clone(), &kept.join(", ")));
        }
    }
    mutants
}

/// In each JSON object that is built, each value that of its neighbour.
pub(crate) fn in_objects(sql: &Sql<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for name in ["JSON_BUILD_OBJECT", "JSONB_BUILD_OBJECT"] {
        for at in sql.every(&[name, "("]) {
            let Some(close) = sql.close(at + 1) else {
                continue;
            };
            let arguments = sql.split(at + 2..close, ",");
            let values: Vec<_> = arguments.into_iter().skip(1).step_by(2).collect();
            for pair in values.windows(2) {
                mutants.push(sql.mutant(Kind::Column, pair[0].clone(), sql.of(&pair[1])));
            }
        }
    }
    mutants
}
