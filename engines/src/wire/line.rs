//! A line to three engines: a relay before each.

use std::time::Duration;

use redis::ConnectionAddr;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::counts::Wire;
use super::relay::{Address, Relay};
use super::statements::Rewrite;
use crate::endpoints::Endpoints;
use crate::error::Error;
use crate::variables::VARIABLES;

/// The host of every relay.
const LOOPBACK: &str = "127.0.0.1";

/// Engines reached over relays: the same credentials and databases, with what goes over the
/// wire counted and, if asked for, held back. Dropping it closes the connections over it.
#[derive(Debug)]
pub struct Line {
    endpoints: Endpoints,
    postgres: Relay,
    clickhouse: Relay,
    redis: Relay,
}

/// The running totals of a line, per engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wires {
    /// PostgreSQL's.
    pub postgres: Wire,
    /// ClickHouse's.
    pub clickhouse: Wire,
    /// Redis's.
    pub redis: Wire,
}

impl Wires {
    /// What has been added since an earlier reading of the same line.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            postgres: self.postgres.since(earlier.postgres),
            clickhouse: self.clickhouse.since(earlier.clickhouse),
            redis: self.redis.since(earlier.redis),
        }
    }
}

impl Line {
    /// Opens a line to what `endpoints` lead to, which is held back for `one_way` in each
    /// direction: the nominal round trip is twice that. Zero only counts.
    ///
    /// # Errors
    /// When an engine is not reached over TCP but over a Unix socket, or PostgreSQL's
    /// certificate is to be checked for its host's name, which a relay has not; or when a
    /// relay does not start.
    pub fn open(endpoints: &Endpoints, one_way: Duration) -> Result<Self, Error> {
        let postgres = Relay::start(&postgres_address(&endpoints.postgres)?, one_way)?;
        let clickhouse = Relay::start(&clickhouse_address(endpoints)?, one_way)?;
        Self::with(endpoints, postgres, clickhouse)
    }

    /// Opens a line on which `rewrite` sees, and may change, every statement that goes to
    /// PostgreSQL and every query that goes to ClickHouse. It is not encrypted.
    ///
    /// # Errors
    /// As [`Self::open`]; and when either is to be reached by TLS only.
    pub fn rewriting(endpoints: &Endpoints, rewrite: Rewrite) -> Result<Self, Error> {
        refuse_encryption(&endpoints.postgres)?;
        if endpoints.clickhouse_url.scheme() == "https" {
            return Err(looked_at(VARIABLES[1], "http://"));
        }
        let postgres = Relay::rewriting(&postgres_address(&endpoints.postgres)?, rewrite.clone())?;
        let clickhouse = Relay::rewriting_queries(&clickhouse_address(endpoints)?, rewrite)?;
        let mut line = Self::with(endpoints, postgres, clickhouse)?;
        line.endpoints.postgres = line.endpoints.postgres.ssl_mode(PgSslMode::Disable);
        Ok(line)
    }

    fn with(endpoints: &Endpoints, postgres: Relay, clickhouse: Relay) -> Result<Self, Error> {
        let redis = Relay::start(&redis_address(&endpoints.redis)?, postgres.one_way())?;

        let mut clickhouse_url = endpoints.clickhouse_url.clone();
        let moved = clickhouse_url.set_host(Some(LOOPBACK)).is_ok()
            && clickhouse_url.set_port(Some(clickhouse.port())).is_ok();
        if !moved {
            return Err(not_over_tcp(VARIABLES[1]));
        }
        let mut client = endpoints
            .clickhouse
            .clone()
            .with_url(clickhouse_url.clone());
        // A database in the URL would take the place of the side's.
        if let Some(database) = endpoints.clickhouse.database() {
            client = client.with_database(database);
        }
        let info = endpoints.redis.get_connection_info().clone();
        let address = ConnectionAddr::Tcp(LOOPBACK.to_owned(), redis.port());
        let over_relays = Endpoints {
            postgres: endpoints
                .postgres
                .clone()
                .host(LOOPBACK)
                .port(postgres.port()),
            clickhouse: client,
            redis: redis::Client::open(info.set_addr(address))
                .map_err(Error::refused("redis", "take a relay's address"))?,
            clickhouse_url,
            clickhouse_login: endpoints.clickhouse_login.clone(),
        };
        Ok(Self {
            endpoints: over_relays,
            postgres,
            clickhouse,
            redis,
        })
    }

    /// The same databases with the same credentials, over the line.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// How long each direction is held back, as asked for.
    pub fn one_way(&self) -> Duration {
        self.postgres.one_way()
    }

    /// What has gone over the line since it was opened, over all connections.
    pub fn totals(&self) -> Wires {
        Wires {
            postgres: self.postgres.totals(),
            clickhouse: self.clickhouse.totals(),
            redis: self.redis.totals(),
        }
    }
}

fn postgres_address(options: &PgConnectOptions) -> Result<Address, Error> {
    let host = options.get_host();
    if options.get_socket().is_some() || host.starts_with('/') {
        return Err(not_over_tcp(VARIABLES[0]));
    }
    if matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
        return Err(Error::BadUrl {
            variable: VARIABLES[0],
            reason: "the wire is counted by a relay, which has not the name in the server's certificate: \
                     use sslmode=verify-ca in place of verify-full"
                .to_owned(),
        });
    }
    Ok(Address {
        host: host.to_owned(),
        port: options.get_port(),
    })
}

fn refuse_encryption(options: &PgConnectOptions) -> Result<(), Error> {
    match options.get_ssl_mode() {
        PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer => Ok(()),
        _ => Err(looked_at(VARIABLES[0], "sslmode=prefer")),
    }
}

fn looked_at(variable: &'static str, how: &str) -> Error {
    Error::BadUrl {
        variable,
        reason: format!(
            "statements are looked at on the wire, where they must not be encrypted: use {how} on \
             a network that you trust"
        ),
    }
}

fn clickhouse_address(endpoints: &Endpoints) -> Result<Address, Error> {
    let url = &endpoints.clickhouse_url;
    match (url.host_str(), url.port_or_known_default()) {
        (Some(host), Some(port)) => Ok(Address {
            host: host.to_owned(),
            port,
        }),
        _ => Err(not_over_tcp(VARIABLES[1])),
    }
}

fn redis_address(client: &redis::Client) -> Result<Address, Error> {
    match client.get_connection_info().addr() {
        ConnectionAddr::Tcp(host, port) => Ok(Address {
            host: host.clone(),
            port: *port,
        }),
        _ => Err(not_over_tcp(VARIABLES[2])),
    }
}

fn not_over_tcp(variable: &'static str) -> Error {
    Error::BadUrl {
        variable,
        reason: "the wire is counted on TCP, and this is a Unix socket: name a host and a port"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(options: PgConnectOptions) -> String {
        postgres_address(&options).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_go_through_a_relay_is_refused_with_what_to_do() {
        let options = PgConnectOptions::new_without_pgpass().host("db").port(1);
        assert!(words(options.clone().socket("/run")).contains("a host and a port"));
        assert!(words(options.clone().host("/run")).contains("a host and a port"));
        assert!(words(options.clone().ssl_mode(PgSslMode::VerifyFull)).contains("verify-ca"));
        let encrypted = options.clone().ssl_mode(PgSslMode::Require);
        let words = refuse_encryption(&encrypted).unwrap_err().to_string();
        assert!(words.contains("sslmode=prefer"), "{words}");
        assert_eq!(
            postgres_address(&options.host("[::1]"))
                .unwrap()
                .to_string(),
            "[::1]:1"
        );
    }
}
