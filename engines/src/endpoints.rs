//! Where three engines answer, and with which credentials.

use std::fmt;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::Error;

/// The database user that Verdict makes in its own engines.
pub(crate) const USER: &str = "verdict";

/// Addresses and credentials of three engines.
#[derive(Clone)]
pub(crate) struct Endpoints {
    /// Without a database.
    pub postgres: PgConnectOptions,
    /// Without a database.
    pub clickhouse: clickhouse::Client,
    /// Connects on use.
    pub redis: redis::Client,
}

/// Without the credentials.
impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints").finish_non_exhaustive()
    }
}

impl Endpoints {
    /// Engines of our own on loopback ports, all with the same password.
    pub(crate) fn local(host: &str, ports: Ports, password: &str) -> Result<Self, Error> {
        let Ports {
            postgres,
            clickhouse,
            redis,
        } = ports;
        Ok(Self {
            postgres: PgConnectOptions::new_without_pgpass()
                .host(host)
                .port(postgres)
                .username(USER)
                .password(password)
                // Encryption on the loopback would only cost, and the server has none.
                .ssl_mode(PgSslMode::Disable),
            clickhouse: clickhouse::Client::default()
                .with_url(format!("http://{host}:{clickhouse}"))
                .with_user(USER)
                .with_password(password),
            redis: redis::Client::open(format!("redis://:{password}@{host}:{redis}/"))
                .map_err(Error::refused("redis", "take its address"))?,
        })
    }

    pub(crate) async fn ping_postgres(&self, database: &str) -> Result<(), sqlx::Error> {
        use sqlx::{ConnectOptions, Connection};
        self.postgres
            .clone()
            .database(database)
            .connect()
            .await?
            .close()
            .await
    }

    pub(crate) async fn ping_clickhouse(&self) -> Result<(), clickhouse::error::Error> {
        self.clickhouse
            .query("SELECT 1")
            .fetch_one::<u8>()
            .await
            .map(drop)
    }

    pub(crate) async fn ping_redis(&self) -> Result<(), redis::RedisError> {
        let mut connection = self.redis.get_multiplexed_async_connection().await?;
        redis::cmd("PING")
            .query_async::<String>(&mut connection)
            .await
            .map(drop)
    }
}

/// Three TCP ports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub postgres: u16,
    pub clickhouse: u16,
    pub redis: u16,
}

impl Ports {
    /// Three ports that were free a moment ago.
    ///
    /// Below the range from which the kernel takes ports for outgoing connections, or one of
    /// those could have it by the time the engine listens; at random, so that two runs that
    /// start at once do not try the same.
    pub(crate) fn free() -> Result<Self, Error> {
        use rand::RngExt;
        let mut taken = Vec::new();
        for _ in 0..1000 {
            let port = rand::rng().random_range(15_000..32_000);
            if !taken.contains(&port) && std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
                taken.push(port);
            }
            if let [postgres, clickhouse, redis] = taken[..] {
                return Ok(Self {
                    postgres,
                    clickhouse,
                    redis,
                });
            }
        }
        Err(Error::io("finding a free port on", "127.0.0.1")(
            std::io::ErrorKind::AddrInUse.into(),
        ))
    }
}

/// A password of 160 random bits that needs no quoting anywhere.
pub(crate) fn password() -> String {
    use rand::distr::{Alphanumeric, SampleString};
    Alphanumeric.sample_string(&mut rand::rng(), 27)
}
