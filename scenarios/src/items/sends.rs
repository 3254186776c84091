//! Messages that are sent as today while a variant is priced: how long a send takes, and how long
//! readers and writers of messages are held while a change is made.

use std::time::{Duration, Instant};

use sqlx::query;
use tokio::sync::watch;
use uuid::Uuid;
use verdict_audit::evidence::{Price, PriceOf};
use verdict_audit::quantile::median;
use verdict_audit::{Unit, VariantName};
use verdict_baseline::message_send::{self as sends, unsend};
use verdict_oracle::message_send as oracle;
use verdict_seed::Conversation;
use verdict_store::fault::Doing;
use verdict_store::settle::settle;
use verdict_store::{Engine, Error, Store, Table};

use crate::error::Result;
use crate::item::Item;
use crate::session::{Role, Session};

const SENDS: usize = 31;

/// The tables that a message is sent to.
pub(super) const SENT: &[Table] = &[
    Table::postgres("messages"),
    Table::postgres("conversations"),
];

/// Between two calls of those who are at work while the change is made, and how long they are at
/// work alone, before which they have begun.
const PAUSE: Duration = Duration::from_millis(2);
const FIRST: Duration = Duration::from_millis(50);
const QUIET: Duration = Duration::from_millis(500);

/// What it takes to send, today and with the index to be written.
pub(super) async fn sending(
    session: &Session<'_>,
    variant: &VariantName,
    conversation: &Conversation,
) -> Result<Price> {
    let stores = [&VariantName::Baseline, variant].map(|variant| session.store(variant));
    let mut random = session.random("sends that are timed");
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..SENDS {
        for (store, times) in stores.iter().zip(&mut times) {
            let request = oracle::message(conversation, &mut random);
            let sent = send(store, &request).await;
            unsend(&store.postgres, conversation.id, &[request.id])
                .await
                .doing("take a message back that was sent to see how long it takes")?;
            times.push(sent?);
        }
    }
    for store in &stores {
        settle(&store.postgres, SENT).await?;
    }
    let [baseline, changed] = times.map(typical);
    Ok(Price {
        what: PriceOf::TimePerInsert {
            table: "messages".to_owned(),
        },
        baseline,
        variant: changed,
        unit: Unit::Microseconds,
    })
}

/// How long a message takes, sent as today.
async fn send(store: &Store, request: &sends::Request) -> std::result::Result<Duration, Error> {
    let started = Instant::now();
    let answer = sends::send(&store.postgres, request).await;
    answer.map_err(|error| Error::Refused {
        engine: Engine::Postgres,
        what: "send as today on a changed schema",
        words: error.to_string(),
    })?;
    Ok(started.elapsed())
}

/// Their median, in microseconds.
pub(super) fn typical(times: Vec<Duration>) -> f64 {
    let microseconds = times.iter().map(|time| time.as_secs_f64() * 1e6);
    median(microseconds.collect()).unwrap_or_default()
}

/// How long a reader and a writer wait at the most for one call while the change is made, beside
/// how long they do when nothing is changed.
pub(super) async fn held(
    item: &dyn Item,
    session: &Session<'_>,
    variant: &VariantName,
    conversation: &Conversation,
) -> Result<Vec<Price>> {
    let variants = item.variants();
    let Some((_, change)) = variants.iter().find(|(name, _)| name == variant) else {
        return Ok(Vec::new());
    };
    session.take_back(Role::Trial, change).await?;
    let others = session
        .connect(Role::Trial, None, |connect| connect)
        .await?;
    // Connections are opened and statements prepared by the first calls.
    at_work(&others, conversation, session, tokio::time::sleep(FIRST)).await?;
    let quiet = at_work(&others, conversation, session, async {
        tokio::time::sleep(QUIET).await;
    });
    let ((), alone) = quiet.await?;
    let (applied, during) = at_work(
        &others,
        conversation,
        session,
        session.apply(Role::Trial, change),
    )
    .await?;
    others.close().await;
    applied?;
    let price = |writes, alone: Duration, during: Duration| Price {
        what: PriceOf::Held {
            table: "messages".to_owned(),
            writes,
        },
        baseline: alone.as_secs_f64() * 1e6,
        variant: during.as_secs_f64() * 1e6,
        unit: Unit::Microseconds,
    };
    settle(&session.store(variant).postgres, SENT).await?;
    Ok(vec![
        price(false, alone.read, during.read),
        price(true, alone.written, during.written),
    ])
}

/// The longest call of a reader and of a writer.
struct Longest {
    read: Duration,
    written: Duration,
}

/// A reader and a writer at work for as long as something takes. What was written is taken back.
async fn at_work<T>(
    store: &Store,
    conversation: &Conversation,
    session: &Session<'_>,
    meanwhile: impl Future<Output = T> + Send,
) -> Result<(T, Longest)> {
    let (ended, end) = watch::channel(false);
    let mut random = session.random("sends during a change");
    let mut sent = Vec::new();
    let meanwhile = async {
        let done = meanwhile.await;
        // Nobody listens any more where both have failed.
        let _ = ended.send(true);
        done
    };
    let reader = reader(store, end.clone());
    let next = || oracle::message(conversation, &mut random);
    let writer = writer(store, end, next, &mut sent);
    let (done, read, written) = tokio::join!(meanwhile, reader, writer);
    unsend(&store.postgres, conversation.id, &sent)
        .await
        .doing("take messages back that were sent meanwhile")?;
    let longest = Longest {
        read: read?,
        written: written?,
    };
    Ok((done, longest))
}

/// Reads until the end; the longest call.
async fn reader(store: &Store, end: watch::Receiver<bool>) -> std::result::Result<Duration, Error> {
    let mut longest = Duration::ZERO;
    while !*end.borrow() {
        let started = Instant::now();
        query("SELECT content FROM messages WHERE id = $1")
            .bind(Uuid::nil())
            .execute(&store.postgres)
            .await
            .doing("read while a change is made")?;
        longest = longest.max(started.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    Ok(longest)
}

/// Sends until the end; the longest call.
async fn writer(
    store: &Store,
    end: watch::Receiver<bool>,
    mut next: impl FnMut() -> sends::Request + Send,
    sent: &mut Vec<Uuid>,
) -> std::result::Result<Duration, Error> {
    let mut longest = Duration::ZERO;
    while !*end.borrow() {
        let request = next();
        sent.push(request.id);
        longest = longest.max(send(store, &request).await?);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(longest)
}
