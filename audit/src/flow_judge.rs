//! The load's rules applied to its evidence: rows, targets, capacity.

use crate::catalogue::{Catalogue, Target};
use crate::estimate::Estimate;
use crate::flow_compare::{judge_ratios, said};
use crate::flow_evidence::{Capacity, FlowEvidence, FlowRatio, TargetEvidence};
use crate::load_rules::{self, Load};
use crate::names::Side;
use crate::rules::Judgement;
use crate::verdict::Verdict;

/// The open loop's part of the slower side's closed throughput at which targets are judged.
pub const OPEN_SHARE: f64 = 0.5;

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
                // The larger of both is no smaller than either; how large it may be takes both.
                lo: self.p95.lo.into_iter().chain(standing.lo).reduce(f64::max),
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

    /// The same at the level at which so many figures hold together.
    fn load_among(&self, cells: usize) -> Load {
        self.load().among(cells, self.windows.len())
    }

    /// Judges the row as one of so many figures that hold together; what is wrong stays wrong.
    fn among(&self, cells: usize, judge: impl Fn(&Load) -> Judgement) -> Judgement {
        if matches!(self.verdict, Verdict::Wrong | Verdict::Fails) {
            return Judgement::new(self.verdict, &self.reason);
        }
        let (load, sure) = (self.load(), self.load_among(cells));
        let judgement = judge(&sure);
        let alone = judge(&load).verdict;
        if judgement.verdict == Verdict::Inconclusive && alone != Verdict::Inconclusive {
            let ms = |end: Option<f64>| end.map_or(f64::NAN, |us| us / 1000.0);
            return Judgement::new(
                Verdict::Inconclusive,
                format!(
                    "by itself its interval decides, and among all figures of the run, at {:.2} to \
                     {:.2} ms, that is not sure enough: run for longer",
                    ms(sure.p95.lo),
                    ms(sure.p95.hi)
                ),
            );
        }
        judgement
    }
}

/// Judges a row by its flow's target, where the audit has one; without a target nothing is promised
/// that could be kept or missed.
pub fn judge_row(target: Option<&Target>, side: Side, load: &Load) -> Judgement {
    match target {
        Some(target) => judge_flow(target, side, load),
        None => Judgement::new(
            Verdict::Inconclusive,
            "the audit has no target for it".to_owned(),
        ),
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
    let unbroken = |row: &FlowEvidence| !load_rules::breaks(&row.load(), flow.goal_ms);
    let holds = |row: &FlowEvidence| load_rules::holds(&row.load(), flow.goal_ms);
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

/// Judges all that was measured under load: what the ratios come to in words, and the targets of
/// all flows in these rows. The error is held over all of it and `others`, which is how many
/// figures the run judges beside the load's.
pub fn judge_load(
    rows: &mut [FlowEvidence],
    ratios: &mut [FlowRatio],
    others: usize,
) -> Vec<TargetEvidence> {
    mark_judged(rows);
    let cells = others + cells(rows, ratios);
    judge_ratios(ratios, cells);
    let mut targets = Vec::new();
    for target in &Catalogue::builtin().targets {
        let mine = || rows.iter().filter(|row| row.id == target.id);
        let sides = [Side::Baseline, Side::Optimized];
        for side in sides.into_iter().filter(|_| mine().next().is_some()) {
            let judged = || mine().filter(|row| row.side == side && row.judged);
            let closed = judged().find(|row| row.users.is_some());
            let open = judged().find(|row| row.rate.is_some());
            targets.push(judge_target(target, side, (closed, open), cells));
        }
    }
    targets
}

/// How many figures are judged of what was measured under load, when its rows are marked: of each
/// ratio of the sides the typical call and p95, and each row that a target is judged by.
pub fn cells(rows: &[FlowEvidence], ratios: &[FlowRatio]) -> usize {
    said(ratios) + rows.iter().filter(|row| row.judged).count()
}

/// Marks the rows that targets are judged by: in the closed loop that of the judged number of
/// users, in the open loop the lowest rate that is at least half of the slower side's throughput
/// there, and no more than all of it.
pub fn mark_judged(rows: &mut [FlowEvidence]) {
    let audit = Catalogue::builtin();
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
    }
}

fn judge_target(
    target: &Target,
    side: Side,
    (closed, open): (Option<&FlowEvidence>, Option<&FlowEvidence>),
    cells: usize,
) -> TargetEvidence {
    let of_each = |judge: &dyn Fn(&FlowEvidence) -> Judgement| {
        let (closed, open) = (closed.map(judge), open.map(judge));
        load_rules::both(closed.as_ref(), open.as_ref())
    };
    let judgement = of_each(&|row| row.among(cells, |load| judge_flow(target, side, load)));
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
        let goal = of_each(&|row| row.among(cells, |load| load_rules::goal(load, target.goal_ms)));
        against_goal(side, &goal, p95, target.goal_ms)
    };
    TargetEvidence {
        id: target.id,
        side,
        users: closed.and_then(|row| row.users),
        rate: open.and_then(|row| row.rate),
        p95,
        judged: slower.map(|row| row.load_among(cells).p95),
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
