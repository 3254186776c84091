//! Where Redis answers, for a process that has to be told.

use std::fmt;
use std::path::PathBuf;

use redis::{ConnectionAddr, IntoConnectionInfo};
use serde::{Deserialize, Serialize};

use crate::Error;

/// A server, the credentials that one goes there with, and which of its databases.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisAddress {
    at: Place,
    username: Option<String>,
    password: Option<String>,
    number: i64,
}

/// What a client may be made of: Verdict is built without encryption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    Tcp(String, u16),
    Unix(PathBuf),
}

/// Without the credentials.
impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisAddress").field(&self.at).finish()
    }
}

impl From<&redis::Client> for RedisAddress {
    fn from(client: &redis::Client) -> Self {
        let info = client.get_connection_info();
        let settings = info.redis_settings();
        Self {
            at: match info.addr() {
                ConnectionAddr::Tcp(host, port) => Place::Tcp(host.clone(), *port),
                ConnectionAddr::TcpTls { host, port, .. } => Place::Tcp(host.clone(), *port),
                ConnectionAddr::Unix(path) => Place::Unix(path.clone()),
                // No other is known, and none is made.
                other => Place::Unix(other.to_string().into()),
            },
            username: settings.username().map(str::to_owned),
            password: settings.password().map(str::to_owned),
            number: settings.db(),
        }
    }
}

impl RedisAddress {
    /// A client of it; it connects on use.
    ///
    /// # Errors
    /// When it is no address.
    pub fn client(&self) -> Result<redis::Client, Error> {
        let refused = || Error::refused("redis", "take its address");
        let at = match &self.at {
            Place::Tcp(host, port) => ConnectionAddr::Tcp(host.clone(), *port),
            Place::Unix(path) => ConnectionAddr::Unix(path.clone()),
        };
        let info = at.into_connection_info().map_err(refused())?;
        let mut settings = info.redis_settings().clone().set_db(self.number);
        if let Some(username) = &self.username {
            settings = settings.set_username(username);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        redis::Client::open(info.set_redis_settings(settings)).map_err(refused())
    }
}
