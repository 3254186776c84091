//! Are the answers right: of both sides before any timing, and of the loaded ones in samples.

use rand_chacha::ChaCha8Rng;
use verdict_audit::evidence::Answers;
use verdict_oracle::Held;

use crate::client::Http;
use crate::error::Result;
use crate::flows::{Call, Flow};
use crate::per_side::SIDES;
use crate::sent_log::SentLog;
use crate::tape::Sample;

/// Requests put to each side before any timing.
const REQUESTS: u64 = 20;

/// Puts requests to both sides, holds every answer to the oracle, reads back what was sent, and
/// takes it back. A wrong answer is a result, and no error.
pub(crate) async fn before(
    flow: &dyn Flow,
    http: &Http,
    sent: &SentLog,
    random: &mut ChaCha8Rng,
) -> Result<Answers> {
    let mut answers = Answers::default();
    for _ in 0..REQUESTS {
        for side in SIDES {
            let call = flow.call(side, random);
            count(&mut answers, ask(http, &call).await);
        }
    }
    for side in SIDES {
        sent.take_back(side, flow).await?;
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

/// Holds the answers that were kept while the service was loaded to the oracle.
pub(crate) fn live(answers: &mut Answers, samples: Vec<Sample>) {
    for Sample { call, body } in samples {
        let held = call.hold(&body);
        count(
            answers,
            held.map_err(|wrong| wrong.at("while the service was loaded")),
        );
    }
}

fn count(answers: &mut Answers, held: Held) {
    answers.checked += 1;
    if let Err(wrong) = held {
        answers.differing += 1;
        answers
            .first_difference
            .get_or_insert_with(|| wrong.to_string());
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use verdict_audit::Side;
    use verdict_oracle::Difference;

    use super::*;
    use crate::knock::Knock;

    #[test]
    fn a_wrong_answer_under_load_is_counted_and_told_with_its_request() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let samples = ["right", "wrong"].map(|body| Sample {
            call: Call {
                whole: Box::new(|body| match body {
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
