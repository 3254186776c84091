//! A trial, step by step: does it run, same answers, how much work, how long, at what price.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use criterion::Criterion;
use tokio::runtime::Runtime;
use verdict_audit::evidence::{ItemEvidence, Ratio, VariantEvidence};
use verdict_audit::{Item as AuditItem, VariantName};
use verdict_seed::{TableSum, World};

use crate::error::{Error, Result};
use crate::item::{Item, Operation};
use crate::latency::{Recording, Seat, sample};
use crate::pagination::{self, Pagination};
use crate::price::price;
use crate::session::{Depth, Session};
use crate::work;

/// Rungs above this one are not timed in a quick trial: what is slow there is very slow.
const QUICK_LIMIT: u64 = 10_000;

/// What a trial tells while it goes on.
pub trait Watcher {
    /// A step of a variant's trial begins.
    fn step(&self, item: &str, variant: &VariantName, step: &str);
    /// Something a reader of the results has to know.
    fn warn(&self, warning: String);
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
    /// Told of progress.
    pub watcher: &'a dyn Watcher,
}

impl Court<'_> {
    /// Tries every variant of an item. Without clockwork, answers only.
    pub fn hear(
        &self,
        item: &dyn Item,
        audit: &AuditItem,
        mut clockwork: Option<&mut Clockwork<'_>>,
    ) -> Result<ItemEvidence> {
        let mut evidence = ItemEvidence {
            number: audit.number,
            id: audit.id.to_string(),
            variants: vec![self.today(item, clockwork.is_some())?],
        };
        let before = self.checksums(item)?;
        for variant in &audit.variants {
            let heard = self.variant(item, variant, clockwork.as_deref_mut())?;
            evidence.variants.push(heard);
        }
        self.left_as_found(item, before)?;
        evidence.judge(audit);
        Ok(evidence)
    }

    /// The baseline against itself: what the machine's noise does to a ratio. `None` in a world
    /// whose ladder does not reach 1 000 posts.
    pub fn self_check(&self, criterion: &mut Criterion) -> Result<Option<Ratio>> {
        let world = self.session.world();
        let today = VariantName::Baseline;
        let (Some(one), Some(other)) = (
            Pagination.probe(world, &today, pagination::POSTS, 1_000),
            Pagination.probe(world, &today, pagination::POSTS, 1_000),
        ) else {
            return Ok(None);
        };
        self.watcher.step("a-a", &today, "timing");
        let pool = self.session.baseline();
        let seats = [&one, &other].map(|probe| Seat { probe, pool });
        let mut recording = Recording::default();
        let mut group = criterion.benchmark_group("a-a");
        sample(
            &mut group,
            "baseline against itself",
            self.runtime,
            seats,
            1,
            &mut recording,
        )
        .map_err(|source| stopped(&Pagination, &today, source))?;
        group.finish();
        let latency = recording.latency(pagination::POSTS, 1_000, world.spec().seed)?;
        Ok(latency.map(|latency| latency.ratio))
    }

    fn today(&self, item: &dyn Item, counted: bool) -> Result<VariantEvidence> {
        let today = VariantName::Baseline;
        let mut evidence = VariantEvidence {
            name: today.to_string(),
            ..VariantEvidence::default()
        };
        self.watcher.step(item.id(), &today, "answers");
        evidence.answers = Some(self.runtime.block_on(item.answers(self.session, &today))?);
        if counted {
            self.watcher.step(item.id(), &today, "work");
            evidence.work = self
                .runtime
                .block_on(work::count(self.session, item, &today))?;
            evidence.complexity = work::steepest(&evidence.work);
        }
        Ok(evidence)
    }

    fn variant(
        &self,
        item: &dyn Item,
        variant: &VariantName,
        clockwork: Option<&mut Clockwork<'_>>,
    ) -> Result<VariantEvidence> {
        let session = self.session;
        let mut evidence = VariantEvidence {
            name: variant.to_string(),
            ..VariantEvidence::default()
        };
        let migration = item.migration(variant);
        let started = Instant::now();
        if let Some(migration) = migration {
            self.watcher.step(item.id(), variant, "migrating");
            let touched = item.touches();
            let applied = self
                .runtime
                .block_on(session.migrate(migration.up, touched));
            if let Err(Error::Postgres { source, .. }) = applied {
                // The statements ran in one implicit transaction, so nothing of them stands.
                evidence.failure = Some(source.to_string());
                return Ok(evidence);
            }
        }
        let migrated = started.elapsed();
        let heard = self.steps(item, variant, clockwork, migrated, &mut evidence);
        if let Some(migration) = migration {
            self.runtime
                .block_on(session.migrate(migration.down, item.touches()))?;
        }
        heard?;
        Ok(evidence)
    }

    fn steps(
        &self,
        item: &dyn Item,
        variant: &VariantName,
        clockwork: Option<&mut Clockwork<'_>>,
        migrated: Duration,
        evidence: &mut VariantEvidence,
    ) -> Result<()> {
        self.watcher.step(item.id(), variant, "running");
        evidence.failure = self.runtime.block_on(self.failure(item, variant))?;
        if evidence.failure.is_some() {
            return Ok(());
        }
        self.watcher.step(item.id(), variant, "answers");
        evidence.answers = Some(self.runtime.block_on(item.answers(self.session, variant))?);
        let Some(clockwork) = clockwork else {
            return Ok(());
        };
        self.watcher.step(item.id(), variant, "work");
        evidence.work = self
            .runtime
            .block_on(work::count(self.session, item, variant))?;
        evidence.complexity = work::steepest(&evidence.work);
        self.watcher.step(item.id(), variant, "price");
        if item.migration(variant).is_some() {
            evidence.price = self
                .runtime
                .block_on(price(self.session, item, variant, migrated))?;
        }
        self.time(item, variant, clockwork, evidence)
    }

    /// The engine's own words when one call of an operation does not run.
    async fn failure(&self, item: &dyn Item, variant: &VariantName) -> Result<Option<String>> {
        let world = self.session.world();
        let pool = self.session.side(variant);
        for Operation { name, rungs } in item.operations(world) {
            let smallest = rungs.first().copied().unwrap_or_default();
            let Some(probe) = item.probe(world, variant, name, smallest) else {
                continue;
            };
            match probe.call(pool, 0).await {
                Ok(trace) => probe.undo(pool, trace.into_iter().collect()).await?,
                Err(error) => return Ok(Some(error.to_string())),
            }
        }
        Ok(None)
    }

    fn time(
        &self,
        item: &dyn Item,
        variant: &VariantName,
        clockwork: &mut Clockwork<'_>,
        evidence: &mut VariantEvidence,
    ) -> Result<()> {
        let session = self.session;
        let today = VariantName::Baseline;
        for (operation, n) in timed(item, session) {
            let world = session.world();
            let (Some(before), Some(after)) = (
                item.probe(world, &today, operation, n),
                item.probe(world, variant, operation, n),
            ) else {
                continue;
            };
            let seats = || {
                [(&before, session.baseline()), (&after, session.trial())]
                    .map(|(probe, pool)| Seat { probe, pool })
            };
            let mut recording = Recording::default();
            let mut group = clockwork.criterion.benchmark_group(item.id());
            // Criterion samples today's side once, beside the fix done right.
            let mut sides = vec![(1, variant)];
            if *variant == VariantName::Optimized {
                sides.push((0, &today));
            }
            for (sampled, side) in sides {
                let name = bench_name(operation, side, n);
                if !(clockwork.selected)(&format!("{}/{name}", item.id())) {
                    continue;
                }
                self.watcher
                    .step(item.id(), variant, &format!("timing {operation} at {n}"));
                sample(
                    &mut group,
                    &name,
                    self.runtime,
                    seats(),
                    sampled,
                    &mut recording,
                )
                .map_err(|source| stopped(item, variant, source))?;
            }
            group.finish();
            match recording.latency(operation, n, world.spec().seed) {
                Ok(latency) => evidence.latency.extend(latency),
                Err(error) => self
                    .watcher
                    .warn(format!("{} {variant}: {error}", item.id())),
            }
        }
        Ok(())
    }

    fn checksums(&self, item: &dyn Item) -> Result<BTreeMap<String, TableSum>> {
        if item.writes().is_empty() {
            return Ok(BTreeMap::new());
        }
        let sums = verdict_seed::postgres_checksums(self.session.trial());
        Ok(self.runtime.block_on(sums)?)
    }

    /// Proves that a trial left the tables it writes as it found them.
    fn left_as_found(&self, item: &dyn Item, before: BTreeMap<String, TableSum>) -> Result<()> {
        let after = self.checksums(item)?;
        for (table, before) in before {
            let now = after.get(&table);
            if now != Some(&before) {
                return Err(Error::WorldChanged {
                    item: item.id(),
                    table,
                    before: format!("{before:?}"),
                    after: now.map_or_else(|| "gone".to_owned(), |now| format!("{now:?}")),
                });
            }
        }
        Ok(())
    }
}

