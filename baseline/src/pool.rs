//! Item 12 as it is today: pools as sqlx makes them when nothing is said, and a connection of the
//! pool for each statement of a call.

use sqlx::postgres::PgPoolOptions;

pub use crate::message_history::{DetailedMessage, Request as PageRequest, history as page};
pub use crate::message_send::{Request as Message, Sent, send};

/// What sqlx does when nothing is said: ten connections, none of them warm, each asked whether it
/// lives before it is lent and when it comes back.
pub fn options() -> PgPoolOptions {
    PgPoolOptions::new()
}

/// Connections that the messaging service's pool really has.
pub const MESSAGING: u32 = 5;

/// The pools that services really have, of those that the audit names.
pub const SERVICES: [(&str, u32); 3] = [
    ("messaging-service", MESSAGING),
    ("content-service", 20),
    ("user-service", 20),
];
