//! The world the audit speaks of: generators, and loaders into PostgreSQL and ClickHouse.
//!
//! A [`World`] is a function of its [`WorldSpec`]: every row follows from the seed, the scale
//! and the row's place, never from the clock, the machine or the number of threads. [`load`]
//! writes it into both engines; [`World::messages`], [`World::posts`] and their companions
//! tell what was written without asking an engine, so that answers can be held to them.
//!
//! ```
//! use verdict_seed::{Scale, World, WorldSpec};
//!
//! let world = World::new(WorldSpec { scale: Scale::Smoke, users: None, days: None, seed: 1 });
//! let rung = &world.ladder_conversations()[0];
//! assert_eq!(rung.messages, 100);
//! assert_eq!(world.messages(rung).len(), 100);
//! ```
//!
//! Public futures are boxed: the body of an `async fn` would be compiled again, with all that
//! it awaits, by every program that awaits it.

mod acts;
mod attention;
mod batch;
mod blocks;
mod checksum;
mod conversation_stage;
mod conversations;
mod cut;
mod delivery;
mod distribution;
mod engagement;
mod error;
mod feed;
mod files;
mod finish;
mod ids;
mod interactions;
mod load;
mod messages;
mod native;
mod people;
mod people_stage;
mod pgcopy;
mod pipeline;
mod post_stage;
mod posts;
mod rhythm;
mod rowbinary;
mod rows;
mod spec;
mod stage;
mod stages;
mod stream;
mod tables;
mod words;
mod world;

pub use checksum::{TableSum, clickhouse_checksums, postgres_checksums};
pub use cut::Cut;
pub use error::Error;
pub use files::{RowFile, write_files};
pub use interactions::{Interacted, Interaction};
pub use load::{Loaded, TableLoad, load, load_into, load_rows};
pub use rows::{
    Attachment, Author, Comment, Conversation, ConversationKind, DeletedPost, Engagement, Like,
    Message, MessageType, Post, PostImage, PostStatus, PrivacyMode, Reaction, View,
};
pub use spec::{Scale, UnknownScale, WorldSpec};
pub use words::MARKERS;
pub use world::World;
