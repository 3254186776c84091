//! A whole answer, of which no more is read than any answer here has.

use reqwest::Response;

use crate::server_timing::{Stage, stages};

/// Bytes of an answer that are read: the largest page, of 200 messages with all that hangs on
/// them, has a tenth of it. Every user holds one at most, so 64 of them a quarter of a gigabyte.
pub(crate) const LARGEST: usize = 4 << 20;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub stages: Vec<Stage>,
}

/// Reads an answer to its end.
///
/// # Errors
/// In words: it is larger than any answer, or broke off, or took too long.
pub(crate) async fn whole(mut response: Response) -> Result<Answer, String> {
    let too_large = || {
        format!(
            "an answer of more than {} MB, and no page is so large",
            LARGEST >> 20
        )
    };
    let said = response.content_length();
    if said.is_some_and(|length| length > LARGEST as u64) {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(said.unwrap_or_default() as usize);
    while let Some(chunk) = response.chunk().await.map_err(words)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status: response.status().as_u16(),
        body,
        stages: stages(response.headers()),
    })
}

/// What went wrong, from the cause that says it: the client's own words say only what it did.
pub(crate) fn words(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no whole answer in time".to_owned();
    }
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
