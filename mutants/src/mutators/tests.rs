//! What is made of a statement, in words.

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
            "SELECT a FROM b LIMIT 1000000000 OFFSET $2",
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
fn rows_are_read_in_all_versions_and_parts_of_unions_and_choices_go() {
    assert_eq!(
        of(Kind::Version, "SELECT a FROM b FINAL WHERE c"),
        ["SELECT a FROM b WHERE c"]
    );
    assert_eq!(
        of(
            Kind::Leg,
            "WITH a AS (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) SELECT b FROM a"
        ),
        [
            "WITH a AS (SELECT 1 UNION ALL SELECT 3) SELECT b FROM a",
            "WITH a AS ( SELECT 2 UNION ALL SELECT 3) SELECT b FROM a",
            "WITH a AS (SELECT 1 UNION ALL SELECT 2 ) SELECT b FROM a",
        ]
    );
    assert_eq!(
        of(Kind::Choice, "SELECT sum(if(a = b, 1., c)) FROM d"),
        ["SELECT sum((1.)) FROM d", "SELECT sum((c)) FROM d",]
    );
    assert_eq!(
        of(Kind::Predicate, "SELECT a FROM b WHERE c IN ($1, $2)"),
        [
            "SELECT a FROM b WHERE TRUE",
            "SELECT a FROM b WHERE c IN ($2)",
            "SELECT a FROM b WHERE c IN ($1)",
        ]
    );
}

#[test]
fn a_limit_of_each_value_is_moved_and_what_is_numbered_loses_its_keys() {
    assert_eq!(
        of(Kind::Limit, "SELECT a FROM b LIMIT 3 BY c LIMIT $1"),
        [
            "SELECT a FROM b LIMIT 3 + 1 BY c LIMIT $1",
            "SELECT a FROM b LIMIT GREATEST(3 - 1, 0) BY c LIMIT $1",
            "SELECT a FROM b LIMIT 1000000000 BY c LIMIT $1",
            "SELECT a FROM b LIMIT 3 BY c LIMIT $1 + 1",
            "SELECT a FROM b LIMIT 3 BY c LIMIT GREATEST($1 - 1, 0)",
            "SELECT a FROM b LIMIT 3 BY c LIMIT 1000000000",
        ]
    );
    assert_eq!(
        of(
            Kind::Key,
            "SELECT rank() OVER (PARTITION BY a, b ORDER BY c) FROM d"
        ),
        [
            "SELECT rank() OVER (PARTITION BY b ORDER BY c) FROM d",
            "SELECT rank() OVER (PARTITION BY a ORDER BY c) FROM d",
        ]
    );
}

#[test]
fn a_number_is_moved_in_its_last_digit_and_how_a_statement_is_run_is_left() {
    assert_eq!(
        of(
            Kind::Arithmetic,
            "SELECT 0.35 * a, 1. * b FROM c SETTINGS max_threads = 1"
        ),
        [
            "SELECT 0.36 * a, 1. * b FROM c SETTINGS max_threads = 1",
            "SELECT 0.35 * a, 2. * b FROM c SETTINGS max_threads = 1",
        ]
    );
    assert_eq!(
        of(Kind::Arithmetic, "SELECT 0.09, 99 FROM a"),
        ["SELECT 0.10, 99 FROM a", "SELECT 0.09, 100 FROM a"]
    );
}

#[test]
fn a_table_replaces_rows_by_another_key_and_a_view_selects_otherwise() {
    let table = "CREATE TABLE a (b String) ENGINE = ReplacingMergeTree(c) \
        ORDER BY (d, e) SETTINGS f = 1";
    let replaced = |engine: &str, key: &str| {
        format!("CREATE TABLE a (b String) ENGINE = {engine} ORDER BY {key} SETTINGS f = 1")
    };
    assert_eq!(
        of(Kind::Version, table),
        [replaced("ReplacingMergeTree", "(d, e)")]
    );
    let engine = "ReplacingMergeTree(c)";
    assert_eq!(
        of(Kind::Key, table),
        [replaced(engine, "(e)"), replaced(engine, "(d)")]
    );
    assert_eq!(
        of(
            Kind::Predicate,
            "CREATE MATERIALIZED VIEW a TO b AS SELECT c FROM d WHERE e"
        ),
        ["CREATE MATERIALIZED VIEW a TO b AS SELECT c FROM d WHERE TRUE"]
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
