//! Orders turned, and the cuts that are made in them moved.

use crate::mutant::{Kind, Mutant};
use crate::sql::Sql;

/// Each key of each order the other way round.
pub(crate) fn turned(sql: &Sql<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for at in sql.every(&["ORDER", "BY"]) {
        for key in sql.split(sql.clause(at + 2), ",") {
            let word = key
                .clone()
                .find(|at| sql.is(*at, "ASC") || sql.is(*at, "DESC"));
            mutants.push(match word {
                Some(word) => {
                    let after = if sql.is(word, "ASC") { "DESC" } else { "ASC" };
                    sql.mutant(Kind::Order, word..word + 1, after)
                }
                None => {
                    let after = format!("{} DESC", sql.of(&key));
                    sql.mutant(Kind::Order, key, &after)
                }
            });
        }
    }
    mutants
}

/// Each key that rows are numbered within left out.
pub(crate) fn numbered(sql: &Sql<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for at in sql.every(&["PARTITION", "BY"]) {
        let list = sql.clause(at + 2);
        let keys = sql.split(list.clone(), ",");
        for left_out in &keys {
            let kept: Vec<_> = keys
                .iter()
                .filter(|key| *key != left_out)
                .map(|key| sql.of(key))
                .collect();
            mutants.push(match &kept[..] {
                [] => sql.mutant(Kind::Key, at..list.end, ""),
                kept => sql.mutant(Kind::Key, list.clone(), &kept.join(", ")),
            });
        }
    }
    mutants
}

/// More rows than there are. PostgreSQL has a word for it, and ClickHouse has none.
const ALL: &str = "1000000000";

/// Each limit and offset one more, one less, and gone.
pub(crate) fn limits(sql: &Sql<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (word, gone) in [("LIMIT", ALL), ("OFFSET", "0")] {
        for at in sql.every(&[word]) {
            let mut bound = sql.clause(at + 1);
            // Of each value of what follows.
            let by = bound.clone().find(|at| sql.is(*at, "BY"));
            bound.end = by.unwrap_or(bound.end);
            let words = sql.of(&bound);
            for after in [
                format!("{words} + 1"),
                format!("GREATEST({words} - 1, 0)"),
                gone.to_owned(),
            ] {
                mutants.push(sql.mutant(Kind::Limit, bound.clone(), &after));
            }
        }
    }
    mutants
}
