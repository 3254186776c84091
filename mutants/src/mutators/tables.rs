//! What ClickHouse keeps of rows that replace each other, and what is read of them.

use crate::mutant::{Kind, Mutant};
use crate::sql::Sql;

/// Each read of the newest versions a read of all that are there.
pub(crate) fn unreplaced(sql: &Sql<'_>) -> Vec<Mutant> {
    let all = sql.every(&["FINAL"]);
    all.map(|at| sql.mutant(Kind::Version, at..at + 1, ""))
        .collect()
}

/// In a table whose rows replace each other: by the last that was inserted in place of the
/// newest version, and by a key that lacks one of its columns.
pub(crate) fn replacing(sql: &Sql<'_>) -> Vec<Mutant> {
    const ENGINE: &str = "ReplacingMergeTree";
    let mut mutants = Vec::new();
    for at in sql.every(&[ENGINE]) {
        if sql.is(at + 1, "(")
            && let Some(close) = sql.close(at + 1)
        {
            mutants.push(sql.mutant(Kind::Version, at..close + 1, ENGINE));
        }
        for order in sql.every(&["ORDER", "BY"]) {
            let clause = sql.clause(order + 2);
            let columns = sql.unwrapped(&clause).unwrap_or(clause.clone());
            let columns = sql.split(columns, ",");
            for left_out in columns.iter().filter(|_| columns.len() > 1) {
                let kept = columns.iter().filter(|column| *column != left_out);
                let kept: Vec<_> = kept.map(|column| sql.of(column)).collect();
                let after = format!("({})", kept.join(", "));
                mutants.push(sql.mutant(Kind::Key, clause.clone(), &after));
            }
        }
    }
    mutants
}
