//! What is done to a statement, one file per idea.

mod aggregates;
mod columns;
mod joins;
mod order;
mod predicates;
mod tables;
#[cfg(test)]
mod tests;
mod unions;

use std::collections::HashSet;
use std::ops::Range;

use crate::mutant::Mutant;
use crate::sql::Sql;

/// Every mutator there is.
const ALL: [fn(&Sql<'_>) -> Vec<Mutant>; 20] = [
    predicates::dropped,
    predicates::members,
    predicates::moved,
    predicates::untied,
    predicates::null_tests,
    order::turned,
    order::limits,
    order::numbered,
    joins::changed,
    joins::unlocked,
    columns::selected,
    columns::written,
    columns::unset,
    columns::in_objects,
    aggregates::changed,
    aggregates::distinct,
    aggregates::arithmetic,
    tables::unreplaced,
    unions::legs,
    unions::chosen,
];

/// What reads or writes rows.
const VERBS: [&str; 5] = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"];

/// Every mutant of a statement, in its order: of one that reads or writes rows, of what a view
/// selects, and of how a table's rows replace each other. What is none of these, such as the
/// control of a transaction, has none.
pub fn mutate(statement: &str) -> Vec<Mutant> {
    let sql = Sql::new(statement);
    let makes = |what: &str| sql.is(0, "CREATE") && sql.every(&[what]).any(|at| at < 3);
    if VERBS.iter().any(|verb| sql.is(0, verb)) {
        return all(&sql);
    }
    if makes("TABLE") {
        return kept(&sql, &[tables::replacing]);
    }
    let selected = (0..sql.tokens.len())
        .find(|at| sql.is(*at, "AS") && (sql.is(at + 1, "SELECT") || sql.is(at + 1, "WITH")));
    match selected.filter(|_| makes("VIEW")) {
        Some(at) => within(&sql, sql.place(&(at + 1..sql.tokens.len()))),
        None => Vec::new(),
    }
}

/// Every mutant of a script that changes a schema: of its statements that read or write rows, of
/// the bodies of the functions that it makes, and of what a block of code quotes by dollars to put
/// it into one.
pub fn mutate_script(script: &str) -> Vec<Mutant> {
    let sql = Sql::new(script);
    let mut mutants = Vec::new();
    for statement in sql.split(0..sql.tokens.len(), ";") {
        let makes_function = sql.is(statement.start, "CREATE")
            && sql.every(&["FUNCTION"]).any(|at| statement.contains(&at));
        if VERBS.iter().any(|verb| sql.is(statement.start, verb)) {
            mutants.extend(within(&sql, sql.place(&statement)));
        } else if makes_function {
            let bodies = statement.filter_map(|at| sql.dollar_quoted(at));
            mutants.extend(bodies.flat_map(|body| within(&sql, body)));
        } else if sql.is(statement.start, "DO") {
            for body in statement.filter_map(|at| sql.dollar_quoted(at)) {
                let code = Sql::new(&script[body.clone()]);
                let quoted = (0..code.tokens.len()).filter_map(|at| code.dollar_quoted(at));
                mutants.extend(quoted.flat_map(|Range { start, end }| {
                    within(&sql, body.start + start..body.start + end)
                }));
            }
        }
    }
    mutants
}

/// Every mutant of a part of a script, as mutants of the whole.
fn within(script: &Sql<'_>, part: Range<usize>) -> Vec<Mutant> {
    let text = script.text;
    let (head, tail) = (&text[..part.start], &text[part.end..]);
    let part = &text[part];
    // Lines are counted from the first that is not empty, as in a statement.
    let above = head.trim_start().matches('\n').count();
    let blank = &part[..part.len() - part.trim_start().len()];
    let leading = blank.matches('\n').count();
    all(&Sql::new(part))
        .into_iter()
        .map(|mutant| Mutant {
            line: mutant.line + above + leading,
            text: format!("{head}{}{tail}", mutant.text),
            ..mutant
        })
        .collect()
}

fn all(sql: &Sql<'_>) -> Vec<Mutant> {
    kept(sql, &ALL)
}

fn kept(sql: &Sql<'_>, mutators: &[fn(&Sql<'_>) -> Vec<Mutant>]) -> Vec<Mutant> {
    let mut mutants: Vec<Mutant> = mutators
        .iter()
        .flat_map(|mutator| mutator(sql))
        .filter(|mutant| mutant.text != sql.text)
        .collect();
    mutants.sort_by_key(|mutant| (mutant.line, mutant.kind));
    // Two mutators may come to one text; it need not be judged twice.
    let mut seen = HashSet::new();
    mutants.retain(|mutant| seen.insert(mutant.text.clone()));
    mutants
}
