//! The audit's fix for item 5: one UNION ALL.

use chrono::{DateTime, Utc};
use clickhouse::{Client, Row, RowOwned, RowRead};
use serde::Deserialize;
use verdict_baseline::Result;
use verdict_baseline::feed_tables::{Candidate, Request, id};

const CANDIDATES: &str = "
SELECT
    'followees' AS source,
    post_id, author_id, likes, comments, shares, impressions,
    freshness_score, engagement_score, affinity_score, combined_score, created_at
FROM feed_candidates_followees
WHERE user_id = ?
ORDER BY combined_score DESC
LIMIT ?

UNION ALL

SELECT
    'trending' AS source,
    post_id, author_id, likes, comments, shares, impressions,
    freshness_score, engagement_score, affinity_score, combined_score, created_at
FROM feed_candidates_trending
ORDER BY combined_score DESC
LIMIT ?

UNION ALL

SELECT
    'affinity' AS source,
    post_id, author_id, likes, comments, shares, impressions,
    freshness_score, engagement_score, affinity_score, combined_score, created_at
FROM feed_candidates_affinity
WHERE user_id = ?
ORDER BY affinity_score DESC
LIMIT ?";

macro_rules! candidate_row {
    ($(#[$doc:meta])* $name:ident $(, #[$time:meta])?) => {
        $(#[$doc])*
        #[derive(Debug, Row, Deserialize)]
        struct $name {
            #[expect(dead_code, reason = "the audit reads it and drops it")]
            source: String,
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
            $(#[$time])?
            created_at: DateTime<Utc>,
        }

        impl TryFrom<$name> for Candidate {
            type Error = clickhouse::error::Error;

            fn try_from(row: $name) -> std::result::Result<Self, Self::Error> {
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
    };
}

candidate_row!(
    /// As the audit has it: serde writes a time as text, which is no DateTime of ClickHouse.
    WrittenRow
);
candidate_row!(
    /// The smallest repair that lets it be read.
    MendedRow, #[serde(with = "clickhouse::serde::chrono::datetime")]
);

/// All sources in one statement, to the letter.
pub async fn candidates(client: &Client, request: &Request) -> Result<Vec<Candidate>> {
    read::<WrittenRow>(client, request).await
}

/// The same with times that can be read.
pub async fn mended(client: &Client, request: &Request) -> Result<Vec<Candidate>> {
    read::<MendedRow>(client, request).await
}

async fn read<R>(client: &Client, request: &Request) -> Result<Vec<Candidate>>
where
    R: RowOwned + RowRead,
    Candidate: TryFrom<R, Error = clickhouse::error::Error>,
{
    let rows: Vec<R> = client
        .query(CANDIDATES)
        .bind(request.user.to_string())
        .bind(request.limit)
        .bind(request.limit)
        .bind(request.user.to_string())
        .bind(request.limit)
        .fetch_all()
        .await?;
    let candidates: std::result::Result<_, _> = rows.into_iter().map(Candidate::try_from).collect();
    Ok(candidates?)
}
