//! The bench that mutants are judged on: one variant of one item, whose change stands.

use std::collections::BTreeMap;

use clickhouse::Client;
use sqlx::postgres::PgTypeInfo;
use sqlx::postgres::types::Oid;
use sqlx::{AssertSqlSafe, Column, Executor, PgPool, SqlSafeStr, Statement as _};
use verdict_audit::VariantName;
use verdict_engines::{Query, Statement};
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
use crate::specimen::{self, Sender, Sent, Specimen};
use crate::template::Template;

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

/// Whether an item is an affair of PostgreSQL or ClickHouse, whose statements are seen on the wire.
pub fn is_seen(item: &dyn Item) -> bool {
    let mut variants = item.variants().into_iter();
    variants.any(|(_, change)| {
        change.touches_engine(Engine::Postgres) || change.touches_engine(Engine::ClickHouse)
    })
}

/// A variant whose statements are known, and its answers right.
pub struct Bench<'a> {
    court: &'a Court<'a>,
    item: &'a dyn Item,
    variant: &'a VariantName,
    change: &'a Change,
    specimens: Vec<Specimen>,
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
        let mut of_change = specimen::of_scripts(change);
        for template in made_by(court, item, variant, change)? {
            of_change.extend(Sent::ClickHouse(template).specimens(Sender::Change));
        }
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
        let statements = recorder.statements().into_iter().map(Sent::Postgres);
        let mut of_calls: Vec<Sent> = statements.collect();
        let client = &court.session.store(variant).clickhouse;
        for query in recorder.queries() {
            if court
                .runtime
                .block_on(is_told_beforehand(client, &query.first))?
            {
                of_calls.push(Sent::ClickHouse(query));
            }
        }
        let of_calls = of_calls.into_iter();
        let mut specimens: Vec<_> = of_calls
            .flat_map(|sent| sent.specimens(Sender::Calls))
            .collect();
        specimens.extend(of_change);
        Ok(Ok(Self {
            court,
            item,
            variant,
            change,
            specimens,
            before,
        }))
    }

    /// Every mutant of every statement.
    pub fn specimens(&self) -> Vec<Specimen> {
        self.specimens.clone()
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
    /// is. The mutant stands in for its statement in histories as well, which may make parts of the
    /// change once more.
    fn judge_change(&self, specimen: &Specimen) -> Result<Outcome> {
        let (court, item, variant) = (self.court, self.item, self.variant);
        let swapping = self.swapping(specimen)?;
        let changed = court.change_over(item, variant, self.change, swapping.store)?;
        let outcome = match changed {
            Ok(()) => {
                let calls = self.swapping(specimen)?;
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

    /// Why a mutant is none: the engine's words when it refuses it as a statement, for parameters
    /// of the types that the variant's own call declares, or for those of the first such call; or
    /// that its columns are of other types, so that the driver would refuse it whatever the rows
    /// are.
    async fn refused(&self, specimen: &Specimen) -> Result<Option<String>> {
        let Specimen {
            statement, mutant, ..
        } = specimen;
        let store = self.court.session.store(self.variant);
        match statement {
            Sent::Postgres(statement) => differ(
                columns(&store.postgres, statement, &statement.text).await,
                columns(&store.postgres, statement, &mutant.text).await,
            ),
            Sent::ClickHouse(template) => {
                let (client, first) = (&store.clickhouse, &template.first);
                let text = template.of(&first.text, &mutant.text).unwrap_or_default();
                differ(
                    described(client, first, &first.text).await,
                    described(client, first, &text).await,
                )
            }
        }
    }
}

/// The names and types of the columns of what is answered.
type Columns = Vec<(String, String)>;

/// Those of a text, with the parameters of a statement.
async fn columns(
    pool: &PgPool,
    statement: &Statement,
    text: &str,
) -> std::result::Result<Columns, sqlx::Error> {
    let types: Vec<_> = statement
        .parameter_types
        .iter()
        .map(|oid| PgTypeInfo::with_oid(Oid(*oid)))
        .collect();
    let mut connection = pool.acquire().await?;
    // A statement of a variant's, or one that was made of it.
    let text = AssertSqlSafe(text.to_owned()).into_sql_str();
    let prepared = connection.prepare_with(text, &types).await?;
    let columns = prepared.columns().iter();
    Ok(columns
        .map(|column| (column.name().to_owned(), column.type_info().to_string()))
        .collect())
}

/// Those of a text, with what a query is sent with.
async fn described(
    client: &Client,
    query: &Query,
    text: &str,
) -> std::result::Result<Columns, clickhouse::error::Error> {
    let describe = client
        .query_raw(&format!("DESCRIBE TABLE ({text}\n)"))
        .with_setting("describe_compact_output", "1");
    let values = query.parameters.iter();
    let describe = values.fold(describe, |describe, (name, value)| {
        describe.with_setting(name, value)
    });
    describe.fetch_all().await
}

/// Whether a query can be looked at before it is sent: it reads, and not from a table that only
/// stands while it is called.
async fn is_told_beforehand(client: &Client, query: &Query) -> Result<bool> {
    match described(client, query, &query.text).await {
        Ok(_) => Ok(true),
        Err(error) if error.blame() == Blame::Statement => Ok(false),
        Err(error) => Err(error.harness("prepare a query").into()),
    }
}

/// What ClickHouse is sent while a variant's change is made once more by its scripts and its jobs.
/// What they ask it about itself is left out: whom a job waits for and what it sweeps away is no
/// row of anybody's.
fn made_by(
    court: &Court<'_>,
    item: &dyn Item,
    variant: &VariantName,
    change: &Change,
) -> Result<Vec<Template>> {
    if !change.touches_engine(Engine::ClickHouse) {
        return Ok(Vec::new());
    }
    let recorder = Recorder::default();
    let listening = recorder.listen(court.session, Role::of(variant));
    let listening = court.runtime.block_on(listening)?;
    let made = court.change_over(item, variant, change, listening.store)?;
    // It was applied before, to the same tables.
    made.map_err(|refusal| verdict_store::Error::NotRenewed(refusal.to_string()))?;
    court.change_again(item, variant, change)?;
    let mut sent = recorder.queries();
    sent.retain(|template| !template.text.contains("FROM system."));
    Ok(sent)
}

/// Why the columns of a mutant are none that the statement's caller takes.
fn differ<E: EngineError>(
    due: std::result::Result<Columns, E>,
    columns: std::result::Result<Columns, E>,
) -> Result<Option<String>> {
    let due = due.doing("prepare a statement")?;
    match columns {
        Ok(columns) => Ok((columns != due).then(|| "its columns are of other types".to_owned())),
        Err(error) if error.blame() == Blame::Statement => Ok(Some(error.words())),
        Err(error) => Err(error.harness("prepare a mutant").into()),
    }
}

/// Of a statement that took longer than it may, in the words of PostgreSQL and of ClickHouse.
const GAVE_UP: [&str; 2] = [
    "canceling statement due to statement timeout",
    "TIMEOUT_EXCEEDED",
];

fn gave_up(words: &str) -> bool {
    GAVE_UP.iter().any(|gave_up| words.contains(gave_up))
}

fn outcome(first_difference: Option<String>) -> Outcome {
    match first_difference {
        Some(words) if gave_up(&words) => Outcome::Undecided(words),
        Some(words) => Outcome::Caught(words),
        None => Outcome::Survived,
    }
}
