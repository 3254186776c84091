//! The job that fills the tables a feed is made from, with the formulas of today's code, which
//! was written and never had tables to fill.
//!
//! What it computes, by a clock that it is given:
//!
//! | source | posts of the last | combined score | kept |
//! |---|---|---|---|
//! | followees | 30 days | .35 F + .40 E + .25 A | 500 a reader |
//! | trending | 14 days | .5 F + .5 E | 1 000 in all |
//! | affinity | 30 days | .2 F + .4 E + .4 A | 300 a reader |
//!
//! F = exp(-0.0025 × age in minutes, seconds as fractions of one), E = ln(1 + likes + 2 ×
//! comments), A = likes + 1.5 × comments of the reader with the author over 90 days; impressions
//! = 5 × likes + 10 × comments + 10; shares = 0, and A of what is trending is 0. Rows count as
//! their newest version says, merged or not; a post whose row is deleted is no candidate, and
//! what was done with it counts for nobody. The reader's own posts are candidates like others.
//! Of equal scores the smaller id comes first. `updated_at` is the clock.
//!
//! Everything is made in tables whose names end in the run's own id, and only at the end they
//! change places with those that are read, each in one step. So a reader never meets a table
//! that is half full; two runs at once do not meet, and the one that ends last stands; and one
//! that is killed leaves what was there, and tables that a later run sweeps away.
//!
//! Tried and lost: one statement a source over the raw tables reads likes and comments three
//! times over; joining every author's posts to every reader before the cut sorts hundreds of
//! rows for each that is kept, so a reader's least score is estimated first, from eight posts of
//! each author, and only what reaches it is joined.

use std::time::Duration;

use clickhouse::Client;
use uuid::Uuid;
use verdict_baseline::Result;
use verdict_baseline::feed_tables::{SOURCES, Source};
use verdict_baseline::schema::CLICKHOUSE_CLOCK;

/// How long tables of a run are left alone that may still be at work: longer than a run takes.
pub const LEFT_ALONE: Duration = Duration::from_secs(900);

/// Fills every table that is there by the world's clock.
///
/// # Errors
/// ClickHouse's own; the tables that are read are then as they were.
pub async fn refresh(client: &Client) -> Result<()> {
    refresh_at(client, CLICKHOUSE_CLOCK).await
}

/// The same by another clock, a ClickHouse expression.
///
/// # Errors
/// As [`refresh`].
pub async fn refresh_at(client: &Client, clock: &str) -> Result<()> {
    sweep(client, LEFT_ALONE).await?;
    let run = Run::begin(client, clock).await?;
    let filled = run.fill_all().await;
    run.end().await?;
    filled
}

/// Drops what runs left behind that began so long ago.
///
/// # Errors
/// ClickHouse's own.
pub async fn sweep(client: &Client, began_before: Duration) -> Result<()> {
    let left: Vec<String> = client
        .query(
            "SELECT name
            FROM system.tables
            WHERE database = currentDatabase()
              AND match(name, '^feed_[a-z_]+__[0-9a-f]{32}$')
              AND metadata_modification_time <= now() - toIntervalSecond(?)",
        )
        .bind(began_before.as_secs())
        .fetch_all()
        .await?;
    for table in left {
        drop_table(client, &table).await?;
    }
    Ok(())
}

async fn drop_table(client: &Client, table: &str) -> Result<()> {
    execute(client, &format!("DROP TABLE IF EXISTS {table} SYNC")).await
}

async fn execute(client: &Client, statement: &str) -> Result<()> {
    Ok(client.query(statement).execute().await?)
}

/// One run: what is computed once for all tables, in tables of its own.
#[derive(Debug)]
pub struct Run<'a> {
    client: &'a Client,
    clock: &'a str,
    id: String,
}

impl<'a> Run<'a> {
    /// Computes what all sources have in common: recent posts, and who is near to whom.
    ///
    /// # Errors
    /// ClickHouse's own.
    pub async fn begin(client: &'a Client, clock: &'a str) -> Result<Self> {
        let run = Self {
            client,
            clock,
            id: Uuid::new_v4().simple().to_string(),
        };
        for statement in [POSTS, FILL_POSTS, EDGES, FILL_EDGES] {
            run.execute(statement).await?;
        }
        Ok(run)
    }

    /// Fills a table with a source's candidates.
    ///
    /// # Errors
    /// ClickHouse's own.
    pub async fn fill(&self, source: Source, table: &str) -> Result<()> {
        let statement = match source {
            Source::Trending => FILL_TRENDING.to_owned(),
            Source::Followees => personal(&FOLLOWEES),
            Source::Affinity => personal(&AFFINITY),
        };
        self.execute(&statement.replace("{table}", table)).await
    }

