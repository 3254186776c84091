//! A mutant in its place.

use verdict_engines::Statement;
use verdict_store::{Change, Engine, Step};

use crate::mutant::Mutant;
use crate::mutators::{mutate, mutate_script};
use crate::template::Template;

/// Who sends what is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The variant's calls.
    Calls,
    /// Its change of the schema, before any call.
    Change,
}

/// A statement as an engine is sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// PostgreSQL.
    Postgres(Statement),
    /// ClickHouse.
    ClickHouse(Template),
}

impl Sent {
    /// The SQL text.
    pub fn text(&self) -> &str {
        match self {
            Self::Postgres(statement) => &statement.text,
            Self::ClickHouse(template) => &template.text,
        }
    }

    /// Every mutant of it.
    pub(crate) fn specimens(self, sender: Sender) -> Vec<Specimen> {
        let mutants = mutate(self.text());
        self.with(sender, mutants)
    }

    fn with(self, sender: Sender, mutants: Vec<Mutant>) -> Vec<Specimen> {
        let mutants = mutants.into_iter().map(|mutant| Specimen {
            sender,
            statement: self.clone(),
            mutant,
        });
        mutants.collect()
    }
}

/// What is sent on behalf of a variant, with one fault in it.
#[derive(Debug, Clone)]
pub struct Specimen {
    /// Who sends it.
    pub sender: Sender,
    /// As it is sent without the fault.
    pub statement: Sent,
    /// The fault.
    pub mutant: Mutant,
}

/// Every mutant of a change's scripts for PostgreSQL, each of which is sent whole.
pub(crate) fn of_scripts(change: &Change) -> Vec<Specimen> {
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
            Sent::Postgres(statement).with(Sender::Change, mutate_script(script))
        })
        .collect()
}
