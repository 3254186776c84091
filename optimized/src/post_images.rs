//! Item 6 fixed: all images of a post in one look, from an index that holds what is asked for.

use sqlx::PgPool;
use uuid::Uuid;
use verdict_baseline::Result;
use verdict_baseline::post_images::{PostWithImages, in_order, post_statement};
use verdict_store::{Change, Engine, Step, Table};

/// The index that a post's images are read from.
pub const CHANGE: Change = Change::steps(
    &[Step::Script(
        Engine::Postgres,
        include_str!("../migrations/post-images/up.sql"),
    )],
    &[Step::Script(
        Engine::Postgres,
        include_str!("../migrations/post-images/down.sql"),
    )],
    &[Table::postgres("post_images")],
);

macro_rules! statement {
    ($which:literal) => {
        post_statement!(
            "images.urls[1] AS thumbnail_url,
    images.urls[2] AS medium_url,
    images.urls[3] AS original_url",
            "
LEFT JOIN LATERAL (
    SELECT ARRAY[
        (ARRAY_AGG(url ORDER BY created_at, id) FILTER (WHERE size_variant = 'thumbnail'))[1],
        (ARRAY_AGG(url ORDER BY created_at, id) FILTER (WHERE size_variant = 'medium'))[1],
        (ARRAY_AGG(url ORDER BY created_at, id) FILTER (WHERE size_variant = 'original'))[1]
    ] AS urls
    FROM post_images
    WHERE post_id = p.id AND status = 'completed'
) AS images ON TRUE",
            $which,
            ""
        )
    };
}

const POST: &str = statement!("$1");
const PAGE: &str = statement!("ANY($1)");

/// A post; none where nobody has the id, or it is deleted.
pub async fn post(pool: &PgPool, id: Uuid) -> Result<Option<PostWithImages>> {
    Ok(sqlx::query_as(POST).bind(id).fetch_optional(pool).await?)
}

/// Posts in the order in which they are asked for; those that are deleted or gone are left out.
pub async fn page(pool: &PgPool, ids: &[Uuid]) -> Result<Vec<PostWithImages>> {
    let rows = sqlx::query_as(PAGE).bind(ids).fetch_all(pool).await?;
    Ok(in_order(ids, rows))
}
