//! The bench that mutants are judged on: one variant of one item, whose change stands.

use std::collections::BTreeMap;

use sqlx::postgres::PgTypeInfo;
use sqlx::postgres::types::Oid;
use sqlx::{AssertSqlSafe, Column, Executor, SqlSafeStr, Statement as _};
use verdict_audit::VariantName;
use verdict_engines::Statement;
use verdict_scenarios::Result;
use verdict_scenarios::court::Court;
use verdict_scenarios::item::Item;
use verdict_scenarios::session::Role;
use verdict_seed::TableSum;
use verdict_store::Store;
use verdict_store::fault::{Blame, Doing, EngineError};

use crate::equivalent;
use crate::interpose::{Interposed, Recorder};
use crate::mutant::Mutant;
use crate::mutators::mutate;

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is refused before it runs, in these words, whatever the rows are: no fault that a
    /// check of answers has to find.
    Invalid(String),
    /// A wrong answer was found: the first.
    Caught(String),
    /// Every answer was right.
    Survived,
}

/// A statement of a variant with one fault in it.
#[derive(Debug, Clone)]
pub struct Specimen {
    /// As the variant's own calls send it.
    pub statement: Statement,
    /// The fault.
    pub mutant: Mutant,
}

/// A variant whose statements are known, and its answers right.
pub struct Bench<'a> {
    court: &'a Court<'a>,
    item: &'a dyn Item,
    variant: &'a VariantName,
    statements: Vec<Statement>,
    before: BTreeMap<String, TableSum>,
}

impl<'a> Bench<'a> {
    /// Records what a variant's calls send while they are checked. [`Court::scrutinise`] has to
    /// have applied its change. A variant that is wrong by itself cannot be judged: its first
    /// wrong answer then.
    ///
    /// # Errors
    /// What the harness could not do.
    pub fn open(
        court: &'a Court<'a>,
        item: &'a dyn Item,
        variant: &'a VariantName,
    ) -> Result<std::result::Result<Self, String>> {
        let before = court.sums(item, variant)?;
        let recorder = Recorder::default();
        let listening = recorder.listen(court.session, Role::of(variant));
        let listening = court.runtime.block_on(listening)?;
        let checked = court.checks_over(item, variant, &listening.store, true)?;
        court.runtime.block_on(listening.store.close());
        // Histories are not recorded: they read back on the store that they call by.
        let own = court.session.store(variant);
        let wrong = match checked.into_answers().first_difference {
            None => {
                court
                    .histories_over(item, variant, &own)?
                    .into_answers()
                    .first_difference
            }
            wrong => wrong,
        };
        if let Some(wrong) = wrong {
            court.restore(item, variant, &before)?;
            return Ok(Err(wrong));
        }
        Ok(Ok(Self {
            court,
            item,
            variant,
            statements: recorder.statements(),
            before,
        }))
    }

    /// Every mutant of every statement.
    pub fn specimens(&self) -> Vec<Specimen> {
        let of = |statement: &Statement| {
            let mutants = mutate(&statement.text).into_iter();
            let statement = statement.clone();
            mutants.map(move |mutant| Specimen {
                statement: statement.clone(),
                mutant,
            })
        };
        self.statements.iter().flat_map(of).collect()
    }

    /// Why a mutant can make no difference, if somebody found that.
    pub fn equivalent(&self, mutant: &Mutant) -> Option<&'static str> {
        equivalent::reason(self.item.id(), self.variant, mutant)
    }

    /// Sends a mutant in the place of its statement, and sees whether that is noticed.
    ///
    /// # Errors
    /// What the harness could not do.
    pub fn judge(&self, specimen: &Specimen) -> Result<Outcome> {
        let (court, role) = (self.court, Role::of(self.variant));
        if let Some(words) = court.runtime.block_on(self.refused(specimen))? {
            return Ok(Outcome::Invalid(words));
        }
        let Specimen { statement, mutant } = specimen;
        let swapping = Interposed::swapping(court.session, role, statement, mutant);
        let swapping = court.runtime.block_on(swapping)?;
        let caught = first_wrong(court, self.item, self.variant, &swapping.store)?;
        court.runtime.block_on(swapping.store.close());
        court.restore(self.item, self.variant, &self.before)?;
        Ok(caught.map_or(Outcome::Survived, Outcome::Caught))
    }

    /// Why a mutant is none: PostgreSQL's words when it refuses it as a statement, for parameters
    /// of the types that the variant's own call declares; or that its columns are of other types,
    /// so that the driver would refuse it whatever the rows are.
    async fn refused(&self, specimen: &Specimen) -> Result<Option<String>> {
        let Specimen { statement, mutant } = specimen;
        let due = self.columns(statement, &statement.text).await;
        let due = due.doing("prepare a statement")?;
        let columns = match self.columns(statement, &mutant.text).await {
            Ok(columns) => columns,
            Err(error) if error.blame() == Blame::Statement => return Ok(Some(error.words())),
            Err(error) => return Err(error.harness("prepare a mutant").into()),
        };
        Ok((columns != due).then(|| "its columns are of other types".to_owned()))
    }

    /// The names and types of a text's columns, with the parameters of a statement.
    async fn columns(
        &self,
        statement: &Statement,
        text: &str,
    ) -> std::result::Result<Vec<(String, String)>, sqlx::Error> {
        let types: Vec<_> = statement
            .parameter_types
            .iter()
            .map(|oid| PgTypeInfo::with_oid(Oid(*oid)))
            .collect();
        let store = self.court.session.store(self.variant);
        let mut connection = store.postgres.acquire().await?;
        // A statement of a variant's, or one that was made of it.
        let text = AssertSqlSafe(text.to_owned()).into_sql_str();
        let prepared = connection.prepare_with(text, &types).await?;
        let columns = prepared.columns().iter();
        Ok(columns
            .map(|column| (column.name().to_owned(), column.type_info().to_string()))
            .collect())
    }
}

/// The first wrong answer of a variant whose calls go by way of a store: on the requests of a
/// trial's check, and in the item's histories.
fn first_wrong(
    court: &Court<'_>,
    item: &dyn Item,
    variant: &VariantName,
    calls: &Store,
) -> Result<Option<String>> {
    let checked = court.checks_over(item, variant, calls, true)?;
    if checked.differs() {
        return Ok(checked.into_answers().first_difference);
    }
    let histories = court.histories_over(item, variant, calls)?;
    Ok(histories.into_answers().first_difference)
}
