//! What a promise on time comes to at one place: the verdict, what would decide where it is
//! open, and what a gain is made of.

use crate::at::At;
use crate::counter::{Counter, Quantity};
use crate::estimate::Ratio;
use crate::evidence::{PlanMode, VariantEvidence};
use crate::latency::{Latency, Longer};
use crate::rules::{self, Judgement};
use crate::verdict::Verdict;

/// What was promised of a ratio of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promised {
    pub of: Quantity,
    pub lo: f64,
    pub hi: f64,
}

impl Latency {
    /// The ratio of a kind of time, with the rounds that its interval rests on: its own, or its
    /// zero's where those are fewer.
    fn ratio_of(&self, of: Quantity) -> Option<(Ratio, usize)> {
        let (ratio, rounds, zero) = match of {
            Quantity::Time => (self.ratio?, self.rounds, self.zero),
            Quantity::P95 => (self.p95_ratio?, self.p95_rounds, self.p95_zero),
            Quantity::Counter(_) => return None,
        };
        Some((ratio, zero.map_or(rounds, |zero| rounds.min(zero.rounds))))
    }

    /// The ratio of a kind of time with the interval that a verdict rests on, in a run that judges
    /// so many figures.
    fn judged_among(&self, of: Quantity, cells: usize) -> Option<Ratio> {
        let (ratio, rounds) = self.ratio_of(of)?;
        Some(ratio.judged(cells, rounds, self.floor))
    }

    /// Notes what a verdict rests on, in a run that judges so many figures.
    pub(crate) fn rest_on(&mut self, cells: usize) {
        self.judged = self.judged_among(Quantity::Time, cells);
        self.p95_judged = self.judged_among(Quantity::P95, cells);
        self.smallest_effect = self.judged.map(|judged| judged.smallest_effect());
    }

    /// How much longer would decide about a promise that is open; none where it is not, or where
    /// no length of a run would.
    pub(crate) fn longer(&self, promised: Promised, cells: usize) -> Option<Longer> {
        let (ratio, rounds) = self.ratio_of(promised.of)?;
        let decided = |ratio| {
            let judgement = rules::speed_up(ratio, promised.lo, promised.hi);
            judgement.verdict != Verdict::Inconclusive
        };
        if decided(ratio.judged(cells, rounds, self.floor)) {
            return None;
        }
        let needed = ratio.rounds_to_decide((cells, rounds, self.floor), decided)?;
        let times = needed as f64 / rounds.max(1) as f64;
        Some(Longer {
            rounds: (self.rounds as f64 * times).ceil() as usize,
            seconds: self.seconds * times,
        })
    }
}

/// Judges a promise on time by what was timed; none where there is no such ratio.
pub(crate) fn judge(
    latency: &Latency,
    promised: Promised,
    cells: usize,
) -> Option<(Ratio, Judgement)> {
    let (shown, _) = latency.ratio_of(promised.of)?;
    let judged = latency.judged_among(promised.of, cells)?;
    let mut judgement = rules::speed_up(judged, promised.lo, promised.hi);
    let alone = shown.widened(latency.floor);
    if judgement.verdict == Verdict::NoEffect && !alone.holds(1.0) {
        judgement = Judgement::new(
            Verdict::Inconclusive,
            "by itself the interval excludes 1, and among all ratios of the run that is not sure enough: measure for longer",
        );
    }
    if judgement.verdict == Verdict::Inconclusive {
        judgement.reason.push_str(&match latency.longer(promised, cells) {
            Some(longer) => format!(
                "; about {} rounds in place of {} would decide, {} in place of {}",
                longer.rounds,
                latency.rounds,
                time(longer.seconds * 1e6),
                time(latency.seconds * 1e6)
            ),
            None if latency.floor > 0.0 => format!(
                "; no length of this run would decide, since copies of the database may be {:.1} % apart",
                100.0 * latency.floor
            ),
            None => "; it lies on the border, and no length of a run would decide".to_owned(),
        });
    }
    let by_itself = rules::speed_up(shown, promised.lo, promised.hi).verdict;
    if by_itself != judgement.verdict {
        judgement.reason.push_str(&format!(
            "; {shown} by itself would be {by_itself}, and the verdict rests on {judged}, {}",
            match latency.floor {
                floor if floor > 0.0 => format!(
                    "at which all figures of the run hold together and copies of the database may be {:.1} % apart",
                    100.0 * floor
                ),
                _ => "at which all figures of the run hold together".to_owned(),
            }
        ));
    }
    let tail = latency.judged_among(Quantity::P95, cells);
    let slower_tail = tail.is_some_and(|tail| tail.hi < 1.0);
    if judged.lo > 1.0 && slower_tail {
        judgement
            .reason
            .push_str("; quicker as a rule and slower in the tail: see the ratio of p95");
    }
    Some((shown, judgement))
}

