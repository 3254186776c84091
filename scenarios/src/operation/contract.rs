//! What an item's file says of an operation: how its requests are drawn, how it is called, and
//! what a right answer is.

use std::fmt::Debug;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use verdict_audit::{At, VariantName};
use verdict_oracle::write::Rows;
use verdict_oracle::{Difference, Held, Oracle, Write, write};
use verdict_seed::World;
use verdict_store::{Engine, Error, Fault, Store, Table};

use crate::parts;

/// What calls leave behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaves {
    /// Nothing.
    Nothing,
    /// Rows, which [`Operation::undo`] takes back.
    Rows,
    /// Changes that nobody can take back row by row: these tables are given back as the world
    /// has them.
    Renew(&'static [Table]),
}

/// Whether anything can be written between two equal reads that makes another answer right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// Nobody has said, which is refused of what reads.
    Unsaid,
    /// [`Operation::write_between`] draws it.
    Drawn,
    /// Nothing can, and why.
    Nothing(&'static str),
}

/// What the ladder is of that an operation's rungs are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ladder {
    /// Rows of one thing, such as a conversation: the world is whole at each rung.
    Rows,
    /// Events: at a rung ClickHouse holds the part of the world that has so many, in a database
    /// of its own, and so does the oracle. The last rung is the whole world (`World::cuts`).
    Events,
}

impl Ladder {
    /// Where what is asked along it is answered.
    pub fn engine(self) -> Engine {
        match self {
            Self::Rows => Engine::Postgres,
            Self::Events => Engine::ClickHouse,
        }
    }
}

/// What slower lines add to a round trip, microseconds, where the gain is in round trips.
pub const ROUND_TRIPS: [u32; 3] = [500, 1_000, 2_000];

/// Places, ascending, and one of them on slower lines too.
pub fn over_lines(
    mut places: Vec<At>,
    at: impl Fn(&At) -> bool,
    round_trips: impl IntoIterator<Item = u32>,
) -> Vec<At> {
    let far = places.iter().copied().find(at);
    places.extend(round_trips.into_iter().filter_map(|round_trip_us| {
        far.map(|at| At {
            round_trip_us,
            ..at
        })
    }));
    places.sort_unstable();
    places
}

/// The rungs of [`Ladder::Events`], ascending.
pub fn event_rungs(world: &World) -> Vec<At> {
    let cuts = world.cuts().into_iter();
    cuts.map(|cut| At::rung(cut.events)).collect()
}

/// A part of an item that is measured by itself.
pub trait Operation: Send + Sync + 'static {
    /// What is asked.
    type Request: Clone + Debug + Send + Sync + 'static;
    /// What is answered; a refusal that is part of the contract is an answer.
    type Answer: Send + Sync + 'static;

    /// Its name within the item, as in the audit's catalogue.
    fn name(&self) -> &'static str;

    /// Where it is measured, ascending.
    fn rungs(&self, world: &World) -> Vec<At>;

    /// What its rungs are of.
    fn ladder(&self) -> Ladder {
        Ladder::Rows
    }

    /// Whether a variant offers it.
    fn offered_by(&self, _variant: &VariantName) -> bool {
        true
    }

    /// Whether it is counted beside the others, to explain them, and neither timed nor judged.
    fn aside(&self) -> bool {
        false
    }

    /// The tables it writes.
    fn writes(&self) -> &'static [Table] {
        &[]
    }

    /// What its calls leave behind.
    fn leaves(&self) -> Leaves {
        Leaves::Nothing
    }

    /// A request as it is measured at a place; `None` where the world has no such place.
    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Self::Request>;

    /// A request over every parameter, hostile ones too.
    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Self::Request;

    /// Whether [`Self::write_between`] draws something; what reads has to say so, or why not.
    fn between(&self) -> Between {
        Between::Unsaid
    }

    /// A write after which another answer to the request is right, so that equal reads with it
    /// between them tell a copy that was kept from the rows. None where there is none.
    fn write_between(
        &self,
        _oracle: &Oracle,
        _request: &Self::Request,
        _random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        None
    }

    /// Makes a write, or one that is turned round, the way a variant would have it made: a cache is
    /// told of it, a copy brought up to date. As a rule that is no other way than today's.
    fn write(
        &self,
        store: &Store,
        _variant: &VariantName,
        write: &Write,
    ) -> impl Future<Output = Result<(), Fault>> + Send {
        made(store, write)
    }

    /// Calls a variant.
    fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        request: &Self::Request,
    ) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;

    /// Whether an answer is right, whole.
    ///
    /// # Errors
    /// What is wrong with it.
    fn hold(&self, oracle: &Oracle, request: &Self::Request, answer: &Self::Answer) -> Held;

    /// Whether [`Self::hold_left`] looks at what calls leave; what writes has to.
    fn reads_back(&self) -> bool {
        false
    }

    /// Rows that an answer says are stored, of a call that leaves rows. They are counted against
    /// those that are taken back.
    fn acknowledged(&self, _answer: &Self::Answer) -> u64 {
        u64::from(self.leaves() == Leaves::Rows)
    }

    /// Whether what a call left in the store is right; asked before it is taken back.
    fn hold_left(
        &self,
        _store: &Store,
        _request: &Self::Request,
        _answer: &Self::Answer,
    ) -> impl Future<Output = Result<Held, Error>> + Send {
        let looked = match self.leaves() {
            Leaves::Nothing => Ok(()),
            Leaves::Rows | Leaves::Renew(_) => {
                Err(Difference("nobody looks at what it left".to_owned()))
            }
        };
        std::future::ready(Ok(looked))
    }

    /// Takes back what calls wrote, also those that were never answered; how many rows that were.
    fn undo(
        &self,
        _store: &Store,
        _requests: Vec<Self::Request>,
    ) -> impl Future<Output = Result<u64, Error>> + Send {
        std::future::ready(Ok(0))
    }
}

/// Makes a write as today does, or takes it back.
///
/// # Errors
/// When an engine refuses, or is away.
pub async fn made(store: &Store, write: &Write) -> Result<(), Fault> {
    match &write.rows {
        Rows::Delivered(turn) => match &turn.after {
            Some(deliveries) => parts::deliver(&store.clickhouse, deliveries).await,
            None => Ok(parts::take_back(&store.clickhouse).await?),
        },
        _ => Ok(write::apply(&store.postgres, write).await?),
    }
}

/// A fault of a call to a variant of this name that the item does not have: a fault of the
/// harness, never another variant's call.
pub fn no_such_variant(variant: &VariantName) -> Fault {
    Fault::Harness(Error::NoSuchVariant(variant.to_string()))
}

/// How long a call may stay without an answer: longer than the engines themselves are told to
/// take over a statement, so that only one that is stuck is given up.
const PATIENCE: Duration = Duration::from_secs(900);

/// Gives up on an answer that does not come.
pub(super) async fn in_time<T>(call: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::time::timeout(PATIENCE, call)
        .await
        .unwrap_or_else(|_| Err(Fault::Harness(Error::NoAnswer(PATIENCE))))
}
