//! A trial, step by step: does it run, same answers, how much work, how long, at what price.
//!
//! The baseline is tried as any other variant. Where it fails, that is evidence, and the
//! variants beside it are still answered, counted and timed, by themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use criterion::Criterion;
use tokio::runtime::Runtime;
use verdict_audit::evidence::{Answers, ItemEvidence, VariantEvidence};
use verdict_audit::{Finding, VariantName, Warning};
use verdict_seed::TableSum;
use verdict_store::{Change, Fault};

use crate::error::{Error, Result};
use crate::item::Item;
use crate::operation::{AnyOperation, Check, Leaves};
use crate::price::price;
use crate::session::{Role, Session};
use crate::tally::Tally;
use crate::work;

/// Requests of each operation of today's that a changed schema still has to answer.
const ADDITIVE_REQUESTS: usize = 8;

const ROLES: [Role; 2] = [Role::Baseline, Role::Trial];

/// What a trial tells while it goes on.
pub trait Watcher {
    /// A step of a variant's trial begins.
    fn step(&self, item: &str, variant: &VariantName, step: &str);
    /// Something a reader of the results has to know.
    fn warn(&self, warning: Warning);
}

/// How to time: criterion, and which of its benches were asked for.
pub struct Clockwork<'a> {
    /// Criterion, configured.
    pub criterion: &'a mut Criterion,
    /// Whether a bench, by its full name, was asked for.
    pub selected: &'a dyn Fn(&str) -> bool,
}

/// Everything a trial needs.
pub struct Court<'a> {
    /// Runs the asynchronous steps.
    pub runtime: &'a Runtime,
    /// Where the trial is held.
    pub session: &'a Session<'a>,
    /// Every item there is: a change is priced by all of them.
    pub items: &'a [&'a dyn Item],
    /// Told of progress.
    pub watcher: &'a dyn Watcher,
}

/// One variant of one item on trial.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub item: &'a dyn Item,
    pub finding: &'a Finding,
    pub variant: &'a VariantName,
    pub change: &'a Change,
}

impl Case<'_> {
    pub fn role(&self) -> Role {
        Role::of(self.variant)
    }

    /// A fault of the variant's in the middle of its trial, or of the harness's.
    pub fn stopped(&self, fault: Fault) -> Error {
        Error::stopped(self.item.id(), self.variant, fault)
    }
}

