DROP INDEX IF EXISTS idx_post_images_served;
