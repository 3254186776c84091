//! The smoke world in both engines: the same from any number of threads, and whole.

use std::collections::BTreeSet;

use clickhouse::Client;
use indicatif::MultiProgress;
use sqlx::types::Uuid;
use sqlx::types::chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use tokio::sync::OnceCell;
use verdict_seed::{clickhouse_checksums, load_into, postgres_checksums};

use crate::common::{engines, runtime, world};

/// Loads the smoke world into databases of that name in both engines.
async fn loaded(name: &str, threads: usize) -> (PgPool, Client) {
    let engines = engines().await;
    let create = format!("CREATE DATABASE {name}");
    let postgres = engines.postgres("postgres");
    let mut connection = PgConnection::connect_with(&postgres)
        .await
        .expect("a connection");
    connection
        .execute(AssertSqlSafe(create.clone()))
        .await
        .expect("a database");
    let clickhouse = engines.clickhouse("default");
    clickhouse
        .query(&create)
        .execute()
        .await
        .expect("a database");
    let (postgres, clickhouse) = (engines.postgres(name), engines.clickhouse(name));
    let hidden = MultiProgress::with_draw_target(indicatif::ProgressDrawTarget::hidden());
    load_into(&world(), &postgres, &clickhouse, threads, &hidden)
        .await
        .expect("a loaded world");
    let pool = PgPool::connect_with(postgres).await.expect("a pool");
    (pool, clickhouse)
}

/// The world that the tests below share and only read.
async fn shared() -> &'static (PgPool, Client) {
    static SHARED: OnceCell<(PgPool, Client)> = OnceCell::const_new();
    SHARED.get_or_init(|| loaded("world_shared", 3)).await
}

async fn number(pool: &PgPool, query: &'static str) -> i64 {
    sqlx::query_scalar(query)
        .fetch_one(pool)
        .await
        .expect(query)
}

#[test]
fn one_thread_and_several_load_the_same_rows_into_both_engines() {
    runtime().block_on(async {
        let (postgres, clickhouse) = shared().await;
        let (postgres_alone, clickhouse_alone) = loaded("world_one_thread", 1).await;

        let sums = postgres_checksums(postgres, None).await.expect("sums");
        assert_eq!(
            sums,
            postgres_checksums(&postgres_alone, None)
                .await
                .expect("sums")
        );
        for (table, sum) in &sums {
            // It has no writer today.
            assert_eq!(sum.rows == 0, table == "message_search_index", "{table}");
        }
        assert_eq!(sums.len(), 13);
        assert_eq!(sums["messages"].rows, world().total_messages());
        assert_eq!(sums["posts"].rows, world().total_posts());

        let sums = clickhouse_checksums(clickhouse, None).await.expect("sums");
        assert_eq!(
            sums,
            clickhouse_checksums(&clickhouse_alone, None)
                .await
                .expect("sums")
        );
        assert_eq!(sums.len(), 5);
        assert!(sums.values().all(|sum| sum.rows > 0));

        // And they can tell worlds apart.
        let delete = "DELETE FROM message_reactions
            WHERE id = (SELECT id FROM message_reactions ORDER BY id LIMIT 1)";
        postgres_alone.execute(delete).await.expect("a deleted row");
        let changed = postgres_checksums(&postgres_alone, None)
            .await
            .expect("sums");
        assert_ne!(
            changed,
            postgres_checksums(postgres, None).await.expect("sums")
        );
    });
}

#[test]
fn todays_foreign_keys_indexes_and_triggers_are_there_and_valid() {
    runtime().block_on(async {
        let (postgres, _) = shared().await;
        let keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated";
        let meant = verdict_baseline::schema::statements(verdict_baseline::schema::FOREIGN_KEYS);
        assert_eq!(number(postgres, keys).await, meant.count() as i64);
        let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
        assert_eq!(number(postgres, invalid).await, 0);
        let triggers = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal";
        assert_eq!(number(postgres, triggers).await, 5);
        // A reply answers a comment of the same post, which no key says.
        let astray = "SELECT count(*) FROM comments c
            LEFT JOIN comments p ON p.id = c.parent_comment_id AND p.post_id = c.post_id
            WHERE c.parent_comment_id IS NOT NULL AND p.id IS NULL";
        assert_eq!(number(postgres, astray).await, 0);
        // Senders are members, which no key says either.
        let strangers = "SELECT count(*) FROM messages m WHERE NOT EXISTS (
            SELECT FROM conversation_members c
            WHERE c.conversation_id = m.conversation_id AND c.user_id = m.sender_id)";
        assert_eq!(number(postgres, strangers).await, 0);
    });
}

