//! What an operation can answer instead of a result, the same for every variant.

/// A result of an operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The conversation does not exist.
    #[error("unknown conversation")]
    UnknownConversation,
    /// The sender does not exist.
    #[error("unknown sender")]
    UnknownSender,
    /// The message, by its id or its idempotency key, was sent before.
    #[error("message was sent before")]
    Duplicate,
    /// PostgreSQL's own words.
    #[error("{}", words(.0))]
    Database(sqlx::Error),
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
            Some("messages_conversation_id_fkey") => Self::UnknownConversation,
            Some("messages_sender_id_fkey") => Self::UnknownSender,
            Some("messages_pkey" | "idx_messages_idempotency") => Self::Duplicate,
            _ => Self::Database(error),
        }
    }
}

impl Error {
    /// Whether the refusal is part of the contract, so that another variant must refuse alike,
    /// rather than a fault of the statement or the engine.
    pub fn is_answer(&self) -> bool {
        !matches!(self, Self::Database(_))
    }
}
