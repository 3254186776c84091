//! The audit's fix for item 3: its two materialized views, and the two refreshes it names.
//!
//! Beside them stands the daily refresh that the audit asks for as ClickHouse has it: a view that is
//! renewed as a whole on a schedule, here from the newest versions, and exchanged at once.
//!
//! The audit names no reader. Both views keep several rows of a key until parts are merged, so
//! they are read as such tables have to be, by adding up.

use std::time::Duration;

use clickhouse::Client;
use clickhouse::error::Result;
use verdict_baseline::engagement_rollup::{Affinity, AffinityRequest, Metrics, MetricsRequest};
use verdict_store::{Change, Down, Engine, Step, Table};

macro_rules! script {
    ($file:literal) => {
        Step::Script(
            Engine::ClickHouse,
            include_str!(concat!("../../migrations/engagement-rollup/", $file)),
        )
    };
}

/// The first view, which takes the place of today's.
pub const AFFINITY: Change = views(
    &[script!("proposed-affinity.up.sql")],
    &[
        Table::clickhouse("user_author_90d"),
        Table::clickhouse("user_author_90d_mv"),
    ],
);

/// The second view, which the audit gives by its first lines and "existing query".
pub const METRICS: Change = views(&[script!("proposed-metrics.up.sql")], METRICS_TOUCHES);

/// The smallest repair that lets the second view run: names for the columns of its key.
pub const MENDED_METRICS: Change = views(&[script!("mended-metrics.up.sql")], METRICS_TOUCHES);

/// Both views, the second one mended.
pub const BOTH: Change = views(
    &[
        script!("proposed-affinity.up.sql"),
        script!("mended-metrics.up.sql"),
    ],
    &[
        Table::clickhouse("user_author_90d"),
        Table::clickhouse("user_author_90d_mv"),
        Table::clickhouse("post_metrics_1h"),
        Table::clickhouse("post_metrics_1h_mv"),
    ],
);

const METRICS_TOUCHES: &[Table] = &[
    Table::clickhouse("post_metrics_1h"),
    Table::clickhouse("post_metrics_1h_mv"),
];

/// "Option 1: drop and recreate nightly."
pub const NIGHTLY: &[Step] = &[
    Step::Script(
        Engine::ClickHouse,
        "DROP VIEW user_author_90d_mv SYNC; DROP VIEW post_metrics_1h_mv SYNC",
    ),
    script!("proposed-affinity.up.sql"),
    script!("mended-metrics.up.sql"),
];

/// "Option 2: use AggregatingMergeTree with periodic OPTIMIZE TABLE."
pub const OPTIMIZE: &[Step] = &[Step::Script(
    Engine::ClickHouse,
    "OPTIMIZE TABLE user_author_90d_mv FINAL; OPTIMIZE TABLE post_metrics_1h_mv FINAL",
)];

/// The refresh mended: by the newest versions, and without a moment in which there is none.
/// The schedule in its text stands still, as the world's clock does: a trial says when.
pub const REFRESHABLE: Change = Change::steps(
    &[script!("mended-refreshable.up.sql"), REFRESHED],
    &[Step::Script(
        Engine::ClickHouse,
        "DROP VIEW user_author_90d_fresh SYNC; DROP VIEW post_metrics_1h_fresh SYNC",
    )],
    &[
        Table::clickhouse("user_author_90d_fresh"),
        Table::clickhouse("post_metrics_1h_fresh"),
    ],
);

const REFRESHED: Step = Step::Script(
    Engine::ClickHouse,
    "SYSTEM WAIT VIEW user_author_90d_fresh; SYSTEM WAIT VIEW post_metrics_1h_fresh",
);

/// A refresh of both.
pub const REFRESH: &[Step] = &[
    Step::Script(
        Engine::ClickHouse,
        "SYSTEM REFRESH VIEW user_author_90d_fresh; SYSTEM REFRESH VIEW post_metrics_1h_fresh",
    ),
    REFRESHED,
];

/// How often that would be: as often as the service's own job for the feed runs.
pub const PERIOD: Duration = Duration::from_secs(300);

const fn views(up: &'static [Step], touches: &'static [Table]) -> Change {
    Change {
        up,
        down: Down::Renew,
        touches,
        ..Change::NONE
    }
}

const AFFINITY_OF: &str = "
SELECT
    author_id,
    sum(interaction_count) AS interaction_count,
    max(last_interaction) AS last_interaction
FROM user_author_90d_mv
WHERE user_id = ?
GROUP BY author_id";

const METRICS_OF: &str = "
SELECT
    metric_hour,
    post_id,
    any(author_id) AS author_id,
    sum(likes_count) AS likes_count,
    sum(comments_count) AS comments_count
FROM post_metrics_1h_mv
WHERE post_id IN ?
  AND metric_hour >= toDateTime(?, 'UTC')
  AND metric_hour < toDateTime(?, 'UTC')
GROUP BY metric_hour, post_id";

/// All authors that a user was close to, from the first view.
pub async fn affinity(client: &Client, request: &AffinityRequest) -> Result<Vec<Affinity>> {
    client
        .query(AFFINITY_OF)
        .bind(&request.user)
        .fetch_all()
        .await
}

/// What was done on posts by the hour, from the second view.
pub async fn metrics(client: &Client, request: &MetricsRequest) -> Result<Vec<Metrics>> {
    client
        .query(METRICS_OF)
        .bind(&request.posts)
        .bind(request.since.timestamp())
        .bind(request.until.timestamp())
        .fetch_all()
        .await
}

const FRESH_AFFINITY: &str = "
SELECT author_id, interaction_count, last_interaction
FROM user_author_90d_fresh
WHERE user_id = ?";

const FRESH_METRICS: &str = "
SELECT metric_hour, post_id, author_id, likes_count, comments_count
FROM post_metrics_1h_fresh
WHERE post_id IN ?
  AND metric_hour >= toDateTime(?, 'UTC')
  AND metric_hour < toDateTime(?, 'UTC')";

/// All authors that a user was close to when the view was renewed last.
pub async fn fresh_affinity(client: &Client, request: &AffinityRequest) -> Result<Vec<Affinity>> {
    client
        .query(FRESH_AFFINITY)
        .bind(&request.user)
        .fetch_all()
        .await
}

/// What was done on posts by the hour when the view was renewed last.
pub async fn fresh_metrics(client: &Client, request: &MetricsRequest) -> Result<Vec<Metrics>> {
    client
        .query(FRESH_METRICS)
        .bind(&request.posts)
        .bind(request.since.timestamp())
        .bind(request.until.timestamp())
        .fetch_all()
        .await
}
