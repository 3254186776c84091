//! A mixed load of today's calls, of every finding.
//!
//! What is small is asked for as often as it is smaller: a conversation of 100 messages a thousand
//! times for one of 100 000.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use sqlx::{query, query_scalar};
use verdict_audit::VariantName;
use verdict_store::fault::Doing;
use verdict_store::settle::settle;
use verdict_store::{Connect, Fault, Store};

use super::baseline;
use super::statements::is_seen;
use crate::docket::ITEMS;
use crate::error::Result;
use crate::meters::tell_statistics;
use crate::session::{Depth, ROLES, Role, Session};
use crate::tally::Tally;

/// Calls at one place at the most, and how long those of all places together may take.
fn bounds(depth: Depth) -> (u64, Duration) {
    match depth {
        Depth::Full => (2_000, Duration::from_secs(60)),
        Depth::Quick => (200, Duration::from_secs(4)),
    }
}

/// What was called.
#[derive(Debug, Default)]
pub(super) struct Load {
    calls: u64,
    places: usize,
    took: Duration,
    /// Whether what was counted before is in the figures as well.
    with_others: bool,
}

/// `after 4 213 of today's calls at 43 places in 3.1 s`.
impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            calls,
            places,
            took,
            with_others,
        } = self;
        write!(
            f,
            "asked after {calls} of today's calls at {places} places in {took:.1?}, at each as \
             often as it is smaller than the largest"
        )?;
        match with_others {
            true => f.write_str("; statements from before are in the lists, too"),
            false => Ok(()),
        }
    }
}

/// Makes today's calls on a side, of which alone PostgreSQL's statistics then tell.
pub(super) async fn run(session: &Session<'_>, role: Role, own: &str) -> Result<Load> {
    let store = session.connect(role, None, Connect::by_one).await?;
    let quiet = quiet(session, role, &store).await?;
    let mut load = Load::default();
    for role in ROLES {
        let side = session.store_of(role);
        load.with_others |= !begin_anew(&side).await;
    }
    let mut places = Vec::new();
    for item in ITEMS.iter().filter(|item| item.id() != own) {
        for operation in item
            .operations()
            .into_iter()
            .filter(|of| is_seen(session.world(), &**of))
        {
            let mut rungs = operation.rungs(session.world());
            rungs.retain(|at| at.is_rung());
            for at in rungs {
                let today = &VariantName::Baseline;
                let probe = operation.probe(session.oracle(), today, at);
                places.extend(probe.map(|probe| (at.n, probe, operation.writes())));
            }
        }
    }
    let largest = places.iter().map(|(n, ..)| *n).max().unwrap_or(1);
    let (most, in_all) = bounds(session.depth());
    let patience = in_all / places.len().max(1) as u32;
    let mut written = BTreeSet::new();
    let started = Instant::now();
    for (n, probe, writes) in &places {
        let (began, calls) = (Instant::now(), (largest / n).clamp(1, most));
        for _ in 0..calls {
            match probe.call(&store, false).await {
                Ok(_) => load.calls += 1,
                // That it does not run is for others to tell.
                Err(Fault::Variant(_)) => break,
                Err(Fault::Harness(error)) => return Err(error.into()),
            }
            if began.elapsed() > patience {
                break;
            }
        }
        probe.settle(&quiet, &mut Tally::default()).await?;
        written.extend(writes.iter().copied());
    }
    (load.places, load.took) = (places.len(), started.elapsed());
    let written: Vec<_> = written.into_iter().collect();
    settle(&quiet.postgres, &written).await?;
    tell_statistics(&store.postgres).await?;
    store.close().await;
    quiet.close().await;
    Ok(load)
}

/// A store whose own statements are not counted, as far as that may be said.
async fn quiet(session: &Session<'_>, role: Role, store: &Store) -> Result<Store> {
    let names: Vec<&str> = baseline::SETTINGS.iter().map(|(name, _)| *name).collect();
    let may: Vec<String> = query_scalar(
        "SELECT name FROM UNNEST($1::text[]) AS name WHERE HAS_PARAMETER_PRIVILEGE(name, 'SET')",
    )
    .bind(names)
    .fetch_all(&store.postgres)
    .await
    .doing("see what may be set")?;
    let settings = baseline::SETTINGS.iter();
    let settings = settings.filter(|(name, _)| may.iter().any(|may| may == name));
    let settings = settings.map(|(name, value)| (*name, (*value).to_owned()));
    session
        .connect(role, None, |mut connect| {
            connect.postgres.extend(settings);
            connect
        })
        .await
}

/// Forgets what was counted of a side's database, its statements and how its tables were read;
/// whether that was allowed.
async fn begin_anew(side: &Store) -> bool {
    let forgotten = query(
        "SELECT pg_stat_statements_reset(0, oid, 0), pg_stat_reset()
        FROM pg_database
        WHERE datname = CURRENT_DATABASE()",
    );
    forgotten.execute(&side.postgres).await.is_ok()
}
