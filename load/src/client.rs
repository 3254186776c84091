//! The client for requests outside of goose: one at a time, and in the open loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::header::CONTENT_TYPE;

use verdict_oracle::Difference;

use crate::body::{Answer, whole, words};
use crate::error::{Error, Result};
use crate::flows::call::{Amiss, Call};
use crate::sent_log::SentLog;
use crate::service_url::ServiceUrl;

/// So many requests without a whole answer in time, one after the other, or windows in which
/// there was nothing else, and the service is given up: a run has thousands of them.
const GIVEN_UP: u32 = 3;

/// Asks the service.
#[derive(Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    base: Arc<str>,
    sent: Arc<SentLog>,
    patience: Duration,
    /// Requests without a whole answer in time since the last that had one.
    silent: Arc<AtomicU32>,
    /// Windows like that.
    barren: Arc<AtomicU32>,
}

impl Http {
    /// A client of the service at this address, which must answer. One that takes longer than
    /// `patience` over a whole answer has given none.
    pub async fn connect(
        service: &ServiceUrl,
        patience: Duration,
        sent: Arc<SentLog>,
    ) -> Result<Self> {
        let http = Self {
            client: reqwest::Client::builder().timeout(patience).build()?,
            base: service.as_str().into(),
            sent,
            patience,
            // One is enough of a service that has never given a whole answer.
            silent: Arc::new(AtomicU32::new(GIVEN_UP - 1)),
            barren: Arc::default(),
        };
        http.health().await?;
        Ok(http)
    }

    #[cfg(test)]
    pub fn without_health(base: &str) -> Self {
        Self {
            client: reqwest::Client::new(),
            base: base.into(),
            sent: Arc::default(),
            patience: Duration::MAX,
            silent: Arc::default(),
            barren: Arc::default(),
        }
    }

    async fn health(&self) -> Result<()> {
        let reason = match self
            .client
            .get(format!("{}/health", self.base))
            .send()
            .await
        {
            Ok(response) if response.status().is_success() => return Ok(()),
            Ok(response) => format!("its health answers {}", response.status()),
            Err(error) => words(error),
        };
        Err(Error::NoService {
            url: self.base.to_string(),
            reason,
        })
    }

    /// Gives the service up when the last requests, put one at a time, had no whole answer.
    pub fn answers(&self) -> Result<()> {
        if self.silent.load(Ordering::Relaxed) < GIVEN_UP {
            return Ok(());
        }
        Err(self.given_up())
    }

    /// Gives the service up at a deadline, though each answer is there in time, or fails.
    pub fn answers_by(&self, deadline: Instant) -> Result<()> {
        self.answers()?;
        if Instant::now() < deadline {
            return Ok(());
        }
        Err(Error::Slow {
            url: self.base.to_string(),
        })
    }

    /// Gives the service up after a window in which nobody was answered, when it is not there any
    /// more, or when that was so for lack of a whole answer in several windows.
    pub async fn answered(&self, answers: u64, opened: Instant) -> Result<()> {
        if answers > 0 {
            self.barren.store(0, Ordering::Relaxed);
            return Ok(());
        }
        let took = opened.elapsed();
        self.health().await?;
        if took < self.patience || self.barren.fetch_add(1, Ordering::Relaxed) + 1 < GIVEN_UP {
            return Ok(());
        }
        Err(self.given_up())
    }

    fn given_up(&self) -> Error {
        Error::Silent {
            url: self.base.to_string(),
            patience: self.patience,
        }
    }

    /// Asks once, checks the answer, and gives its body.
    ///
    /// # Errors
    /// What is wrong with the answer.
    pub async fn ask(&self, call: &Call) -> std::result::Result<Vec<u8>, Difference> {
        let answer = self
            .send(call)
            .await
            .map_err(|words| Difference(words).at(call))?;
        match call.judge(answer.status, &answer.body) {
            Ok(()) => Ok(answer.body),
            Err(Amiss::Failed(words)) => Err(Difference(words)),
            Err(Amiss::Wrong(wrong)) => Err(wrong),
        }
    }

    /// Asks once, and reads the whole answer.
    ///
    /// # Errors
    /// The client's own words.
    pub async fn send(&self, call: &Call) -> std::result::Result<Answer, String> {
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
        let began = Instant::now();
        let answer = async { whole(request.send().await.map_err(words)?).await }.await;
        match &answer {
            Ok(Answer { status, body, .. }) => {
                self.silent.store(0, Ordering::Relaxed);
                self.sent.answered(ticket, call.side, *status, body);
            }
            Err(_) if began.elapsed() >= self.patience => {
                self.silent.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => {}
        }
        answer
    }
}