    /// Makes an empty table like another one; its name.
    ///
    /// # Errors
    /// ClickHouse's own.
    pub async fn like(&self, table: &str) -> Result<String> {
        let staging = format!("{table}__{}", self.id);
        execute(self.client, &format!("CREATE TABLE {staging} AS {table}")).await?;
        Ok(staging)
    }

    /// Drops what is the run's own.
    ///
    /// # Errors
    /// ClickHouse's own.
    pub async fn end(self) -> Result<()> {
        let own: Vec<String> = self
            .client
            .query(
                "SELECT name
                FROM system.tables
                WHERE database = currentDatabase()
                  AND endsWith(name, ?)",
            )
            .bind(format!("__{}", self.id))
            .fetch_all()
            .await?;
        for table in own {
            drop_table(self.client, &table).await?;
        }
        Ok(())
    }

    async fn fill_all(&self) -> Result<()> {
        let mut staged = Vec::new();
        for source in SOURCES {
            let staging = self.like(source.table()).await?;
            self.fill(source, &staging).await?;
            staged.push((source.table(), staging));
        }
        for (table, fill) in DERIVED {
            if self.is_there(table).await? {
                let staging = self.like(table).await?;
                self.execute(&fill.replace("{table}", &staging)).await?;
                staged.push((table, staging));
            }
        }
        for (table, staging) in staged {
            let exchange = format!("EXCHANGE TABLES {staging} AND {table}");
            execute(self.client, &exchange).await?;
        }
        Ok(())
    }

    async fn is_there(&self, table: &str) -> Result<bool> {
        let there: u8 = self
            .client
            .query(&format!("EXISTS TABLE {table}"))
            .fetch_one()
            .await?;
        Ok(there == 1)
    }

    async fn execute(&self, statement: &str) -> Result<()> {
        let statement = statement
            .replace("{clock}", self.clock)
            .replace("{run}", &self.id);
        execute(self.client, &statement).await
    }
}

/// Published or not, every post whose row is there, with what was done with it.
const POSTS: &str = "
CREATE TABLE feed_posts__{run} (
    author_id  String,
    post_id    String,
    created_at DateTime,
    likes      UInt32,
    comments   UInt32,
    freshness  Float64,
    engagement Float64
) ENGINE = MergeTree
ORDER BY author_id";

const FILL_POSTS: &str = "
INSERT INTO feed_posts__{run}
SELECT
    posts.user_id,
    posts.id,
    posts.created_at,
    liked.likes,
    commented.comments,
    exp(-0.0025 * (toUnixTimestamp({clock}) - toUnixTimestamp(posts.created_at)) / 60),
    log(1 + liked.likes + 2 * commented.comments)
FROM (
    SELECT id, user_id, created_at
    FROM posts_cdc FINAL
    WHERE is_deleted = 0
      AND created_at >= {clock} - INTERVAL 30 DAY
      AND created_at < {clock}
) AS posts
LEFT JOIN (
    SELECT post_id, count() AS likes
    FROM likes_cdc FINAL
    WHERE is_deleted = 0
      AND created_at >= {clock} - INTERVAL 30 DAY
      AND created_at < {clock}
    GROUP BY post_id
) AS liked ON liked.post_id = posts.id
LEFT JOIN (
    SELECT post_id, count() AS comments
    FROM comments_cdc FINAL
    WHERE is_deleted = 0
      AND created_at >= {clock} - INTERVAL 30 DAY
      AND created_at < {clock}
    GROUP BY post_id
) AS commented ON commented.post_id = posts.id";

/// A reader and an author: whether the one follows the other, and their affinity.
const EDGES: &str = "
CREATE TABLE feed_edges__{run} (
    user_id   String,
    author_id String,
    affinity  Float64,
    follows   UInt8
) ENGINE = MergeTree
ORDER BY (user_id, author_id)";

const FILL_EDGES: &str = "
INSERT INTO feed_edges__{run}
SELECT user_id, author_id, sum(affinity), max(follows)
FROM (
    SELECT follower_id AS user_id, followee_id AS author_id, 0.0 AS affinity, 1 AS follows
    FROM follows_cdc FINAL
    WHERE is_deleted = 0
    UNION ALL
    SELECT done.user_id, posts.author_id, done.weight AS affinity, 0 AS follows
    FROM (
        SELECT user_id, post_id, 1.0 AS weight
        FROM likes_cdc FINAL
        WHERE is_deleted = 0
          AND created_at >= {clock} - INTERVAL 90 DAY
          AND created_at < {clock}
        UNION ALL
        SELECT user_id, post_id, 1.5 AS weight
        FROM comments_cdc FINAL
        WHERE is_deleted = 0
          AND created_at >= {clock} - INTERVAL 90 DAY
          AND created_at < {clock}
    ) AS done
    INNER JOIN (
        SELECT id, user_id AS author_id
        FROM posts_cdc FINAL
        WHERE is_deleted = 0
    ) AS posts ON posts.id = done.post_id
)
GROUP BY user_id, author_id";

