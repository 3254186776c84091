//! Item 5 as it is today: three queries at once for the candidates of one feed. A source that
//! fails is passed over without a word, so that without the tables a feed is empty.

use clickhouse::Client;
use futures_util::future::join3;

use crate::Result;
use crate::feed_tables::{Candidate, Request, Source, read};

/// Candidates of every source: those of followees, then trending ones, then those of affinity,
/// each best first. A post may come from several.
pub async fn candidates(client: &Client, request: &Request) -> Result<Vec<Candidate>> {
    let (followees, trending, affinity) = join3(
        read(client, Source::Followees, request),
        read(client, Source::Trending, request),
        read(client, Source::Affinity, request),
    )
    .await;
    Ok([followees, trending, affinity]
        .into_iter()
        .flatten()
        .flatten()
        .collect())
}
