//! Item 15 on trial: after a mixed load of today's calls, which of the audit's findings each way of
//! asking names, and in what rank; and what it costs to watch.
//!
//! The findings are those whose work is PostgreSQL's: its statements are what is watched. One is
//! named where a statement is listed that takes most of the time of one of its calls.

mod load;
mod price;
mod statements;

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sqlx::query_scalar;
use verdict_audit::evidence::Price;
use verdict_audit::{At, VariantName};
use verdict_baseline::monitoring as baseline;
use verdict_monitor::on_one_line;
use verdict_monitor::postgres::statements::all as all_statements;
use verdict_optimized::as_proposed::monitoring as proposed;
use verdict_optimized::monitoring as optimized;
use verdict_oracle::{Difference, Held, Oracle, same};
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Change, Fault, Store};

use self::statements::{Finding, known};
use crate::docket::ITEMS;
use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{AnyOperation, Between, Operation, erase, no_such_variant};
use crate::session::{Role, Session};
use crate::tally::Tally;

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct Monitoring;

impl Item for Monitoring {
    fn id(&self) -> &'static str {
        "monitoring"
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Proposed(None), Change::NONE),
            (VariantName::Optimized, Change::NONE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(Findings)]
    }

    fn histories<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async move {
            statements::learn(session, self.id()).await?;
            if *variant == VariantName::Baseline {
                return Ok(());
            }
            let load = load::run(session, Role::of(variant), self.id()).await?;
            tally.declare(load.to_string());
            tell(session, variant, tally).await
        })
    }

    fn prices<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
    ) -> BoxFuture<'a, Outcome<Vec<Price>>> {
        Box::pin(price::of(session, variant))
    }
}

/// Where a statement is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Of what runs at this moment.
    Running,
    /// Of what is above 100 ms on average.
    Slow,
    /// Of what takes most of the time in all.
    Time,
    /// Of what touches most pages for each row.
    Pages,
}

impl List {
    fn words(self) -> &'static str {
        match self {
            Self::Running => "of what runs",
            Self::Slow => "by its mean",
            Self::Time => "by total time",
            Self::Pages => "by pages a row",
        }
    }
}

/// Rows of a list at most.
const ROWS: usize = 20;

/// What the audit calls slow, on average.
const SLOW_MS: f64 = 100.0;

/// A statement that a way of asking lists.
#[derive(Debug, Clone)]
struct Entry {
    list: List,
    rank: usize,
    /// What the list is ordered by, the most first; none where it has no figures.
    figure: Option<f64>,
    text: String,
}

/// The statements that a way of asking lists.
async fn listed(store: &Store, variant: &VariantName) -> Result<Vec<Entry>, Fault> {
    let pool = &store.postgres;
    let mut listed = Vec::new();
    let mut add = |list, statements: Vec<(Option<f64>, String)>| {
        let ranked = (1..).zip(statements);
        listed.extend(ranked.map(|(rank, (figure, text))| Entry {
            list,
            rank,
            figure,
            text: on_one_line(&text),
        }));
    };
    match variant {
        VariantName::Baseline => {
            let running = baseline::running(pool).await?.into_iter();
            add(List::Running, running.map(|text| (None, text)).collect());
        }
        VariantName::Proposed(None) => {
            let slow = proposed::slow(pool).await?.into_iter();
            let told = slow.filter_map(|of| Some((Some(of.avg_ms.into()), of.query?)));
            add(List::Slow, told.collect());
        }
        VariantName::Optimized => {
            let told = optimized::costliest(pool).await?;
            let by_total = told.by_total.into_iter();
            let by_total = by_total.map(|of| (Some(of.total_ms), of.text));
            add(List::Time, by_total.collect());
            let by_pages = told.by_pages_a_row.into_iter();
            let by_pages = by_pages.map(|of| (Some(of.pages_a_row()), of.text));
            add(List::Pages, by_pages.collect());
        }
        _ => return Err(no_such_variant(variant)),
    }
    Ok(listed)
}

/// The first place at which a finding is listed.
fn place(finding: &Finding, listed: &[Entry]) -> Option<(List, usize)> {
    let mut listed = listed.iter();
    let first = listed.find(|entry| finding.statements.contains(&entry.text));
    first.map(|entry| (entry.list, entry.rank))
}

/// The findings whose work is PostgreSQL's.
fn findings(world: &World) -> Vec<&'static str> {
    let own = Monitoring.id();
    let items = ITEMS.iter().filter(|item| item.id() != own);
    let watched = items.filter(|item| {
        item.operations()
            .iter()
            .any(|of| statements::is_seen(world, &**of))
    });
    watched.map(|item| item.id()).collect()
}

/// What is listed, and where each of some findings is named in it.
#[derive(Debug, Clone)]
struct Told {
    listed: Vec<Entry>,
    named: Vec<(&'static str, Option<(List, usize)>)>,
}

/// Asks for what is slow, for the sake of some findings.
#[derive(Debug, Clone, Copy)]
struct Findings;

impl Operation for Findings {
    type Request = Vec<&'static str>;
    type Answer = Told;

    fn name(&self) -> &'static str {
        "findings"
    }

    fn rungs(&self, _: &World) -> Vec<At> {
        vec![At::rung(1)]
    }

