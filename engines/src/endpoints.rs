//! Where three engines answer, and with which credentials.

use std::fmt;
use std::time::{Duration, Instant};

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use crate::variables::{VARIABLES, variable};
use crate::{Error, redis_number};

/// The database user that Verdict makes in its own engines.
pub(crate) const USER: &str = "verdict";

/// How many round trips are measured for a median.
const PINGS: usize = 41;

/// Addresses, credentials and databases of three engines.
#[derive(Clone)]
pub struct Endpoints {
    /// On a side, on its database.
    pub postgres: PgConnectOptions,
    /// On a side, on its database.
    pub clickhouse: clickhouse::Client,
    /// On a side, on its numbered database; it connects on use.
    pub redis: redis::Client,
    /// Where `clickhouse` goes, which it does not tell. No credentials.
    pub(crate) clickhouse_url: Url,
    /// The credentials that it goes there with, none where the server asks for none.
    pub(crate) clickhouse_login: Option<Login>,
}

/// Where ClickHouse answers, for a process that has to be told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClickHouseAddress {
    url: String,
    login: Option<Login>,
    database: Option<String>,
}

/// Without the credentials.
impl fmt::Debug for ClickHouseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClickHouseAddress").field(&self.url).finish()
    }
}

impl ClickHouseAddress {
    /// A client of it.
    pub fn client(&self) -> clickhouse::Client {
        let mut client = clickhouse_client().with_url(&self.url);
        if let Some((user, password)) = &self.login {
            client = client.with_user(user).with_password(password);
        }
        match &self.database {
            Some(database) => client.with_database(database),
            None => client,
        }
    }
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
        let clickhouse_url = Url::parse(&format!("http://{host}:{clickhouse}"))
            .map_err(Error::refused("clickhouse", "take its address"))?;
        Ok(Self {
            postgres: PgConnectOptions::new_without_pgpass()
                .host(host)
                .port(postgres)
                .username(USER)
                .password(password)
                .database("postgres")
                // Encryption on the loopback would only cost, and the server has none.
                .ssl_mode(PgSslMode::Disable),
            clickhouse: clickhouse_client()
                .with_url(clickhouse_url.clone())
                .with_user(USER)
                .with_password(password),
            redis: redis::Client::open(format!("redis://:{password}@{host}:{redis}/"))
                .map_err(Error::refused("redis", "take its address"))?,
            clickhouse_url,
            clickhouse_login: Some((USER.to_owned(), password.to_owned())),
        })
    }

    /// The user's servers, as the environment names them.
    pub(crate) fn from_environment() -> Result<Self, Error> {
        let [postgres, clickhouse, redis] = VARIABLES;
        let (client, clickhouse_url, clickhouse_login) = clickhouse_at(&variable(clickhouse)?)
            .ok_or_else(|| bad_url(clickhouse, "http://USER:PASSWORD@HOST:8123"))?;
        Ok(Self {
            postgres: postgres_at(&variable(postgres)?)
                .ok_or_else(|| bad_url(postgres, "postgres://USER:PASSWORD@HOST:PORT/DATABASE"))?,
            clickhouse: client,
            clickhouse_url,
            clickhouse_login,
            redis: redis::Client::open(variable(redis)?)
                .map_err(|_| bad_url(redis, "redis://:PASSWORD@HOST:6379/DATABASE"))?,
        })
    }

    /// The same engines, on other databases.
    pub(crate) fn at(&self, database: &str, redis_number: i64) -> Result<Self, Error> {
        Ok(Self {
            postgres: self.postgres.clone().database(database),
            clickhouse: self.clickhouse.clone().with_database(database),
            redis: redis_number::at(&self.redis, redis_number)?,
            clickhouse_url: self.clickhouse_url.clone(),
            clickhouse_login: self.clickhouse_login.clone(),
        })
    }

    /// Where ClickHouse is, and on which database.
    pub fn clickhouse_address(&self) -> ClickHouseAddress {
        ClickHouseAddress {
            url: self.clickhouse_url.to_string(),
            login: self.clickhouse_login.clone(),
            database: self.clickhouse.database().map(str::to_owned),
        }
    }

    /// What a round trip takes, to be shown beside the nominal one of a line: the median time of a
    /// Redis PING, as an ordinary caller sees it, on an idle connection of its own. So it holds,
    /// beside the time that a line holds back, what a relay, the client and the engine take
    /// themselves. These calls are in a line's totals, too.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn measured_round_trip(&self) -> Result<Duration, Error> {
        let refused = || Error::refused("redis", "answer a PING");
        let connected = self.redis.get_multiplexed_async_connection().await;
        let mut connection = connected.map_err(refused())?;
        let mut times = Vec::with_capacity(PINGS);
        for _ in 0..PINGS {
            let began = Instant::now();
            let answered = redis::cmd("PING").exec_async(&mut connection).await;
            answered.map_err(refused())?;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        Ok(times[PINGS / 2])
    }

    pub(crate) async fn ping_postgres(&self) -> Result<(), sqlx::Error> {
        use sqlx::{ConnectOptions, Connection};
        self.postgres.connect().await?.close().await
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

fn bad_url(variable: &'static str, form: &str) -> Error {
    Error::BadUrl {
        variable,
        reason: format!("it must have the form {form}, with special characters percent-encoded"),
    }
}

/// A client that uses no idle connection which the server may be closing at that very moment.
/// Servers of our own do so after one second, and over a line the news of it takes a while;
/// the client's default is two.
fn clickhouse_client() -> clickhouse::Client {
    let mut connector = HttpConnector::new();
    connector.set_keepalive(Some(Duration::from_secs(60)));
    clickhouse::Client::with_http_client(
        hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_millis(500))
            .build(connector),
    )
}

