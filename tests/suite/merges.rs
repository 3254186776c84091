//! Merges that go on although nobody wants them.

use std::time::{Duration, Instant};

use verdict_audit::Exit;
use verdict_scenarios::parts;
use verdict_store::Connect;

use crate::common::{engines, runtime, store};

#[test]
fn what_is_merged_for_too_long_is_told_with_what_to_do_and_what_ends_is_waited_for() {
    runtime().block_on(async {
        let store = store("merges", &Connect::default()).await;
        let client = &store.clickhouse;
        for statement in [
            "CREATE TABLE slow (n UInt64 CODEC(ZSTD(22))) ENGINE = MergeTree ORDER BY tuple()",
            "INSERT INTO slow SELECT rand64() FROM numbers(500000)",
        ] {
            client.query(statement).execute().await.unwrap();
        }
        let merge = client.query("OPTIMIZE TABLE slow FINAL").execute();
        let merged = tokio::spawn(merge);
        let running = "SELECT count() FROM system.merges WHERE database = currentDatabase()";
        let started = Instant::now();
        while client.query(running).fetch_one::<u64>().await.unwrap() == 0 {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "it never began"
            );
        }
        let error = parts::at_rest(client, Duration::ZERO).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Unavailable);
        let words = error.to_string();
        assert!(
            words.contains("slow") && words.contains("system.merges"),
            "{words}"
        );
        let patience = Duration::from_secs(60);
        parts::at_rest(client, patience).await.unwrap();
        merged.await.unwrap().unwrap();
        store.close().await;
        engines().await.drop_sandbox("merges").await.unwrap();
    });
}