#[test]
fn counters_agree_with_the_rows_they_count() {
    runtime().block_on(async {
        let (postgres, _) = shared().await;
        let posts = "SELECT count(*) FROM posts p LEFT JOIN post_metadata m ON m.post_id = p.id
            WHERE m.like_count IS DISTINCT FROM (SELECT count(*) FROM likes l WHERE l.post_id = p.id)
               OR m.comment_count IS DISTINCT FROM (
                   SELECT count(*) FROM comments c WHERE c.post_id = p.id AND c.soft_delete IS NULL)";
        assert_eq!(number(postgres, posts).await, 0);
        let users = "SELECT count(*) FROM users u WHERE follower_count
            <> (SELECT count(*) FROM follows f WHERE f.following_id = u.id)";
        assert_eq!(number(postgres, users).await, 0);
        let conversations = "SELECT count(*) FROM conversations c WHERE updated_at
            <> (SELECT max(created_at) FROM messages m WHERE m.conversation_id = c.id)";
        assert_eq!(number(postgres, conversations).await, 0);
    });
}

#[test]
fn no_row_is_of_a_time_after_the_worlds_clock() {
    runtime().block_on(async {
        let (postgres, clickhouse) = shared().await;
        let clock = world().clock();
        let late = "SELECT count(*) FROM (
                SELECT greatest(created_at, updated_at, recalled_at, deleted_at) AS t FROM messages
                UNION ALL SELECT created_at FROM message_reactions
                UNION ALL SELECT greatest(created_at, updated_at, soft_delete) FROM posts
                UNION ALL SELECT greatest(created_at, soft_delete) FROM comments
                UNION ALL SELECT created_at FROM likes
                UNION ALL SELECT greatest(created_at, updated_at, deleted_at) FROM users
            ) all_times WHERE t >= $1";
        let late: i64 = sqlx::query_scalar(late)
            .bind(clock)
            .fetch_one(postgres)
            .await
            .expect("a count");
        assert_eq!(late, 0);
        let outside = "SELECT count() FROM post_events WHERE event_time >= fromUnixTimestamp(?)
            OR event_time < fromUnixTimestamp(?) - INTERVAL 90 DAY";
        let seconds = clock.timestamp();
        let outside: u64 = clickhouse
            .query(outside)
            .bind(seconds)
            .bind(seconds)
            .fetch_one()
            .await
            .expect("a count");
        assert_eq!(outside, 0);
    });
}

/// Holds what stands of a feed once its versions are merged against PostgreSQL's rows, both
/// as a key and the second of creation.
async fn assert_feed_agrees(feed: &str, stored: &'static str) {
    let (postgres, clickhouse) = shared().await;
    let stored: Vec<(String, i64)> = sqlx::query_as(stored)
        .fetch_all(postgres)
        .await
        .expect(stored);
    let stored: BTreeSet<_> = stored.into_iter().collect();
    let standing: Vec<(String, u32)> = clickhouse.query(feed).fetch_all().await.expect(feed);
    let rows = standing.len();
    let standing = standing
        .into_iter()
        .map(|(key, created)| (key, created.into()));
    let standing: BTreeSet<_> = standing.collect();
    assert_eq!(rows, standing.len(), "one row a key after merging");
    assert!(!standing.is_empty());
    assert!(
        standing == stored,
        "{feed}: its {rows} rows are not the {} of PostgreSQL",
        stored.len()
    );
}

#[test]
fn the_change_feeds_come_to_what_postgres_holds() {
    runtime().block_on(async {
        assert_feed_agrees(
            "SELECT concat(user_id, post_id) AS key, toUnixTimestamp(created_at) AS created
             FROM likes_cdc FINAL WHERE is_deleted = 0",
            "SELECT user_id::text || post_id, floor(extract(epoch FROM created_at))::bigint FROM likes",
        )
        .await;
        assert_feed_agrees(
            "SELECT concat(id, post_id, user_id, content) AS key, toUnixTimestamp(created_at) AS created
             FROM comments_cdc FINAL WHERE is_deleted = 0",
            "SELECT id::text || post_id || user_id || content,
                    floor(extract(epoch FROM created_at))::bigint
             FROM comments",
        )
        .await;
        assert_feed_agrees(
            "SELECT concat(id, user_id, content) AS key, toUnixTimestamp(created_at) AS created
             FROM posts_cdc FINAL WHERE is_deleted = 0",
            "SELECT id::text || user_id || coalesce(caption, ''),
                    floor(extract(epoch FROM created_at))::bigint
             FROM posts",
        )
        .await;
        assert_feed_agrees(
            "SELECT concat(follower_id, followee_id) AS key, toUnixTimestamp(created_at) AS created
             FROM follows_cdc FINAL WHERE is_deleted = 0",
            "SELECT follower_id::text || following_id, floor(extract(epoch FROM created_at))::bigint
             FROM follows",
        )
        .await;
    });
}

