//! Hard times of a pool: a burst just after the start, callers who hold a connection for a second,
//! long pages among short ones.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::query;
use verdict_audit::VariantName;
use verdict_baseline::pool as today;
use verdict_store::fault::Doing;
use verdict_store::{Connect, Error};

use super::crowd::{Call, Came, Crowd};
use crate::error::Result;
use crate::session::{Depth, Session};
use crate::tally::Tally;

/// Callers at once.
const CALLERS: usize = 32;

/// From the start to the burst: as long as a service is started before it is asked.
const STARTED: Duration = Duration::from_millis(500);

/// Callers who hold a connection, as many as the messaging service's pool has; and those who ask
/// meanwhile.
const HOLDERS: usize = today::MESSAGING as usize;
const ASKERS: usize = 8;

/// Tells what each comes to with a variant's pool, and with the one that the messaging service
/// really has beside today's.
pub(super) async fn run(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    tell(session, variant, "its pool", |connect| connect, tally).await?;
    if *variant == VariantName::Baseline {
        let words = format!("the messaging service's {} connections", today::MESSAGING);
        let messaging = |connect: Connect| Connect {
            pool: connect.pool.max_connections(today::MESSAGING),
            ..connect
        };
        tell(session, variant, &words, messaging, tally).await?;
    }
    Ok(())
}

async fn tell(
    session: &Session<'_>,
    variant: &VariantName,
    pool: &str,
    how: fn(Connect) -> Connect,
    tally: &mut Tally,
) -> Result<()> {
    let (length, hold) = match session.depth() {
        Depth::Full => (Duration::from_secs(1), Duration::from_secs(1)),
        Depth::Quick => (Duration::from_millis(150), Duration::from_millis(300)),
    };
    let Some(crowd) = Crowd::open(session, variant, how).await? else {
        return Ok(());
    };
    let told = async {
        tokio::time::sleep(STARTED).await;
        let warm = crowd.others().await?.len();
        let burst = crowd.calls(Call::Page, CALLERS, Duration::ZERO).await?;
        tally.declare(format!(
            "with {pool}, {CALLERS} callers at once {STARTED:?} after the start, when {warm} \
             connections are open: {burst}"
        ));
        let held = holding(&crowd, hold).await?;
        tally.declare(format!(
            "with {pool}, {ASKERS} callers while {HOLDERS} others hold a connection for {hold:?}: \
             {held}"
        ));
        let mut calls = vec![(Call::Mixed, CALLERS)];
        if variant == &VariantName::Baseline {
            calls.extend([(Call::Page, CALLERS), (Call::Send, CALLERS)]);
        }
        for (call, callers) in calls {
            let came = crowd.calls(call, callers, length).await?;
            tally.declare(format!("with {pool}, {callers} callers, {call}: {came}"));
        }
        Ok::<(), crate::Error>(())
    };
    let told = told.await;
    crowd.close().await?;
    told
}

/// What callers wait for while others hold connections.
async fn holding(crowd: &Arc<Crowd>, hold: Duration) -> Result<Came> {
    let holders = join_all((0..HOLDERS).map(|_| async {
        query("SELECT pg_sleep($1)")
            .bind(hold.as_secs_f64())
            .execute(&crowd.store.postgres)
            .await
            .map(drop)
            .doing("hold a connection")
    }));
    let askers = async {
        // Holders come first.
        tokio::time::sleep(Duration::from_millis(50)).await;
        crowd.calls(Call::Page, ASKERS, hold / 2).await
    };
    let (held, came) = tokio::join!(holders, askers);
    held.into_iter()
        .collect::<std::result::Result<(), Error>>()?;
    came
}
