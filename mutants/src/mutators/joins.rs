//! Joins of another kind, and rows that are not locked.

use crate::mutant::{Kind, Mutant};
use crate::sql::Sql;

/// Each outer join inner, and each inner one outer.
pub(crate) fn changed(sql: &Sql<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for join in sql.every(&["JOIN"]) {
        let before = |words: usize, word: &str| join >= words && sql.is(join - words, word);
        if before(1, "CROSS") {
            let joined = sql.clause(join + 1);
            let after = format!("LEFT JOIN {} ON TRUE", sql.of(&joined));
            mutants.push(sql.mutant(Kind::Join, join - 1..joined.end, &after));
        } else if before(2, "LEFT") && before(1, "OUTER") {
            mutants.push(sql.mutant(Kind::Join, join - 2..join, "INNER"));
        } else if before(2, "LEFT") && before(1, "ANY") {
            mutants.push(sql.mutant(Kind::Join, join - 2..join, "INNER ANY"));
            mutants.push(sql.mutant(Kind::Join, join - 1..join, ""));
        } else if before(1, "LEFT") {
            mutants.push(sql.mutant(Kind::Join, join - 1..join, "INNER"));
        } else if before(1, "INNER") {
            mutants.push(sql.mutant(Kind::Join, join - 1..join, "LEFT"));
        } else if !(before(1, "RIGHT") || before(1, "FULL") || before(1, "OUTER")) {
            mutants.push(sql.mutant(Kind::Join, join..join + 1, "LEFT JOIN"));
        }
    }
    mutants
}

/// Each lock left out.
pub(crate) fn unlocked(sql: &Sql<'_>) -> Vec<Mutant> {
    sql.every(&["FOR"])
        .filter(|at| {
            ["UPDATE", "NO", "SHARE", "KEY"]
                .iter()
                .any(|word| sql.is(at + 1, word))
        })
        .map(|at| sql.mutant(Kind::Lock, at..sql.clause(at + 1).end, ""))
        .collect()
}