fn stopped(item: &dyn Item, variant: &VariantName, source: verdict_baseline::Error) -> Error {
    Error::Stopped {
        item: item.id(),
        variant: variant.to_string(),
        source,
    }
}

/// A bench's name within its item's group.
fn bench_name(operation: &str, side: &VariantName, n: u64) -> String {
    format!("{operation}/{side}/{n}")
}

/// The full names of an item's benches in a full trial.
pub fn bench_names(item: &dyn Item, audit: &AuditItem, world: &World) -> Vec<String> {
    let mut names = Vec::new();
    for Operation { name, rungs } in item.operations(world) {
        for n in rungs {
            for side in std::iter::once(&VariantName::Baseline).chain(&audit.variants) {
                names.push(format!("{}/{}", item.id(), bench_name(name, side, n)));
            }
        }
    }
    names
}

/// The operations and rungs that are timed: all of them, or when time is short those of the
/// first operation at the ends and where the claim is judged.
fn timed(item: &dyn Item, session: &Session<'_>) -> Vec<(&'static str, u64)> {
    let operations = item.operations(session.world());
    let all = operations
        .iter()
        .flat_map(|operation| operation.rungs.iter().map(|n| (operation.name, *n)));
    match session.depth() {
        Depth::Full => all.collect(),
        Depth::Quick => {
            let first = operations.first().map_or("", |operation| operation.name);
            all.filter(|(name, n)| *name == first && *n <= QUICK_LIMIT)
                .collect()
        }
    }
}
