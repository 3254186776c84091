//! The audit's fixes for item 6: a lateral join for each size, and all sizes in one JSON object
//! that the caller takes apart. Which of several images of one size is taken both leave open, as
//! today does; here both keep to the one rule.

use sqlx::{FromRow, PgPool};
use uuid::Uuid;
use verdict_baseline::Result;
use verdict_baseline::pagination::Post;
use verdict_baseline::post_images::{PostWithImages, in_order, post_statement};

macro_rules! lateral {
    ($which:literal) => {
        post_statement!(
            "thumbnail.url AS thumbnail_url,
    medium.url AS medium_url,
    original.url AS original_url",
            "
LEFT JOIN LATERAL (
    SELECT url
    FROM post_images
    WHERE post_id = p.id AND size_variant = 'thumbnail' AND status = 'completed'
    ORDER BY created_at, id
    LIMIT 1
) AS thumbnail ON TRUE
LEFT JOIN LATERAL (
    SELECT url
    FROM post_images
    WHERE post_id = p.id AND size_variant = 'medium' AND status = 'completed'
    ORDER BY created_at, id
    LIMIT 1
) AS medium ON TRUE
LEFT JOIN LATERAL (
    SELECT url
    FROM post_images
    WHERE post_id = p.id AND size_variant = 'original' AND status = 'completed'
    ORDER BY created_at, id
    LIMIT 1
) AS original ON TRUE",
            $which,
            ""
        )
    };
}

// Of several values of one key an object keeps the last.
macro_rules! json {
    ($which:literal) => {
        post_statement!(
            "JSONB_OBJECT_AGG(pi.size_variant, pi.url ORDER BY pi.created_at DESC, pi.id DESC)
        FILTER (WHERE pi.size_variant IS NOT NULL) AS image_urls",
            "
LEFT JOIN post_images AS pi ON pi.post_id = p.id AND pi.status = 'completed'",
            $which,
            "
GROUP BY
    p.id,
    p.user_id,
    p.caption,
    p.image_key,
    p.image_sizes,
    p.status,
    p.content_type,
    p.created_at,
    p.updated_at,
    p.soft_delete,
    pm.like_count,
    pm.comment_count,
    pm.view_count,
    pm.updated_at"
        )
    };
}

const LATERAL_POST: &str = lateral!("$1");
const LATERAL_PAGE: &str = lateral!("ANY($1)");
const JSON_POST: &str = json!("$1");
const JSON_PAGE: &str = json!("ANY($1)");

/// A post, with a lateral join for each size.
pub async fn lateral_post(pool: &PgPool, id: Uuid) -> Result<Option<PostWithImages>> {
    let post = sqlx::query_as(LATERAL_POST).bind(id);
    Ok(post.fetch_optional(pool).await?)
}

/// Posts, with a lateral join for each size.
pub async fn lateral_page(pool: &PgPool, ids: &[Uuid]) -> Result<Vec<PostWithImages>> {
    let rows = sqlx::query_as(LATERAL_PAGE)
        .bind(ids)
        .fetch_all(pool)
        .await?;
    Ok(in_order(ids, rows))
}

/// A post, with its images in one object.
pub async fn json_post(pool: &PgPool, id: Uuid) -> Result<Option<PostWithImages>> {
    let row: Option<Row> = sqlx::query_as(JSON_POST)
        .bind(id)
        .fetch_optional(pool)
        .await?;
    Ok(row.map(PostWithImages::from))
}

/// Posts, with their images in one object each.
pub async fn json_page(pool: &PgPool, ids: &[Uuid]) -> Result<Vec<PostWithImages>> {
    let rows: Vec<Row> = sqlx::query_as(JSON_PAGE).bind(ids).fetch_all(pool).await?;
    Ok(in_order(
        ids,
        rows.into_iter().map(PostWithImages::from).collect(),
    ))
}

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    post: Post,
    like_count: i32,
    comment_count: i32,
    view_count: i32,
    metadata_updated_at: chrono::DateTime<chrono::Utc>,
    image_urls: Option<sqlx::types::JsonValue>,
}

impl From<Row> for PostWithImages {
    fn from(row: Row) -> Self {
        let url = |size: &str| {
            let url = row.image_urls.as_ref()?.get(size)?.as_str()?;
            Some(url.to_owned())
        };
        Self {
            thumbnail_url: url("thumbnail"),
            medium_url: url("medium"),
            original_url: url("original"),
            post: row.post,
            like_count: row.like_count,
            comment_count: row.comment_count,
            view_count: row.view_count,
            metadata_updated_at: row.metadata_updated_at,
        }
    }
}