const FILL_TRENDING: &str = "
INSERT INTO {table} (
    post_id, author_id, likes, comments, shares, impressions,
    freshness_score, engagement_score, affinity_score, combined_score, created_at, updated_at
)
SELECT
    post_id,
    author_id,
    likes,
    comments,
    0,
    5 * likes + 10 * comments + 10,
    freshness,
    engagement,
    0,
    0.5 * freshness + 0.5 * engagement AS combined,
    created_at,
    {clock}
FROM feed_posts__{run}
WHERE created_at >= {clock} - INTERVAL 14 DAY
ORDER BY combined DESC, post_id
LIMIT 1000";

/// What tells a source of one's own from the other.
struct Personal {
    edges: &'static str,
    freshness: &'static str,
    engagement: &'static str,
    affinity: &'static str,
    kept: &'static str,
}

const FOLLOWEES: Personal = Personal {
    edges: "follows = 1",
    freshness: "0.35",
    engagement: "0.4",
    affinity: "0.25",
    kept: "500",
};

const AFFINITY: Personal = Personal {
    edges: "affinity > 0",
    freshness: "0.2",
    engagement: "0.4",
    affinity: "0.4",
    kept: "300",
};

fn personal(of: &Personal) -> String {
    FILL_PERSONAL
        .replace("{edges}", of.edges)
        .replace("{F}", of.freshness)
        .replace("{E}", of.engagement)
        .replace("{A}", of.affinity)
        .replace("{kept}", of.kept)
}

/// An author's posts are in one order for every reader, as affinity moves them all alike. So
/// each reader needs the first few of each author: those that reach the reader's least score.
const FILL_PERSONAL: &str = "
INSERT INTO {table} (
    user_id, post_id, author_id, likes, comments, shares, impressions,
    freshness_score, engagement_score, affinity_score, combined_score, created_at, updated_at
)
WITH
    ranked AS (
        SELECT
            *,
            {F} * freshness + {E} * engagement AS score,
            row_number() OVER (PARTITION BY author_id ORDER BY score DESC, post_id) AS place
        FROM feed_posts__{run}
        QUALIFY place <= {kept}
    ),
    known AS (
        SELECT edges.user_id, edges.author_id, edges.affinity, authors.scores
        FROM feed_edges__{run} AS edges
        INNER JOIN (
            SELECT author_id, arrayReverseSort(groupArray(score)) AS scores
            FROM ranked
            GROUP BY author_id
        ) AS authors ON authors.author_id = edges.author_id
        WHERE {edges}
    ),
    bounds AS (
        SELECT
            user_id,
            arrayReverseSort(groupArrayArray(
                arrayMap(score -> score + {A} * affinity, arraySlice(scores, 1, 8))
            ))[{kept}] AS least
        FROM known
        GROUP BY user_id
    ),
    reached AS (
        SELECT
            known.user_id AS user_id,
            known.author_id AS author_id,
            known.affinity AS affinity,
            arrayJoin(arrayEnumerate(
                arrayFilter(score -> score + {A} * affinity >= least, known.scores)
            )) AS place
        FROM known
        INNER JOIN bounds ON bounds.user_id = known.user_id
    )
SELECT
    reached.user_id,
    ranked.post_id,
    ranked.author_id,
    ranked.likes,
    ranked.comments,
    0,
    5 * ranked.likes + 10 * ranked.comments + 10,
    ranked.freshness,
    ranked.engagement,
    reached.affinity,
    ranked.score + {A} * reached.affinity AS combined,
    ranked.created_at,
    {clock}
FROM reached
INNER JOIN ranked ON ranked.author_id = reached.author_id AND ranked.place = reached.place
ORDER BY reached.user_id, combined DESC, ranked.post_id
LIMIT {kept} BY reached.user_id";

/// Tables that are made of the others, where a fix has brought them.
const DERIVED: [(&str, &str); 1] = [("feed_candidates", FILL_CANDIDATES)];

/// All sources in one table, each candidate with its place in its own; what is trending belongs
/// to the reader of no id.
const FILL_CANDIDATES: &str = "
INSERT INTO {table}
SELECT
    toUUID(user_id),
    source,
    row_number() OVER (PARTITION BY user_id, source ORDER BY combined_score DESC, post_id) - 1,
    toUUID(post_id),
    toUUID(author_id),
    likes,
    comments,
    shares,
    impressions,
    freshness_score,
    engagement_score,
    affinity_score,
    combined_score,
    created_at
FROM (
    SELECT 'followees' AS source, *
    FROM feed_candidates_followees__{run}
    UNION ALL
    SELECT 'trending' AS source, '00000000-0000-0000-0000-000000000000' AS user_id, *
    FROM feed_candidates_trending__{run}
    UNION ALL
    SELECT 'affinity' AS source, *
    FROM feed_candidates_affinity__{run}
)";
