//! Every fix on one side: made one after the other and taken back, in any order that they allow,
//! and each does what it does alone, whatever else stands.

use std::collections::{BTreeMap, BTreeSet};

use verdict_audit::VariantName;
use verdict_oracle::Oracle;
use verdict_seed::{TableSum, clickhouse_checksums, postgres_checksums};
use verdict_store::{Down, Fault, Step, Store, change};

use crate::error::{Error, Result};
use crate::item::Item;
use crate::operation::{Check, Effort, Leaves};
use crate::parts;
use crate::schema::{FUNCTION, Schema, schema};
use crate::tally::Tally;

mod order;

pub use order::{Fix, Order, fixes};

/// Answers of an operation that are held.
const ANSWERS: u64 = 4;

/// What a schema consists of, but for what functions do: several fixes may add to one.
type Outline = BTreeSet<(String, String)>;

fn outline(schema: &Schema) -> Outline {
    let entries = schema.iter().map(|(name, definition)| {
        let is_function = name.starts_with(FUNCTION);
        let definition = if is_function { "" } else { definition };
        (name.clone(), definition.to_owned())
    });
    entries.collect()
}

/// What a fix does to a schema where nothing stands but what it needs.
#[derive(Debug)]
struct Footprint {
    adds: Outline,
    drops: Outline,
}

/// A side on which fixes are made and taken back.
#[derive(Debug)]
pub struct Together {
    store: Store,
    fixes: Vec<Fix>,
    footprints: Vec<Footprint>,
    schema: Schema,
    sums: BTreeMap<String, TableSum>,
    standing: Vec<usize>,
}

impl Together {
    /// Looks at a side as it is today, and at what each fix does to it alone.
    ///
    /// # Errors
    /// [`Error::Apart`] where a fix does not run, or leaves something; any other is an engine's.
    pub async fn open(store: Store, fixes: Vec<Fix>) -> Result<Self> {
        let mut together = Self {
            schema: schema(&store).await?,
            sums: sums(&store).await?,
            store,
            fixes,
            footprints: Vec::new(),
            standing: Vec::new(),
        };
        for fix in 0..together.fixes.len() {
            let footprint = together.alone(fix).await?;
            together.footprints.push(footprint);
        }
        Ok(together)
    }

    /// The fixes.
    pub fn fixes(&self) -> &[Fix] {
        &self.fixes
    }

    /// Makes fixes one after the other.
    ///
    /// # Errors
    /// [`Error::Apart`] where one does not run, or does something else than it does alone; any
    /// other is an engine's.
    pub async fn make(&mut self, order: &[usize]) -> Result<()> {
        for fix in order {
            self.up(*fix).await?;
            self.is_as_due().await?;
        }
        Ok(())
    }

    /// Takes fixes back one after the other. When none stands any more, schema and rows have to be
    /// those of today.
    ///
    /// # Errors
    /// As [`Self::make`].
    pub async fn take_back(&mut self, order: &[usize]) -> Result<()> {
        for fix in order {
            self.down(*fix).await?;
            self.is_as_due().await?;
        }
        if self.standing.is_empty() {
            self.is_as_today().await?;
        }
        Ok(())
    }

    /// Holds some answers of every operation to the oracle, as the variant does it, with writes
    /// between them that are taken back. What can be given back by a copy alone is left out.
    ///
    /// # Errors
    /// [`Error::Apart`] with the first that is wrong; any other is an engine's.
    pub async fn answer(
        &self,
        items: &[&dyn Item],
        oracle: &Oracle,
        variant: &VariantName,
        seed: u64,
    ) -> Result<()> {
        for item in items {
            let operations = item.operations().into_iter();
            for operation in operations.filter(|of| !matches!(of.leaves(), Leaves::Renew(_))) {
                let check = Check {
                    oracle,
                    store: &self.store,
                    calls: &self.store,
                    variant,
                    effort: Effort::glance(ANSWERS),
                    seed,
                    until_wrong: true,
                };
                let mut tally = Tally::default();
                operation.check(check, &mut tally).await?;
                if let Some(wrong) = tally.into_answers().first_difference {
                    let words = format!("{} {}: {wrong}", item.id(), operation.name());
                    return Err(self.apart(words));
                }
            }
        }
        Ok(parts::let_go(&self.store.clickhouse).await?)
    }