/// The options that a URL stands for; whose scheme, of any other server's, sqlx passes over. A
/// parser's complaint may quote what it read, which holds the password.
pub fn postgres_at(address: &str) -> Option<PgConnectOptions> {
    let scheme = Url::parse(address).ok()?.scheme().to_owned();
    if !["postgres", "postgresql"].contains(&scheme.as_str()) {
        return None;
    }
    address.parse().ok()
}

/// A client for a URL with the credentials in it.
pub fn clickhouse_client_at(address: &str) -> Option<clickhouse::Client> {
    clickhouse_at(address).map(|(client, ..)| client)
}

/// A user and a password.
type Login = (String, String);

/// A client for a URL with the credentials in it, the URL without them, and those.
fn clickhouse_at(address: &str) -> Option<(clickhouse::Client, Url, Option<Login>)> {
    let mut url = Url::parse(address).ok()?;
    // The client is built without TLS.
    if url.scheme() != "http" || url.host_str().is_none() {
        return None;
    }
    let user = percent_decoded(url.username())?;
    let password = percent_decoded(url.password().unwrap_or_default())?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_path("");
    let mut client = clickhouse_client().with_url(url.clone());
    let login = (!user.is_empty()).then_some((user, password));
    if let Some((user, password)) = &login {
        client = client.with_user(user).with_password(password);
    }
    Some((client, url, login))
}

pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
        bytes.extend(piece[2..].bytes());
    }
    String::from_utf8(bytes).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_a_url_are_decoded_and_nonsense_is_refused() {
        assert_eq!(percent_decoded("p%40ss%2Fw").as_deref(), Some("p@ss/w"));
        assert_eq!(percent_decoded("100%"), None);
        assert!(clickhouse_at("http://me:p%40ss@db:8123/x").is_some());
        assert!(clickhouse_at("https://db:8443").is_none());
        assert!(clickhouse_at("db:8123").is_none());
        for sound in ["postgres://me@db/x", "postgresql://me:p%40ss@db:5433/x"] {
            assert!(postgres_at(sound).is_some(), "{sound}");
        }
        for other in ["mysql://me:hush@db:3306/x", "http://db", "db:5432", ""] {
            assert!(postgres_at(other).is_none(), "{other}");
        }
    }
}
