//! The load's rules applied to its evidence: rows, ratios of the sides, targets, capacity.

use crate::catalogue::{Catalogue, Target};
use crate::estimate::{Estimate, Ratio};
use crate::evidence::Percentiles;
use crate::flow_evidence::{Capacity, Compared, FlowEvidence, FlowRatio, TargetEvidence};
use crate::load_rules::{self, Load};
use crate::names::Side;
use crate::ratio::{Block, RatioError, ratio_of};
use crate::rules::Judgement;
use crate::verdict::Verdict;

/// The open loop's part of the slower side's closed throughput at which targets are judged.
pub const OPEN_SHARE: f64 = 0.5;

/// Pairs of windows below which no ratio is given; the fewer there are, the wider it is.
pub const MIN_WINDOWS: usize = 3;

/// Judges one side of a flow: the optimized one by the audit's goal, the baseline by its
/// "before" figure.
pub fn judge_flow(flow: &Target, side: Side, load: &Load) -> Judgement {
    match side {
        Side::Optimized => load_rules::goal(load, flow.goal_ms),
        Side::Baseline => load_rules::before(load, flow.before_ms, flow.before_is),
    }
}

impl FlowEvidence {
    /// What the row is judged by: its p95 or, where that is more, how long at any instant the next
    /// answer to anybody took.
    pub fn load(&self) -> Load {
        let p95 = match self.standing_p95 {
            None => self.p95,
            Some(standing) => Estimate {
                value: self.p95.value.max(standing.value),
                lo: self.p95.lo.zip(standing.lo).map(|(a, b)| a.max(b)),
                hi: self.p95.hi.zip(standing.hi).map(|(a, b)| a.max(b)),
            },
        };
        Load {
            p95,
            requests: self.requests,
            errors: self.errors,
            lag_p99: self.generator_lag_p99,
        }
    }

    fn judgement(&self) -> Judgement {
        Judgement {
            verdict: self.verdict,
            reason: self.reason.clone(),
        }
    }
}

/// The largest load at which a flow's goal holds on one side, and at no smaller one measured is
/// known to break, or fails too often to be judged; a level that decides nothing else is passed
/// over.
/// `rows` may hold other flows and sides; the fit and the projection are the caller's to add.
pub fn largest_holding(flow: &Target, side: Side, rows: &[FlowEvidence]) -> Capacity {
    let id = flow.id;
    let mine = || rows.iter().filter(|row| row.id == id && row.side == side);
    let mut users: Vec<_> = mine().filter_map(|row| Some((row.users?, row))).collect();
    users.sort_by_key(|(users, _)| *users);
    let mut rates: Vec<_> = mine().filter_map(|row| Some((row.rate?, row))).collect();
    rates.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let goal = |row: &FlowEvidence| load_rules::goal(&row.load(), flow.goal_ms).verdict;
    let unbroken = |row: &FlowEvidence| {
        let undecided = matches!(goal(row), Verdict::Confirmed | Verdict::Inconclusive);
        undecided && !row.load().failing()
    };
    let holds = |row: &FlowEvidence| goal(row) == Verdict::Confirmed;
    let max_users = users.iter().take_while(|(_, row)| unbroken(row));
    let max_users = max_users.filter(|(_, row)| holds(row)).last();
    let max_rate = rates.iter().take_while(|(_, row)| unbroken(row));
    let max_rate = max_rate.filter(|(_, row)| holds(row)).last();
    Capacity {
        max_users: max_users.map(|(users, _)| *users),
        max_rate: max_rate.map(|(rate, _)| *rate),
        usl: None,
        projection: None,
        id,
        side,
    }
}

/// Compares two sides at one level by the percentiles of their windows, in the order in which they
/// were measured: windows of the same place are a pair.
pub fn compare(
    of: Compared,
    row: &FlowEvidence,
    baseline: &[Percentiles],
    other: &[Percentiles],
) -> FlowRatio {
    let over_pairs = |figure: fn(&Percentiles) -> f64| {
        let pairs: Vec<Vec<Block>> = baseline
            .iter()
            .zip(other)
            .map(|(baseline, other)| {
                vec![Block {
                    baseline_ns: figure(baseline) * 1000.0,
                    variant_ns: figure(other) * 1000.0,
                }]
            })
            .collect();
        ratio_of(&pairs, MIN_WINDOWS)
    };
    let (p50, p95) = (over_pairs(|p| p.p50), over_pairs(|p| p.p95));
    let says = match (&p50, &p95) {
        (Ok(_), Ok(_)) => String::new(),
        (Err(error), _) | (_, Err(error)) => match error {
            RatioError::TooFewRounds { .. } => {
                format!("no ratio: it takes {MIN_WINDOWS} windows of each side or more")
            }
            RatioError::EmptyRound { round } => {
                format!("no ratio: window {} has no request", round + 1)
            }
        },
    };
    FlowRatio {
        id: row.id,
        users: row.users,
        rate: row.rate,
        of,
        windows: baseline.len().min(other.len()),
        p50: p50.ok(),
        p95: p95.ok(),
        says,
    }
}

