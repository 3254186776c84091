//! Versions of rows as the change feeds bring them to ClickHouse: each by itself, late, or twice.

use chrono::TimeDelta;
use clickhouse::Client;
use uuid::Uuid;
use verdict_baseline::writes::arrivals::{self, Version};
use verdict_seed::World;
use verdict_store::fault::EngineError;
use verdict_store::{Fault, Table};

use crate::events::{Event, PostFacts, Second};

/// A version of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// What it says.
    pub event: Event,
    /// Its number: of two versions of a row the higher one is right, whichever comes last.
    pub version: u64,
}

/// How much later than the world's clock a version is that is newer than all of the world's.
const LATER: TimeDelta = TimeDelta::hours(1);

impl Delivery {
    /// A version of now: newer than all that the world holds.
    pub fn now(world: &World, event: Event) -> Self {
        Self {
            event,
            version: (world.clock() + LATER).timestamp_millis() as u64,
        }
    }

    /// A like.
    pub fn like(world: &World, user: Uuid, post: Uuid, at: Second) -> Self {
        let event = Event::Like {
            user,
            post,
            at,
            stands: true,
        };
        Self::now(world, event)
    }

    /// A comment of a user on a post.
    pub fn comment(world: &World, id: Uuid, (user, post): (Uuid, Uuid), at: Second) -> Self {
        let event = Event::Comment {
            id,
            user,
            post,
            at,
            stands: true,
        };
        Self::now(world, event)
    }

    /// A post.
    pub fn post(world: &World, id: Uuid, facts: PostFacts) -> Self {
        Self::now(world, Event::Post { id, facts })
    }

    /// Who likes or comments.
    pub const fn user(&self) -> Option<Uuid> {
        match self.event {
            Event::Like { user, .. } | Event::Comment { user, .. } => Some(user),
            Event::Post { .. } => None,
        }
    }

    /// The post that it is about.
    pub const fn about(&self) -> Uuid {
        match self.event {
            Event::Like { post, .. } | Event::Comment { post, .. } => post,
            Event::Post { id, .. } => id,
        }
    }

    /// The table of today's that it goes to.
    pub const fn table(&self) -> Table {
        match self.event {
            Event::Post { .. } => Table::clickhouse("posts_cdc"),
            Event::Like { .. } => Table::clickhouse("likes_cdc"),
            Event::Comment { .. } => Table::clickhouse("comments_cdc"),
        }
    }

    /// Brings it, as the change feed does: by an INSERT of its own.
    ///
    /// # Errors
    /// ClickHouse's words when it refuses; or that it is away.
    pub async fn deliver(&self, client: &Client) -> Result<(), Fault> {
        let version = |created_at, stands| Version {
            created_at,
            number: self.version,
            stands,
        };
        let brought = match self.event {
            Event::Post { id, facts } => {
                let version = version(facts.created_at, !facts.deleted);
                arrivals::post(client, id, facts.author, version).await
            }
            Event::Like {
                user,
                post,
                at,
                stands,
            } => arrivals::like(client, user, post, version(at, stands)).await,
            Event::Comment {
                id,
                user,
                post,
                at,
                stands,
            } => arrivals::comment(client, id, post, user, version(at, stands)).await,
        };
        brought.map_err(EngineError::fault)
    }

    /// The same row, so much later, deleted.
    #[must_use]
    pub fn gone(mut self) -> Self {
        match &mut self.event {
            Event::Post { facts, .. } => facts.deleted = true,
            Event::Like { stands, .. } | Event::Comment { stands, .. } => *stands = false,
        }
        self.version += 1;
        self
    }
}

/// What they say in the order of their numbers, in which the last word on a row is right.
pub(crate) fn in_order(deliveries: &[Delivery]) -> Vec<Event> {
    let mut deliveries = deliveries.to_vec();
    deliveries.sort_by_key(|delivery| delivery.version);
    deliveries.iter().map(|delivery| delivery.event).collect()
}
