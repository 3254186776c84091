//! Versions of rows as the change feeds deliver them to ClickHouse: one at a time, late, twice.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::{DateTime, Utc};
use clickhouse::Client;
use clickhouse::error::Result;
use uuid::Uuid;
use verdict_store::Table;

/// A version of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The row.
    pub row: Row,
    /// When the row was made, to the second.
    pub created_at: DateTime<Utc>,
    /// Its number: of two versions of a row the higher one is right, whichever comes last.
    pub version: u64,
    /// Whether the row is deleted.
    pub deleted: bool,
}

/// The row that a version is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Row {
    /// A post.
    Post {
        /// Its id.
        id: Uuid,
        /// Whose it is.
        author: Uuid,
    },
    /// A like, which is another row when it is given again at another time.
    Like {
        /// Who likes.
        user: Uuid,
        /// What.
        post: Uuid,
    },
    /// A comment.
    Comment {
        /// Its id.
        id: Uuid,
        /// Who comments.
        user: Uuid,
        /// On what.
        post: Uuid,
    },
}

impl Row {
    /// The table of today's that its versions are in.
    pub const fn table(&self) -> Table {
        match self {
            Self::Post { .. } => Table::clickhouse("posts_cdc"),
            Self::Like { .. } => Table::clickhouse("likes_cdc"),
            Self::Comment { .. } => Table::clickhouse("comments_cdc"),
        }
    }
}

/// Delivers a version, as the change feed does: by an INSERT of its own.
///
/// # Errors
/// When ClickHouse refuses, or is away.
pub async fn deliver(client: &Client, version: &Version) -> Result<()> {
    let query = match version.row {
        Row::Post { id, author } => client
            .query(
                "INSERT INTO posts_cdc
                    (id, user_id, content, media_url, created_at, cdc_timestamp, is_deleted)
                VALUES (?, ?, 'written by a trial', NULL, ?, ?, ?)",
            )
            .bind(id.to_string())
            .bind(author.to_string()),
        Row::Like { user, post } => client
            .query(
                "INSERT INTO likes_cdc (user_id, post_id, created_at, cdc_timestamp, is_deleted)
                VALUES (?, ?, ?, ?, ?)",
            )
            .bind(user.to_string())
            .bind(post.to_string()),
        Row::Comment { id, user, post } => client
            .query(
                "INSERT INTO comments_cdc
                    (id, post_id, user_id, content, created_at, cdc_timestamp, is_deleted)
                VALUES (?, ?, ?, 'written by a trial', ?, ?, ?)",
            )
            .bind(id.to_string())
            .bind(post.to_string())
            .bind(user.to_string()),
    };
    query
        .bind(version.created_at.timestamp())
        .bind(version.version)
        .bind(u8::from(version.deleted))
        .execute()
        .await
}

/// Of several versions of each row, the newest.
pub(crate) fn newest<'a, K: Hash + Eq>(
    versions: impl Iterator<Item = (K, &'a Version)>,
) -> HashMap<K, &'a Version> {
    let mut newest: HashMap<K, &Version> = HashMap::new();
    for (key, version) in versions {
        let known = newest.entry(key).or_insert(version);
        if version.version > known.version {
            *known = version;
        }
    }
    newest
}
