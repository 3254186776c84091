//! Every border between two verdicts under load.
//!
//! | what is judged | verdicts, in the order in which they are tried |
//! |---|---|
//! | any level of load, before anything else | `fails` if nothing was answered; `inconclusive` with more than [`MAX_ERRORS`]; `inconclusive` under [`MIN_REQUESTS`], or without an interval |
//! | a p95 goal | `falls short` if lo ≥ goal; `confirmed` if hi < goal; else `inconclusive` |
//! | today's p95, about X by the audit | `as the audit says` if the interval lies in X ÷ 1.5 .. X × 1.5; `faster` if all below; `slower` if all above; else `inconclusive` |
//! | today's p95, over X by the audit | `as the audit says` if lo > X; `faster` if hi ≤ X; else `inconclusive` |
//! | a generator that is late by more than [`MAX_LAG`] of p95 | what rests on the lower end is `inconclusive`: the lag is in the latency, so what rests on the upper end holds all the more |
//! | a target | the closed and the open loop together: see [`both`]; each at the level at which all figures that the run judges hold together: see [`Load::among`] |

use crate::catalogue::Before;
use crate::estimate::{Estimate, Ratio};
use crate::rules::Judgement;
use crate::student::{t_975, t_quantile};
use crate::verdict::Verdict;

/// Requests below which no p95 is judged: beyond it lie then fewer than ten.
pub const MIN_REQUESTS: u64 = 200;

/// The share of errors above which nothing is judged.
pub const MAX_ERRORS: f64 = 0.001;

/// How far from the audit's figure "about" reaches, as a factor either way.
pub const ABOUT: f64 = 1.5;

/// How late the generator may be (p99), as a share of p95: later, and the latencies are as much
/// the generator's as the service's.
pub const MAX_LAG: f64 = 0.5;

/// What a percentile under load rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// p95, microseconds.
    pub p95: Estimate,
    /// Measured requests.
    pub requests: u64,
    /// Those that were not answered as they should be.
    pub errors: u64,
    /// How late the generator itself was (p99), microseconds, where it can be.
    pub lag_p99: Option<f64>,
}

/// Whether more requests failed than a level may have to be judged.
pub fn failing(errors: u64, requests: u64) -> bool {
    errors as f64 > requests as f64 * MAX_ERRORS
}

impl Load {
    /// The load with its interval at the level at which as many figures as `cells` hold together,
    /// over so many windows.
    #[must_use]
    pub fn among(&self, cells: usize, windows: usize) -> Self {
        let df = windows.saturating_sub(1).max(1);
        let wider = t_quantile(1.0 - 0.025 / cells.max(1) as f64, df) / t_975(df);
        let value = self.p95.value;
        let end = |end: f64| value * (end / value).powf(wider);
        Self {
            p95: Estimate {
                value,
                lo: self.p95.lo.map(end),
                hi: self.p95.hi.map(end),
            },
            ..*self
        }
    }

    /// Whether the latencies are as much the generator's as the service's.
    pub fn late(&self) -> bool {
        self.lag_p99
            .is_some_and(|lag| lag > MAX_LAG * self.p95.value)
    }

    /// Whether more requests failed than a level may have to be judged.
    pub fn failing(&self) -> bool {
        failing(self.errors, self.requests)
    }

    /// p95's interval in milliseconds, without end where it has no upper one, or why nothing is
    /// judged.
    fn bounds_ms(&self) -> Result<(f64, f64), Judgement> {
        let refused = |reason| Err(Judgement::new(Verdict::Inconclusive, reason));
        if self.requests > 0 && self.errors >= self.requests {
            return Err(Judgement::new(Verdict::Fails, "no request was answered"));
        }
        if self.failing() {
            let share = 100.0 * self.errors as f64 / self.requests as f64;
            return refused(format!(
                "{} of {} requests failed ({share:.2} %), and above {} % no latency is judged: \
                 mend the errors first",
                self.errors,
                self.requests,
                100.0 * MAX_ERRORS
            ));
        }
        if self.requests < MIN_REQUESTS {
            return refused(format!(
                "{} requests are too few for a p95: it needs {MIN_REQUESTS}, {} more; run for longer",
                self.requests,
                MIN_REQUESTS - self.requests
            ));
        }
        match (self.p95.lo, self.p95.hi) {
            (Some(lo), hi) => Ok((lo / 1000.0, hi.map_or(f64::INFINITY, |hi| hi / 1000.0))),
            _ => refused(
                "p95 has no interval: it takes two windows or more, none of them without a \
                 request; run for longer"
                    .to_owned(),
            ),
        }
    }

