//! Before any timing: do both sides answer alike?

use rand_chacha::ChaCha8Rng;
use verdict_audit::evidence::Answers;

use super::client::Http;
use super::error::Result;
use super::restore::{Restore, SentLog};
use super::schedule::SIDES;
use crate::flows::Flow;

/// Requests put to both sides.
const SAMPLE: u64 = 20;

/// Puts a sample of a flow's requests to both sides, and takes back what it sent. A difference
/// is a result, and no error.
pub(super) async fn verify(
    flow: &dyn Flow,
    http: &Http,
    sent: &SentLog,
    restore: Option<&dyn Restore>,
    random: &mut ChaCha8Rng,
) -> Result<Answers> {
    let mut answers = Answers::default();
    for _ in 0..SAMPLE {
        answers.checked += 1;
        if let Err(difference) = flow.compare(http, random).await {
            answers.differing += 1;
            answers.first_difference.get_or_insert(difference);
        }
    }
    for side in SIDES {
        sent.take_back(side, restore).await?;
    }
    Ok(answers)
}