    fn at(&self, oracle: &Oracle, _: At, _: &mut ChaCha8Rng) -> Option<Self::Request> {
        Some(findings(oracle.world()))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Self::Request {
        let mut some = findings(oracle.world());
        some.retain(|_| random.random());
        some
    }

    fn between(&self) -> Between {
        Between::Nothing("what takes the time is told of calls, whatever their rows are")
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        asked: &Self::Request,
    ) -> Result<Self::Answer, Fault> {
        let listed = listed(store, variant).await?;
        let known = known();
        let named: Vec<_> = asked
            .iter()
            .map(|item| {
                let finding = known.iter().find(|finding| finding.item == *item);
                (*item, finding.and_then(|finding| place(finding, &listed)))
            })
            .collect();
        for _ in named.iter().filter(|(_, place)| place.is_none()) {
            store.client.overlooked();
        }
        Ok(Told { listed, named })
    }

    fn hold(&self, _: &Oracle, asked: &Self::Request, answer: &Self::Answer) -> Held {
        let told: Vec<&str> = answer.named.iter().map(|(item, _)| *item).collect();
        same("findings", asked, &told)?;
        let wrong = |entry: &Entry| {
            let Entry {
                list, rank, figure, ..
            } = entry;
            Difference(format!("rank {rank} {}: {figure:?}", list.words()))
        };
        for entry in &answer.listed {
            if entry.rank > ROWS || entry.list == List::Slow && entry.figure < Some(SLOW_MS) {
                return Err(wrong(entry));
            }
        }
        for pair in answer.listed.windows(2) {
            let [before, after] = pair else { continue };
            if before.list == after.list && before.figure < after.figure {
                return Err(wrong(after));
            }
        }
        Ok(())
    }
}

/// Tells which findings a way of asking names, and the statement that takes most of the time.
async fn tell(session: &Session<'_>, variant: &VariantName, tally: &mut Tally) -> Outcome<()> {
    let store = session.store(variant);
    let listed = listed(&store, variant).await?;
    let (mut named, mut overlooked) = (Vec::new(), Vec::new());
    for finding in known() {
        match place(finding, &listed) {
            Some((list, rank)) => {
                named.push((rank, format!("{} ({rank} {})", finding.item, list.words())));
            }
            None => overlooked.push(finding.item),
        }
    }
    named.sort();
    let words = |of: Vec<String>| match of.is_empty() {
        true => "none".to_owned(),
        false => of.join(", "),
    };
    let all = named.len() + overlooked.len();
    let different: BTreeSet<&str> = listed.iter().map(|entry| entry.text.as_str()).collect();
    let sent = all_statements(&store.postgres)
        .await
        .doing("read pg_stat_statements")?;
    tally.declare(format!(
        "{} of the {} statements that were counted are listed; of {all} findings whose work is \
         PostgreSQL's, {} are named: {}; not: {}",
        different.len(),
        sent.statements,
        named.len(),
        words(named.into_iter().map(|(_, words)| words).collect()),
        words(overlooked.into_iter().map(str::to_owned).collect())
    ));
    let costliest = optimized::costliest(&store.postgres)
        .await
        .map_err(Fault::from)?;
    let in_all: f64 = costliest.by_total.iter().map(|of| of.total_ms).sum();
    if let Some(first) = costliest.by_total.first() {
        let is_listed = listed.iter().any(|entry| entry.text == first.text);
        tally.declare(format!(
            "the statement that takes most of the time, {:.0} % of that of the first {ROWS}, by {} \
             calls of {:.2} ms, is {}listed: {}",
            100.0 * first.total_ms / in_all.max(f64::MIN_POSITIVE),
            first.calls,
            first.mean_ms,
            if is_listed { "" } else { "not " },
            first.text
        ));
    }
    match variant {
        VariantName::Proposed(None) => ends(&store, tally).await,
        _ => indexes(&store, tally).await,
    }
    Ok(())
}

/// Tells what the audit's question is answered once a statement has taken 2^31 ms in all: its
/// figures are whole numbers of 32 bits.
async fn ends(store: &Store, tally: &mut Tally) {
    let days = f64::from(i32::MAX) / 86_400e3;
    let asked = query_scalar("SELECT $1::float8::int").bind(f64::from(i32::MAX) + 1.0);
    let asked: sqlx::Result<i32> = asked.fetch_one(&store.postgres).await;
    if let Err(sqlx::Error::Database(words)) = asked {
        tally.declare(format!(
            "once a statement above 100 ms has taken {days:.1} days in all, the question is refused: {}",
            words.message()
        ));
    }
}

/// Tells of indexes that nobody looks into and of tables that are read whole.
async fn indexes(store: &Store, tally: &mut Tally) {
    if let Ok(told) = optimized::indexes(&store.postgres).await {
        let unused = told.unused.iter().map(|index| index.name.as_str());
        let scanned = told.scanned.iter().map(|table| table.table.as_str());
        tally.declare(format!(
            "indexes that nobody looked into, the largest first: {}; tables of which 1 000 rows or \
             more are read at a time: {}",
            unused.collect::<Vec<_>>().join(", "),
            scanned.collect::<Vec<_>>().join(", ")
        ));
    }
}
