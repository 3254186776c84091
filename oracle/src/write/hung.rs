//! What hangs on a post, written.

use sqlx::{PgConnection, query};
use uuid::Uuid;
use verdict_seed::PostImage;
use verdict_store::Error;
use verdict_store::fault::Doing;

use super::apply::one;
use crate::post_images::{Counters, Hung};

pub(super) async fn alter(
    connection: &mut PgConnection,
    post: Uuid,
    before: &Hung,
    after: &Hung,
) -> Result<(), Error> {
    if before.counters != after.counters {
        count(connection, post, after.counters).await?;
    }
    let is_in = |hung: &Hung, image: &PostImage| hung.images.iter().any(|of| of.id == image.id);
    for image in &before.images {
        if !is_in(after, image) {
            let gone = query("DELETE FROM post_images WHERE id = $1").bind(image.id);
            let gone = gone.execute(&mut *connection).await;
            one(gone.doing("take an image away")?)?;
        }
    }
    for image in &after.images {
        if !before.images.contains(image) {
            put(connection, image).await?;
        }
    }
    Ok(())
}

async fn count(
    connection: &mut PgConnection,
    post: Uuid,
    counters: Option<Counters>,
) -> Result<(), Error> {
    let counted = match counters {
        None => {
            let gone = query("DELETE FROM post_metadata WHERE post_id = $1").bind(post);
            gone.execute(connection).await
        }
        Some(Counters {
            counts: [likes, comments, views],
            created_at,
            updated_at,
        }) => {
            query(
                "INSERT INTO post_metadata
                    (post_id, like_count, comment_count, view_count, created_at, updated_at)
                VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (post_id) DO UPDATE
                SET like_count = EXCLUDED.like_count,
                    comment_count = EXCLUDED.comment_count,
                    view_count = EXCLUDED.view_count,
                    updated_at = EXCLUDED.updated_at",
            )
            .bind(post)
            .bind(likes)
            .bind(comments)
            .bind(views)
            .bind(created_at)
            .bind(updated_at)
            .execute(connection)
            .await
        }
    };
    one(counted.doing("count what was done to a post")?)
}

async fn put(connection: &mut PgConnection, image: &PostImage) -> Result<(), Error> {
    let put = query(
        "INSERT INTO post_images
            (id, post_id, s3_key, status, size_variant, url, width, height, file_size,
             created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (id) DO UPDATE
        SET status = EXCLUDED.status,
            url = EXCLUDED.url,
            updated_at = EXCLUDED.updated_at",
    )
    .bind(image.id)
    .bind(image.post)
    .bind(&image.s3_key)
    .bind(image.status)
    .bind(image.variant)
    .bind(&image.url)
    .bind(image.dimensions.map(|(width, _, _)| width))
    .bind(image.dimensions.map(|(_, height, _)| height))
    .bind(image.dimensions.map(|(_, _, bytes)| bytes))
    .bind(image.created_at)
    .bind(image.updated_at)
    .execute(connection)
    .await;
    one(put.doing("put an image")?)
}
