//! The audit's fix for item 12: every setting of the pool said, and calls as they are today.
//!
//! Of its settings three differ from what sqlx does when nothing is said: the number of
//! connections, how many of them are kept warm, and how long a caller waits for one. That idle
//! connections go after ten minutes and any after thirty, that each is tested before it is lent,
//! and that it keeps a hundred prepared statements is the default.

use std::ops::RangeInclusive;
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use verdict_store::{Change, Connect};

/// Another pool, on the schema as it is.
pub const CHANGE: Change = Change {
    connect,
    ..Change::NONE
};

/// Connections that the audit recommends for each service.
pub const SERVICES: [(&str, RangeInclusive<u32>); 3] = [
    ("messaging-service", 50..=100),
    ("content-service", 30..=50),
    ("user-service", 30..=50),
];

fn connect(mut connect: Connect) -> Connect {
    connect
        .postgres
        .push(("application_name", "content-service".to_owned()));
    Connect {
        pool: options(connect.pool),
        ..connect
    }
}

/// The audit's settings of a pool.
pub fn options(pool: PgPoolOptions) -> PgPoolOptions {
    pool.max_connections(50)
        .min_connections(10)
        .acquire_timeout(Duration::from_secs(5))
        .idle_timeout(Duration::from_secs(600))
        .max_lifetime(Duration::from_secs(1800))
        .test_before_acquire(true)
}
