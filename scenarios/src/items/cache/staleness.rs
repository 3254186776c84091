//! How old an answer can be: what is told after a write until it is right again.
//!
//! Answers are kept for a second here, so that what lasts as long as an answer is kept is seen to
//! its end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::Result as Answer;
use verdict_baseline::cache::{self as today, Post};
use verdict_optimized::as_proposed::cache::{self as as_proposed, QueryCache};
use verdict_optimized::cache::{Cache, Limits, Subject};
use verdict_oracle::write::Kind;
use verdict_oracle::{Oracle, Write, cache as oracle};
use verdict_store::fault::EngineError;
use verdict_store::{Fault, Store};

use super::{limits, write};
use crate::error::Result;
use crate::operation::made;
use crate::session::Session;
use crate::tally::Tally;

/// Seconds for which an answer is kept.
const TTL: u64 = 1;

/// For which answers are watched after a write, and how long between two of them.
const WATCHED: Duration = Duration::from_millis(1_500);
const BETWEEN: Duration = Duration::from_millis(5);

/// What answered after a write.
#[derive(Debug, Default)]
struct Watched {
    answers: u32,
    stale: u32,
    longest: Duration,
}

/// A variant with a cache of its own, on the variant's Redis.
enum Reader {
    Audits(QueryCache),
    Ours(Cache),
}

/// A fetch that may be called more than once.
type Fetch = Box<dyn Fn() -> BoxFuture<'static, Answer<Option<Post>>> + Send + Sync>;

impl Reader {
    /// `None` of a variant without a cache.
    fn of(store: &Store, variant: &VariantName) -> std::result::Result<Option<Self>, Fault> {
        let (redis, counts) = (&store.redis_at, Arc::default());
        Ok(match variant {
            VariantName::Proposed(_) => {
                Some(Self::Audits(QueryCache::new(redis.clone(), TTL, counts)))
            }
            VariantName::Optimized => {
                let ttl = Duration::from_secs(TTL);
                let limits = Limits {
                    ttl,
                    absent: ttl,
                    ..limits()
                };
                let cache = Cache::new(redis, limits, counts);
                Some(Self::Ours(cache.map_err(EngineError::fault)?))
            }
            _ => None,
        })
    }

    async fn read(&self, post: Uuid, fetch: &Fetch) -> Answer<Option<Post>> {
        match self {
            Self::Audits(cache) => cache.get_or_fetch(&format!("post:{post}"), fetch()).await,
            Self::Ours(cache) => {
                let subject = Subject::Post(post);
                cache.get_or_fetch(subject, Option::is_none, fetch).await
            }
        }
    }

    /// Has nothing kept of a post.
    async fn forget(&self, post: Uuid) -> Answer<()> {
        match self {
            Self::Audits(cache) => as_proposed::forget_post(cache, post).await,
            Self::Ours(cache) => {
                let nothing = std::future::ready(Ok(()));
                cache.around(&[Subject::Post(post)], nothing).await
            }
        }
    }
}

/// Watches each way in which an answer can become old, and tells what came of it.
pub(super) async fn run(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let store = &session.store(variant);
    let Some(reader) = Reader::of(store, variant)? else {
        return Ok(());
    };
    let untouched = session.oracle();
    let mut random = session.random("staleness");
    let drawn = oracle::posts(untouched, 4, &mut random);
    let [raced, elsewhere, deleted, restored] = drawn[..] else {
        return Ok(());
    };
    let altered = |(author, post): oracle::Asked, kind| {
        let rows = untouched.author(author)?;
        Write::on_post(&rows, post, kind)
    };
    let scene = Scene {
        store,
        variant,
        reader: &reader,
    };

    if let Some(edit) = altered(raced, Kind::Edited) {
        let watched = scene.race(untouched, raced, &edit).await?;
        told(
            tally,
            "an edit between a reader's fetch and its set",
            &watched,
        );
    }
    if let Some(edit) = altered(elsewhere, Kind::Edited) {
        scene.keep(elsewhere).await?;
        made(store, &edit).await?;
        let watched = scene.watch(&untouched.with(&edit), elsewhere).await?;
        told(
            tally,
            "an edit elsewhere that no cache is told of",
            &watched,
        );
        scene.write(&edit.back()).await?;
    }
    for (asked, what, back) in [
        (deleted, "a post that is deleted", false),
        (restored, "a post that is there again", true),
    ] {
        let Some(delete) = altered(asked, Kind::Deleted) else {
            continue;
        };
        scene.keep(asked).await?;
        scene.write(&delete).await?;
        let mut now = untouched.with(&delete);
        if back {
            scene.keep(asked).await?;
            scene.write(&delete.clone().back()).await?;
            now = Oracle::clone(untouched);
        }
        let watched = scene.watch(&now, asked).await?;
        told(tally, what, &watched);
        if !back {
            scene.write(&delete.back()).await?;
        }
    }
    Ok(())
}

