//! Item 13 on trial: a post that is asked for again and again, one that nobody asked for before,
//! posts as the world's readers come to them, and a conversation.
//!
//! The rung is the number of reads in a call. Reads as the readers come begin with an empty cache
//! in each call, so that what they come to is told by the reads alone: they are what comes while a
//! kept answer lasts, at the audit's five minutes 3.3 reads a second for 1 000.

pub mod hits;
mod price;
mod staleness;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::evidence::Price;
use verdict_audit::{At, VariantName};
use verdict_baseline::cache::{self as today, Details, Post};
use verdict_optimized::as_proposed::cache::{self as proposed, QueryCache};
use verdict_optimized::cache::{self as optimized, Cache, Limits, Subject};
use verdict_oracle::cache::{self as oracle, Asked};
use verdict_oracle::write::Rows;
use verdict_oracle::{Held, Hostile, Oracle, Write, ladder};
use verdict_seed::World;
use verdict_store::fault::EngineError;
use verdict_store::{Change, Fault, Store};

use self::hits::Cell;
use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{
    AnyOperation, Between, Operation, ROUND_TRIPS, erase, made, no_such_variant, over_lines,
};
use crate::session::Session;
use crate::tally::Tally;

/// Reads of a call.
const READS: [u64; 2] = [100, 1_000];

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct Caching;

impl Item for Caching {
    fn id(&self) -> &'static str {
        "cache"
    }

    fn hostile(&self) -> &'static [Hostile] {
        &[Hostile::TiedConversation, Hostile::TiedAuthor]
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        vec![
            (VariantName::Baseline, Change::NONE),
            (VariantName::Proposed(None), Change::NONE),
            (VariantName::Optimized, Change::NONE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![
            erase(Posts::Hot),
            erase(Posts::Cold),
            erase(Posts::AsReadersCome),
            erase(Conversation),
        ]
    }

    fn histories<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async move {
            if *variant == VariantName::Baseline {
                tell_hits(session.oracle(), tally);
            }
            staleness::run(session, variant, tally).await
        })
    }

    fn prices<'a>(
        &'a self,
        session: &'a Session<'_>,
        variant: &'a VariantName,
    ) -> BoxFuture<'a, Outcome<Vec<Price>>> {
        Box::pin(price::of(session, variant))
    }
}

/// Reads in a second, and seconds for which an answer is kept.
const RATES: [f64; 3] = [1.0, 10.0, 100.0];
const TTLS: [u64; 4] = [10, 60, 300, 3_600];

/// Answers that there is room for where not for all, and shares of writes.
const ROOMS: [usize; 2] = [100, 1_000];
const WRITES: [f64; 2] = [0.01, 0.1];

/// Tells the share of hits, whichever the cache, over rates, times, room and writes.
fn tell_hits(oracle: &Oracle, tally: &mut Tally) {
    let trace = oracle::trace(oracle);
    let mut tell = |cell: Cell, words: String| {
        if let Some(ratio) = hits::ratio(cell, &trace) {
            let Cell { rate, ttl, .. } = cell;
            let hits = 100.0 * ratio;
            tally.declare(format!(
                "computed on a virtual clock from the world's own events: at {rate} reads a \
                 second and answers kept for {} s{words}, {hits:.0} % of reads are hits",
                ttl.as_secs()
            ));
        }
    };
    for rate in RATES {
        for ttl in TTLS.map(Duration::from_secs) {
            let all = Cell {
                rate,
                ttl,
                room: None,
                writes: 0.0,
            };
            tell(all, String::new());
            if ttl.as_secs() != proposed::TTL_SECONDS {
                continue;
            }
            for room in ROOMS {
                let cell = Cell {
                    room: Some(room),
                    ..all
                };
                tell(cell, format!(", room for {room} of them"));
            }
            for writes in WRITES {
                let share = 100.0 * writes;
                tell(Cell { writes, ..all }, format!(", {share} % writes"));
            }
        }
    }
}

/// The audit's cache on a store.
fn audits(store: &Store) -> Result<Arc<QueryCache>, Fault> {
    store.kept.get(|| {
        let counts = Arc::clone(&store.client);
        let redis = store.redis_at.clone();
        Ok(QueryCache::new(redis, proposed::TTL_SECONDS, counts))
    })
}

/// As they are, but for a Redis that a busy machine holds up, which is not away.
fn limits() -> Limits {
    Limits {
        patience: Duration::from_secs(10),
        ..Limits::default()
    }
}

/// Ours on a store.
fn ours(store: &Store) -> Result<Arc<Cache>, Fault> {
    store.kept.get(|| {
        let counts = Arc::clone(&store.client);
        Cache::new(&store.redis_at, limits(), counts).map_err(EngineError::fault)
    })
}

/// Makes a write the way a variant would: the audit's removes a post after it was altered or
/// deleted, and ours is told of every write.
async fn write(store: &Store, variant: &VariantName, write: &Write) -> Result<(), Fault> {
    let subject = match &write.rows {
        Rows::Post { turn, .. } => turn.either().map(|post| Subject::Post(post.id)),
        Rows::Conversation(turn) => turn.either().map(|rows| Subject::Conversation(rows.id)),
        Rows::Message { conversation, .. } | Rows::Member { conversation, .. } => {
            Some(Subject::Conversation(*conversation))
        }
        Rows::Author(_) | Rows::Hung { .. } | Rows::Delivered(_) => None,
    };
    match variant {
        VariantName::Proposed(None) => {
            made(store, write).await?;
            match &write.rows {
                Rows::Post { turn, .. } if let Some(before) = &turn.before => {
                    Ok(proposed::forget_post(&*audits(store)?, before.id).await?)
                }
                _ => Ok(()),
            }
        }
        VariantName::Optimized => {
            let cache = ours(store)?;
            cache.around(subject.as_slice(), made(store, write)).await
        }
        _ => made(store, write).await,
    }
}

