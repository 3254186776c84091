//! The job behind the optimized side's feeds, beside the service.

use futures_util::future::BoxFuture;
use verdict_optimized::feed_job::{self, PACE};

use crate::sides::SideAddress;

/// Refreshes the tables of a side's feeds again and again. A run that fails, or is killed with the
/// process, leaves them as they are, and the next one begins anew.
pub fn keep_fresh(side: &SideAddress) -> BoxFuture<'static, ()> {
    let clickhouse = side.clickhouse.client();
    Box::pin(async move {
        loop {
            tokio::time::sleep(PACE).await;
            if let Err(error) = feed_job::refresh(&clickhouse).await {
                eprintln!("verdict: failed to refresh the feeds, again in {PACE:?}: {error}");
            }
        }
    })
}
