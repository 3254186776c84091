//! From tapes to rows of results with verdicts, and from rows to capacity.

use std::time::Duration;

use hdrhistogram::Histogram;
use verdict_audit::evidence::{Answers, Capacity, Estimate, FlowEvidence, Usl};
use verdict_audit::judge::largest_holding;
use verdict_audit::quantile::quantile;
use verdict_audit::rules::{Judgement, wrong_answers};
use verdict_audit::usl::{Throughput, UslError, project, usl};
use verdict_audit::{Catalogue, Side, Target, Verdict, Warning, judge_flow};

use crate::error::{Error, Result};
use crate::tape::{self, Tape, UNIT};

/// How late the generator may be, as a share of what the row is held to: more, and the figures
/// are the generator's own.
const TOLERATED_LAG: f64 = 0.1;

/// How much load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Level {
    /// Closed loop.
    Users(u32),
    /// Open loop, per second.
    Rate(f64),
}

/// What one row is made of.
pub(crate) struct Measurement<'a> {
    pub target: &'a Target,
    pub side: Side,
    pub level: Level,
    /// The measured time of one window.
    pub window: Duration,
    pub tape: &'a Tape,
    pub answers: &'a Answers,
    /// What was asked, and what else a reader must know.
    pub about: String,
}

impl Measurement<'_> {
    /// The row.
    pub fn evidence(&self) -> Result<FlowEvidence> {
        let Self {
            target, side, tape, ..
        } = self;
        let lag = match self.level {
            Level::Users(_) => None,
            Level::Rate(_) => quantile(&tape.lags, 0.99, UNIT).map(|lag| lag.value),
        };
        let mut row = FlowEvidence {
            id: target.id,
            side: *side,
            users: match self.level {
                Level::Users(users) => Some(users),
                Level::Rate(_) => None,
            },
            rate: match self.level {
                Level::Users(_) => None,
                Level::Rate(rate) => Some(rate),
            },
            requests: tape.requests(),
            errors: tape.errors,
            duration: self.window.as_secs_f64() * tape.answered.len() as f64,
            throughput: tape.throughput(self.window),
            p50: NOTHING,
            p95: NOTHING,
            p99: NOTHING,
            generator_lag_p99: lag,
            target_ms: target.target_ms(*side),
            verdict: Verdict::Inconclusive,
            reason: String::new(),
            judged: false,
            histogram: String::new(),
        };
        fill(&mut row, &tape.latencies)?;
        judge(&mut row, target, wrong_answers(self.answers));
        if let Some(error) = &tape.first_error {
            row.reason = format!("{}; first error: {error}", row.reason);
        }
        row.reason = format!("{}; {}", row.reason, self.about);
        Ok(row)
    }
}

const NOTHING: Estimate = Estimate {
    value: 0.0,
    lo: None,
    hi: None,
};

/// The percentiles of a row, and the histogram behind them.
pub(crate) fn fill(row: &mut FlowEvidence, latencies: &Histogram<u64>) -> Result<()> {
    let at = |p| quantile(latencies, p, UNIT).unwrap_or(NOTHING);
    (row.p50, row.p95, row.p99) = (at(0.50), at(0.95), at(0.99));
    row.histogram = tape::encode(latencies).map_err(|reason| Error::Histogram {
        what: "write",
        row: name(row),
        reason,
    })?;
    Ok(())
}

/// A row by flow, side and level, for messages.
pub(crate) fn name(row: &FlowEvidence) -> String {
    let level = match (row.users, row.rate) {
        (Some(users), _) => format!("{users} users"),
        (None, Some(rate)) => format!("{rate:.1} requests/s"),
        (None, None) => "no load".to_owned(),
    };
    format!("{} {} at {level}", row.side, row.id)
}

/// Whether the generator was too late for the row's figures to be the service's.
fn lagging(row: &FlowEvidence) -> bool {
    row.generator_lag_p99
        .is_some_and(|lag| lag > TOLERATED_LAG * row.target_ms * 1000.0)
}

/// Judges a row: by the audit's rules, after what voids it.
pub(crate) fn judge(row: &mut FlowEvidence, target: &Target, wrong: Option<Judgement>) {
    row.judged = row.users == Some(Catalogue::builtin().judged_users);
    (row.verdict, row.reason) = if let Some(wrong) = wrong {
        (wrong.verdict, wrong.reason)
    } else if lagging(row) {
        let reason = format!(
            "the generator itself was {:.1} ms late (p99), more than a tenth of {} ms: lower the \
             rate, or give it a machine of its own",
            row.generator_lag_p99.unwrap_or_default() / 1000.0,
            row.target_ms
        );
        (Verdict::Inconclusive, reason)
    } else {
        let judgement = judge_flow(target, row.side, &row.load());
        (judgement.verdict, judgement.reason)
    };
}

