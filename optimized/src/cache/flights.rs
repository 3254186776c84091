//! Fetches under way, by the token of their lease: who finds the token joins the fetch.
//!
//! An answer is right for all who find its token. They find it before the next write begins, for
//! that takes the token away; so what was fetched since it was put there is still what is stored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

/// A fetch that any number wait for; `None` where it failed.
type Flight = Shared<BoxFuture<'static, Option<Arc<str>>>>;

/// Fetches by token.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<String, Flight>>);

impl Flights {
    /// The answer of a token's fetch, which is begun where there is none. It goes on whoever
    /// stops waiting, and is known for `after` when it is done, so that those find it who have
    /// found the token and come late.
    pub async fn join<F>(
        self: &Arc<Self>,
        token: String,
        after: Duration,
        fetch: impl FnOnce() -> F,
    ) -> Option<Arc<str>>
    where
        F: Future<Output = Option<Arc<str>>> + Send + 'static,
    {
        let flight = match self.open().entry(token.clone()) {
            std::collections::hash_map::Entry::Occupied(known) => known.get().clone(),
            std::collections::hash_map::Entry::Vacant(place) => {
                let (flights, fetch) = (Arc::clone(self), fetch());
                let task = tokio::spawn(async move {
                    let answer = fetch.await;
                    tokio::spawn(async move {
                        tokio::time::sleep(after).await;
                        flights.open().remove(&token);
                    });
                    answer
                });
                let flight = task.map(|done| done.ok().flatten()).boxed().shared();
                place.insert(flight).clone()
            }
        };
        flight.await
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