    /// What rests on p95's lower end: the generator's own lag may have put it there.
    fn unless_late(&self, judgement: Judgement) -> Judgement {
        if !self.late() {
            return judgement;
        }
        let ms = |us: f64| us / 1000.0;
        Judgement::new(
            Verdict::Inconclusive,
            format!(
                "{}, but the generator itself was {:.2} ms late (p99), more than half of a p95 of \
                 {:.2} ms: lower the rate, or give it a machine of its own",
                judgement.reason,
                ms(self.lag_p99.unwrap_or_default()),
                ms(self.p95.value)
            ),
        )
    }
}

/// Judges a p95 goal in milliseconds.
pub fn goal(load: &Load, goal_ms: f64) -> Judgement {
    match load.bounds_ms() {
        Err(refusal) => refusal,
        Ok((lo, _)) if lo >= goal_ms => load.unless_late(Judgement::new(
            Verdict::FallsShort,
            format!("p95 surely is not below {goal_ms} ms"),
        )),
        Ok((_, hi)) if hi < goal_ms => Judgement::new(
            Verdict::Confirmed,
            format!("p95 surely is below {goal_ms} ms"),
        ),
        Ok(_) => Judgement::new(
            Verdict::Inconclusive,
            format!("the interval holds {goal_ms} ms: run for longer"),
        ),
    }
}

/// Judges what the audit says p95 is today, in milliseconds.
pub fn before(load: &Load, before_ms: f64, is: Before) -> Judgement {
    let (lo, hi) = match load.bounds_ms() {
        Err(refusal) => return refusal,
        Ok(bounds) => bounds,
    };
    let (faster, slower, as_said) = match is {
        Before::About => {
            let (floor, ceiling) = (before_ms / ABOUT, before_ms * ABOUT);
            (hi < floor, lo > ceiling, lo >= floor && hi <= ceiling)
        }
        Before::Over => (hi <= before_ms, false, lo > before_ms),
    };
    if faster {
        Judgement::new(Verdict::FasterThanSaid, "surely faster than the audit says")
    } else if slower {
        load.unless_late(Judgement::new(
            Verdict::SlowerThanSaid,
            "surely slower than the audit says",
        ))
    } else if as_said {
        load.unless_late(Judgement::new(Verdict::AsSaid, "as slow as the audit says"))
    } else {
        Judgement::new(
            Verdict::Inconclusive,
            "the interval does not decide whether today is as slow as the audit says: run for longer",
        )
    }
}

/// Whether a goal surely holds at a level of load.
pub fn holds(load: &Load, goal_ms: f64) -> bool {
    goal(load, goal_ms).verdict == Verdict::Confirmed
}

/// Whether a goal surely does not hold at a level of load, or too much fails to tell: the search
/// for the largest load ends there.
pub fn breaks(load: &Load, goal_ms: f64) -> bool {
    let open = matches!(
        goal(load, goal_ms).verdict,
        Verdict::Confirmed | Verdict::Inconclusive
    );
    !open || load.failing()
}

/// One target in both loops: what either surely misses is missed, and only what both agree on is
/// given. A loop that was not measured decides nothing.
pub fn both(closed: Option<&Judgement>, open: Option<&Judgement>) -> Judgement {
    let loops = [("closed loop", closed), ("open loop", open)];
    let told = |(name, judgement): &(&str, &Judgement)| {
        Judgement::new(judgement.verdict, format!("{name}: {}", judgement.reason))
    };
    let measured: Vec<_> = loops
        .iter()
        .filter_map(|(name, judgement)| Some((*name, (*judgement)?)))
        .collect();
    for bad in [Verdict::Wrong, Verdict::Fails, Verdict::FallsShort] {
        if let Some(found) = measured.iter().find(|(_, j)| j.verdict == bad) {
            return told(found);
        }
    }
    if let Some((name, _)) = loops.iter().find(|(_, judgement)| judgement.is_none()) {
        return Judgement::new(
            Verdict::Inconclusive,
            format!(
                "the {name} was not measured where the target is judged, and both have to hold it"
            ),
        );
    }
    let open_questions = |(_, j): &&(&str, &Judgement)| j.verdict == Verdict::Inconclusive;
    if let Some(found) = measured.iter().find(open_questions) {
        return told(found);
    }
    match measured[..] {
        [(_, one), (_, other)] if one.verdict == other.verdict => {
            Judgement::new(one.verdict, format!("{}, in both loops", one.reason))
        }
        _ => Judgement::new(
            Verdict::Inconclusive,
            measured
                .iter()
                .map(|(name, j)| format!("{name}: {}", j.reason))
                .collect::<Vec<_>>()
                .join("; "),
        ),
    }
}

/// What a ratio of two sides comes to in a word.
pub fn standing(ratio: Ratio) -> &'static str {
    if ratio.lo > 1.0 {
        "faster"
    } else if ratio.hi < 1.0 {
        "slower"
    } else {
        "no difference shown"
    }
}