/// Capacity of one flow on one side, with the law fitted to the throughput of the windows; a
/// warning when it cannot be fitted.
pub(crate) fn capacity(
    target: &Target,
    side: Side,
    rows: &[FlowEvidence],
    windows: &[Throughput],
    seed: u64,
) -> (Capacity, Option<Warning>) {
    let sound: Vec<FlowEvidence> = rows
        .iter()
        .filter(|row| row.verdict != Verdict::Wrong && !lagging(row))
        .cloned()
        .collect();
    let mut capacity = largest_holding(target, side, &sound);
    let busy: Vec<Throughput> = windows
        .iter()
        .copied()
        .filter(|window| window.rate > 0.0)
        .collect();
    let fitted: std::result::Result<Usl, UslError> = usl(&busy, seed);
    let mut warning = None;
    match fitted {
        Ok(fitted) => {
            capacity.projection = target.demand.map(|demand| {
                let mut projection = project(&fitted, demand);
                projection.assumptions.push(
                    "the generator's own share of this machine is counted as the service's, so \
                     without it fewer machines would do"
                        .to_owned(),
                );
                projection
            });
            capacity.usl = Some(fitted);
        }
        // A plan of few levels asks for no fit.
        Err(UslError::TooFewLevels { .. }) => {}
        Err(error) => {
            warning = Some(Warning::NoFit {
                of: format!("no capacity fit for {} {side}", target.id),
                reason: error.to_string(),
            });
        }
    }
    (capacity, warning)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use verdict_audit::FlowId;

    use super::*;
    use crate::tape::Measured;

    fn target() -> &'static Target {
        Catalogue::builtin().target(FlowId::History).unwrap()
    }

    fn tape(requests: u32, latency: Duration, lag: Duration) -> Tape {
        let mut tape = Tape::new(1);
        tape.next_window();
        let window = Measured {
            from: Instant::now(),
            until: Instant::now() + Duration::from_secs(3600),
        };
        for _ in 0..requests {
            tape.record(window, window.from, window.from + latency, Ok(()));
            tape.record_lag(window, window.from, window.from + lag);
        }
        tape
    }

    fn row(tape: &Tape, level: Level, answers: &Answers) -> FlowEvidence {
        Measurement {
            target: target(),
            side: Side::Optimized,
            level,
            window: Duration::from_secs(1),
            tape,
            answers,
            about: "a test".to_owned(),
        }
        .evidence()
        .unwrap()
    }

    const QUICK: Duration = Duration::from_millis(2);

    #[test]
    fn a_quick_service_is_confirmed_and_only_the_judged_level_is_judged() {
        let tape = tape(1_000, QUICK, Duration::ZERO);
        let judged = row(&tape, Level::Users(4), &Answers::default());
        assert_eq!((judged.verdict, judged.judged), (Verdict::Confirmed, true));
        assert_eq!((judged.requests, judged.throughput), (1_000, 1_000.0));
        assert!((judged.p95.value - 2_000.0).abs() <= 2.0);
        assert!(!row(&tape, Level::Users(16), &Answers::default()).judged);
        assert!(!row(&tape, Level::Rate(50.0), &Answers::default()).judged);
    }

    #[test]
    fn a_service_that_answers_differently_is_wrong_however_quick() {
        let answers = Answers {
            checked: 20,
            differing: 1,
            first_difference: Some("row 7".to_owned()),
            ..Answers::default()
        };
        let row = row(
            &tape(1_000, QUICK, Duration::ZERO),
            Level::Users(4),
            &answers,
        );
        assert_eq!(row.verdict, Verdict::Wrong);
        assert!(
            row.reason.contains("1 of 20") && row.reason.contains("row 7"),
            "{}",
            row.reason
        );
    }

    #[test]
    fn a_late_generator_decides_nothing_and_gives_no_capacity() {
        let late = tape(1_000, QUICK, Duration::from_millis(11));
        let late = row(&late, Level::Rate(100.0), &Answers::default());
        assert_eq!(late.verdict, Verdict::Inconclusive);
        assert!(late.reason.contains("late"), "{}", late.reason);
        let punctual = tape(1_000, QUICK, Duration::from_millis(9));
        let punctual = row(&punctual, Level::Rate(50.0), &Answers::default());
        assert_eq!(punctual.verdict, Verdict::Confirmed);
        let (capacity, _) = capacity(target(), Side::Optimized, &[late, punctual], &[], 1);
        assert_eq!(capacity.max_rate, Some(50.0));
    }

    #[test]
    fn windows_that_stood_still_are_left_out_of_the_fit() {
        let windows: Vec<Throughput> = [1, 4, 16, 64]
            .into_iter()
            .flat_map(|users| [f64::from(users) * 10.0, 0.0].map(|rate| Throughput { users, rate }))
            .collect();
        let (capacity, warning) = capacity(target(), Side::Baseline, &[], &windows, 1);
        assert!(capacity.usl.is_some() && warning.is_none());
    }
}
