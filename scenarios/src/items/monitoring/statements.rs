//! Which statements belong to which finding: those that take most of the time of its calls today.

use std::collections::BTreeMap;

use sqlx::{PgPool, query_as};
use tokio::sync::OnceCell;
use verdict_audit::VariantName;
use verdict_monitor::on_one_line;
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Connect, Error, Fault};

use crate::docket::ITEMS;
use crate::error::Result;
use crate::operation::{AnyOperation, Ladder, Leaves};
use crate::session::{Role, Session};
use crate::tally::Tally;

/// A finding of the audit, and its statements.
#[derive(Debug)]
pub(super) struct Finding {
    pub item: &'static str,
    pub statements: Vec<String>,
}

/// The same in every database: what today's calls send.
static KNOWN: OnceCell<Vec<Finding>> = OnceCell::const_new();

/// What was learnt of them; nothing before.
pub(super) fn known() -> &'static [Finding] {
    KNOWN.get().map(Vec::as_slice).unwrap_or_default()
}

/// Whether PostgreSQL sees an operation's statements, and what it leaves can be taken back. Of what
/// depends on how many call at once no statement tells.
pub(super) fn is_seen(world: &World, operation: &dyn AnyOperation) -> bool {
    operation.ladder() == Ladder::Rows
        && operation.rungs(world).iter().all(|at| at.callers == 1)
        && !operation.aside()
        && !matches!(operation.leaves(), Leaves::Renew(_))
}

/// Learns the statements of every finding but one, where nobody has yet.
pub(super) async fn learn(session: &Session<'_>, own: &str) -> Result<()> {
    let learnt = KNOWN.get_or_try_init(|| gather(session, own)).await;
    learnt.map(drop)
}

/// Calls every operation of the others once, as today and at its largest rung, and notes the
/// statement that took most of the time.
async fn gather(session: &Session<'_>, own: &str) -> Result<Vec<Finding>> {
    let store = session
        .connect(Role::Baseline, None, Connect::by_one)
        .await?;
    let pool = &store.postgres;
    let mut findings = Vec::new();
    for item in ITEMS.iter().filter(|item| item.id() != own) {
        let mut statements = Vec::new();
        for operation in item
            .operations()
            .iter()
            .filter(|of| is_seen(session.world(), &***of))
        {
            let mut rungs = operation.rungs(session.world());
            rungs.retain(|at| at.is_rung());
            let today = &VariantName::Baseline;
            let largest = rungs.pop();
            let probe = largest.and_then(|at| operation.probe(session.oracle(), today, at));
            let Some(probe) = probe else {
                continue;
            };
            let before = spent(pool).await?;
            let called = probe.call(&store, false).await;
            let after = spent(pool).await?;
            probe.settle(&store, &mut Tally::default()).await?;
            match called {
                Ok(_) => statements.extend(most(&before, after)),
                // That it does not run is for others to tell.
                Err(Fault::Variant(_)) => {}
                Err(Fault::Harness(error)) => return Err(error.into()),
            }
        }
        if !statements.is_empty() {
            findings.push(Finding {
                item: item.id(),
                statements,
            });
        }
    }
    store.close().await;
    Ok(findings)
}

/// Milliseconds by statement.
type Spent = BTreeMap<String, f64>;

/// What each statement has taken so far.
async fn spent(pool: &PgPool) -> std::result::Result<Spent, Error> {
    let spent: Vec<(String, f64)> = query_as(
        "SELECT /* verdict monitor */ query, SUM(total_exec_time)::float8
        FROM pg_stat_statements
        WHERE toplevel
          AND dbid = (SELECT oid FROM pg_database WHERE datname = CURRENT_DATABASE())
          AND query NOT LIKE '%/* verdict monitor */%'
        GROUP BY query",
    )
    .fetch_all(pool)
    .await
    .doing("read pg_stat_statements")?;
    Ok(spent
        .into_iter()
        .map(|(text, took)| (on_one_line(&text), took))
        .collect())
}

/// The statement that took most of the time since.
fn most(before: &Spent, after: Spent) -> Option<String> {
    let since = |text: &str, took: f64| took - before.get(text).copied().unwrap_or_default();
    let took = after
        .into_iter()
        .map(|(text, took)| (since(&text, took), text));
    let most = took
        .filter(|(took, _)| *took > 0.0)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    most.map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_most_since_is_not_what_took_most_before() {
        let spent = |of: &[(&str, f64)]| -> Spent {
            let of = of.iter();
            of.map(|(text, took)| ((*text).to_owned(), *took)).collect()
        };
        let before = spent(&[("a", 90.0), ("b", 1.0)]);
        let after = spent(&[("a", 91.0), ("b", 4.0), ("c", 2.0)]);
        assert_eq!(most(&before, after.clone()).as_deref(), Some("b"));
        assert_eq!(most(&after, after.clone()), None);
    }
}
