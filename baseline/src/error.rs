//! What an operation can answer instead of a result, the same for every variant.

/// A result of an operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation has no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was refused; every variant must refuse alike.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// PostgreSQL's own words.
    #[error("{}", words(.0))]
    Postgres(sqlx::Error),
    /// ClickHouse's own words.
    #[error(transparent)]
    ClickHouse(#[from] clickhouse::error::Error),
    /// Redis's own words.
    #[error(transparent)]
    Redis(#[from] redis::RedisError),
    /// An answer could not be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// A refusal that is part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The conversation does not exist.
    #[error("unknown conversation")]
    UnknownConversation,
    /// The user is no member of the conversation.
    #[error("not a member")]
    NotAMember,
    /// The user is muted in the conversation.
    #[error("muted")]
    Muted,
    /// The sender does not exist.
    #[error("unknown sender")]
    UnknownSender,
    /// The message, by its id or its idempotency key, was sent before.
    #[error("message was sent before")]
    Duplicate,
}

/// What the engine said, without what the driver says about it.
fn words(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(database) => format!("PostgreSQL: {}", database.message()),
        None => error.to_string(),
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let constraint = error
            .as_database_error()
            .and_then(|database| database.constraint());
        match constraint {
            Some("messages_conversation_id_fkey") => Refused::UnknownConversation.into(),
            Some("messages_sender_id_fkey") => Refused::UnknownSender.into(),
            Some("messages_pkey" | "idx_messages_idempotency") => Refused::Duplicate.into(),
            _ => Self::Postgres(error),
        }
    }
}
