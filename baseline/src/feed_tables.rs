//! Item 4 as it is today: candidates for a feed are read from three tables that nobody defines,
//! so that ClickHouse refuses every read.

use chrono::{DateTime, Utc};
use clickhouse::{Client, Row};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Result;

/// Where candidates come from, in the order in which a feed asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Posts of those whom the reader follows.
    Followees,
    /// Posts that are liked by anybody.
    Trending,
    /// Posts of those whom the reader likes and comments.
    Affinity,
}

/// Every source, in order.
pub const SOURCES: [Source; 3] = [Source::Followees, Source::Trending, Source::Affinity];

impl Source {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Followees => "followees",
            Self::Trending => "trending",
            Self::Affinity => "affinity",
        }
    }

    /// The table it is read from.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Followees => "feed_candidates_followees",
            Self::Trending => "feed_candidates_trending",
            Self::Affinity => "feed_candidates_affinity",
        }
    }
}

/// Whose feed, and how many candidates of each source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The reader.
    pub user: Uuid,
    /// Rows of a source at most.
    pub limit: u64,
}

/// A post that may be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The post.
    pub post_id: Uuid,
    /// Its author.
    pub author_id: Uuid,
    /// Likes that stand.
    pub likes: u32,
    /// Comments that stand.
    pub comments: u32,
    /// Nothing counts them: 0.
    pub shares: u32,
    /// Not counted but estimated, from likes and comments.
    pub impressions: u32,
    /// How new it is, 1 at the moment it is made.
    pub freshness_score: f64,
    /// How much is liked and commented on it.
    pub engagement_score: f64,
    /// How much the reader likes and comments what its author posts.
    pub affinity_score: f64,
    /// What the source orders its candidates by.
    pub combined_score: f64,
    /// When it was made, in whole seconds.
    pub created_at: DateTime<Utc>,
}

/// A candidate as a table holds it.
#[derive(Debug, Clone, Row, Deserialize)]
pub struct CandidateRow {
    post_id: String,
    author_id: String,
    likes: u32,
    comments: u32,
    shares: u32,
    impressions: u32,
    freshness_score: f64,
    engagement_score: f64,
    affinity_score: f64,
    combined_score: f64,
    #[serde(with = "clickhouse::serde::chrono::datetime")]
    created_at: DateTime<Utc>,
}

impl TryFrom<CandidateRow> for Candidate {
    type Error = clickhouse::error::Error;

    fn try_from(row: CandidateRow) -> std::result::Result<Self, Self::Error> {
        Ok(Self {
            post_id: id(&row.post_id)?,
            author_id: id(&row.author_id)?,
            likes: row.likes,
            comments: row.comments,
            shares: row.shares,
            impressions: row.impressions,
            freshness_score: row.freshness_score,
            engagement_score: row.engagement_score,
            affinity_score: row.affinity_score,
            combined_score: row.combined_score,
            created_at: row.created_at,
        })
    }
}

/// An id as ClickHouse holds it.
///
/// # Errors
/// When it is none.
pub fn id(text: &str) -> std::result::Result<Uuid, clickhouse::error::Error> {
    Uuid::parse_str(text)
        .map_err(|error| clickhouse::error::Error::Custom(format!("{text:?}: {error}")))
}

macro_rules! statement {
    ($table:literal, $filter:literal) => {
        concat!(
            "
SELECT
    post_id,
    author_id,
    likes,
    comments,
    shares,
    impressions,
    freshness_score,
    engagement_score,
    affinity_score,
    combined_score,
    created_at
FROM ",
            $table,
            $filter,
            "
ORDER BY combined_score DESC
LIMIT ?"
        )
    };
}

const FOLLOWEES: &str = statement!("feed_candidates_followees", "\nWHERE user_id = ?");
const TRENDING: &str = statement!("feed_candidates_trending", "");
const AFFINITY: &str = statement!("feed_candidates_affinity", "\nWHERE user_id = ?");

/// The candidates of one source, best first.
pub async fn read(client: &Client, source: Source, request: &Request) -> Result<Vec<Candidate>> {
    let query = match source {
        Source::Followees => client.query(FOLLOWEES).bind(request.user.to_string()),
        Source::Trending => client.query(TRENDING),
        Source::Affinity => client.query(AFFINITY).bind(request.user.to_string()),
    };
    let rows: Vec<CandidateRow> = query.bind(request.limit).fetch_all().await?;
    let candidates: std::result::Result<_, _> = rows.into_iter().map(Candidate::try_from).collect();
    Ok(candidates?)
}
