//! Writes between reads, on a real database: each is what the oracle says it is, and turned round
//! it leaves nothing.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sqlx::PgPool;
use verdict_baseline::{message_history, pagination};
use verdict_oracle::write::{self, Kind};
use verdict_oracle::{Oracle, Write, ladder, message_history as history, pagination as pages};
use verdict_seed::postgres_checksums;

use crate::common::{clone, runtime, world};

/// Writes drawn for pages of every kind, each on what those before it have left.
const WRITES: usize = 120;

#[test]
fn each_is_as_the_oracle_says_on_top_of_others_and_turned_round_leaves_nothing() {
    runtime().block_on(async {
        let pool = PgPool::connect_with(clone("writes").await.postgres)
            .await
            .unwrap();
        let world = world();
        let untouched = Oracle::new(&world);
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let before = postgres_checksums(&pool, None).await.unwrap();
        let (mut oracle, mut made, mut kinds) = (untouched.clone(), Vec::new(), BTreeSet::new());
        while made.len() < WRITES {
            let (write, held) = if made.len() % 2 == 0 {
                let mut request = history::draw(&oracle, &mut random);
                if made.len() % 4 == 0 {
                    // Where others have been written to, too.
                    request.conversation = ladder::conversation(&world, 100).unwrap().id;
                    request.offset %= 100;
                }
                let Some(write) = history::write_between(&oracle, &request, &mut random) else {
                    continue;
                };
                write::apply(&pool, &write).await.unwrap();
                let page = message_history::history(&pool, &request).await.unwrap();
                let stale = history::hold(&oracle, &request, &page).is_ok();
                assert!(!stale, "another page is right after {:?}", write.kind);
                oracle = oracle.with(&write);
                (write, history::hold(&oracle, &request, &page))
            } else {
                let request = pages::draw_posts(&oracle, &mut random);
                let Some(write) = pages::post_between(&oracle, &request, &mut random) else {
                    continue;
                };
                write::apply(&pool, &write).await.unwrap();
                oracle = oracle.with(&write);
                let by_offset = pagination::PostsRequest {
                    user: request.of,
                    limit: request.limit,
                    offset: request.offset,
                };
                let page = pagination::posts(&pool, &by_offset).await.unwrap();
                (write, pages::hold_posts(&oracle, &request, &page))
            };
            assert_eq!(held, Ok(()), "{write:?}");
            kinds.insert(write.kind);
            made.push(write);
        }
        assert_eq!(kinds.len(), 8, "{kinds:?}");
        for write in made.into_iter().rev() {
            write::apply(&pool, &write.back()).await.unwrap();
        }
        assert_eq!(postgres_checksums(&pool, None).await.unwrap(), before);
        pool.close().await;
    });
}

#[test]
fn a_row_that_somebody_moved_away_is_told() {
    runtime().block_on(async {
        let pool = PgPool::connect_with(clone("writes_moved").await.postgres)
            .await
            .unwrap();
        let world = world();
        let oracle = Oracle::new(&world);
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let edit = loop {
            let request = pages::draw_posts(&oracle, &mut random);
            match pages::post_between(&oracle, &request, &mut random) {
                Some(write) if write.kind == Kind::Edited => break write,
                Some(Write { .. }) | None => {}
            }
        };
        sqlx::query("DELETE FROM posts")
            .execute(&pool)
            .await
            .unwrap();
        let refused = write::apply(&pool, &edit).await.unwrap_err().to_string();
        assert!(refused.contains("0 rows where one was due"), "{refused}");
        pool.close().await;
    });
}
