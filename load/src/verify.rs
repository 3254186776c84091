//! Are the answers right: of both sides before any timing, and of the loaded ones in samples; and
//! is everything stored that was said to be.

use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use verdict_audit::Side;
use verdict_audit::evidence::Answers;
use verdict_oracle::Held;

use crate::answers::{LOADED, count};
use crate::changes::Changes;
use crate::client::Http;
use crate::error::Result;
use crate::flows::Flow;
use crate::flows::call::{Amiss, Call};
use crate::per_side::{PerSide, SIDES};
use crate::samples::Sample;
use crate::sent_log::SentLog;

/// Requests put to each side before any timing, of either kind: those that are judged, and those
/// over every parameter; and the same once more after writes.
const REQUESTS: u64 = 20;

/// Puts requests to both sides, holds every answer to the oracle, reads back what was sent, and
/// takes it back; writes into what is read, and asks the same again. A wrong answer is a result,
/// and no error.
pub(crate) async fn before(
    flow: &dyn Flow,
    http: &Http,
    sent: &SentLog,
    changes: &Changes,
    random: &mut ChaCha8Rng,
    deadline: Instant,
) -> Result<PerSide<Answers>> {
    let mut answers = PerSide::<Answers>::default();
    let mut first = random.clone();
    for random in [&mut first, random] {
        for _ in 0..REQUESTS {
            for side in SIDES {
                for call in [flow.call(side, random), flow.varied(side, random)] {
                    count(answers.of_mut(side), ask(http, &call).await);
                    http.answers_by(deadline)?;
                }
            }
        }
        for side in SIDES {
            settle(answers.of_mut(side), side, flow, (http, sent)).await?;
            changes.renew(side, flow).await?;
        }
    }
    Ok(answers)
}

async fn ask(http: &Http, call: &Call) -> Held {
    let body = http.ask(call).await?;
    call.hold(&body)?;
    let Some(read_back) = &call.read_back else {
        return Ok(());
    };
    let next = read_back(&body)?;
    let body = http.ask(&next).await?;
    next.hold(&body)
        .map_err(|wrong| wrong.at(format!("after {call}")))
}

/// What a window's answers and messages came to.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// Messages that were sent.
    pub sent: usize,
    /// The answers that were kept, and the messages that were acknowledged.
    pub answers: Answers,
}

/// Closes a window, while nothing is timed and nothing is on its way: holds the answers that
/// were kept of it to the oracle, and what was sent to what is stored, and takes that back.
pub(crate) async fn window(
    side: Side,
    flow: &dyn Flow,
    (http, sent): (&Http, &SentLog),
    samples: Vec<Sample>,
) -> Result<Window> {
    let mut answers = Answers::default();
    live(&mut answers, samples);
    let sent = settle(&mut answers, side, flow, (http, sent)).await?;
    Ok(Window { sent, answers })
}

/// Sends some of what was acknowledged once more, holds everything that was sent to what is
/// stored, and takes it back; how many messages that were.
async fn settle(
    answers: &mut Answers,
    side: Side,
    flow: &dyn Flow,
    (http, sent): (&Http, &SentLog),
) -> Result<usize> {
    for call in sent.again(side, flow) {
        let held = match http.send(&call).await {
            Ok(answer) => call.judge(answer.status, &answer.body),
            Err(words) => Err(Amiss::Failed(words)),
        };
        match held {
            Ok(()) => count(answers, Ok(())),
            Err(Amiss::Wrong(wrong)) => {
                count(answers, Err(wrong.at("sent once more after the load")));
            }
            // No answer is not a wrong one.
            Err(Amiss::Failed(_)) => {}
        }
        http.answers()?;
    }
    let settled = sent.settle(side).await?;
    for held in settled.held {
        count(answers, held);
    }
    Ok(settled.sent)
}

fn live(answers: &mut Answers, samples: Vec<Sample>) {
    for Sample { call, body } in samples {
        let held = call.hold(&body);
        count(answers, held.map_err(|wrong| wrong.at(LOADED)));
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use verdict_oracle::Difference;

    use super::*;
    use crate::knock::Knock;

    #[test]
    fn a_wrong_answer_under_load_is_counted_and_told_with_its_request() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let samples = ["right", "wrong"].map(|body| Sample {
            call: Call {
                whole: Box::new(|_, body| match body {
                    b"right" => Ok(()),
                    _ => Err(Difference("row 7".to_owned())),
                }),
                ..Knock.call(Side::Optimized, &mut random)
            },
            body: body.into(),
        });
        let mut answers = Answers::default();
        live(&mut answers, samples.into());
        assert_eq!((answers.checked, answers.differing), (2, 1));
        let first = answers.first_difference.unwrap();
        assert!(
            first.contains("loaded") && first.contains("GET /optimized") && first.contains("row 7"),
            "{first}"
        );
    }
}