    /// What a fix does where nothing stands but what it needs.
    async fn alone(&mut self, fix: usize) -> Result<Footprint> {
        let mut needed = vec![fix];
        for other in (0..fix).rev() {
            let needs = |of: &usize| self.fixes[*of].needs(&self.fixes[other]);
            if needed.iter().any(needs) {
                needed.push(other);
            }
        }
        for other in needed[1..].iter().rev() {
            self.up(*other).await?;
        }
        let before = outline(&schema(&self.store).await?);
        self.up(fix).await?;
        let after = outline(&schema(&self.store).await?);
        for of in &needed {
            self.down(*of).await?;
        }
        self.is_as_today().await?;
        Ok(Footprint {
            adds: after.difference(&before).cloned().collect(),
            drops: before.difference(&after).cloned().collect(),
        })
    }

    async fn up(&mut self, fix: usize) -> Result<()> {
        let Fix { item, change } = self.fixes[fix];
        self.run(change.up, "made", item).await?;
        self.standing.push(fix);
        Ok(())
    }

    async fn down(&mut self, fix: usize) -> Result<()> {
        let Fix { item, change } = self.fixes[fix];
        let Down::Steps(steps) = change.down else {
            return Err(Error::NoWayBack(item));
        };
        self.run(steps, "taken back", item).await?;
        self.standing.retain(|standing| *standing != fix);
        Ok(())
    }

    async fn run(&self, steps: &[Step], what: &str, item: &str) -> Result<()> {
        change::run(steps, &self.store)
            .await
            .map_err(|fault| match fault {
                Fault::Variant(refusal) => {
                    self.apart(format!("the fix of {item} is not {what}: {refusal}"))
                }
                Fault::Harness(error) => error.into(),
            })
    }

    /// Each fix that stands has done what it does alone, and the others have done nothing.
    async fn is_as_due(&self) -> Result<()> {
        let standing = || self.standing.iter().map(|fix| &self.footprints[*fix]);
        let mut due = outline(&self.schema);
        due.retain(|entry| !standing().any(|fix| fix.drops.contains(entry)));
        due.extend(standing().flat_map(|fix| fix.adds.iter().cloned()));
        let now = outline(&schema(&self.store).await?);
        let lacks = due.difference(&now).map(|entry| ("lacks", entry));
        let mut all = lacks.chain(now.difference(&due).map(|entry| ("has", entry)));
        match all.next() {
            Some((word, (name, definition))) => {
                Err(self.apart(format!("the side {word} the {name} {definition}")))
            }
            None => Ok(()),
        }
    }

    async fn is_as_today(&self) -> Result<()> {
        self.same("is", &self.schema, &schema(&self.store).await?)?;
        self.same("holds", &self.sums, &sums(&self.store).await?)
    }

    fn same<T: PartialEq + std::fmt::Debug>(
        &self,
        is: &str,
        today: &BTreeMap<String, T>,
        now: &BTreeMap<String, T>,
    ) -> Result<()> {
        let mut names = today.keys().chain(now.keys());
        match names.find(|name| today.get(*name) != now.get(*name)) {
            Some(name) => Err(self.apart(format!(
                "{name} {is} {:?} and not {:?}",
                now.get(name),
                today.get(name)
            ))),
            None => Ok(()),
        }
    }

    /// A difference, with what stands.
    fn apart(&self, words: String) -> Error {
        let standing = self.standing.iter().map(|fix| self.fixes[*fix].item);
        let standing: Vec<&str> = standing.collect();
        match standing.is_empty() {
            true => Error::apart(words),
            false => Error::apart(format!("with {}: {words}", standing.join(", "))),
        }
    }
}

/// Rows and checksums of all tables of both engines.
async fn sums(store: &Store) -> Result<BTreeMap<String, TableSum>> {
    let mut sums = postgres_checksums(&store.postgres, None).await?;
    sums.extend(clickhouse_checksums(&store.clickhouse, None).await?);
    Ok(sums)
}
