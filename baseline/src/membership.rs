//! Who may read a conversation, and who may speak in it: what every route of messages asks first,
//! as today. No item changes it.

use sqlx::PgPool;
use uuid::Uuid;

use crate::{Refused, Result};

/// A member of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Whether what he or she sends is refused.
    pub is_muted: bool,
}

const MEMBER: &str = "
SELECT member.id IS NOT NULL, COALESCE(member.is_muted, FALSE)
FROM conversations
LEFT JOIN conversation_members AS member
    ON member.conversation_id = conversations.id
    AND member.user_id = $2
WHERE conversations.id = $1";

/// Looks a user up among the members of a conversation, in one statement.
///
/// # Errors
/// [`Refused::UnknownConversation`], or [`Refused::NotAMember`], which an unknown user is, too.
pub async fn member(pool: &PgPool, conversation: Uuid, user: Uuid) -> Result<Member> {
    let found: Option<(bool, bool)> = sqlx::query_as(MEMBER)
        .bind(conversation)
        .bind(user)
        .fetch_optional(pool)
        .await?;
    match found {
        None => Err(Refused::UnknownConversation.into()),
        Some((false, _)) => Err(Refused::NotAMember.into()),
        Some((true, is_muted)) => Ok(Member { is_muted }),
    }
}

/// The same of one who sends.
///
/// # Errors
/// As [`member`], or [`Refused::Muted`].
pub async fn sender(pool: &PgPool, conversation: Uuid, user: Uuid) -> Result<()> {
    match member(pool, conversation, user).await? {
        Member { is_muted: true } => Err(Refused::Muted.into()),
        Member { is_muted: false } => Ok(()),
    }
}
