//! Item 12 fixed: one connection for all statements of a call, not tested where it has just been
//! used, and a call made again that was lost with its connection.
//!
//! sqlx asks a connection whether it lives before it is lent and when it comes back, a turn on the
//! wire each, and today's calls borrow one for each statement. A call that keeps its connection
//! waits once and pays for one question, the one on its return, which cannot be switched off; the
//! other is asked only of a connection that has lain idle for [`DOUBTED`], and may have died
//! unseen.
//!
//! What that risks is a connection that dies and is lent within that time. Its call is made again,
//! up to three times, on a connection that has answered just before: a page is read again, and a
//! message is stored under the id that its caller chose, which is there once whatever is done
//! twice. Where an attempt has stored it and only its answer was lost, the next finds the very same
//! row and goes on to number it. So a caller who sends a message again that was acknowledged, and
//! whose connection is lost meanwhile, is told its number and not that it was sent before. A server
//! that is away for longer than callers wait for a connection is not made up for, nor one that
//! neither answers nor closes its connections.
//!
//! Lost, as the 95th percentile in ms of pages and of sends by 32 callers, then by 128, in one run of
//! an unoptimized build in the smallest world, the client on the server's two cores (today, of ten
//! connections, 75 and 35, 269 and 110; five of ours 47 and 30, 166 and 109):
//! - two or three connections: 38 to 48 and 28 to 73, 143 to 165 and 115; as good for short calls, and
//!   two or three callers who hold one for a second stop all others;
//! - ten: 80 and 30, 179 and 97; twenty: 99 and 28, 233 and 90; a hundred: 141 and 61, 327 and 115:
//!   what does not wait for a connection waits for a core, and not in turn;
//! - one retry after 20 ms: a page was lost when the server was stopped under its callers, since
//!   backends are told one after the other, and one that had not been told yet had answered.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{Connection, PgConnection, Postgres};
use verdict_baseline::message_history::{DetailedMessage, Request as PageRequest, history_on};
use verdict_baseline::message_send::{Request as Message, Sent, insert, number};
use verdict_baseline::{Error, Refused, Result};
use verdict_store::{Change, Connect};

/// Another pool, on the schema as it is.
pub const CHANGE: Change = Change {
    connect,
    ..Change::NONE
};

/// Connections of a pool, all of them kept warm: three for each of the two cores on which it was
/// tried, and one more than callers are known to hold at once.
pub const CONNECTIONS: u32 = 6;

/// For how long a connection that lay idle is believed to live.
pub const DOUBTED: Duration = Duration::from_secs(1);

/// Before a lost call is made again, each time: a server that stops tells its backends one after
/// the other, and one that has not been told yet still answers.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(500),
];

fn connect(connect: Connect) -> Connect {
    Connect {
        pool: options(connect.pool),
        ..connect
    }
}

/// Our settings of a pool.
pub fn options(pool: PgPoolOptions) -> PgPoolOptions {
    pool.max_connections(CONNECTIONS)
        .min_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(5))
        .idle_timeout(Duration::from_secs(600))
        .max_lifetime(Duration::from_secs(1800))
        .test_before_acquire(false)
        .before_acquire(|connection, lent| {
            Box::pin(async move {
                if lent.idle_for > DOUBTED {
                    // One that fails is closed, and another opened.
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// A page of history, as today's.
pub async fn page(pool: &PgPool, request: &PageRequest) -> Result<Vec<DetailedMessage>> {
    let first = async { history_on(&mut *pool.acquire().await?, request).await };
    let mut answer = first.await;
    for pause in PAUSES {
        if !is_lost(&answer) {
            break;
        }
        let again = async { history_on(&mut *tested(pool, pause).await?, request).await };
        answer = again.await;
    }
    answer
}

/// Sends a message, as today does.
pub async fn send(pool: &PgPool, message: &Message) -> Result<Sent> {
    let first = async {
        let mut connection = pool.acquire().await?;
        insert(&mut *connection, message).await?;
        number(&mut *connection, message).await
    };
    let mut answer = first.await;
    for pause in PAUSES {
        if !is_lost(&answer) {
            break;
        }
        let again = async { send_again(&mut *tested(pool, pause).await?, message).await };
        answer = again.await;
    }
    answer
}

const IS_STORED: &str = "
SELECT EXISTS (
    SELECT
    FROM messages
    WHERE id = $1
      AND conversation_id = $2
      AND sender_id = $3
      AND content = $4
      AND idempotency_key IS NOT DISTINCT FROM $5
)";

/// Sends a message that may have been stored already, by a call that did not hear of it.
pub async fn send_again(connection: &mut PgConnection, message: &Message) -> Result<Sent> {
    match insert(&mut *connection, message).await {
        Err(Error::Refused(Refused::Duplicate)) => {
            let stored: bool = sqlx::query_scalar(IS_STORED)
                .bind(message.id)
                .bind(message.conversation)
                .bind(message.sender)
                .bind(&message.content)
                .bind(message.idempotency_key)
                .fetch_one(&mut *connection)
                .await?;
            if !stored {
                return Err(Refused::Duplicate.into());
            }
        }
        inserted => inserted?,
    }
    number(connection, message).await
}

/// A connection that has just answered, after a pause; those that do not are thrown away.
async fn tested(pool: &PgPool, pause: Duration) -> Result<PoolConnection<Postgres>> {
    tokio::time::sleep(pause).await;
    loop {
        let mut connection = pool.acquire().await?;
        if connection.ping().await.is_ok() {
            return Ok(connection);
        }
        drop(connection.detach());
    }
}

/// What PostgreSQL says when it ends a connection: told to, after a crash, or as it starts.
const ENDED: [&str; 3] = ["57P01", "57P02", "57P03"];

/// Whether a call was lost with its connection.
fn is_lost<T>(answer: &Result<T>) -> bool {
    match answer {
        Err(Error::Postgres(sqlx::Error::Io(_))) => true,
        Err(Error::Postgres(sqlx::Error::Database(said))) => {
            said.code().is_some_and(|code| ENDED.contains(&&*code))
        }
        _ => false,
    }
}