/// Judges today against itself, as if any gain at all were promised. Whatever it differs by is
/// noise: no gain, and no regression.
pub(crate) fn judge_self(latency: &Latency, cells: usize) -> Option<(Ratio, Judgement)> {
    let any_gain = Promised {
        of: Quantity::Time,
        lo: 1.0,
        hi: f64::INFINITY,
    };
    let (shown, judgement) = judge(latency, any_gain, cells)?;
    let judgement = match judgement.verdict {
        Verdict::NoEffect | Verdict::Inconclusive => judgement,
        _ => Judgement::new(
            Verdict::Inconclusive,
            format!(
                "{}, where there is no difference: as much of any ratio may be noise",
                judgement.reason
            ),
        ),
    };
    Some((shown, judgement))
}

/// Bytes of log that a transaction which wrote leaves at least; reads leave less, by tidying up.
const COMMIT_RECORD: f64 = 34.0;

/// What a gain is made of: the engine's own time, and what is saved beside it; none where there
/// is no gain that is surer than a verdict has to be, or the engine's time, which is taken in
/// other moments, is not known or more than a whole call took. Where a call commits, what is
/// beside the engine's time has no price for each round trip: the commit is most of it.
pub fn gain(
    latency: &Latency,
    baseline: &VariantEvidence,
    variant: &VariantEvidence,
) -> Option<String> {
    let engine = latency.engine?;
    let surely = 1.0 + latency.smallest_effect.unwrap_or(0.0);
    let ratio = latency
        .ratio
        .filter(|ratio| ratio.lo > 1.0 && ratio.value > surely)?;
    let [today, now] = [latency.baseline?.p50, latency.variant.p50];
    let engine_today = engine.baseline_us?;
    if engine_today > today || engine.variant_us > now {
        return None;
    }
    let saved = today * (1.0 - 1.0 / ratio.value);
    let own = engine_today - engine.variant_us;
    let share = match own {
        own if own <= 0.0 => "none".to_owned(),
        own if own >= saved => "all".to_owned(),
        own => time(own),
    };
    let mut words = format!("of {} saved, {share} is the engine's own time", time(saved));
    if own > 0.0 && engine.variant_us > 0.0 {
        let times = engine_today / engine.variant_us;
        words.push_str(&format!(", {times:.1}x by its clock"));
    }
    let fewer = |counter| {
        let of = |side| counted(side, latency, counter);
        let fewer = (of(baseline)? - of(variant)?).round();
        (fewer > 0.0).then_some(fewer)
    };
    let statements = fewer(Counter::Statements).unwrap_or(0.0);
    let trips = fewer(Counter::WireTurns).unwrap_or(statements);
    let wal = counted(variant, latency, Counter::WalBytes);
    let commits = wal.is_some_and(|bytes| bytes >= COMMIT_RECORD);
    if trips > 0.0 && own < saved {
        let each = (saved - own.max(0.0)) / trips;
        let kind = |fewer: f64, name: &str| {
            let plural = if fewer == 1.0 { "" } else { "s" };
            let took = match commits {
                true => String::new(),
                false => format!(" ({})", time(fewer * each)),
            };
            (fewer > 0.0).then(|| format!("{fewer} {name}{plural}{took}"))
        };
        let pings = trips - statements;
        let kinds = [kind(statements, "statement"), kind(pings, "ping")];
        let kinds: Vec<String> = kinds.into_iter().flatten().collect();
        let kinds = kinds.join(" and ");
        words.push_str(&match commits {
            true => format!("; {kinds} fewer, and a commit that took another time, are the rest"),
            false => format!("; {kinds} fewer make up the rest, at {} each", time(each)),
        });
    }
    words.push_str(&format!(
        "; of the {} left, {} are the {}wire and the client",
        time(now),
        time(now - engine.variant_us),
        if commits { "commit, the " } else { "" }
    ));
    Some(words)
}

/// What a side counts where something was timed, or at the same rung where nothing is counted
/// with more callers or on a slower line.
pub(crate) fn counted(side: &VariantEvidence, latency: &Latency, counter: Counter) -> Option<f64> {
    [latency.at, At::rung(latency.at.n)]
        .into_iter()
        .find_map(|at| {
            let mut work = side.work.iter();
            let here = work.find(|work| {
                work.operation == latency.operation
                    && work.at == at
                    && work.plan_mode == PlanMode::Auto
            })?;
            here.counters.get(&counter).copied()
        })
}

/// A time in its natural unit.
fn time(us: f64) -> String {
    match us {
        us if us < 1_000.0 => format!("{us:.0} µs"),
        us if us < 10_000.0 => format!("{:.1} ms", us / 1e3),
        us if us < 1e6 => format!("{:.0} ms", us / 1e3),
        us if us < 10e6 => format!("{:.1} s", us / 1e6),
        us if us < 600e6 => format!("{:.0} s", us / 1e6),
        us => format!("{:.0} min", us / 60e6),
    }
}
