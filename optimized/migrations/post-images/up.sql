-- What a post's images are served under, from the index alone: one descent for all sizes.
CREATE INDEX IF NOT EXISTS idx_post_images_served
ON post_images (post_id, created_at, id)
INCLUDE (size_variant, url)
WHERE status = 'completed';
