//! A mutant in its place.

use verdict_engines::Statement;
use verdict_store::{Change, Engine, Step};

use crate::mutant::Mutant;
use crate::mutators::{mutate, mutate_script};

/// Who sends what is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The variant's calls.
    Calls,
    /// Its change of the schema, before any call.
    Change,
}

/// What is sent on behalf of a variant, with one fault in it.
#[derive(Debug, Clone)]
pub struct Specimen {
    /// Who sends it.
    pub sender: Sender,
    /// As it is sent without the fault.
    pub statement: Statement,
    /// The fault.
    pub mutant: Mutant,
}

/// Every mutant of a statement of a variant's calls.
pub(crate) fn of_calls(statement: &Statement) -> Vec<Specimen> {
    let mutants = mutate(&statement.text).into_iter();
    mutants
        .map(|mutant| of(Sender::Calls, statement, mutant))
        .collect()
}

/// Every mutant of a change's scripts.
pub(crate) fn of_change(change: &Change) -> Vec<Specimen> {
    let scripts = change.up.iter().filter_map(|step| match step {
        Step::Script(Engine::Postgres, script) | Step::Alone(script) => Some(*script),
        Step::Script(..) | Step::Job(_) => None,
    });
    scripts
        .flat_map(|script| {
            let statement = Statement {
                text: script.to_owned(),
                parameter_types: Vec::new(),
            };
            let mutants = mutate_script(script).into_iter();
            mutants
                .map(|mutant| of(Sender::Change, &statement, mutant))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn of(sender: Sender, statement: &Statement, mutant: Mutant) -> Specimen {
    Specimen {
        sender,
        statement: statement.clone(),
        mutant,
    }
}
