//! What a call takes while its statements are watched, beside the same call while nobody watches:
//! in sessions of one server that differ by their settings alone.

use std::time::{Duration, Instant};

use rand::RngExt;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, query};
use verdict_audit::evidence::{End, Price, PriceOf};
use verdict_audit::{At, OperationName, Unit, VariantName};
use verdict_baseline::hot_cold::Request;
use verdict_store::Error;
use verdict_store::fault::Doing;

use super::{baseline, optimized, proposed};
use crate::error::Result;
use crate::recording::{Recording, Sampled};
use crate::session::{Depth, Session};

/// The call: it takes so little that watching weighs most.
const CALL: &str = "read of the newest messages";

/// Messages of the page.
const LIMIT: i64 = 20;

/// Calls on a fresh connection that go uncounted, blocks of a round, and calls of either side in
/// one.
const WARM_UP: usize = 10;
const BLOCKS: usize = 8;
const CALLS: usize = 40;

fn rounds(depth: Depth) -> usize {
    match depth {
        Depth::Full => 40,
        Depth::Quick => 12,
    }
}

/// The time of a call without and with statements watched as a variant does it, and the interval of
/// its ratio. Nothing where the role may not choose what is watched.
pub(super) async fn of(session: &Session<'_>, variant: &VariantName) -> Result<Vec<Price>> {
    let rungs = session.world().ladder_conversations();
    let Some(smallest) = rungs.first() else {
        return Ok(Vec::new());
    };
    let watched = match variant {
        VariantName::Optimized => optimized::SETTINGS,
        _ => proposed::SETTINGS,
    };
    let server = session.store(variant).postgres.connect_options();
    let sides = [
        (Sampled::Baseline, baseline::SETTINGS),
        (Sampled::Variant, watched),
    ]
    .map(|(side, settings)| {
        let settings = settings.iter().copied();
        (side, PgConnectOptions::clone(&server).options(settings))
    });
    let request = Request {
        conversation: smallest.id,
        since: None,
        limit: LIMIT,
    };
    let mut recording = Recording::default();
    let mut random = session.random("calls that are watched");
    for _ in 0..rounds(session.depth()) {
        let began = Instant::now();
        let mut connections = Vec::new();
        for (side, server) in &sides {
            match server.connect().await {
                Ok(connection) => connections.push((*side, connection)),
                Err(sqlx::Error::Database(_)) => return Ok(Vec::new()),
                error => drop(error.doing("connect to a side")?),
            }
        }
        for (_, connection) in &mut connections {
            for _ in 0..WARM_UP {
                call(connection, &request).await?;
            }
        }
        for _ in 0..BLOCKS {
            let mut left = [CALLS; 2];
            while left != [0; 2] {
                let place = random.random_range(0..left[0] + left[1]);
                let next = usize::from(place >= left[0]);
                left[next] -= 1;
                let (side, connection) = &mut connections[next];
                recording.record(*side, call(connection, &request).await?);
            }
            recording.close_block();
        }
        recording.close_round();
        recording.spend(began.elapsed());
        for (_, connection) in connections {
            connection.close().await.doing("leave a side")?;
        }
    }
    let name: OperationName = "watched".parse()?;
    let Some(latency) = recording.latency(&name, At::rung(1)) else {
        return Ok(Vec::new());
    };
    let mut prices = Vec::new();
    if let Some(unwatched) = latency.baseline {
        prices.push(Price {
            what: PriceOf::Watched {
                call: CALL.to_owned(),
            },
            baseline: unwatched.p50,
            variant: latency.variant.p50,
            unit: Unit::Microseconds,
        });
    }
    if let Some(ratio) = latency.ratio {
        let ends = [(End::Lower, ratio.hi), (End::Upper, ratio.lo)];
        prices.extend(ends.map(|(end, ratio)| Price {
            what: PriceOf::WatchedRatio {
                call: CALL.to_owned(),
                end,
            },
            baseline: 1.0,
            variant: 1.0 / ratio,
            unit: Unit::Count,
        }));
    }
    Ok(prices)
}

async fn call(
    connection: &mut PgConnection,
    request: &Request,
) -> std::result::Result<Duration, Error> {
    let started = Instant::now();
    query(request.statement())
        .bind(request.conversation)
        .bind(request.limit)
        .fetch_all(connection)
        .await
        .doing("read messages to see what watching costs")?;
    Ok(started.elapsed())
}
