//! Whether the engines live, asked from outside while a run works.
//!
//! A call to an engine that died, or that stands still, waits for its own time-out, and a run
//! makes thousands of calls. So each engine is asked once a second for next to nothing, on a
//! connection of its own and in words that no counter of a trial counts.

use std::time::Duration;

use clickhouse::error::Error as ClickHouseError;
use indicatif::MultiProgress;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use crate::Error;
use crate::blocking::blocking;
use crate::endpoints::Endpoints;
use crate::heir::Heir;

/// How often an engine is asked.
const EACH: Duration = Duration::from_secs(1);
/// How long it may be silent before that is said, once.
const ODD: Duration = Duration::from_secs(10);
/// How long it may be silent before it is given up: long against any stall of a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An engine, or the process that keeps them all, that is gone in the middle of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{engine} is gone in the middle of the run ({reason})")]
pub struct Death {
    /// `PostgreSQL`, `ClickHouse` or `Redis`, or the process that keeps them.
    pub engine: &'static str,
    /// What was seen of it last.
    pub reason: String,
}

impl Death {
    fn of_keeper() -> Self {
        Self {
            engine: "the process that keeps the engines",
            reason: "it has ended".to_owned(),
        }
    }
}

/// Watches over three engines.
#[derive(Debug, Clone)]
pub struct Vigil {
    endpoints: Endpoints,
    keeper: Option<Heir>,
}

impl Vigil {
    pub(crate) fn new(endpoints: Endpoints, keeper: Option<Heir>) -> Self {
        Self { endpoints, keeper }
    }

    /// Waits for the first engine that dies. One that is silent for 10 s is told of on standard
    /// error, above the bars of `progress`, and given up after 60.
    pub async fn until_death(&self, progress: &MultiProgress) -> Death {
        let death = tokio::select! {
            death = watch(self.postgres(), progress) => death,
            death = watch(self.clickhouse(), progress) => death,
            death = watch(self.redis(), progress) => death,
            death = self.bereaved() => death,
        };
        // The engines end with their keeper.
        self.of_keeper().unwrap_or(death)
    }

    async fn bereaved(&self) -> Death {
        match &self.keeper {
            Some(keeper) => keeper.bereaved().await,
            None => std::future::pending().await,
        }
        Death::of_keeper()
    }

    fn of_keeper(&self) -> Option<Death> {
        let bereaved = self.keeper.as_ref().is_some_and(Heir::is_bereaved);
        bereaved.then(Death::of_keeper)
    }

    /// Does what a keeper that is gone was to do at the end, within a bounded time; nothing where
    /// it lives.
    ///
    /// # Errors
    /// When something is left; the next start sweeps it up.
    pub async fn put_away(&self) -> Result<(), Error> {
        match self.keeper.clone().filter(Heir::is_bereaved) {
            Some(keeper) => blocking(move || keeper.put_away()).await,
            None => Ok(()),
        }
    }

    /// Whether an engine is gone now, to be asked when a call has failed.
    pub async fn death(&self) -> Option<Death> {
        let (mut postgres, mut clickhouse, mut redis) =
            (self.postgres(), self.clickhouse(), self.redis());
        let (postgres, clickhouse, redis) =
            tokio::join!(once(&mut postgres), once(&mut clickhouse), once(&mut redis));
        self.of_keeper().or(postgres).or(clickhouse).or(redis)
    }

    fn postgres(&self) -> Postgres<'_> {
        Postgres {
            endpoints: &self.endpoints,
            open: None,
            asked: 0,
        }
    }

    fn clickhouse(&self) -> ClickHouse<'_> {
        ClickHouse {
            endpoints: &self.endpoints,
        }
    }

    fn redis(&self) -> Redis<'_> {
        Redis {
            endpoints: &self.endpoints,
            open: None,
        }
    }
}

/// An engine that can be asked whether it lives.
trait Living {
    const NAME: &'static str;

    /// Asks on the connection there is, or on a fresh one.
    async fn ask(&mut self) -> Result<(), String>;

    /// Lets go of the connection.
    fn let_go(&mut self);
}

