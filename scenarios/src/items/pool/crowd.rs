//! Many callers at once for a while: what their calls take, and how much of it they wait for a
//! connection.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sqlx::query_scalar;
use verdict_audit::VariantName;
use verdict_audit::quantile::median;
use verdict_baseline::Error as OperationError;
use verdict_baseline::pool::{Message, PageRequest};
use verdict_oracle::{Oracle, ladder, pool as oracle};
use verdict_store::fault::Doing;
use verdict_store::{Connect, Error, Fault, Store};

use super::{ROWS, page, send, unsend};
use crate::error::Result;
use crate::session::{Role, Session};

/// Of so many calls of those who ask for pages of either kind, one is for a long one.
const LONG_ONE_IN: usize = 8;

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// A page.
    Page,
    /// A message.
    Send,
    /// A page, and now and then one that takes long, which is not told of.
    Mixed,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Page => "pages",
            Self::Send => "sends",
            Self::Mixed => "pages among long ones",
        })
    }
}

/// What calls came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Came {
    /// Seconds that each took, ascending.
    pub took: Vec<f64>,
    /// Calls that are not told of.
    untold: usize,
    /// Seconds of waiting for connections, of a call, those that are not told of among them.
    pub waited: f64,
    /// In a second.
    pub rate: f64,
    /// Calls that waited in vain.
    pub timed_out: usize,
    /// Calls that failed otherwise, and the first one's words.
    pub failed: usize,
    pub words: Option<String>,
    /// Connections on the server.
    pub connections: i64,
}

impl Came {
    pub fn percentile(&self, p: f64) -> f64 {
        let rank = (self.took.len() as f64 * p).ceil() as usize;
        let place = rank.saturating_sub(1);
        self.took.get(place).copied().unwrap_or_default()
    }

    pub fn typical(&self) -> f64 {
        median(self.took.clone()).unwrap_or_default()
    }

    fn mean(&self) -> f64 {
        self.took.iter().sum::<f64>() / self.took.len().max(1) as f64
    }
}

impl fmt::Display for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |seconds: f64| 1e3 * seconds;
        let [p50, p95, p99] = [0.50, 0.95, 0.99].map(|p| ms(self.percentile(p)));
        let (waited, asked) = (ms(self.waited), ms((self.mean() - self.waited).max(0.0)));
        write!(
            f,
            "{:.0} calls a second, p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms, of a call \
             {waited:.1} ms waiting for connections and {asked:.1} ms on them, {} connections on \
             the server, {} time-outs",
            self.rate, self.connections, self.timed_out
        )?;
        match &self.words {
            Some(words) => write!(f, ", {} failed ({words})", self.failed),
            None => Ok(()),
        }
    }
}

/// A store of its own for a crowd, whose waits are counted.
pub(super) struct Crowd {
    pub store: Store,
    pub variant: VariantName,
    oracle: Arc<Oracle>,
    pages: Vec<PageRequest>,
    long: Option<PageRequest>,
    /// The harness's own connection, and the backends that were there before the crowd's.
    own: Store,
    before: Vec<i32>,
    sent: Mutex<Vec<Message>>,
}

impl Crowd {
    /// Connects it as a variant is, and otherwise; `None` where the world is too small.
    pub async fn open(
        session: &Session<'_>,
        variant: &VariantName,
        how: impl FnOnce(Connect) -> Connect,
    ) -> Result<Option<Arc<Self>>> {
        let oracle = Arc::clone(session.oracle());
        let rungs = oracle.world().ladder_conversations();
        let (Some(conversation), Some(largest)) =
            (ladder::conversation(oracle.world(), ROWS), rungs.last())
        else {
            return Ok(None);
        };
        let pages = (0..8).filter_map(|viewer| oracle::page(&oracle, &conversation, viewer));
        let pages: Vec<_> = pages.collect();
        let long = oracle::last_page(&oracle, largest);
        let role = Role::of(variant);
        let own = session.connect(role, None, Connect::by_one).await?;
        let before = backends(&own).await?;
        let how = |connect| Connect {
            counted: true,
            ..how(connect)
        };
        Ok(Some(Arc::new(Self {
            store: session.connect(role, None, how).await?,
            variant: variant.clone(),
            oracle,
            pages,
            long,
            own,
            before,
            sent: Mutex::default(),
        })))
    }