struct Scene<'a> {
    store: &'a Store,
    variant: &'a VariantName,
    reader: &'a Reader,
}

impl Scene<'_> {
    fn fetch(&self, post: Uuid) -> Fetch {
        let pool = self.store.postgres.clone();
        Box::new(move || {
            let pool = pool.clone();
            Box::pin(async move { today::post(&pool, post).await })
        })
    }

    async fn write(&self, of: &Write) -> Result<()> {
        Ok(write(self.store, self.variant, of).await?)
    }

    /// Has a post kept, from now on.
    async fn keep(&self, (_, post): oracle::Asked) -> Result<()> {
        self.reader.forget(post).await.map_err(Fault::from)?;
        let kept = self.reader.read(post, &self.fetch(post)).await;
        Ok(kept.map(drop).map_err(Fault::from)?)
    }

    /// An edit made, and told, while a reader has read and not set yet.
    async fn race(
        &self,
        untouched: &Oracle,
        asked: oracle::Asked,
        edit: &Write,
    ) -> Result<Watched> {
        self.reader.forget(asked.1).await.map_err(Fault::from)?;
        let (has_read, wait) = oneshot::channel();
        let (go_on, told) = oneshot::channel();
        let held = Mutex::new(Some((has_read, told)));
        let fetch = self.fetch(asked.1);
        let slow: Fetch = Box::new(move || {
            let held = held.lock().unwrap_or_else(PoisonError::into_inner).take();
            let fetched = fetch();
            Box::pin(async move {
                let post = fetched.await;
                if let Some((has_read, told)) = held {
                    // Who is gone waits for nothing.
                    let _ = has_read.send(());
                    let _ = told.await;
                }
                post
            })
        });
        let written = async {
            let _ = wait.await;
            let written = self.write(edit).await;
            let _ = go_on.send(());
            written
        };
        let (read, written) = tokio::join!(self.reader.read(asked.1, &slow), written);
        written?;
        read.map_err(Fault::from)?;
        let watched = self.watch(&untouched.with(edit), asked).await?;
        self.write(&edit.clone().back()).await?;
        Ok(watched)
    }

    /// Asks again and again, from just after a write.
    async fn watch(&self, now: &Oracle, asked: oracle::Asked) -> Result<Watched> {
        let (began, mut watched) = (Instant::now(), Watched::default());
        let due = oracle::due(now, asked);
        let fetch = self.fetch(asked.1);
        while began.elapsed() < WATCHED {
            let asked_at = began.elapsed();
            let answer = self.reader.read(asked.1, &fetch).await;
            watched.answers += 1;
            if answer.map_err(Fault::from)? != due {
                watched.stale += 1;
                watched.longest = asked_at;
            }
            tokio::time::sleep(BETWEEN).await;
        }
        Ok(watched)
    }
}

fn told(tally: &mut Tally, what: &str, watched: &Watched) {
    let Watched {
        answers,
        stale,
        longest,
    } = watched;
    tally.declare(match stale {
        0 => format!("after {what}, none of {answers} answers was stale"),
        _ => format!(
            "after {what}, {stale} of {answers} answers in {WATCHED:.1?} were stale, the last \
             after {longest:.1?}, where an answer is kept for {TTL} s"
        ),
    });
}
