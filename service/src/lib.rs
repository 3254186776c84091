//! The service under test: the flows' operations over HTTP, as today under `/baseline` and with
//! every fix under `/optimized`, each side on databases and a pool of its own.
//!
//! | request | answer |
//! |---|---|
//! | `GET /{side}/conversations/{id}/messages?viewer=&limit=&offset=&include_recalled=` | 200 `{"messages": [...]}` |
//! | `POST /{side}/conversations/{id}/messages` `{"id"?, "sender", "content", "idempotency_key"?}` | 201 `{"id", "sequence_number"}` |
//! | `GET /baseline/users/{id}/posts?limit=&offset=` | 200 `{"posts": [...], "next": null}` |
//! | `GET /optimized/users/{id}/posts?limit=&cursor=` | 200 `{"posts": [...], "next": cursor or null}` |
//! | `GET /{side}/users/{id}/feed?limit=&offset=` | 200 `{"posts": [...]}` |
//! | `GET /{side}/users/{id}/conversations` | 200 `{"conversations": [...]}` |
//! | `GET /{side}/conversations/{id}?viewer=` | 200 `{"id", "member_count", "last_message_id"}` |
//! | `GET /{side}/conversations/{id}/search?viewer=&q=&limit=&offset=&sort=` | 200 `{"messages": [...], "total"}` |
//! | `GET /{side}/posts/{id}` | 200, a post with its images |
//! | any of these under `/optimized/uncached` | the same, past the cache: a send there takes nothing out of it |
//! | `GET /health` | 200 when both databases answer, otherwise 503 |
//! | `GET /metrics` | Prometheus text |
//! | `GET /empty` | 204, nothing touched |
//!
//! A conversation is read by its members, and those who are not muted send (403 to anybody else); on
//! both sides one statement asks that first, as today.
//!
//! Anything else is a 4xx or a 5xx with `{"error": "what is wrong and what is accepted"}`.

mod answers;
mod connections;
mod conversation;
mod conversations;
pub mod cursor;
mod database;
mod databases;
mod error;
mod extract;
mod feed;
mod health;
mod histogram;
mod history;
mod job;
mod last_words;
mod metrics;
mod post;
mod posts;
mod process;
mod refusal;
mod search;
mod send;
mod serve;
mod sides;

pub use answers::{ConversationsAnswer, FeedAnswer, HistoryAnswer, PostsAnswer};
pub use error::{Error, Result};
pub use job::keep_fresh;
pub use process::{ServiceProcess, dispatch};
pub use serve::serve;
pub use sides::{SideAddress, Sides, give_ground, migrate_all};