impl Court<'_> {
    /// Tries every variant of an item. Without clockwork, answers only.
    ///
    /// # Errors
    /// What the harness could not do. Both sides are as the world has them then, so that another
    /// item can be heard.
    pub fn hear(
        &self,
        item: &dyn Item,
        finding: &Finding,
        clockwork: Option<&mut Clockwork<'_>>,
    ) -> Result<ItemEvidence> {
        let heard = self.on_ground(item, finding, clockwork);
        if heard.is_err() {
            // Whatever was half done is undone by beginning again. The first error is told.
            for role in ROLES {
                let _ = self.runtime.block_on(self.session.renew(role));
            }
        }
        heard
    }

    fn on_ground(
        &self,
        item: &dyn Item,
        finding: &Finding,
        mut clockwork: Option<&mut Clockwork<'_>>,
    ) -> Result<ItemEvidence> {
        let mut evidence = ItemEvidence {
            number: finding.number,
            id: finding.id.clone(),
            variants: Vec::new(),
        };
        let (session, ground) = (self.session, item.ground());
        self.runtime.block_on(session.add_hostile(item.hostile()))?;
        for role in ROLES {
            self.put_down(item, role)?;
        }
        let before = self.checksums(item)?;
        for (variant, change) in item.variants() {
            let case = Case {
                item,
                finding,
                variant: &variant,
                change: &change,
            };
            let today = evidence.variants.first();
            let heard = self.variant(case, today, clockwork.as_deref_mut())?;
            evidence.variants.push(heard);
        }
        self.left_as_found(item, &before)?;
        for role in ROLES {
            self.take_back(item, &VariantName::Baseline, role, &ground)?;
        }
        evidence.judge(finding);
        Ok(evidence)
    }

    /// The ground is the harness's own, so that whatever is wrong with it is, too.
    fn put_down(&self, item: &dyn Item, role: Role) -> Result<()> {
        let ground = item.ground();
        if ground.is_none() {
            return Ok(());
        }
        match self.runtime.block_on(self.session.apply(role, &ground)) {
            Ok(_) => Ok(()),
            Err(fault) => Err(Error::stopped(item.id(), &VariantName::Baseline, fault)),
        }
    }

    fn take_back(
        &self,
        item: &dyn Item,
        variant: &VariantName,
        role: Role,
        change: &Change,
    ) -> Result<()> {
        if change.is_none() {
            return Ok(());
        }
        self.runtime
            .block_on(self.session.take_back(role, change))
            .map_err(|fault| match fault {
                Fault::Harness(error) => Error::Store(error),
                source @ Fault::Variant(_) => Error::NotTakenBack {
                    item: item.id(),
                    variant: variant.to_string(),
                    source,
                },
            })
    }

    fn variant(
        &self,
        case: Case<'_>,
        today: Option<&VariantEvidence>,
        clockwork: Option<&mut Clockwork<'_>>,
    ) -> Result<VariantEvidence> {
        let Case {
            item,
            variant,
            change,
            ..
        } = case;
        let mut evidence = VariantEvidence::new(variant.clone());
        let mut migrated = Duration::ZERO;
        if !change.is_none() {
            self.watcher.step(item.id(), variant, "migrating");
            match self
                .runtime
                .block_on(self.session.apply(case.role(), change))
            {
                Ok(took) => migrated = took,
                Err(Fault::Variant(words)) => {
                    // A step failed, and those before it stand.
                    evidence.failure = Some(words);
                    self.runtime.block_on(self.session.renew(case.role()))?;
                    self.put_down(item, case.role())?;
                    return Ok(evidence);
                }
                Err(Fault::Harness(error)) => return Err(error.into()),
            }
            self.watcher
                .step(item.id(), variant, "today on the changed schema");
            evidence.additive = Some(self.runtime.block_on(self.additive())?);
        }
        self.steps(case, today, clockwork, migrated, &mut evidence)?;
        self.take_back(item, variant, case.role(), change)?;
        Ok(evidence)
    }

    fn steps(
        &self,
        case: Case<'_>,
        today: Option<&VariantEvidence>,
        clockwork: Option<&mut Clockwork<'_>>,
        migrated: Duration,
        evidence: &mut VariantEvidence,
    ) -> Result<()> {
        let Case {
            item,
            variant,
            change,
            ..
        } = case;
        let (runtime, session) = (self.runtime, self.session);
        self.watcher.step(item.id(), variant, "running");
        evidence.failure = self.failure(case)?;
        if evidence.failure.is_some() {
            return Ok(());
        }
        self.watcher.step(item.id(), variant, "answers");
        let mut tally = Tally::default();
        self.answers(case, &mut tally)?;
        if let Some(clockwork) = clockwork {
            self.watcher.step(item.id(), variant, "work");
            let counted = runtime.block_on(work::count(session, item, variant, &mut tally))?;
            evidence.work = counted.work;
            evidence.growth = counted.growth;
            if !change.is_none() {
                self.watcher.step(item.id(), variant, "price");
                let priced = price(session, self.items, item, change, migrated);
                evidence.price = runtime.block_on(priced)?;
            }
            if let Some(today) = today {
                let before = today.failure.is_none();
                evidence.latency = self.time(case, before, clockwork, &mut tally)?;
            }
        }
        evidence.answers = Some(tally.into_answers());
        Ok(())
    }

    /// The engine's own words when one call of an operation does not run.
    fn failure(&self, case: Case<'_>) -> Result<Option<String>> {
        let session = self.session;
        let store = session.store(case.variant);
        for operation in case.item.operations() {
            let Some(smallest) = operation.rungs(session.world()).into_iter().next() else {
                continue;
            };
            let Some(probe) = operation.probe(session.oracle(), case.variant, smallest) else {
                continue;
            };
            let called = self.runtime.block_on(async {
                let called = probe.call(&store, false).await;
                probe.settle(&store, &mut Tally::default()).await?;
                Ok::<_, Error>(called)
            })?;
            self.given_back(case, &*operation)?;
            match called {
                Ok(_) => {}
                Err(Fault::Variant(words)) => return Ok(Some(words)),
                Err(Fault::Harness(error)) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    fn answers(&self, case: Case<'_>, tally: &mut Tally) -> Result<()> {
        let session = self.session;
        for operation in case.item.operations() {
            let check = Check {
                oracle: session.oracle(),
                store: &session.store(case.variant),
                variant: case.variant,
                requests: session.requests(),
                seed: session.seed(&format!("{} {}", case.item.id(), operation.name())),
            };
            self.runtime.block_on(operation.check(check, tally))?;
            self.given_back(case, &*operation)?;
        }
        let histories = case.item.histories(session, case.variant, tally);
        self.runtime.block_on(histories)
    }

    /// Gives back what an operation leaves that cannot be taken back row by row, and puts what
    /// the variant stands on there again.
    pub(crate) fn given_back(&self, case: Case<'_>, operation: &dyn AnyOperation) -> Result<()> {
        let Leaves::Renew(tables) = operation.leaves() else {
            return Ok(());
        };
        let (session, role) = (self.session, case.role());
        let tables = [tables, case.change.touches].concat();
        self.runtime.block_on(session.renew_tables(role, &tables))?;
        self.put_down(case.item, role)?;
        if !case.change.is_none() {
            self.runtime
                .block_on(session.apply(role, case.change))
                .map_err(|fault| case.stopped(fault))?;
        }
        Ok(())
    }

    /// Today's operations, of every item, on a schema that a change has made, as they must run
    /// while a deploy rolls.
    async fn additive(&self) -> Result<Answers> {
        let session = self.session;
        let store = session.store(&VariantName::Optimized);
        let mut tally = Tally::default();
        for item in self.items {
            for operation in item.operations() {
                if matches!(operation.leaves(), Leaves::Renew(_)) {
                    continue;
                }
                let check = Check {
                    oracle: session.oracle(),
                    store: &store,
                    variant: &VariantName::Baseline,
                    requests: ADDITIVE_REQUESTS,
                    seed: session.seed(operation.name()),
                };
                operation.check(check, &mut tally).await?;
            }
        }
        Ok(tally.into_answers())
    }

    fn checksums(&self, item: &dyn Item) -> Result<BTreeMap<String, TableSum>> {
        let mut operations = item.operations().into_iter();
        if operations.all(|operation| operation.writes().is_empty()) {
            return Ok(BTreeMap::new());
        }
        let store = self.session.store(&VariantName::Optimized);
        let sums = verdict_seed::postgres_checksums(&store.postgres);
        Ok(self.runtime.block_on(sums)?)
    }

    /// Proves that a trial left the tables it writes as it found them.
    fn left_as_found(&self, item: &dyn Item, before: &BTreeMap<String, TableSum>) -> Result<()> {
        let after = self.checksums(item)?;
        for (table, before) in before {
            let now = after.get(table);
            if now != Some(before) {
                return Err(Error::WorldChanged {
                    item: item.id(),
                    table: table.clone(),
                    before: format!("{before:?}"),
                    after: now.map_or_else(|| "gone".to_owned(), |now| format!("{now:?}")),
                });
            }
        }
        Ok(())
    }
}
