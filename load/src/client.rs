//! The client for requests outside of goose: one at a time, and in the open loop.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;

use verdict_oracle::Difference;

use crate::error::{Error, Result};
use crate::flows::call::{Amiss, Call};
use crate::sent_log::SentLog;
use crate::service_url::ServiceUrl;

/// How long an answer may take before it counts as none.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// Asks the service.
#[derive(Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    base: Arc<str>,
    sent: Arc<SentLog>,
}

impl Http {
    /// A client of the service at this address, which must answer.
    pub async fn connect(service: &ServiceUrl, sent: Arc<SentLog>) -> Result<Self> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        let base: Arc<str> = service.as_str().into();
        let reason = match client.get(format!("{base}/health")).send().await {
            Ok(response) if response.status().is_success() => {
                return Ok(Self { client, base, sent });
            }
            Ok(response) => format!("its health answers {}", response.status()),
            Err(error) => error.to_string(),
        };
        Err(Error::NoService {
            url: base.to_string(),
            reason,
        })
    }

    #[cfg(test)]
    pub fn without_health(base: &str) -> Self {
        Self {
            client: reqwest::Client::new(),
            base: base.into(),
            sent: Arc::default(),
        }
    }

    /// Asks once, checks the answer, and gives its body.
    ///
    /// # Errors
    /// What is wrong with the answer.
    pub async fn ask(&self, call: &Call) -> std::result::Result<Vec<u8>, Difference> {
        let (status, body) = self
            .send(call)
            .await
            .map_err(|words| Difference(words).at(call))?;
        match call.judge(status, &body) {
            Ok(()) => Ok(body),
            Err(Amiss::Failed(words)) => Err(Difference(words)),
            Err(Amiss::Wrong(wrong)) => Err(wrong),
        }
    }

    /// Asks once: the status and the whole body.
    ///
    /// # Errors
    /// The client's own words.
    pub async fn send(&self, call: &Call) -> std::result::Result<(u16, Vec<u8>), String> {
        let ticket = self.sent.leaving(call);
        let url = format!("{}{}", self.base, call.path);
        let request = match &call.body {
            None => self.client.get(url),
            Some(json) => self
                .client
                .post(url)
                .header(CONTENT_TYPE, "application/json")
                .body(json.clone()),
        };
        let response = request.send().await.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(|error| error.to_string())?;
        self.sent.answered(ticket, call.side, status, &body);
        Ok((status, body.into()))
    }
}
