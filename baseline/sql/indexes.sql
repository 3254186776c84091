-- Today's primary keys, unique constraints and indexes, one statement each.

ALTER TABLE users ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX idx_users_username ON users (username) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX idx_users_email ON users (email) WHERE deleted_at IS NULL;

ALTER TABLE conversations ADD PRIMARY KEY (id);
CREATE INDEX idx_conversations_updated_at ON conversations (updated_at DESC);
CREATE INDEX idx_conversations_created_by ON conversations (created_by);
CREATE INDEX idx_conversations_privacy ON conversations (privacy_mode);

ALTER TABLE conversation_members ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX idx_conversation_members_pair ON conversation_members (conversation_id, user_id);
CREATE INDEX idx_conversation_members_conversation ON conversation_members (conversation_id);
CREATE INDEX idx_conversation_members_user ON conversation_members (user_id);
CREATE INDEX idx_conversation_members_active ON conversation_members (user_id, is_archived) WHERE NOT is_archived;

ALTER TABLE messages ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX idx_messages_idempotency ON messages (idempotency_key);
CREATE INDEX idx_messages_conversation_created ON messages (conversation_id, created_at DESC);
CREATE INDEX idx_messages_conversation_visible ON messages (conversation_id, created_at DESC)
    WHERE recalled_at IS NULL AND deleted_at IS NULL;
CREATE INDEX idx_messages_created_at ON messages (created_at DESC);
CREATE INDEX idx_messages_sender ON messages (sender_id);
CREATE INDEX idx_messages_version ON messages (id, version_number);
CREATE INDEX idx_messages_recalled_at ON messages (recalled_at) WHERE recalled_at IS NOT NULL;
CREATE INDEX idx_messages_edited_at ON messages (edited_at) WHERE edited_at IS NOT NULL;
CREATE INDEX idx_messages_idempotency_key ON messages (idempotency_key) WHERE idempotency_key IS NOT NULL;

ALTER TABLE message_reactions ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX idx_message_reactions_once ON message_reactions (message_id, user_id, emoji);
CREATE INDEX idx_message_reactions_message ON message_reactions (message_id);
CREATE INDEX idx_message_reactions_user ON message_reactions (user_id);
CREATE INDEX idx_message_reactions_created_at ON message_reactions (created_at DESC);

ALTER TABLE message_attachments ADD PRIMARY KEY (id);
CREATE INDEX idx_message_attachments_message ON message_attachments (message_id);
CREATE INDEX idx_message_attachments_created_at ON message_attachments (created_at DESC);

ALTER TABLE message_search_index ADD PRIMARY KEY (message_id);
CREATE INDEX idx_message_search_index_tsv ON message_search_index USING gin (tsv);

ALTER TABLE posts ADD PRIMARY KEY (id);
CREATE INDEX idx_posts_user ON posts (user_id);
CREATE INDEX idx_posts_created_at ON posts (created_at DESC);
CREATE INDEX idx_posts_status ON posts (status);
CREATE INDEX idx_posts_user_created ON posts (user_id, created_at DESC) WHERE soft_delete IS NULL;
CREATE INDEX idx_posts_soft_delete ON posts (soft_delete);
CREATE INDEX idx_posts_content_type ON posts (content_type);
CREATE INDEX idx_posts_content_type_created ON posts (content_type, created_at DESC);
CREATE INDEX idx_posts_published ON posts (created_at DESC) WHERE status = 'published' AND soft_delete IS NULL;

ALTER TABLE post_images ADD PRIMARY KEY (id);
CREATE INDEX idx_post_images_post ON post_images (post_id);
CREATE INDEX idx_post_images_post_status ON post_images (post_id, status);
CREATE INDEX idx_post_images_status ON post_images (status);
CREATE INDEX idx_post_images_variant ON post_images (size_variant);

ALTER TABLE post_metadata ADD PRIMARY KEY (post_id);
CREATE INDEX idx_post_metadata_like_count ON post_metadata (like_count DESC);
CREATE INDEX idx_post_metadata_updated_at ON post_metadata (updated_at DESC);

ALTER TABLE follows ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX idx_follows_pair ON follows (follower_id, following_id);
CREATE INDEX idx_follows_follower ON follows (follower_id);
CREATE INDEX idx_follows_following ON follows (following_id);
CREATE INDEX idx_follows_created_at ON follows (created_at DESC);
CREATE INDEX idx_follows_follower_created ON follows (follower_id, created_at DESC);
CREATE INDEX idx_follows_following_created ON follows (following_id, created_at DESC);

ALTER TABLE likes ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX idx_likes_pair ON likes (user_id, post_id);
CREATE INDEX idx_likes_post ON likes (post_id);
CREATE INDEX idx_likes_user ON likes (user_id);
CREATE INDEX idx_likes_created_at ON likes (created_at DESC);

ALTER TABLE comments ADD PRIMARY KEY (id);
CREATE INDEX idx_comments_post ON comments (post_id);
CREATE INDEX idx_comments_user ON comments (user_id);
CREATE INDEX idx_comments_parent ON comments (parent_comment_id);
CREATE INDEX idx_comments_created_at ON comments (created_at DESC);
