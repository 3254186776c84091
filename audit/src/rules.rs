//! Every border between two verdicts, in one file; those under load are in [`crate::load_rules`].
//!
//! | what is judged | verdicts, in the order in which they are tried |
//! |---|---|
//! | a speed-up of [lo, hi], measured with the interval [a, b] | `regression` if b < 1; `no effect` if 1 is inside and b − a < 0.1; `falls short` if a > 1 and b < lo; `exceeded` if a > hi; `confirmed` if a ≥ lo; else `inconclusive` |
//! | a ratio of counters r, promised [lo, hi] | see [`counter_ratio`] |
//! | a count per call, promised to fall | see [`count`] |
//! | a share of today's avoided | see [`share`] |
//! | the answers, before any figure that rests on them | `wrong` if one is: see [`wrong_answers`] |
//! | a baseline against itself | `no effect` as a speed-up of [1, ∞]; else `inconclusive` |
//! | growth from today's order to the fixed one | see [`growth`] |

use crate::evidence::{Answers, Ratio};
use crate::promise::Order;
use crate::verdict::Verdict;

/// The slope up to which work counts as O(1). Over three decades O(log n) has a slope of about
/// 0.13, and an index one level deeper one of that order: the two cannot be told apart here,
/// and neither matters beside O(n).
pub const CONSTANT: f64 = 0.15;

/// The slope up to which work counts as O(log n): its own slope where it is steepest on the
/// ladder, 1 ÷ ln 100 = 0.22, and a little room.
pub const LOGARITHMIC: f64 = 0.25;

/// The slopes between which work counts as O(n).
pub const LINEAR: (f64, f64) = (0.8, 1.2);

/// A verdict with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, and what is missing when it is inconclusive.
    pub reason: String,
}

impl Judgement {
    pub(crate) fn new(verdict: Verdict, reason: impl Into<String>) -> Self {
        Self {
            verdict,
            reason: reason.into(),
        }
    }
}

/// Judges a promised speed-up of `lo` to `hi` times.
pub fn speed_up(measured: Ratio, lo: f64, hi: f64) -> Judgement {
    if let Some(judgement) = not_faster(measured) {
        return judgement;
    }
    let Ratio { lo: a, hi: b, .. } = measured;
    if a > 1.0 && b < lo {
        Judgement::new(
            Verdict::FallsShort,
            format!("faster than today, but surely by less than {lo}x"),
        )
    } else if a > hi {
        Judgement::new(Verdict::Exceeded, format!("surely more than {hi}x"))
    } else if a >= lo {
        Judgement::new(Verdict::Confirmed, format!("surely at least {lo}x"))
    } else {
        let border = if a <= 1.0 && b >= lo && lo > 1.0 {
            format!("both 1x (no gain) and {lo}x")
        } else if a > 1.0 {
            format!("{lo}x")
        } else {
            "a loss and a gain".to_owned()
        };
        Judgement::new(
            Verdict::Inconclusive,
            format!(
                "the interval does not decide about {border}: measure for longer, or on a quieter machine"
            ),
        )
    }
}

/// One wrong answer, and whatever else was measured of it is `wrong`: a variant's gains, or a
/// flow on one side at every load. The other side's figures stand by themselves.
pub fn wrong_answers(answers: &Answers) -> Option<Judgement> {
    (answers.differing > 0).then(|| {
        let first = answers.first_difference.as_deref();
        Judgement::new(
            Verdict::Wrong,
            format!(
                "{} of {} answers are wrong, first {}",
                answers.differing,
                answers.checked,
                first.unwrap_or("unknown")
            ),
        )
    })
}

fn not_faster(ratio: Ratio) -> Option<Judgement> {
    let Ratio { lo, hi, .. } = ratio;
    if hi < 1.0 {
        return Some(Judgement::new(
            Verdict::Regression,
            "surely slower than today",
        ));
    }
    (lo <= 1.0 && hi - lo < 0.1).then(|| {
        Judgement::new(
            Verdict::NoEffect,
            format!(
                "as fast as today, to within {:.1} %",
                100.0 * (hi.max(1.0 / lo) - 1.0)
            ),
        )
    })
}

/// A slope of log work on log size with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

impl Interval {
    /// The order that the whole interval lies in, if any. Work that shrinks counts as O(1).
    pub fn order(self) -> Option<Order> {
        if self.hi <= CONSTANT {
            Some(Order::Constant)
        } else if self.lo >= 0.0 && self.hi <= LOGARITHMIC {
            Some(Order::Logarithmic)
        } else if self.lo >= LINEAR.0 && self.hi <= LINEAR.1 {
            Some(Order::Linear)
        } else {
            None
        }
    }

    /// Whether it surely grows more than an order allows.
    pub fn exceeds(self, order: Order) -> bool {
        self.lo > band(order).1
    }

    /// Whether it surely grows no more than that.
    pub fn keeps_to(self, order: Order) -> bool {
        self.hi <= band(order).1
    }
}

/// The band of slopes that an order allows.
fn band(order: Order) -> (f64, f64) {
    match order {
        Order::Constant => (f64::NEG_INFINITY, CONSTANT),
        Order::Logarithmic => (f64::NEG_INFINITY, LOGARITHMIC),
        Order::Linear => LINEAR,
    }
}