async fn watch<L: Living>(mut engine: L, progress: &MultiProgress) -> Death {
    let mut refused = false;
    loop {
        sleep(EACH).await;
        let asked = Instant::now();
        let mut answer = Box::pin(engine.ask());
        let answered = match timeout(ODD, &mut answer).await {
            Ok(answered) => Ok(answered),
            Err(_) => {
                progress.suspend(|| {
                    eprintln!(
                        "{} has not answered for {} s: waiting",
                        L::NAME,
                        ODD.as_secs()
                    );
                });
                timeout(PATIENCE - ODD, &mut answer).await
            }
        };
        drop(answer);
        match answered {
            Ok(Ok(())) => refused = false,
            // A connection that was cut is made anew before the engine is given up.
            Ok(Err(_)) if !refused => {
                engine.let_go();
                refused = true;
            }
            Ok(Err(reason)) => {
                return Death {
                    engine: L::NAME,
                    reason,
                };
            }
            Err(_) => {
                return Death {
                    engine: L::NAME,
                    reason: format!("no answer for {} s", asked.elapsed().as_secs()),
                };
            }
        }
    }
}

async fn once<L: Living>(engine: &mut L) -> Option<Death> {
    let reason = match timeout(ODD, engine.ask()).await {
        Ok(Ok(())) => return None,
        Ok(Err(reason)) => reason,
        Err(_) => format!("no answer for {} s", ODD.as_secs()),
    };
    Some(Death {
        engine: L::NAME,
        reason,
    })
}

struct Postgres<'a> {
    endpoints: &'a Endpoints,
    open: Option<PgConnection>,
    asked: u32,
}

/// Sessions are processes of their own, and go on where the server takes no new ones: each so
/// many times PostgreSQL is asked for a new one.
const ANEW: u32 = 10;

impl Living for Postgres<'_> {
    const NAME: &'static str = "PostgreSQL";

    async fn ask(&mut self) -> Result<(), String> {
        let words = |error: sqlx::Error| error.to_string();
        if self.asked.is_multiple_of(ANEW) {
            self.open = None;
        }
        self.asked += 1;
        if self.open.is_none() {
            let options = self.endpoints.postgres.clone().database("postgres");
            self.open = Some(PgConnection::connect_with(&options).await.map_err(words)?);
        }
        match &mut self.open {
            Some(open) => open.ping().await.map_err(words),
            None => Ok(()),
        }
    }

    fn let_go(&mut self) {
        self.open = None;
    }
}

struct ClickHouse<'a> {
    endpoints: &'a Endpoints,
}

impl Living for ClickHouse<'_> {
    const NAME: &'static str = "ClickHouse";

    async fn ask(&mut self) -> Result<(), String> {
        match self.endpoints.ping_clickhouse().await {
            Err(error @ (ClickHouseError::Network(_) | ClickHouseError::TimedOut)) => {
                Err(error.to_string())
            }
            // It may have too much to do, and then it says so: it lives.
            _ => Ok(()),
        }
    }

    fn let_go(&mut self) {}
}

struct Redis<'a> {
    endpoints: &'a Endpoints,
    open: Option<MultiplexedConnection>,
}

impl Living for Redis<'_> {
    const NAME: &'static str = "Redis";

    async fn ask(&mut self) -> Result<(), String> {
        let words = |error: redis::RedisError| error.to_string();
        if self.open.is_none() {
            // How long it may be silent is this file's to say, and half a second is nothing.
            let config = AsyncConnectionConfig::new()
                .set_response_timeout(None)
                .set_connection_timeout(None);
            let client = &self.endpoints.redis;
            let connection = client.get_multiplexed_async_connection_with_config(&config);
            self.open = Some(connection.await.map_err(words)?);
        }
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        let mut ask = redis::cmd("INFO");
        ask.arg("server");
        match ask.query_async::<String>(open).await {
            Err(error) if error.is_io_error() || error.is_unrecoverable_error() => {
                Err(words(error))
            }
            _ => Ok(()),
        }
    }

    fn let_go(&mut self) {
        self.open = None;
    }
}
