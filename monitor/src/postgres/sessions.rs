//! Connections, what they wait for, and the log of slow statements.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use sqlx::{FromRow, PgConnection, query_as, query_scalar};

use super::{Server, seen};
use crate::{Result, Seen};

/// Looks at what sessions wait for, and the time between two of them.
const LOOKS: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(50);

/// Connections against what there can be. What other users' do is only known to who may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Connections {
    /// To any database.
    pub used: i64,
    /// What there can be at once.
    pub limit: i64,
    /// Of those, kept for administrators.
    pub reserved: i64,
    /// At work.
    pub active: i64,
    /// Waiting for their client, in no transaction.
    pub idle: i64,
    /// Waiting for their client in the middle of a transaction.
    pub idle_in_transaction: i64,
    /// Of which nothing more is told to this user.
    pub hidden: i64,
}

/// What sessions at work waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// The kind, such as `Lock`; none where they were working.
    pub kind: Option<String>,
    /// What, such as `transactionid`.
    pub event: Option<String>,
    /// How often it was seen.
    pub seen: u32,
    /// In how many looks.
    pub looks: u32,
}

/// The log of slow statements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlowLog {
    /// From how many milliseconds on a statement is written to it.
    pub from_ms: i64,
}

const CONNECTIONS: &str = "
SELECT /* verdict monitor */
    (SELECT SUM(numbackends) FROM pg_stat_database)::bigint AS used,
    (SELECT setting FROM pg_settings WHERE name = 'max_connections')::bigint AS limit,
    (
        SELECT SUM(setting::bigint)
        FROM pg_settings
        WHERE name IN ('superuser_reserved_connections', 'reserved_connections')
    )::bigint AS reserved,
    COUNT(*) FILTER (WHERE state = 'active') AS active,
    COUNT(*) FILTER (WHERE state = 'idle') AS idle,
    COUNT(*) FILTER (WHERE state LIKE 'idle in transaction%') AS idle_in_transaction,
    COUNT(*) FILTER (WHERE state IS NULL AND backend_type IS NULL) AS hidden
FROM pg_stat_activity
WHERE datname IS NOT NULL
  AND pid <> PG_BACKEND_PID()";

const WAITS: &str = "
SELECT /* verdict monitor */
    wait_event_type,
    wait_event
FROM pg_stat_activity
WHERE state = 'active'
  AND backend_type = 'client backend'
  AND pid <> PG_BACKEND_PID()
LIMIT 1000";

pub(super) async fn slow_log(session: &mut PgConnection) -> Result<Seen<SlowLog>> {
    let asked = query_scalar(
        "SELECT /* verdict monitor */ setting::bigint
        FROM pg_settings
        WHERE name = 'log_min_duration_statement'",
    );
    let asked: sqlx::Result<i64> = asked.fetch_one(session).await;
    let switched_on = "ALTER SYSTEM SET log_min_duration_statement = 100; SELECT pg_reload_conf()";
    Ok(match seen(asked, "the log is not told of", switched_on)? {
        Seen::Told(from_ms) if from_ms >= 0 => Seen::Told(SlowLog { from_ms }),
        Seen::Told(_) => Seen::without("slow statements are not logged", switched_on),
        Seen::Missing(missing) => Seen::Missing(missing),
    })
}

pub(super) async fn connections(
    session: &mut PgConnection,
    server: &Server,
) -> Result<Seen<Connections>> {
    let asked = query_as(CONNECTIONS).fetch_one(session).await;
    seen(asked, "connections are not told of", server.grant())
}

pub(super) async fn waits(session: &mut PgConnection, server: &Server) -> Result<Seen<Vec<Wait>>> {
    if !server.reads_all {
        return Ok(Seen::without(
            "what other users' sessions wait for is not told to this user",
            server.grant(),
        ));
    }
    let mut waits: BTreeMap<_, u32> = BTreeMap::new();
    for _ in 0..LOOKS {
        let asked = query_as(WAITS).fetch_all(&mut *session).await;
        let sessions: Vec<(Option<String>, Option<String>)> =
            match seen(asked, "waits are not told of", server.grant())? {
                Seen::Told(sessions) => sessions,
                Seen::Missing(missing) => return Ok(Seen::Missing(missing)),
            };
        for wait in sessions {
            *waits.entry(wait).or_default() += 1;
        }
        tokio::time::sleep(BETWEEN).await;
    }
    let mut waits: Vec<Wait> = waits
        .into_iter()
        .map(|((kind, event), seen)| Wait {
            kind,
            event,
            seen,
            looks: LOOKS,
        })
        .collect();
    waits.sort_by_key(|wait| std::cmp::Reverse(wait.seen));
    Ok(Seen::Told(waits))
}