/// Judges a promise that work growing as `today` grows as `fixed` instead.
///
/// - today is below its band (it never grew as the audit says): `regression` if the variant
///   lies above today, `no effect` if it keeps to the fixed order as today does, else
///   `inconclusive`;
/// - today straddles its band's lower end: `inconclusive`;
/// - today is in its band or above it: `confirmed` if the variant lies in the fixed band;
///   `regression` if it lies above today and above today's band; `no effect` if it lies in
///   today's band or overlaps today beyond it; `falls short` if it lies between the two bands;
///   else `inconclusive`.
pub fn growth(baseline: Interval, variant: Interval, today: Order, fixed: Order) -> Judgement {
    let (floor, ceiling) = band(today);
    let (_, promised) = band(fixed);
    let kept = variant.hi <= promised;
    if baseline.hi < floor {
        return if variant.lo > baseline.hi && variant.lo > promised {
            Judgement::new(Verdict::Regression, "work grows more than it does today")
        } else if kept && baseline.hi <= promised {
            Judgement::new(
                Verdict::NoEffect,
                format!("today's work already keeps to {fixed}: the audit's {today} is not there"),
            )
        } else {
            Judgement::new(
                Verdict::Inconclusive,
                format!("today's work grows less than {today}, so there is no such growth to mend"),
            )
        };
    }
    if baseline.lo < floor {
        return Judgement::new(
            Verdict::Inconclusive,
            format!(
                "today's slope is too uncertain to call {today}: measure more rungs, or a counter without a fixed part"
            ),
        );
    }
    if kept {
        Judgement::new(
            Verdict::Confirmed,
            format!("today's work grows as {today}, the variant's keeps to {fixed}"),
        )
    } else if variant.lo > ceiling && variant.lo > baseline.hi {
        Judgement::new(Verdict::Regression, "work grows more than it does today")
    } else if variant.lo >= floor && (variant.hi <= ceiling || variant.lo <= baseline.hi) {
        Judgement::new(
            Verdict::NoEffect,
            format!("the variant's work grows as today's, {today}"),
        )
    } else if variant.lo > promised && variant.hi < floor {
        Judgement::new(
            Verdict::FallsShort,
            format!("work grows less than today, but more than {fixed}"),
        )
    } else {
        Judgement::new(
            Verdict::Inconclusive,
            format!(
                "the variant's slope is too uncertain to tell {fixed} from more: measure more rungs"
            ),
        )
    }
}

/// Judges a promised ratio of `lo` to `hi` of a counter, which has no noise: `regression` if the
/// variant counts more than today; `no effect` if as much; `falls short` below `lo`; `exceeded`
/// above `hi`; else `confirmed`. To nothing from something is more than any ratio.
pub fn counter_ratio(today: f64, variant: f64, lo: f64, hi: f64) -> Judgement {
    if variant > today {
        return Judgement::new(Verdict::Regression, "more than today");
    }
    if variant == today {
        return Judgement::new(Verdict::NoEffect, "exactly as much as today");
    }
    let ratio = today / variant;
    if ratio < lo {
        Judgement::new(
            Verdict::FallsShort,
            format!("less than today, but by less than {lo}x"),
        )
    } else if ratio > hi {
        Judgement::new(Verdict::Exceeded, format!("more than {hi}x"))
    } else {
        Judgement::new(Verdict::Confirmed, "counted, not estimated")
    }
}

/// Judges a promised fall of a count per call from `says` to `promised`: `regression` if the
/// variant counts more than today; `no effect` if as much; `exceeded` below `promised`,
/// `confirmed` at it; else `falls short`. Where today's count is not what the audit says, the
/// reason says so.
pub fn count(today: f64, variant: f64, says: f64, promised: f64) -> Judgement {
    let mut judgement = if variant > today {
        Judgement::new(Verdict::Regression, "more than today")
    } else if variant == today {
        Judgement::new(Verdict::NoEffect, "exactly as many as today")
    } else if variant > promised {
        Judgement::new(
            Verdict::FallsShort,
            format!("fewer than today, but more than {promised}"),
        )
    } else if variant < promised {
        Judgement::new(Verdict::Exceeded, format!("fewer than {promised}"))
    } else {
        Judgement::new(Verdict::Confirmed, "counted, not estimated")
    };
    if today != says {
        judgement.reason = format!("{}; today makes {today}, not {says}", judgement.reason);
    }
    judgement
}

/// Judges a promised share of today's that is avoided, from `lo` to `hi`: `inconclusive` where
/// today has none; `regression` if the variant counts more than today; `no effect` if as much;
/// `falls short` below `lo`; `exceeded` above `hi`; else `confirmed`.
pub fn share(today: f64, variant: f64, lo: f64, hi: f64) -> Judgement {
    if today <= 0.0 {
        return Judgement::new(
            Verdict::Inconclusive,
            "today has none of it, so there is nothing to avoid",
        );
    }
    let avoided = 1.0 - variant / today;
    if avoided < 0.0 {
        Judgement::new(Verdict::Regression, "more than today")
    } else if avoided == 0.0 {
        Judgement::new(Verdict::NoEffect, "exactly as much as today")
    } else if avoided < lo {
        Judgement::new(
            Verdict::FallsShort,
            format!("some is avoided, but less than {:.0} %", lo * 100.0),
        )
    } else if avoided > hi {
        Judgement::new(
            Verdict::Exceeded,
            format!("more than {:.0} % is avoided", hi * 100.0),
        )
    } else {
        Judgement::new(Verdict::Confirmed, "counted, not estimated")
    }
}