/// Posts, one after the other.
#[derive(Debug, Clone, Copy)]
enum Posts {
    /// The same one in every call.
    Hot,
    /// One that is in no cache.
    Cold,
    /// As many as the rung says, of a cache that is empty when the call begins.
    AsReadersCome,
}

impl Posts {
    /// Reads a post. With a salt it is kept as another, which nobody has asked for.
    async fn read(
        store: &Store,
        variant: &VariantName,
        post: Uuid,
        salt: Option<u128>,
    ) -> Result<Option<Post>, Fault> {
        let pool = &store.postgres;
        let kept_as = Uuid::from_u128(post.as_u128() ^ salt.unwrap_or_default());
        Ok(match variant {
            VariantName::Baseline => today::post(pool, post).await?,
            VariantName::Proposed(None) => {
                let cache = audits(store)?;
                let key = format!("post:{kept_as}");
                cache.get_or_fetch(&key, today::post(pool, post)).await?
            }
            VariantName::Optimized => {
                let cache = ours(store)?;
                let fetch = || {
                    let pool = pool.clone();
                    async move { today::post(&pool, post).await }
                };
                let subject = Subject::Post(kept_as);
                cache.get_or_fetch(subject, Option::is_none, fetch).await?
            }
            _ => return Err(no_such_variant(variant)),
        })
    }
}

impl Operation for Posts {
    type Request = Vec<Asked>;
    type Answer = Vec<Option<Post>>;

    fn name(&self) -> &'static str {
        match self {
            Self::Hot => "hot-read",
            Self::Cold => "cold-read",
            Self::AsReadersCome => "zipf-reads",
        }
    }

    fn rungs(&self, _: &World) -> Vec<At> {
        match self {
            Self::Hot => over_lines(vec![At::rung(1)], |_| true, ROUND_TRIPS),
            Self::Cold => vec![At::rung(1)],
            Self::AsReadersCome => READS.map(At::rung).to_vec(),
        }
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Vec<Asked>> {
        let mut same = ChaCha8Rng::seed_from_u64(at.n);
        match self {
            Self::Hot => Some(oracle::posts(oracle, at.n, &mut same)),
            Self::Cold => oracle::reads(oracle, at.n as usize, random),
            // The same in every call, so that what they come to is.
            Self::AsReadersCome => oracle::reads(oracle, at.n as usize, &mut same),
        }
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Vec<Asked> {
        match self {
            Self::Hot | Self::Cold => vec![oracle::draw(oracle, random)],
            Self::AsReadersCome => oracle::reads(oracle, 20, random).unwrap_or_default(),
        }
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        asked: &Vec<Asked>,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        oracle::between(oracle, *asked.first()?, random)
    }

    async fn write(
        &self,
        store: &Store,
        variant: &VariantName,
        between: &Write,
    ) -> Result<(), Fault> {
        write(store, variant, between).await
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        asked: &Vec<Asked>,
    ) -> Result<Self::Answer, Fault> {
        let salt = match self {
            Self::Hot => None,
            Self::Cold | Self::AsReadersCome => Some(rand::random()),
        };
        let mut answers = Vec::with_capacity(asked.len());
        for (_, post) in asked {
            answers.push(Self::read(store, variant, *post, salt).await?);
        }
        Ok(answers)
    }

    fn hold(&self, oracle: &Oracle, asked: &Vec<Asked>, answer: &Self::Answer) -> Held {
        oracle::hold(oracle, asked, answer)
    }
}

/// A conversation, of the ladder's.
#[derive(Debug, Clone, Copy)]
struct Conversation;

impl Operation for Conversation {
    type Request = Uuid;
    type Answer = Details;

    fn name(&self) -> &'static str {
        "conversation-read"
    }

    fn rungs(&self, world: &World) -> Vec<At> {
        let sizes = ladder::conversation_sizes(world).into_iter();
        sizes.map(At::rung).collect()
    }

    fn at(&self, oracle: &Oracle, at: At, _: &mut ChaCha8Rng) -> Option<Uuid> {
        Some(ladder::conversation(oracle.world(), at.n)?.id)
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Uuid {
        oracle::draw_conversation(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(&self, oracle: &Oracle, id: &Uuid, random: &mut ChaCha8Rng) -> Option<Write> {
        oracle::conversation_between(oracle, *id, random)
    }

    async fn write(
        &self,
        store: &Store,
        variant: &VariantName,
        between: &Write,
    ) -> Result<(), Fault> {
        write(store, variant, between).await
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        id: &Uuid,
    ) -> Result<Details, Fault> {
        let pool = &store.postgres;
        Ok(match variant {
            VariantName::Baseline => today::conversation(pool, *id).await?,
            VariantName::Proposed(None) => {
                proposed::conversation(pool, &*audits(store)?, *id).await?
            }
            VariantName::Optimized => optimized::conversation(pool, &*ours(store)?, *id).await?,
            _ => return Err(no_such_variant(variant)),
        })
    }

    fn hold(&self, oracle: &Oracle, id: &Uuid, answer: &Details) -> Held {
        oracle::hold_conversation(oracle, *id, answer)
    }
}
