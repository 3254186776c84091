//! `POST /{side}/conversations/{id}/messages`: item 2.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;
use verdict_audit::Side;
use verdict_baseline::membership;
use verdict_baseline::message_send::{self as baseline, Request, Sent};
use verdict_optimized::cache::Subject;
use verdict_optimized::message_send as optimized;

use crate::database::Database;
use crate::extract::PathId;
use crate::refusal::Refusal;

/// The largest body that is read, bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    id: Option<Uuid>,
    sender: Uuid,
    content: String,
    idempotency_key: Option<Uuid>,
}

/// Sends a message, of a member who may speak.
pub(crate) async fn send(
    State(database): State<Arc<Database>>,
    PathId(conversation): PathId,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Sent>), Refusal> {
    let body = read(body)?;
    let request = Request {
        id: body.id.unwrap_or_else(Uuid::new_v4),
        conversation,
        sender: body.sender,
        content: body.content,
        idempotency_key: body.idempotency_key,
    };
    let sender = membership::sender(&database.pool, conversation, request.sender);
    database.answer(sender).await?;
    let sent = match database.side {
        Side::Baseline => {
            let send = baseline::send(&database.pool, &request);
            database.answer(send).await?
        }
        Side::Optimized => {
            let send = database.answer(optimized::send(&database.pool, &request));
            match &database.cache {
                // The conversation's last message is another one then.
                Some(cache) => {
                    let subject = [Subject::Conversation(conversation)];
                    cache.around(&subject, send).await?
                }
                None => send.await?,
            }
        }
    };
    Ok((StatusCode::CREATED, Json(sent)))
}

fn read(body: Result<Bytes, BytesRejection>) -> Result<Body, Refusal> {
    let body = body.map_err(|rejection| {
        let status = rejection.status();
        let message = match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                format!(
                    "the body is too large: it is at most {} KiB",
                    MAX_BODY / 1024
                )
            }
            _ => rejection.body_text(),
        };
        Refusal { status, message }
    })?;
    let body: Body = serde_json::from_slice(&body).map_err(|error| {
        Refusal::bad_request(format!(
            "the body is not a message: {error}; it is a JSON object with `sender` (UUID) and \
             `content` (text), and may have `id` and `idempotency_key` (UUIDs)"
        ))
    })?;
    if body.content.contains('\0') {
        return Err(Refusal::bad_request(
            "`content` has a character of code 0: PostgreSQL holds any text but that",
        ));
    }
    Ok(body)
}