    /// Calls by so many callers, each again and again for so long, and once at least.
    pub async fn calls(
        self: &Arc<Self>,
        call: Call,
        callers: usize,
        length: Duration,
    ) -> Result<Came> {
        let waited = self.store.client.read().waited_us;
        let began = Instant::now();
        let callers = (0..callers).map(|caller| {
            let crowd = Arc::clone(self);
            tokio::spawn(async move { crowd.caller(call, caller, began, length).await })
        });
        let mut came = Came::default();
        for caller in join_all(callers).await {
            let one = caller.unwrap_or_else(|end| std::panic::resume_unwind(end.into_panic()))?;
            came.took.extend(one.took);
            came.untold += one.untold;
            came.timed_out += one.timed_out;
            came.failed += one.failed;
            came.words = came.words.or(one.words);
        }
        let calls = came.took.len();
        came.rate = calls as f64 / began.elapsed().as_secs_f64();
        let waited = self.store.client.read().waited_us - waited;
        came.waited = waited as f64 / 1e6 / (calls + came.untold).max(1) as f64;
        came.connections = self.others().await?.len() as i64;
        came.took.sort_unstable_by(f64::total_cmp);
        Ok(came)
    }

    async fn caller(
        &self,
        call: Call,
        caller: usize,
        began: Instant,
        length: Duration,
    ) -> std::result::Result<Came, Error> {
        let mut random = ChaCha8Rng::seed_from_u64(caller as u64);
        let mut came = Came::default();
        for turn in caller.. {
            let started = Instant::now();
            let long = call == Call::Mixed && turn.is_multiple_of(LONG_ONE_IN);
            let called = self
                .store
                .hear(async { Ok(self.call(call, long, turn, &mut random).await) });
            let called = match called.await {
                Ok(called) => called,
                Err(Fault::Harness(error)) => return Err(error),
                Err(Fault::Variant(_)) => Ok(()),
            };
            let took = started.elapsed().as_secs_f64();
            match called {
                Ok(()) if long => came.untold += 1,
                Ok(()) => came.took.push(took),
                Err(OperationError::Postgres(sqlx::Error::PoolTimedOut)) => came.timed_out += 1,
                Err(error) => {
                    came.failed += 1;
                    came.words.get_or_insert_with(|| error.to_string());
                }
            }
            if began.elapsed() >= length {
                break;
            }
        }
        Ok(came)
    }

    async fn call(
        &self,
        call: Call,
        long: bool,
        turn: usize,
        random: &mut ChaCha8Rng,
    ) -> std::result::Result<(), OperationError> {
        let refused = |fault: Fault| sqlx::Error::Configuration(fault.to_string().into());
        if call == Call::Send {
            let message = oracle::message(&self.oracle, random);
            // Noted before it is sent: one that is not answered may be stored.
            self.sent().push(message.clone());
            let sent = send(&self.store, &self.variant, &message).await;
            return sent.map_err(refused)?.map(drop);
        }
        let asked = match &self.long {
            Some(asked) if long => asked,
            _ => &self.pages[turn % self.pages.len()],
        };
        let page = page(&self.store, &self.variant, asked).await;
        page.map_err(refused)?.map(drop)
    }

    fn sent(&self) -> std::sync::MutexGuard<'_, Vec<Message>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The crowd's connections, as the server knows them.
    pub async fn others(&self) -> std::result::Result<Vec<i32>, Error> {
        let mut now = backends(&self.own).await?;
        now.retain(|pid| !self.before.contains(pid));
        Ok(now)
    }

    /// Ends all of the crowd's connections, as a server does that stops; how many.
    pub async fn kill(&self) -> std::result::Result<usize, Error> {
        let others = self.others().await?;
        let ended: i64 = query_scalar(
            "SELECT COUNT(*) FILTER (WHERE pg_terminate_backend(pid)) FROM UNNEST($1) AS pid",
        )
        .bind(&others)
        .fetch_one(&self.own.postgres)
        .await
        .doing("end connections")?;
        Ok(ended.unsigned_abs() as usize)
    }

    /// Takes back what was sent, and closes the connections; how many messages were stored.
    pub async fn close(&self) -> std::result::Result<u64, Error> {
        let sent = std::mem::take(&mut *self.sent());
        let stored = unsend(&self.own, sent).await?;
        self.store.clone().close().await;
        self.own.clone().close().await;
        Ok(stored)
    }
}

/// The backends that serve the side's database.
async fn backends(store: &Store) -> std::result::Result<Vec<i32>, Error> {
    query_scalar(
        "SELECT pid
        FROM pg_stat_activity
        WHERE datname = CURRENT_DATABASE()
          AND backend_type = 'client backend'",
    )
    .fetch_all(&store.postgres)
    .await
    .doing("see who is connected")
}
