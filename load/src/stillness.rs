//! Whether the service answers anybody at all, asked beside the load: one that was stopped takes
//! connections and answers none of them, and each request waits for its own time-out.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::error::Error;
use crate::run::LoadWatcher;

/// How often it is asked.
const EACH: Duration = Duration::from_secs(1);

/// How long it is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Before that is said.
    pub odd: Duration,
    /// Before it is given up.
    pub end: Duration,
}

impl Patience {
    /// Long against what a service takes that has more to do than it can.
    pub const OURS: Self = Self {
        odd: Duration::from_secs(10),
        end: Duration::from_secs(60),
    };
}

/// Completes when the service has stood still for too long. One that fails, or is gone, answers
/// those who put it under load.
pub(crate) async fn stands_still(
    url: &str,
    patience: Patience,
    watcher: &dyn LoadWatcher,
) -> Error {
    let client = reqwest::Client::new();
    let health = format!("{url}/health");
    loop {
        let mut answer = Box::pin(client.get(&health).send());
        if timeout(patience.odd, &mut answer).await.is_err() {
            let seconds = patience.odd.as_secs_f64();
            watcher.say(&format!(
                "the service at {url} has not answered for {seconds} s: waiting"
            ));
            let rest = patience.end.saturating_sub(patience.odd);
            if timeout(rest, &mut answer).await.is_err() {
                return Error::StandsStill {
                    url: url.to_owned(),
                    patience: patience.end,
                };
            }
        }
        sleep(EACH).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use verdict_audit::Warning;

    use super::*;

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl LoadWatcher for Heard {
        fn step(&self, _: &str, _: f64) {}
        fn say(&self, words: &str) {
            self.0.lock().unwrap().push(words.to_owned());
        }
        fn warn(&self, _: Warning) {}
    }

    #[test]
    fn one_that_takes_connections_and_answers_nobody_is_told_of_and_given_up() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let still = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", still.local_addr().unwrap());
            let patience = Patience {
                odd: Duration::from_millis(100),
                end: Duration::from_millis(300),
            };
            let heard = Heard::default();
            let error = stands_still(&url, patience, &heard).await;
            assert!(matches!(&error, Error::StandsStill { .. }), "{error}");
            let told = heard.0.into_inner().unwrap();
            assert!(told.len() == 1 && told[0].contains(&url), "{told:?}");
        });
    }

    #[test]
    fn one_that_fails_or_is_gone_does_not_stand_still() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", gone.local_addr().unwrap());
            drop(gone);
            let patience = Patience {
                odd: Duration::from_millis(50),
                end: Duration::from_millis(60),
            };
            let heard = Heard::default();
            let still = stands_still(&url, patience, &heard);
            assert!(timeout(3 * EACH / 2, still).await.is_err());
        });
    }
}
