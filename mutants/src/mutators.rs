//! What is done to a statement, one file per idea.

mod aggregates;
mod columns;
mod joins;
mod order;
mod predicates;

use crate::mutant::Mutant;
use crate::sql::Sql;

/// Every mutator there is.
pub(crate) const ALL: [fn(&Sql<'_>) -> Vec<Mutant>; 14] = [
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
    columns::in_objects,
    aggregates::changed,
    aggregates::distinct,
    aggregates::arithmetic,
];
