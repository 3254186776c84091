//! Item 4 fixed: the three tables keyed for the read, and the job that fills them.
//!
//! A score is in the key for the order alone: each refresh replaces whole tables, so a post
//! whose score has changed is in one row. The reads are today's. Granules hold 256 rows where
//! the audit's hold 8 192, and nothing is partitioned: a reader's rows would lie in each month's
//! part. A refreshable view would do as well (by hand: no bad read in 20 refreshes), but all
//! tables of a feed are made from one pass over likes and comments, and views would make three.

use verdict_baseline::feed_tables::Source;
use verdict_store::{Change, Engine, Job, Step, Table};

use crate::feed_job;

/// The tables that are read.
pub const TABLES: &[Table] = &[
    Table::clickhouse(Source::Followees.table()),
    Table::clickhouse(Source::Trending.table()),
    Table::clickhouse(Source::Affinity.table()),
];

/// Drops them.
pub const DOWN: Step = Step::Script(
    Engine::ClickHouse,
    include_str!("../migrations/feed-tables/down.sql"),
);

/// Fills every table of a feed that is there.
pub const FILL: Step = Step::Job(Job {
    what: "compute feed candidates",
    run: |store| Box::pin(async move { Ok(feed_job::refresh(&store.clickhouse).await?) }),
});

/// The tables, filled.
pub const CHANGE: Change = Change::steps(
    &[
        Step::Script(
            Engine::ClickHouse,
            include_str!("../migrations/feed-tables/up.sql"),
        ),
        FILL,
    ],
    &[DOWN],
    TABLES,
);
