//! What pools of several services come to together, and how many connections a server has.

use sqlx::query_as;
use verdict_audit::VariantName;
use verdict_baseline::pool as today;
use verdict_optimized::{as_proposed::pool as proposed, pool as optimized};
use verdict_store::fault::Doing;

use crate::error::Result;
use crate::session::Session;
use crate::tally::Tally;

/// Connections for everybody but superusers and those who are let in as if they were: of this
/// server, and of one as it is installed.
const LIMITS: &str = "
SELECT
    SUM(setting::bigint * CASE name WHEN 'max_connections' THEN 1 ELSE -1 END)::bigint,
    SUM(boot_val::bigint * CASE name WHEN 'max_connections' THEN 1 ELSE -1 END)::bigint
FROM pg_settings
WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')";

/// Tells the sum over the three services that the audit names, one process of each.
pub(super) async fn tell(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let (least, most): (u32, u32) = match variant {
        VariantName::Baseline => {
            let sum = today::SERVICES.iter().map(|(_, size)| size).sum();
            (sum, sum)
        }
        VariantName::Proposed(_) => {
            let of = |end: fn(&std::ops::RangeInclusive<u32>) -> &u32| {
                proposed::SERVICES.iter().map(|(_, size)| end(size)).sum()
            };
            (
                of(std::ops::RangeInclusive::start),
                of(std::ops::RangeInclusive::end),
            )
        }
        _ => {
            let sum = optimized::CONNECTIONS * today::SERVICES.len() as u32;
            (sum, sum)
        }
    };
    let store = session.store(variant);
    let (here, installed): (i64, i64) = query_as(LIMITS)
        .fetch_one(&store.postgres)
        .await
        .doing("see how many connections there are")?;
    let fits = |limit: i64| match limit {
        _ if i64::from(most) <= limit => "fit",
        _ if i64::from(least) <= limit => "fit only at the least",
        _ => "do not fit",
    };
    let sum = match least == most {
        true => least.to_string(),
        false => format!("{least} to {most}"),
    };
    tally.declare(format!(
        "the pools of {} services of one process each come to {sum} connections: they {} into the \
         {installed} of a server as it is installed, and {} into the {here} of this one",
        today::SERVICES.len(),
        fits(installed),
        fits(here)
    ));
    Ok(())
}