/// Says of each ratio what it comes to, beside what the same run's one side differs by from itself:
/// that of the same flow where there is one, else the largest.
pub fn judge_ratios(ratios: &mut [FlowRatio]) {
    let itself: Vec<FlowRatio> = ratios
        .iter()
        .filter(|ratio| ratio.of == Compared::Itself)
        .cloned()
        .collect();
    let noise = |of: &FlowRatio, figure: fn(&FlowRatio) -> Option<Ratio>| {
        let farthest = |ratio: Ratio| ratio.hi.max(1.0 / ratio.lo) - 1.0;
        let same = itself.iter().filter(|one| one.id == of.id);
        let of_same = same.filter_map(figure).map(farthest).reduce(f64::max);
        of_same.unwrap_or_else(|| {
            let all = itself.iter().filter_map(figure).map(farthest);
            all.fold(0.0, f64::max)
        })
    };
    // Of each the typical call and p95.
    let of_sides = ratios.iter().filter(|ratio| ratio.of == Compared::Sides);
    let said = 2 * of_sides.count();
    for ratio in ratios {
        let windows = ratio.windows;
        let (Some(p50), Some(p95)) = (ratio.p50, ratio.p95) else {
            continue;
        };
        ratio.says = match ratio.of {
            Compared::Itself => {
                let word = if p50.holds(1.0) && p95.holds(1.0) {
                    "as it should be, no difference is shown"
                } else {
                    "a difference where there is none"
                };
                format!(
                    "{word}: {:.0} % of a typical call and {:.0} % of p95 are noise",
                    100.0 * noise(ratio, |one| one.p50),
                    100.0 * noise(ratio, |one| one.p95)
                )
            }
            Compared::Sides => {
                let typical = load_rules::standing(p50, windows, said, noise(ratio, |one| one.p50));
                let tail = load_rules::standing(p95, windows, said, noise(ratio, |one| one.p95));
                if typical == tail {
                    typical.to_owned()
                } else {
                    format!("typical call {typical}, p95 {tail}")
                }
            }
        };
    }
}

/// Judges the targets of all flows in these rows, and marks the rows that they are judged by: in
/// the closed loop that of the judged number of users, in the open loop the lowest rate that is
/// at least half of the slower side's throughput there, and no more than all of it.
pub fn judge_targets(rows: &mut [FlowEvidence]) -> Vec<TargetEvidence> {
    let audit = Catalogue::builtin();
    let mut targets = Vec::new();
    for target in &audit.targets {
        let users = audit.judged_users;
        let closed = |row: &FlowEvidence| row.id == target.id && row.users == Some(users);
        let slower = rows
            .iter()
            .filter(|row| closed(row))
            .map(|row| row.throughput)
            .reduce(f64::min);
        let rate = slower.and_then(|slower| {
            // A little room for what was rounded.
            let within = |rate: &f64| (OPEN_SHARE * 0.999 * slower..=slower).contains(rate);
            let here = rows.iter().filter(|row| row.id == target.id);
            here.filter_map(|row| row.rate)
                .filter(within)
                .reduce(f64::min)
        });
        for row in rows.iter_mut().filter(|row| row.id == target.id) {
            row.judged = row.users == Some(users) || (row.rate.is_some() && row.rate == rate);
        }
        let mine = rows.iter().filter(|row| row.id == target.id);
        let sides = [Side::Baseline, Side::Optimized];
        for side in sides.into_iter().filter(|_| mine.clone().next().is_some()) {
            let judged = || mine.clone().filter(|row| row.side == side && row.judged);
            let closed = judged().find(|row| row.users.is_some());
            let open = judged().find(|row| row.rate.is_some());
            targets.push(judge_target(target, side, closed, open));
        }
    }
    targets
}

fn judge_target(
    target: &Target,
    side: Side,
    closed: Option<&FlowEvidence>,
    open: Option<&FlowEvidence>,
) -> TargetEvidence {
    let of_each = |judge: &dyn Fn(&FlowEvidence) -> Judgement| {
        let (closed, open) = (closed.map(judge), open.map(judge));
        load_rules::both(closed.as_ref(), open.as_ref())
    };
    let judgement = of_each(&FlowEvidence::judgement);
    let slower = [closed, open].into_iter().flatten().max_by(|a, b| {
        let p95 = |row: &FlowEvidence| row.load().p95;
        let (a, b) = (p95(a), p95(b));
        let end = |p95: Estimate| p95.hi.unwrap_or(p95.value);
        end(a).total_cmp(&end(b))
    });
    let p95 = slower.map(|row| row.load().p95);
    let says = if matches!(judgement.verdict, Verdict::Wrong | Verdict::Fails) {
        format!(
            "{} does not meet this target: {}",
            name(side),
            judgement.verdict
        )
    } else {
        let goal = of_each(&|row| load_rules::goal(&row.load(), target.goal_ms));
        against_goal(side, &goal, p95, target.goal_ms)
    };
    TargetEvidence {
        id: target.id,
        side,
        users: closed.and_then(|row| row.users),
        rate: open.and_then(|row| row.rate),
        p95,
        target_ms: target.target_ms(side),
        verdict: judgement.verdict,
        reason: judgement.reason,
        says,
    }
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Baseline => "today",
        Side::Optimized => "optimized",
    }
}

/// How a side stands to the audit's goal, in a sentence.
fn against_goal(side: Side, goal: &Judgement, p95: Option<Estimate>, goal_ms: f64) -> String {
    let who = name(side);
    let p95_ms = p95.map_or(f64::NAN, |p95| p95.value / 1000.0);
    match goal.verdict {
        Verdict::Confirmed => {
            let times = goal_ms / p95_ms;
            match times {
                t if t >= 9.95 => format!("{who} meets this target {t:.0} times over"),
                t if t >= 1.5 => format!("{who} meets this target {t:.1} times over"),
                t => format!(
                    "{who} meets this target with {:.0} % to spare",
                    100.0 * (1.0 - 1.0 / t)
                ),
            }
        }
        Verdict::FallsShort => format!(
            "{who} misses this target by {:.0} ms: p95 is {p95_ms:.0} ms for {goal_ms} ms",
            p95_ms - goal_ms
        ),
        _ => format!(
            "whether {who} meets this target is not decided: {}",
            goal.reason
        ),
    }
}
