//! What is done to a statement, one file per idea.

mod aggregates;
mod columns;
mod joins;
mod order;
mod predicates;

use std::collections::HashSet;
use std::ops::Range;

use crate::mutant::Mutant;
use crate::sql::Sql;

/// Every mutator there is.
const ALL: [fn(&Sql<'_>) -> Vec<Mutant>; 15] = [
    predicates::dropped,
    predicates::moved,
    predicates::untied,
    predicates::null_tests,
    order::turned,
    order::limits,
    joins::changed,
    joins::unlocked,
    columns::selected,
    columns::written,
    columns::unset,
    columns::in_objects,
    aggregates::changed,
    aggregates::distinct,
    aggregates::arithmetic,
];

/// What reads or writes rows.
const VERBS: [&str; 5] = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"];

/// Every mutant of a statement, in its order. What reads and writes no rows of the item's, such
/// as the control of a transaction, has none.
pub fn mutate(statement: &str) -> Vec<Mutant> {
    let sql = Sql::new(statement);
    if !VERBS.iter().any(|verb| sql.is(0, verb)) {
        return Vec::new();
    }
    all(&sql)
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
    let mut mutants: Vec<Mutant> = ALL
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutant::Kind;

    /// Of one kind, in words.
    fn of(kind: Kind, statement: &str) -> Vec<String> {
        mutate(statement)
            .into_iter()
            .filter(|mutant| mutant.kind == kind)
            .map(|mutant| crate::sql::one_line(&mutant.text))
            .collect()
    }

    #[test]
    fn every_arm_of_a_condition_is_dropped() {
        assert_eq!(
            of(
                Kind::Predicate,
                "SELECT a FROM b WHERE c AND (d OR e) GROUP BY f"
            ),
            [
                "SELECT a FROM b WHERE TRUE AND (d OR e) GROUP BY f",
                "SELECT a FROM b WHERE c AND TRUE GROUP BY f",
                "SELECT a FROM b WHERE c AND (FALSE OR e) GROUP BY f",
                "SELECT a FROM b WHERE c AND (d OR FALSE) GROUP BY f",
            ]
        );
        assert_eq!(
            of(Kind::Predicate, "SELECT COUNT(*) FILTER (WHERE a) FROM b"),
            ["SELECT COUNT(*) FILTER (WHERE TRUE) FROM b"]
        );
        assert!(of(Kind::Predicate, "SELECT a FROM b JOIN c ON TRUE").is_empty());
    }

    #[test]
    fn a_comparison_is_moved_and_loses_what_decides_ties() {
        assert_eq!(
            of(Kind::Comparison, "SELECT a FROM b WHERE (c, d) < ($1, $2)"),
            [
                "SELECT a FROM b WHERE (c, d) <= ($1, $2)",
                "SELECT a FROM b WHERE (c) < ($1)",
            ]
        );
        assert_eq!(
            of(
                Kind::NullTest,
                "SELECT a FROM b WHERE c IS NULL OR d IS NOT NULL"
            ),
            [
                "SELECT a FROM b WHERE c IS NOT NULL OR d IS NOT NULL",
                "SELECT a FROM b WHERE c IS NULL OR d IS NULL",
            ]
        );
    }

    #[test]
    fn orders_and_limits_are_turned_and_moved() {
        assert_eq!(
            of(Kind::Order, "SELECT a FROM b ORDER BY c DESC, d LIMIT 1"),
            [
                "SELECT a FROM b ORDER BY c ASC, d LIMIT 1",
                "SELECT a FROM b ORDER BY c DESC, d DESC LIMIT 1",
            ]
        );
        assert_eq!(
            of(Kind::Limit, "SELECT a FROM b LIMIT $1 OFFSET $2"),
            [
                "SELECT a FROM b LIMIT $1 + 1 OFFSET $2",
                "SELECT a FROM b LIMIT GREATEST($1 - 1, 0) OFFSET $2",
                "SELECT a FROM b LIMIT ALL OFFSET $2",
                "SELECT a FROM b LIMIT $1 OFFSET $2 + 1",
                "SELECT a FROM b LIMIT $1 OFFSET GREATEST($2 - 1, 0)",
                "SELECT a FROM b LIMIT $1 OFFSET 0",
            ]
        );
    }

    #[test]
    fn joins_change_their_kind() {
        assert_eq!(
            of(Kind::Join, "SELECT a FROM b LEFT JOIN c ON d JOIN e ON f"),
            [
                "SELECT a FROM b INNER JOIN c ON d JOIN e ON f",
                "SELECT a FROM b LEFT JOIN c ON d LEFT JOIN e ON f",
            ]
        );
        assert_eq!(
            of(Kind::Join, "SELECT a FROM b CROSS JOIN c WHERE d"),
            ["SELECT a FROM b LEFT JOIN c ON TRUE WHERE d"]
        );
    }

    #[test]
    fn a_column_takes_its_neighbours_place_under_its_own_name() {
        assert_eq!(
            of(Kind::Column, "SELECT m.a, SUM(b) AS c, d FROM m"),
            [
                "SELECT SUM(b) AS a, SUM(b) AS c, d FROM m",
                "SELECT m.a, m.a AS c, d FROM m",
                "SELECT m.a, d AS c, d FROM m",
                "SELECT m.a, SUM(b) AS c, SUM(b) AS d FROM m",
            ]
        );
        assert_eq!(
            of(Kind::Column, "INSERT INTO a (b, c) VALUES ($1, $2)"),
            [
                "INSERT INTO a (c, b) VALUES ($1, $2)",
                "INSERT INTO a (b, c) VALUES ($2, $1)",
            ]
        );
        assert_eq!(
            of(Kind::Column, "SELECT JSON_BUILD_OBJECT('a', b, 'c', d)"),
            ["SELECT JSON_BUILD_OBJECT('a', d, 'c', d)"]
        );
    }

    #[test]
    fn a_column_is_left_unset() {
        assert_eq!(
            of(Kind::Assignment, "UPDATE a SET b = 1, c = f(2, 3) WHERE d"),
            [
                "UPDATE a SET c = f(2, 3) WHERE d",
                "UPDATE a SET b = 1 WHERE d"
            ]
        );
    }

    #[test]
    fn of_a_script_the_rows_and_the_bodies_of_functions_are_changed() {
        let script = "\n-- Why\nALTER TABLE a ADD COLUMN b int DEFAULT 1 + 1;\n\
            CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    \
            UPDATE a SET b = b + 1 WHERE c;\n    RETURN NULL;\nEND;\n$$;\n\
            UPDATE a SET b = 7 WHERE d;\n";
        let mutants = mutate_script(script);
        let changed: Vec<_> = mutants
            .iter()
            .map(|mutant| (mutant.line, mutant.before.as_str(), mutant.after.as_str()))
            .filter(|(_, _, after)| *after != "<>")
            .collect();
        assert_eq!(
            changed,
            [
                (5, "c", "TRUE"),
                (5, "+", "-"),
                (5, "1", "2"),
                (9, "d", "TRUE"),
                (9, "7", "8"),
            ]
        );
        for mutant in &mutants {
            assert!(mutant.text.starts_with("\n-- Why\nALTER") && mutant.text.ends_with(";\n"));
        }
    }

    #[test]
    fn what_a_block_of_code_puts_into_a_function_is_changed() {
        let script = "DO LANGUAGE plpgsql $do$\nBEGIN\n    \
            EXECUTE REPLACE(a, 'SET b = 1', $set$SET b = 1,\n    c = d + 2$set$);\nEND;\n$do$;\n";
        let mutants = mutate_script(script);
        let changed: Vec<_> = mutants
            .iter()
            .map(|mutant| (mutant.line, mutant.before.as_str(), mutant.after.as_str()))
            .filter(|(_, _, after)| *after != "<>")
            .collect();
        assert_eq!(
            changed,
            [
                (3, "b = 1, c = d + 2", "c = d + 2"),
                (3, "b = 1, c = d + 2", "b = 1"),
                (3, "1", "2"),
                (4, "+", "-"),
                (4, "2", "3"),
            ]
        );
    }

    #[test]
    fn what_is_counted_summed_and_locked_is_changed() {
        assert_eq!(
            of(Kind::Aggregate, "SELECT BOOL_OR(a), COUNT(*) FROM b"),
            [
                "SELECT BOOL_AND(a), COUNT(*) FROM b",
                "SELECT BOOL_OR(a), 1 + COUNT(*) FROM b",
            ]
        );
        assert_eq!(
            of(Kind::Arithmetic, "SELECT a + 1 FROM b LIMIT 7"),
            ["SELECT a - 1 FROM b LIMIT 7", "SELECT a + 2 FROM b LIMIT 7"]
        );
        assert_eq!(
            of(Kind::Lock, "SELECT a FROM b FOR NO KEY UPDATE"),
            ["SELECT a FROM b"]
        );
        assert_eq!(
            of(Kind::Default, "SELECT COALESCE(a(b, c), 0) FROM d"),
            ["SELECT (a(b, c)) FROM d"]
        );
        assert_eq!(
            of(
                Kind::Distinct,
                "SELECT ARRAY_AGG(a), COUNT(DISTINCT b) FROM c"
            ),
            [
                "SELECT ARRAY_AGG(a), COUNT( b) FROM c",
                "SELECT ARRAY_AGG(DISTINCT a), COUNT(DISTINCT b) FROM c",
            ]
        );
    }

    #[test]
    fn what_is_no_statement_of_an_items_is_left_alone() {
        for statement in ["", "BEGIN", "SET LOCAL a = 1", "-- SELECT 1 + 1\nCOMMIT"] {
            assert!(mutate(statement).is_empty(), "{statement}");
        }
    }
}
