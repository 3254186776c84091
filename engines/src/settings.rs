//! The settings of engines that are ours, each with its reason.
//!
//! Chosen for a machine with few cores and shared memory, durable, and the same in every
//! mode, so that a figure means the same wherever it was measured.

use crate::endpoints::USER;

/// What the engines are started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Loading a world that is thrown away if anything goes wrong.
    Loading,
    /// Measuring: acknowledged means on disk.
    Measuring,
}

const MIB: u64 = 1 << 20;

/// Bytes of memory that may be used: the machine's, or the control group's if that is less.
pub(crate) fn memory() -> u64 {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let machine = read("/proc/meminfo")
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .trim()
                .strip_suffix(" kB")?
                .parse::<u64>()
                .ok()
        })
        .map_or(4096 * MIB, |kib| kib * 1024);
    // "max" where there is no limit, which does not parse.
    let group = read("/sys/fs/cgroup/memory.max")
        .trim()
        .parse()
        .unwrap_or(u64::MAX);
    machine.min(group)
}

/// PostgreSQL's settings beside address and folders.
pub(crate) fn postgres(purpose: Purpose, memory: u64) -> Vec<(&'static str, String)> {
    let mib = |bytes: u64| format!("{}MB", (bytes / MIB).max(16));
    let mut settings: Vec<(&'static str, String)> = [
        // Counts the work of every call. `all`, so that a trigger's statements are counted too.
        ("shared_preload_libraries", "pg_stat_statements"),
        ("pg_stat_statements.track", "all"),
        // A walk over every item and variant, none of it pushed out.
        ("pg_stat_statements.max", "10000"),
        // Buffers read from the system with the time it took: tells a cold page from slow work.
        ("track_io_timing", "on"),
        ("track_functions", "all"),
        // A trial vacuums by itself, at a moment it knows; a worker in between is noise.
        ("autovacuum", "off"),
        // Pools of 2 x 64 for load, clones and the harness itself.
        ("max_connections", "200"),
        // Flash storage: a random page costs hardly more than the next one.
        ("random_page_cost", "1.1"),
        // The package has no compiler, and compiling a query of milliseconds is a loss anyway.
        ("jit", "off"),
        // A checkpoint within a measurement is noise; trials ask for one between.
        ("checkpoint_timeout", "1h"),
        ("max_wal_size", "16GB"),
        // Wide enough for the sorts and hashes of one page; small enough for 200 connections.
        ("work_mem", "16MB"),
        // Index builds; one at a time.
        ("maintenance_work_mem", "256MB"),
        // Answers do not depend on the machine.
        ("timezone", "UTC"),
        ("lc_messages", "C"),
        ("log_timezone", "UTC"),
        // The log is for the case that it does not start.
        ("log_checkpoints", "off"),
        ("log_min_messages", "warning"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    // A quarter is the manual's advice; above 1 GB the default world is in it as a whole.
    settings.push(("shared_buffers", mib((memory / 4).min(1024 * MIB))));
    // What the planner may expect of the system's cache beside that.
    settings.push(("effective_cache_size", mib(memory / 2)));
    let durability = match purpose {
        // What a commit promises, with the defaults spelled out because they are the point.
        Purpose::Measuring => [
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            ("wal_level", "replica"),
            ("max_wal_senders", "0"),
        ],
        // A crash throws the half-built world away, so nothing needs to survive it; and at
        // `minimal`, COPY into a table of the same transaction writes no WAL.
        Purpose::Loading => [
            ("fsync", "off"),
            ("synchronous_commit", "off"),
            ("full_page_writes", "off"),
            ("wal_level", "minimal"),
            ("max_wal_senders", "0"),
        ],
    };
    settings.extend(durability.map(|(name, value)| (name, value.to_owned())));
    settings
}

/// ClickHouse's settings, as elements of its configuration.
pub(crate) fn clickhouse(memory: u64) -> String {
    // It shares the machine with PostgreSQL and the load generator.
    let limit = memory / 3;
    format!(
        "<max_server_memory_usage>{limit}</max_server_memory_usage>
  <!-- Enough for the marks of the default world. -->
  <mark_cache_size>268435456</mark_cache_size>
  <timezone>UTC</timezone>
  <!-- An idle connection delays a stop by this many seconds. -->
  <keep_alive_timeout>1</keep_alive_timeout>
  <!-- Work is read from here by those who have it written first. -->
  <query_log>
    <database>system</database>
    <table>query_log</table>
  </query_log>
  <part_log>
    <database>system</database>
    <table>part_log</table>
  </part_log>"
    )
}

/// What an embedded ClickHouse answers to: requests that name our user in the header, and
/// ClickHouse refuses any that names another beside it. So the one who has no password
/// ([`clickhouse_users`]) is asked for by nobody; there is no other interface.
pub(crate) fn clickhouse_handlers() -> String {
    format!(
        "<http_handlers>
    <rule>
      <headers><X-ClickHouse-User>{USER}</X-ClickHouse-User></headers>
      <handler>
        <type>dynamic_query_handler</type>
        <query_param_name>query</query_param_name>
      </handler>
    </rule>
  </http_handlers>"
    )
}

/// ClickHouse's users: ours; and, without a password because it can be given none, the one as
/// whom the query runs that makes the library a server. The one session that it may have is
/// that query's, so nobody else gets in as it.
pub(crate) fn clickhouse_users(password: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest: String = Sha256::digest(password)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "<clickhouse>
  <profiles>
    <!-- Whoever counts a query's work has it logged. -->
    <default><log_queries>0</log_queries></default>
    <once><max_sessions_for_user>1</max_sessions_for_user></once>
  </profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password/>
      <networks><ip>::1</ip></networks>
      <profile>once</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SYSTEM LISTEN, SYSTEM FLUSH LOGS ON *.*</query>
        <query>GRANT FILE ON *.*</query>
        <query>GRANT CREATE TEMPORARY TABLE ON *.*</query>
      </grants>
    </default>
    <{USER}>
      <password_sha256_hex>{digest}</password_sha256_hex>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <access_management>1</access_management>
      <named_collection_control>1</named_collection_control>
    </{USER}>
  </users>
</clickhouse>
"
    )
}

/// Redis's settings beside address and password.
pub(crate) const REDIS: &[(&str, &str)] = &[
    // One for the world, and one for each side.
    ("databases", "64"),
    // A cache: what it loses is computed again.
    ("save", "\"\""),
    ("appendonly", "no"),
    // A cache that is full forgets what was least used.
    ("maxmemory", "256mb"),
    ("maxmemory-policy", "allkeys-lru"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn value(settings: &[(&str, String)], wanted: &str) -> String {
        settings
            .iter()
            .find(|(name, _)| *name == wanted)
            .unwrap()
            .1
            .clone()
    }

    #[test]
    fn what_is_measured_is_durable_and_only_loading_is_not() {
        assert_eq!(value(&postgres(Purpose::Measuring, 8 << 30), "fsync"), "on");
        assert_eq!(value(&postgres(Purpose::Loading, 8 << 30), "fsync"), "off");
    }

    #[test]
    fn redis_has_a_database_for_every_side_that_there_can_be() {
        let (_, databases) = REDIS.iter().find(|(name, _)| *name == "databases").unwrap();
        assert_eq!(databases.parse(), Ok(crate::redis_number::OURS));
    }

    #[test]
    fn buffers_stay_within_a_quarter_of_the_memory_and_a_gigabyte() {
        assert_eq!(
            value(&postgres(Purpose::Measuring, 2 << 30), "shared_buffers"),
            "512MB"
        );
        assert_eq!(
            value(&postgres(Purpose::Measuring, 64 << 30), "shared_buffers"),
            "1024MB"
        );
    }
}