#[test]
fn the_change_feeds_hold_withdrawn_redelivered_and_late_versions() {
    runtime().block_on(async {
        let (_, clickhouse) = shared().await;
        let count =
            async |query: &str| -> u64 { clickhouse.query(query).fetch_one().await.expect(query) };
        for (table, key) in [
            ("likes_cdc", "user_id, post_id, created_at"),
            ("comments_cdc", "id"),
            ("posts_cdc", "id"),
            ("follows_cdc", "follower_id, followee_id"),
        ] {
            let withdrawn = format!("SELECT count() FROM {table} FINAL WHERE is_deleted");
            assert!(count(&withdrawn).await > 0, "{table}");
            let twice = format!(
                "SELECT count() FROM (SELECT 1 FROM {table}
                 GROUP BY {key}, cdc_timestamp HAVING count() > 1)"
            );
            assert!(count(&twice).await > 0, "{table}");
            // A deletion keeps the time of creation.
            let moved = format!(
                "SELECT count() FROM (SELECT 1 FROM {table}
                 GROUP BY {key} HAVING uniqExact(created_at) > 1)"
            );
            assert_eq!(count(&moved).await, 0, "{table}");
        }
    });
}

#[test]
fn a_like_that_is_given_again_is_a_row_of_its_own_and_what_is_hidden_is_not_deleted() {
    runtime().block_on(async {
        let (postgres, clickhouse) = shared().await;
        let count =
            async |query: &str| -> u64 { clickhouse.query(query).fetch_one().await.expect(query) };
        let again = "SELECT count() FROM (SELECT 1 FROM likes_cdc FINAL
            GROUP BY user_id, post_id
            HAVING uniqExact(created_at) > 1 AND countIf(is_deleted = 0) = 1)";
        assert!(count(again).await > 0);
        let standing = "SELECT count() FROM (SELECT 1 FROM likes_cdc FINAL WHERE is_deleted = 0
            GROUP BY user_id, post_id HAVING count() > 1)";
        assert_eq!(count(standing).await, 0);
        // What hung on a deleted post is deleted with it.
        let hanging = "SELECT count() FROM likes_cdc AS l FINAL
            INNER JOIN (SELECT id FROM posts_cdc FINAL WHERE is_deleted = 1) AS p ON p.id = l.post_id
            WHERE l.is_deleted = 0";
        assert_eq!(count(hanging).await, 0);
        let hidden = "SELECT count(*) FROM comments WHERE soft_delete IS NOT NULL";
        assert!(number(postgres, hidden).await > 0);
    });
}

#[test]
fn sql_in_files_goes_by_the_worlds_clock() {
    let clock = verdict_baseline::schema::CLICKHOUSE_CLOCK;
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("baseline/sql"), root.join("optimized/migrations")];
    let mut told = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a file of SQL");
            let times = text.matches("toDateTime('").count();
            assert_eq!(times, text.matches(clock).count(), "{}", path.display());
            told += times;
        }
    }
    assert!(told > 0);
}

#[test]
fn the_generators_own_stream_is_what_postgres_holds() {
    type Found = (
        Uuid,
        Uuid,
        Option<String>,
        i32,
        DateTime<Utc>,
        Option<DateTime<Utc>>,
    );
    runtime().block_on(async {
        let (postgres, _) = shared().await;
        let world = world();
        let ladder = world.ladder_conversations();
        let ordinary = (20..40).map(|i| world.conversation(i));
        for conversation in ladder.into_iter().chain(ordinary) {
            let query = "SELECT id, sender_id, content, version_number, created_at, deleted_at
                FROM messages WHERE conversation_id = $1 ORDER BY created_at, id";
            let found: Vec<Found> = sqlx::query_as(query)
                .bind(conversation.id)
                .fetch_all(postgres)
                .await
                .expect("messages");
            let mut made: Vec<Found> = world
                .messages(&conversation)
                .into_iter()
                .map(|m| {
                    (
                        m.id,
                        m.sender,
                        m.content,
                        m.version,
                        m.created_at,
                        m.deleted_at,
                    )
                })
                .collect();
            made.sort_by_key(|m| (m.4, m.0));
            assert_eq!(found, made);

            let query = "SELECT r.id FROM message_reactions r JOIN messages m ON m.id = message_id
                WHERE conversation_id = $1 ORDER BY r.id";
            let found: Vec<Uuid> = sqlx::query_scalar(query)
                .bind(conversation.id)
                .fetch_all(postgres)
                .await
                .expect("reactions");
            let mut made: Vec<_> = world
                .reactions(&conversation)
                .iter()
                .map(|r| r.id)
                .collect();
            made.sort();
            assert_eq!(found, made);
        }
        for author in world.ladder_authors() {
            let query =
                "SELECT id, created_at FROM posts WHERE user_id = $1 ORDER BY created_at, id";
            let found: Vec<(Uuid, DateTime<Utc>)> = sqlx::query_as(query)
                .bind(author.id)
                .fetch_all(postgres)
                .await
                .expect("posts");
            let mut made: Vec<_> = world
                .posts(&author)
                .iter()
                .map(|p| (p.id, p.created_at))
                .collect();
            made.sort_by_key(|p| (p.1, p.0));
            assert_eq!(found, made);
            assert_eq!(found.len() as u64, author.posts);
        }
    });
}
