//! A trial, step by step: does it run, same answers, how much work, how long, at what price.
//!
//! The baseline is tried as any other variant. Where it fails, that is evidence, and the
//! variants beside it are still answered, counted and timed, by themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use verdict_audit::evidence::{Answers, ItemEvidence, VariantEvidence};
use verdict_audit::{Finding, OperationName, VariantName};
use verdict_oracle::Difference;
use verdict_seed::TableSum;
use verdict_store::{Change, Engine, Fault, Refusal, Store, Table};

use crate::court::{Case, Clockwork, Court};
use crate::error::{Error, Result};
use crate::item::Item;
use crate::operation::{AnyOperation, Check, Effort, Ladder, Leaves};
use crate::session::{ROLES, Role};
use crate::tally::Tally;
use crate::work::Counted;
use crate::written::Written;

/// Answers of each operation of today's that are held on a changed schema, and of one on parts of
/// the world, whose every answer may read all of it.
const ADDITIVE_ANSWERS: u64 = 10;
const ADDITIVE_OF_ALL: u64 = 2;

/// Answers at least of an operation after each of which tables have to be given back, and how long
/// more of them may take.
const RENEWED: u64 = 5;
const RENEWING: Duration = Duration::from_secs(4);

/// What a change came to.
#[derive(Clone, Copy)]
struct Changed {
    /// How long it took.
    migrated: Duration,
    /// Whether it has written a table anew.
    rewritten: bool,
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
            let _ = self.runtime.block_on(self.session.uncut());
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
            keep: item.keep().map(str::to_owned),
            variants: Vec::new(),
        };
        let (session, ground) = (self.session, item.ground());
        self.cut(item)?;
        self.runtime.block_on(session.add_hostile(item.hostile()))?;
        for role in ROLES {
            self.put_down(item, role)?;
        }
        let before = self.checksums(item)?;
        // Of all tables where there is time for it: what a call writes unsaid is seen, too.
        let mut all = Vec::new();
        for role in ROLES {
            if clockwork.is_some() {
                all.push(self.sums_of(role, None)?);
            }
        }
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
            if let Some(before) = all.get(case.role() as usize) {
                let after = self.sums_of(case.role(), None)?;
                same_sums(item, before, &after)?;
                same_sums(item, &after, before)?;
            }
        }
        self.left_as_found(item, &before)?;
        for role in ROLES {
            self.take_back(item, &VariantName::Baseline, role, &ground)?;
        }
        self.runtime.block_on(session.uncut())?;
        let cells = evidence.cells(finding);
        evidence.judge(finding, cells);
        Ok(evidence)
    }

    /// Gives both sides the parts of the world where an item climbs them.
    pub(crate) fn cut(&self, item: &dyn Item) -> Result<()> {
        let operations = item.operations();
        if operations.iter().any(|of| of.ladder() == Ladder::Events) {
            self.runtime.block_on(self.session.cut())?;
        }
        Ok(())
    }

    /// The ground is the harness's own, so that whatever is wrong with it is, too.
    pub(crate) fn put_down(&self, item: &dyn Item, role: Role) -> Result<()> {
        let ground = item.ground();
        if ground.is_none() {
            return Ok(());
        }
        match self.runtime.block_on(self.session.apply(role, &ground)) {
            Ok(_) => Ok(()),
            Err(Fault::Variant(source)) => Err(Error::NoGround {
                item: item.id(),
                source,
            }),
            Err(Fault::Harness(error)) => Err(error.into()),
        }
    }

    pub(crate) fn take_back(
        &self,
        item: &dyn Item,
        variant: &VariantName,
        role: Role,
        change: &Change,
    ) -> Result<()> {
        let taken = self.runtime.block_on(self.session.take_back(role, change));
        taken.map_err(|error| match error {
            Error::Refused(source) => Error::NotTakenBack {
                item: item.id(),
                variant: variant.to_string(),
                source,
            },
            error => error,
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
        let (runtime, session, role) = (self.runtime, self.session, case.role());
        if !change.is_none() {
            self.watcher.step(item.id(), variant, "migrating");
        }
        let mut clockwork = clockwork;
        let today_runs = today.is_some_and(|today| today.failure.is_none());
        if let Some(clockwork) = &mut clockwork
            && clockwork.timed
            && !change.is_none()
            && today_runs
        {
            self.find_zeros(case, clockwork.criterion)?;
        }
        let store = session.store_of(role);
        let written = Written::now(&store.postgres, change.touches);
        let written = runtime.block_on(written)?;
        drop(store);
        // Also one without steps: it may be connected otherwise, and starts with connections as
        // fresh as any other.
        let migrated = match runtime.block_on(session.apply(role, change)) {
            Ok(took) => took,
            Err(Fault::Variant(refusal)) => {
                // A step failed, and those before it stand.
                evidence.failure = Some(refusal.to_string());
                runtime.block_on(session.renew(role))?;
                self.put_down(item, role)?;
                return Ok(evidence);
            }
            Err(Fault::Harness(error)) => return Err(error.into()),
        };
        if !change.is_none() {
            let step = "today on the changed schema";
            self.watcher.step(item.id(), variant, step);
            evidence.additive = Some(self.additive(change)?);
        }
        let store = session.store_of(role);
        let rewritten = written.is_rewritten(&store.postgres, change.touches);
        let changed = Changed {
            migrated,
            rewritten: runtime.block_on(rewritten)?,
        };
        drop(store);
        self.steps(
            case,
            today,
            clockwork.as_deref_mut(),
            changed,
            &mut evidence,
        )?;
        let raw = evidence.latency.clone();
        // What is in ClickHouse lies in parts, which merges write anew at any time.
        let apart = changed.rewritten || change.touches_engine(Engine::ClickHouse);
        self.take_from_zeros(case, &mut evidence.latency, apart);
        self.take_back(item, variant, role, change)?;
        if let Some(clockwork) = clockwork {
            self.zeros_near_borders(case, &raw, &mut evidence.latency, clockwork.criterion)?;
        }
        if changed.rewritten {
            session.forget_zeros();
        }
        Ok(evidence)
    }

    fn steps(
        &self,
        case: Case<'_>,
        today: Option<&VariantEvidence>,
        clockwork: Option<&mut Clockwork<'_>>,
        changed: Changed,
        evidence: &mut VariantEvidence,
    ) -> Result<()> {
        let session = self.session;
        let step = |step| self.watcher.step(case.item.id(), case.variant, step);
        step("running");
        let stopped = self.runs(case, &mut evidence.operations)?;
        if let Some(refusal) = stopped {
            evidence.failure = Some(refusal.to_string());
            return Ok(());
        }
        step("answers");
        let mut tally = Tally::default();
        let written = self.answers(case, &mut tally)?;
        if let Some(clockwork) = clockwork {
            // A counted call finds neither what the answers' writes left behind nor statistics
            // that the answers' connections have not told yet.
            self.runtime.block_on(session.rest(case.role(), &written))?;
            let stopped = self.measure(case, today, clockwork, changed, evidence, &mut tally)?;
            if let Some(refusal) = stopped {
                evidence.failure = Some(format!("it ran, and stopped running: {refusal}"));
            }
        }
        evidence.answers = Some(tally.into_answers());
        Ok(())
    }

    /// Work, price and time; the variant's own words where it stops running in the middle.
    fn measure(
        &self,
        case: Case<'_>,
        today: Option<&VariantEvidence>,
        clockwork: &mut Clockwork<'_>,
        changed: Changed,
        evidence: &mut VariantEvidence,
        tally: &mut Tally,
    ) -> Result<Option<Refusal>> {
        let step = |step| self.watcher.step(case.item.id(), case.variant, step);
        step("work");
        let mut counted = Counted::default();
        let stopped = self.count(case, &mut counted, tally)?;
        evidence.work = counted.work;
        evidence.growth = counted.growth;
        if stopped.is_some() {
            return Ok(stopped);
        }
        if clockwork.timed && !case.change.is_none() {
            step("price");
            evidence.price = self.price(case, changed.migrated)?;
        }
        if clockwork.timed && *case.variant != VariantName::Baseline {
            let own = case.item.prices(self.session, case.variant);
            evidence.price.extend(self.runtime.block_on(own)?);
        }
        if case.item.tells_uses() {
            step("uses of indexes");
            self.uses(case, tally)?;
        }
        match today.filter(|_| clockwork.timed) {
            Some(today) => {
                let before = today.failure.is_none();
                let found = (&mut evidence.latency, tally);
                self.time(case, before, clockwork, found)
            }
            None => Ok(None),
        }
    }

    /// Calls every operation that the variant offers once, and notes those that were answered;
    /// the engine's own words when one is not.
    fn runs(&self, case: Case<'_>, ran: &mut Vec<OperationName>) -> Result<Option<Refusal>> {
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
            self.given_back(case.role(), &*operation)?;
            match called {
                Ok(_) => ran.push(operation.name().parse()?),
                Err(Fault::Variant(refusal)) => return Ok(Some(refusal)),
                Err(Fault::Harness(error)) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Holds answers of a variant to the oracle; the tables that were written meanwhile.
    fn answers(&self, case: Case<'_>, tally: &mut Tally) -> Result<BTreeSet<Table>> {
        let mut written = BTreeSet::new();
        for operation in case.item.operations() {
            // What is counted beside the others makes the same calls as they do.
            if operation.aside() {
                continue;
            }
            let effort = Effort::trial(self.session.answers());
            let asked = (case.variant, case.role(), effort);
            written.extend(self.check(case.item, &*operation, asked, tally)?);
        }
        self.histories(case.item, case.variant, tally)?;
        Ok(written)
    }

    /// What is no single call. A refusal in the middle of it is a wrong answer.
    pub(crate) fn histories(
        &self,
        item: &dyn Item,
        variant: &VariantName,
        tally: &mut Tally,
    ) -> Result<()> {
        let histories = item.histories(self.session, variant, tally);
        let heard = self.runtime.block_on(histories);
        self.heard(item, variant, heard, tally)
    }

    /// Takes what histories came to into the tally. What one of them was refused may have stayed
    /// half-made: PostgreSQL's side is given back then.
    ///
    /// # Errors
    /// What the harness could not do.
    pub(crate) fn heard(
        &self,
        item: &dyn Item,
        variant: &VariantName,
        heard: Result<()>,
        tally: &mut Tally,
    ) -> Result<()> {
        match heard {
            Err(Error::Refused(refusal)) => {
                let refused = Difference(refusal.to_string());
                tally.record("one of its histories", Err(refused));
                let mut variants = item.variants().into_iter();
                match variants.find(|(name, _)| name == variant) {
                    Some((_, change)) if change.touches_engine(Engine::Postgres) => {
                        let given = self.session.give_back(Role::of(variant), change.touches);
                        self.runtime.block_on(given)
                    }
                    _ => Ok(()),
                }
            }
            heard => heard,
        }
    }

    /// Holds answers of a variant of one operation to the oracle, on either side.
    fn check(
        &self,
        item: &dyn Item,
        operation: &dyn AnyOperation,
        (variant, role, effort): (&VariantName, Role, Effort),
        tally: &mut Tally,
    ) -> Result<BTreeSet<Table>> {
        let session = self.session;
        // What nobody can take back row by row is given back after every single request.
        let (times, answers) = match operation.leaves() {
            Leaves::Renew(_) => (effort.answers, 1),
            Leaves::Nothing | Leaves::Rows => (1, effort.answers),
        };
        let mut written = BTreeSet::new();
        let started = Instant::now();
        for time in 0..times {
            let took = started.elapsed();
            if time >= RENEWED && took > RENEWING {
                tally.shorten(format!(
                    "{}: {time} answers instead of {times}, since one and giving tables back \
                     takes {:.1?}",
                    operation.name(),
                    took / time as u32
                ));
                break;
            }
            let store = session.store_of(role);
            let check = Check {
                oracle: session.oracle(),
                store: &store,
                calls: &store,
                variant,
                effort: Effort { answers, ..effort },
                seed: self.seed(item, operation).wrapping_add(time),
                until_wrong: false,
            };
            written.extend(self.runtime.block_on(operation.check(check, tally))?);
            self.given_back(role, operation)?;
        }
        Ok(written)
    }

    /// The seed that an operation's requests are drawn from, in every check of it.
    pub(crate) fn seed(&self, item: &dyn Item, operation: &dyn AnyOperation) -> u64 {
        self.session
            .seed(&format!("{} {}", item.id(), operation.name()))
    }

    /// Today's operations, of every item, on a schema that a change has made, as they must run
    /// while a deploy rolls. What today does not answer rightly on its own schema either is no
    /// fault of the change. A change of one engine leaves what is asked of the other as it was.
    fn additive(&self, change: &Change) -> Result<Answers> {
        let today = VariantName::Baseline;
        let mut tally = Tally::default();
        for item in self.items {
            for operation in item.operations() {
                let Some(effort) = additive_effort(change, &*operation) else {
                    continue;
                };
                let mut changed = Tally::default();
                let asked = (&today, Role::Trial, effort);
                self.check(*item, &*operation, asked, &mut changed)?;
                if changed.differs() {
                    let mut unchanged = Tally::default();
                    let asked = (&today, Role::Baseline, effort);
                    self.check(*item, &*operation, asked, &mut unchanged)?;
                    if !changed.is_worse_than(&unchanged) {
                        tally.declare(format!(
                            "{} {} is wrong on today's own schema as well",
                            item.id(),
                            operation.name()
                        ));
                        continue;
                    }
                }
                tally.add(changed);
            }
        }
        Ok(tally.into_answers())
    }

    /// Rows and checksums of the tables that an item writes, on both sides.
    fn checksums(&self, item: &dyn Item) -> Result<BTreeMap<String, TableSum>> {
        let mut all = BTreeMap::new();
        for role in ROLES {
            all.extend(self.checksums_of(item, role)?);
        }
        Ok(all)
    }

    /// The same on one side.
    pub(crate) fn checksums_of(
        &self,
        item: &dyn Item,
        role: Role,
    ) -> Result<BTreeMap<String, TableSum>> {
        self.sums_of(role, Some(&written(item)))
    }

    /// Rows and checksums of tables on a side, or of all.
    fn sums_of(
        &self,
        role: Role,
        only: Option<&BTreeSet<Table>>,
    ) -> Result<BTreeMap<String, TableSum>> {
        let of = |engine: Engine| {
            only.map(|only| -> Vec<&str> {
                let tables = only.iter().filter(|table| table.engine == engine);
                tables.map(|table| table.name).collect()
            })
        };
        let store = self.session.store_of(role);
        let postgres = verdict_seed::postgres_checksums(&store.postgres, of(Engine::Postgres));
        let clickhouse = |store: &Store| {
            let only = of(Engine::ClickHouse);
            let sums = verdict_seed::clickhouse_checksums(&store.clickhouse, only);
            self.runtime.block_on(sums)
        };
        let sums = self.runtime.block_on(postgres)?.into_iter();
        let sums = sums.chain(clickhouse(&store)?);
        let named = sums.map(|(table, sum)| (format!("{table} of {role}"), sum));
        let mut named: BTreeMap<String, TableSum> = named.collect();
        for (rung, store) in store
            .rungs()
            .filter_map(|rung| Some((rung, store.rung(rung)?)))
        {
            let sums = clickhouse(&store)?.into_iter();
            named.extend(sums.map(|(table, sum)| (format!("{table} of {role} at {rung}"), sum)));
        }
        Ok(named)
    }

    /// Proves that a trial left the tables it writes as it found them.
    fn left_as_found(&self, item: &dyn Item, before: &BTreeMap<String, TableSum>) -> Result<()> {
        same_sums(item, before, &self.checksums(item)?)
    }
}

/// How much is asked of an operation of today's on the schema that a change makes; none where the
/// change leaves what it is asked of as it was.
pub fn additive_effort(change: &Change, operation: &dyn AnyOperation) -> Option<Effort> {
    let engine = operation.ladder().engine();
    let touches = |table: &Table| table.engine == engine;
    let touched = change.touches.is_empty() || change.touches.iter().any(touches);
    let answers = match operation.ladder() {
        Ladder::Rows => ADDITIVE_ANSWERS,
        Ladder::Events => ADDITIVE_OF_ALL,
    };
    (touched && !operation.aside()).then(|| Effort::glance(answers))
}

/// The tables that an item writes.
pub(crate) fn written(item: &dyn Item) -> BTreeSet<Table> {
    let operations = item.operations();
    let written = operations.iter().flat_map(|operation| operation.writes());
    written.copied().collect()
}

/// The same rows and checksums, or the first table that changed.
pub(crate) fn same_sums(
    item: &dyn Item,
    before: &BTreeMap<String, TableSum>,
    after: &BTreeMap<String, TableSum>,
) -> Result<()> {
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
