//! Requests that are not answered: a status, and words for a person.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use verdict_audit::Side;
use verdict_baseline::{Error, Refused};

/// An error as the client sees it: never a statement, an address or a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// 4xx when the request is at fault, 5xx when the service is.
    pub status: StatusCode,
    /// What is wrong and what is accepted.
    pub message: String,
}

impl Refusal {
    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
        }
    }

    /// 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            message: message.into(),
        }
    }

    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            message: message.into(),
        }
    }

    /// 503.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            message: message.into(),
        }
    }

    /// What an operation's error comes to.
    pub fn of(side: Side, error: Error) -> Self {
        match error {
            Error::Refused(Refused::UnknownConversation) => {
                Self::not_found("there is no such conversation: name one that exists")
            }
            Error::Refused(Refused::NotAMember) => Self::forbidden(
                "the conversation is for its members: `viewer` or `sender` is the id of one",
            ),
            Error::Refused(Refused::Muted) => Self::forbidden(
                "the sender is muted in this conversation: he or she may read it, and not send",
            ),
            Error::Refused(Refused::UnknownSender) => {
                Self::not_found("there is no such sender: `sender` is the id of a user")
            }
            Error::Refused(Refused::Duplicate) => Self {
                status: StatusCode::CONFLICT,
                message: "a message of this `id` or `idempotency_key` was sent before".to_owned(),
            },
            Error::Postgres(error) => Self::of_database(side, &error),
            Error::ClickHouse(error) => Self::of_clickhouse(side, &error),
            Error::Redis(_) => Self::fault(side, "Redis refused a command"),
            Error::Json(_) => Self::fault(side, "an answer that could not be written"),
        }
    }

    fn of_database(side: Side, error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::unavailable(format!(
                "no connection to the {side} database came free in time: try again later, with \
                 fewer requests at once"
            )),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::away(side),
            sqlx::Error::Database(refused) => {
                let code = refused.code().unwrap_or_default();
                match code.get(..2) {
                    // Connection, login, no such database, out of resources, shutting down.
                    Some("08" | "28" | "3D" | "53" | "57") => Self::away(side),
                    Some("22") => Self::bad_request(format!(
                        "a value of the request is out of the range that PostgreSQL can hold \
                         (SQLSTATE {code})"
                    )),
                    _ => Self::fault(side, &format!("SQLSTATE {code}")),
                }
            }
            _ => Self::fault(side, "an answer that could not be read"),
        }
    }

    fn of_clickhouse(side: Side, error: &clickhouse::error::Error) -> Self {
        match error {
            clickhouse::error::Error::Network(_) | clickhouse::error::Error::TimedOut => {
                Self::away(side)
            }
            _ => Self::fault(side, "ClickHouse refused a statement"),
        }
    }

    fn away(side: Side) -> Self {
        Self::unavailable(format!(
            "the {side} database cannot be reached: try again later"
        ))
    }

    fn fault(side: Side, what: &str) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message: format!(
                "the {side} database did not carry out the operation ({what}); this is no fault of \
                 the request"
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.message }))).into_response()
    }
}
