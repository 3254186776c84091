//! Today's feed, whose tables are not there.

use verdict_audit::VariantName;
use verdict_baseline::feed_candidates as today;
use verdict_baseline::feed_tables::{Request, SOURCES, read};
use verdict_store::Fault;

use crate::error::Result as Outcome;
use crate::session::Session;
use crate::tally::Tally;

/// Today beside it: the tables are not there, every read is refused, and the service makes of
/// that an empty feed.
pub(super) async fn without_tables(session: &Session<'_>, tally: &mut Tally) -> Outcome<()> {
    let store = session.store(&VariantName::Baseline);
    let request = Request {
        user: session.world().user(0),
        limit: 200,
    };
    let mut words = None;
    for source in SOURCES {
        words = match read(&store.clickhouse, source, &request).await {
            Err(refused) => words.or(Some(refused.to_string())),
            Ok(_) => return Ok(()),
        };
    }
    let feed = today::candidates(&store.clickhouse, &request).await;
    let rows = feed.map_err(Fault::from)?.len();
    tally.declare(format!(
        "today every read is refused ({}), and today's service, which passes over a source that \
         fails, makes a feed of {rows} candidates of it",
        words.unwrap_or_default()
    ));
    Ok(())
}
