//! Versions of posts, likes and comments, as the change feeds bring them to ClickHouse: each by an
//! INSERT of its own.

use clickhouse::Client;
use clickhouse::error::Result;
use clickhouse::query::Query;
use uuid::Uuid;

/// What a version says of its row, whatever the row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// When the row was made, in seconds since 1970.
    pub created_at: u32,
    /// Its number: of two versions of a row the higher one is right, whichever comes last.
    pub number: u64,
    /// Whether the row is there, or deleted.
    pub stands: bool,
}

const POST: &str = "
INSERT INTO posts_cdc (id, user_id, content, media_url, created_at, cdc_timestamp, is_deleted)
VALUES (?, ?, 'written by a trial', NULL, ?, ?, ?)";

const LIKE: &str = "
INSERT INTO likes_cdc (user_id, post_id, created_at, cdc_timestamp, is_deleted)
VALUES (?, ?, ?, ?, ?)";

const COMMENT: &str = "
INSERT INTO comments_cdc (id, post_id, user_id, content, created_at, cdc_timestamp, is_deleted)
VALUES (?, ?, ?, 'written by a trial', ?, ?, ?)";

/// A post of an author's.
pub async fn post(client: &Client, id: Uuid, author: Uuid, version: Version) -> Result<()> {
    bring(said(client, POST, &[id, author]), version).await
}

/// A like of a user's of a post.
pub async fn like(client: &Client, user: Uuid, post: Uuid, version: Version) -> Result<()> {
    bring(said(client, LIKE, &[user, post]), version).await
}

/// A comment on a post of a user's.
pub async fn comment(
    client: &Client,
    id: Uuid,
    post: Uuid,
    user: Uuid,
    version: Version,
) -> Result<()> {
    bring(said(client, COMMENT, &[id, post, user]), version).await
}

fn said(client: &Client, statement: &str, ids: &[Uuid]) -> Query {
    let query = client.query(statement);
    ids.iter()
        .fold(query, |query, id| query.bind(id.to_string()))
}

async fn bring(row: Query, version: Version) -> Result<()> {
    let row = row.bind(version.created_at).bind(version.number);
    row.bind(u8::from(!version.stands)).execute().await
}
