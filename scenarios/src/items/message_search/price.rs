//! What a variant costs besides its size and what is counted of a send: how long a send takes, how
//! long others are held while the change is made, and what messages cost that wait to be merged
//! into its index.

use std::time::Instant;

use sqlx::{AssertSqlSafe, query, query_scalar};
use uuid::Uuid;
use verdict_audit::evidence::{Price, PriceOf};
use verdict_audit::{Unit, VariantName};
use verdict_baseline::message_send::unsend;
use verdict_seed::Conversation;
use verdict_store::Store;
use verdict_store::fault::Doing;
use verdict_store::settle::settle;

use super::{MessageSearch, Search, search};
use crate::error::Result;
use crate::items::sends::{SENT, held, sending, typical};
use crate::session::Session;

/// Messages that wait.
const WAITING: i64 = 1_000;

/// Searches of which the typical one is told.
const SEARCHES: usize = 5;

pub(super) async fn of(
    item: &MessageSearch,
    session: &Session<'_>,
    variant: &VariantName,
) -> Result<Vec<Price>> {
    let mut prices = Vec::new();
    let rungs = session.world().ladder_conversations();
    let (Some(smallest), Some(largest)) = (rungs.first(), rungs.last()) else {
        return Ok(prices);
    };
    prices.push(sending(session, variant, smallest).await?);
    prices.extend(waiting(session, variant, largest).await?);
    prices.extend(held(item, session, variant, smallest).await?);
    Ok(prices)
}

/// What a search takes while messages wait in the index's list, and when they are merged.
async fn waiting(
    session: &Session<'_>,
    variant: &VariantName,
    conversation: &Conversation,
) -> Result<Vec<Price>> {
    let index = match variant {
        VariantName::Optimized => "idx_messages_search",
        _ => "idx_messages_content_tsv",
    };
    let store = session.store(variant);
    let ids: Vec<Uuid> = query_scalar(
        "INSERT INTO messages (id, conversation_id, sender_id, content)
        SELECT GEN_RANDOM_UUID(), $1, $2, 'a message of many, which waits for its place ' || number
        FROM GENERATE_SERIES(1, $3) AS number
        RETURNING id",
    )
    .bind(conversation.id)
    .bind(conversation.members.first())
    .bind(WAITING)
    .fetch_all(&store.postgres)
    .await
    .doing("send messages that wait")?;
    let timed = timed(&store, variant, conversation).await;
    let merged = query(AssertSqlSafe(format!(
        "SELECT gin_clean_pending_list('{index}'::regclass)"
    )));
    let merged = merged.execute(&store.postgres).await;
    let after = self::timed(&store, variant, conversation).await;
    unsend(&store.postgres, conversation.id, &ids)
        .await
        .doing("take messages back that waited")?;
    merged.doing("merge what waits")?;
    let (waiting, merged) = (timed?, after?);
    settle(&store.postgres, SENT).await?;
    let today = VariantName::Baseline;
    let baseline = self::timed(&session.store(&today), &today, conversation).await?;
    let price = |merged: bool, took: f64| Price {
        what: PriceOf::SearchWhileWaiting {
            waiting: WAITING as u64,
            merged,
        },
        baseline,
        variant: took,
        unit: Unit::Microseconds,
    };
    Ok(vec![price(false, waiting), price(true, merged)])
}

/// The typical time of a search for a rare word, in microseconds.
async fn timed(store: &Store, variant: &VariantName, conversation: &Conversation) -> Result<f64> {
    let request = Search::Rare.request(conversation.id);
    let mut times = Vec::new();
    for _ in 0..SEARCHES {
        let started = Instant::now();
        let _found = search(store, variant, &request).await?;
        times.push(started.elapsed());
    }
    Ok(typical(times))
}
