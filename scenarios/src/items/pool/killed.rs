//! Connections that the server ends underneath, all at once: while calls are on them, just after,
//! and when they have lain idle for longer than they are believed to live.

use std::sync::Arc;
use std::time::Duration;

use verdict_audit::VariantName;
use verdict_optimized::pool as optimized;
use verdict_oracle::{Difference, same};

use super::crowd::{Call, Came, Crowd};
use super::stored;
use crate::error::Result;
use crate::session::{Depth, Session};
use crate::tally::Tally;

/// Callers of each kind at once.
const CALLERS: usize = 8;

/// The time before connections are ended, and after.
const BETWEEN: Duration = Duration::from_millis(300);

/// What was lost: ours answers every call, whoever else's failures are told; and a message is
/// stored once or not at all, and surely where it was acknowledged, whatever the variant.
pub(super) async fn run(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let before = stored(&session.store(variant)).await?;
    let Some(crowd) = Crowd::open(session, variant, |connect| connect).await? else {
        return Ok(());
    };
    let times = match session.depth() {
        Depth::Full => 3,
        Depth::Quick => 1,
    };
    let outcome = kill(&crowd, times).await;
    let after = stored(&session.store(variant)).await;
    let taken = crowd.close().await?;
    let (after, (ended, calls, idle)) = (after?, outcome?);
    let more = (after - before).unsigned_abs();

    let [pages, sends] = &calls;
    let acknowledged = sends.took.len() as u64;
    let unanswered = (sends.failed + sends.timed_out) as u64;
    let when = format!("{ended} connections ended under {} callers", 2 * CALLERS);
    let held = match (acknowledged..=acknowledged + unanswered).contains(&taken) {
        true => same("messages stored, each once", &taken, &more),
        false => Err(Difference(format!(
            "{acknowledged} messages were acknowledged, {unanswered} were not, {taken} are stored"
        ))),
    };
    tally.record(&when, held);
    let failed: usize = [pages, sends, &idle].map(failures).iter().sum();
    if *variant == VariantName::Optimized {
        tally.record(&when, same("calls that failed", &0, &failed));
    }
    tally.declare(format!(
        "{when}: of {} pages {} failed, of {} sends {} failed, {} of which are stored; of {} pages \
         after {:?} of quiet in which {CALLERS} connections or more had been ended {} failed",
        pages.took.len() + failures(pages),
        failures(pages),
        sends.took.len() + failures(sends),
        failures(sends),
        taken - acknowledged.min(taken),
        idle.took.len() + failures(&idle),
        quiet(),
        failures(&idle)
    ));
    Ok(())
}

fn failures(came: &Came) -> usize {
    came.failed + came.timed_out
}

/// For longer than ours believes an idle connection to live.
fn quiet() -> Duration {
    optimized::DOUBTED + Duration::from_millis(100)
}

/// Connections ended so many times while there are calls on them, and once while there are none.
async fn kill(crowd: &Arc<Crowd>, times: u32) -> Result<(usize, [Came; 2], Came)> {
    let length = BETWEEN * (times + 1);
    let killer = async {
        let mut ended = 0;
        for _ in 0..times {
            tokio::time::sleep(BETWEEN).await;
            ended += crowd.kill().await?;
        }
        Ok::<_, crate::Error>(ended)
    };
    let (ended, pages, sends) = tokio::join!(
        killer,
        crowd.calls(Call::Page, CALLERS, length),
        crowd.calls(Call::Send, CALLERS, length)
    );
    crowd.kill().await?;
    tokio::time::sleep(quiet()).await;
    let idle = crowd.calls(Call::Page, CALLERS, Duration::ZERO).await?;
    Ok((ended?, [pages?, sends?], idle))
}
