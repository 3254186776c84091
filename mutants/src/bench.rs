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
use verdict_store::fault::{Blame, Doing, EngineError};
use verdict_store::{Change, Engine, Store};

use crate::equivalent;
use crate::interpose::{Interposed, Recorder};
use crate::mutant::Mutant;
use crate::specimen::{self, Sender, Specimen};

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is refused before it runs, in these words, whatever the rows are: no fault that a
    /// check of answers has to find.
    Invalid(String),
    /// A wrong answer was found, or a call was refused: the first.
    Caught(String),
    /// A statement took so long that it was given up, and nothing else was wrong. That is no
    /// proof of anything.
    Undecided(String),
    /// Every answer was right.
    Survived,
}

/// Whether an item is PostgreSQL's affair, whose statements alone are seen on the wire.
pub fn is_seen(item: &dyn Item) -> bool {
    let mut variants = item.variants().into_iter();
    variants.any(|(_, change)| change.touches_engine(Engine::Postgres))
}

/// A variant whose statements are known, and its answers right.
pub struct Bench<'a> {
    court: &'a Court<'a>,
    item: &'a dyn Item,
    variant: &'a VariantName,
    change: &'a Change,
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
        change: &'a Change,
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
            change,
            statements: recorder.statements(),
            before,
        }))
    }

    /// Every mutant of every statement.
    pub fn specimens(&self) -> Vec<Specimen> {
        let of_calls = self.statements.iter().flat_map(specimen::of_calls);
        of_calls.chain(specimen::of_change(self.change)).collect()
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
        let outcome = match specimen.sender {
            Sender::Calls => self.judge_call(specimen)?,
            Sender::Change => self.judge_change(specimen)?,
        };
        self.court.restore(self.item, self.variant, &self.before)?;
        Ok(outcome)
    }

    fn judge_call(&self, specimen: &Specimen) -> Result<Outcome> {
        if let Some(words) = self.court.runtime.block_on(self.refused(specimen))? {
            return Ok(Outcome::Invalid(words));
        }
        let swapping = self.swapping(specimen)?;
        let outcome = self.first_wrong(&swapping.store)?;
        self.court.runtime.block_on(swapping.store.close());
        Ok(outcome)
    }

    /// The change is made with the mutant in it, its calls are held, and it is made again as it
    /// is.
    fn judge_change(&self, specimen: &Specimen) -> Result<Outcome> {
        let (court, item, variant) = (self.court, self.item, self.variant);
        let swapping = self.swapping(specimen)?;
        let changed = court.change_over(item, variant, self.change, swapping.store)?;
        let outcome = match changed {
            Ok(()) => {
                let calls = Interposed::plain(court.session, Role::of(variant));
                let calls = court.runtime.block_on(calls)?;
                let outcome = self.first_wrong(&calls.store)?;
                court.runtime.block_on(calls.store.close());
                outcome
            }
            Err(refusal) if gave_up(&refusal.to_string()) => {
                Outcome::Undecided(refusal.to_string())
            }
            Err(refusal) => Outcome::Invalid(refusal.to_string()),
        };
        court.change_again(item, variant, self.change)?;
        Ok(outcome)
    }

    fn swapping(&self, specimen: &Specimen) -> Result<Interposed> {
        let Specimen {
            statement, mutant, ..
        } = specimen;
        let (session, role) = (self.court.session, Role::of(self.variant));
        let swapping = Interposed::swapping(session, role, statement, mutant);
        self.court.runtime.block_on(swapping)
    }

    /// What the calls by way of a store come to: on the requests of a trial's check, and in the
    /// item's histories, those too after a check that did not come to its end.
    fn first_wrong(&self, calls: &Store) -> Result<Outcome> {
        let (court, item, variant) = (self.court, self.item, self.variant);
        let checked = court.checks_over(item, variant, calls, true)?;
        let checked = outcome(checked.into_answers().first_difference);
        if matches!(checked, Outcome::Caught(_)) {
            return Ok(checked);
        }
        let histories = court.histories_over(item, variant, calls)?;
        let histories = outcome(histories.into_answers().first_difference);
        Ok(match (checked, histories) {
            (undecided, Outcome::Survived) => undecided,
            (_, histories) => histories,
        })
    }

    /// Why a mutant is none: PostgreSQL's words when it refuses it as a statement, for parameters
    /// of the types that the variant's own call declares; or that its columns are of other types,
    /// so that the driver would refuse it whatever the rows are.
    async fn refused(&self, specimen: &Specimen) -> Result<Option<String>> {
        let Specimen {
            statement, mutant, ..
        } = specimen;
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

/// Of a statement that took longer than it may, in PostgreSQL's words.
const GAVE_UP: &str = "canceling statement due to statement timeout";

fn gave_up(words: &str) -> bool {
    words.contains(GAVE_UP)
}

fn outcome(first_difference: Option<String>) -> Outcome {
    match first_difference {
        Some(words) if gave_up(&words) => Outcome::Undecided(words),
        Some(words) => Outcome::Caught(words),
        None => Outcome::Survived,
    }
}
