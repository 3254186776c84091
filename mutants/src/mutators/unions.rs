//! Rows that are put together, and choices between two values.

use crate::mutant::{Kind, Mutant};
use crate::sql::Sql;

/// Each leg of each union left out.
pub(crate) fn legs(sql: &Sql<'_>) -> Vec<Mutant> {
    let unions: Vec<usize> = sql.every(&["UNION"]).collect();
    let mut mutants = Vec::new();
    for at in &unions {
        let depth = sql.tokens[*at].depth;
        let is_border = |at: usize| sql.tokens[at].depth == depth && sql.is(at, "UNION");
        let outside = |at: usize| sql.tokens[at].depth < depth;
        let next = at + 1 + usize::from(sql.is(at + 1, "ALL") || sql.is(at + 1, "DISTINCT"));
        let end = (next..sql.tokens.len()).find(|at| outside(*at) || is_border(*at));
        let end = end.unwrap_or(sql.tokens.len());
        mutants.push(sql.mutant(Kind::Leg, *at..end, ""));
        // The first leg is before the first union.
        let before = (0..*at).rev().take_while(|at| !outside(*at));
        let mut before = before.filter(|at| sql.tokens[*at].depth == depth);
        if let Some(first) = before.find(|at| sql.is(*at, "SELECT"))
            && !before.any(|at| sql.is(at, "UNION"))
        {
            mutants.push(sql.mutant(Kind::Leg, first..next, ""));
        }
    }
    mutants
}

/// Each choice between two values always the same.
pub(crate) fn chosen(sql: &Sql<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for at in sql.every(&["IF", "("]) {
        let Some(close) = sql.close(at + 1) else {
            continue;
        };
        if let [_, yes, no] = &sql.split(at + 2..close, ",")[..] {
            for value in [yes, no] {
                let after = format!("({})", sql.of(value));
                mutants.push(sql.mutant(Kind::Choice, at..close + 1, &after));
            }
        }
    }
    mutants
}
