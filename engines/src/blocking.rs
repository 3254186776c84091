//! Blocking work beside asynchronous work.

use crate::Error;

/// Runs what blocks away from the threads that serve others.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(Error::Keeper {
                what: format!("was not waited for: {error}"),
            }),
        },
    }
}
