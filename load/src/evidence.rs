//! From tapes to rows of results with verdicts, and from rows to ratios, targets and capacity.

use std::time::Duration;

use hdrhistogram::Histogram;
use verdict_audit::evidence::{
    Answers, Capacity, Compared, Estimate, FlowEvidence, FlowRatio, FlowStage, Percentiles, Usl,
};
use verdict_audit::flow_compare::compare;
use verdict_audit::flow_judge::{judge_row, largest_holding};
use verdict_audit::quantile::{over_windows, percentiles, quantile};
use verdict_audit::rules::{Judgement, wrong_answers};
use verdict_audit::usl::{Throughput, UslError, project, usl};
use verdict_audit::{FlowId, Side, Target, Verdict, Warning};

use crate::error::{Error, Result};
use crate::tape::{Tape, UNIT, WindowTape};

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
    pub flow: FlowId,
    /// The audit's, where it has one.
    pub target: Option<&'a Target>,
    pub side: Side,
    pub level: Level,
    /// The measured time of one window.
    pub window: Duration,
    pub tape: &'a Tape,
}

const NOTHING: Estimate = Estimate {
    value: 0.0,
    lo: None,
    hi: None,
};

impl Measurement<'_> {
    /// The row, judged by itself: what its answers were is not in it.
    pub fn evidence(&self) -> Result<FlowEvidence> {
        let Self {
            target, side, tape, ..
        } = self;
        let (users, rate) = match self.level {
            Level::Users(users) => (Some(users), None),
            Level::Rate(rate) => (None, Some(rate)),
        };
        let lag = rate.and_then(|_| quantile(&tape.lags, 0.99, UNIT));
        let shares = tape.shares.len();
        let mut row = FlowEvidence {
            id: self.flow,
            side: *side,
            users,
            rate,
            requests: tape.requests(),
            errors: tape.errors,
            duration: self.window.as_secs_f64() * tape.windows.len() as f64,
            throughput: tape.throughput(self.window),
            p50: NOTHING,
            p95: NOTHING,
            p99: NOTHING,
            standing_p95: None,
            generator_lag_p99: lag.map(|lag| lag.value),
            generator_share: (shares > 0).then(|| tape.shares.iter().sum::<f64>() / shares as f64),
            target_ms: target.map(|target| target.target_ms(*side)),
            verdict: Verdict::Inconclusive,
            reason: String::new(),
            judged: false,
            mean: 0.0,
            stages: Vec::new(),
            windows: Vec::new(),
        };
        fill(&mut row, &tape.windows)?;
        judge(&mut row, *target, None);
        Ok(row)
    }

    /// The row, judged with what its answers came to, and with what else a reader must know.
    pub fn held_to(&self, answers: &Answers, about: &str) -> Result<FlowEvidence> {
        let mut row = self.evidence()?;
        judge(&mut row, self.target, wrong_answers(answers));
        if let Some(error) = &self.tape.first_error {
            row.reason = format!("{}; first error: {error}", row.reason);
        }
        row.reason = format!("{}; {about}", row.reason);
        Ok(row)
    }
}

/// The percentiles of a row, and the windows behind them.
pub(crate) fn fill(row: &mut FlowEvidence, windows: &[WindowTape]) -> Result<()> {
    let latencies: Vec<_> = windows.iter().map(|window| &window.latencies).collect();
    let at = |p| over_windows(&latencies, p, UNIT).unwrap_or(NOTHING);
    (row.p50, row.p95, row.p99) = (at(0.50), at(0.95), at(0.99));
    if row.users.is_some() {
        let standing: Vec<_> = windows.iter().map(|window| &window.standing).collect();
        row.standing_p95 = over_windows(&standing, 0.95, UNIT);
    }
    row.mean = mean(&latencies);
    row.stages = stages(windows);
    row.windows = windows
        .iter()
        .map(WindowTape::stored)
        .collect::<std::result::Result<_, _>>()
        .map_err(|reason| Error::Unwritable {
            row: name(row),
            reason,
        })?;
    Ok(())
}

/// The mean of all that several histograms hold.
fn mean(of: &[&Histogram<u64>]) -> f64 {
    let count: u64 = of.iter().map(|one| one.len()).sum();
    let total: f64 = of.iter().map(|one| one.mean() * one.len() as f64).sum();
    total / count.max(1) as f64
}

/// What each stage took over all windows.
fn stages(windows: &[WindowTape]) -> Vec<FlowStage> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in windows.iter().flat_map(|window| &window.stages) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let answered: u64 = windows.iter().map(|window| window.latencies.len()).sum();
    let stage = |name: &str| {
        let all = windows.iter().flat_map(|window| &window.stages);
        let times: Vec<_> = all
            .filter(|(of, _)| of == name)
            .map(|(_, times)| times)
            .collect();
        let named: u64 = times.iter().map(|times| times.len()).sum();
        let at = |p| over_windows(&times, p, UNIT).unwrap_or(NOTHING);
        FlowStage {
            name: name.to_owned(),
            mean: mean(&times) * named as f64 / answered.max(1) as f64,
            p50: at(0.50),
            p95: at(0.95),
        }
    };
    names.into_iter().map(stage).collect()
}

/// The windows behind a row.
pub(crate) fn read(row: &FlowEvidence) -> Result<Vec<WindowTape>> {
    let unreadable = |reason| Error::Histogram {
        what: "read",
        row: name(row),
        reason,
    };
    let windows = row
        .windows
        .iter()
        .map(WindowTape::read)
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    let held: u64 = windows.iter().map(|window| window.latencies.len()).sum();
    if held != row.requests {
        return Err(unreadable(format!(
            "it holds {held} latencies of {} requests",
            row.requests
        )));
    }
    Ok(windows)
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

/// Judges a row: by the audit's rules, after what voids it.
pub(crate) fn judge(row: &mut FlowEvidence, target: Option<&Target>, wrong: Option<Judgement>) {
    let judgement = wrong.unwrap_or_else(|| judge_row(target, row.side, &row.load()));
    (row.verdict, row.reason) = (judgement.verdict, judgement.reason);
}

/// The two sides against each other, at every level at which both were measured.
pub(crate) fn ratios(rows: &[FlowEvidence]) -> Result<Vec<FlowRatio>> {
    let of = |side| rows.iter().filter(move |row| row.side == side);
    let mut ratios = Vec::new();
    for today in of(Side::Baseline) {
        let same = |row: &&FlowEvidence| {
            (row.id, row.users, row.rate) == (today.id, today.users, today.rate)
        };
        let Some(other) = of(Side::Optimized).find(same) else {
            continue;
        };
        let figures = |row| Ok::<_, Error>(each(&read(row)?));
        let mut ratio = compare(Compared::Sides, today, &figures(today)?, &figures(other)?);
        unless_void(&mut ratio, [today, other]);
        ratios.push(ratio);
    }
    Ok(ratios)
}

/// Takes from a ratio what does not hold, for what is wrong with the rows behind it.
pub(crate) fn unless_void(ratio: &mut FlowRatio, rows: [&FlowEvidence; 2]) {
    let void = if rows.iter().any(|row| row.verdict == Verdict::Wrong) {
        "answers are wrong"
    } else if rows.iter().any(|row| row.load().failing()) {
        "requests failed"
    } else if rows.iter().any(|row| row.load().late()) {
        "the generator itself was late"
    } else {
        return;
    };
    (ratio.p50, ratio.p95) = (None, None);
    ratio.says = format!("no ratio: {void}");
}

/// The percentiles of each window.
pub(crate) fn each(windows: &[WindowTape]) -> Vec<Percentiles> {
    let figures = |window: &WindowTape| percentiles(&window.latencies, UNIT);
    windows.iter().map(figures).collect()
}

/// Capacity of one flow on one side, with the law fitted to the throughput of the windows; a
/// warning when it cannot be fitted.
pub(crate) fn capacity(
    (id, target): (FlowId, Option<&Target>),
    side: Side,
    rows: &[FlowEvidence],
    windows: &[Throughput],
    seed: u64,
) -> (Capacity, Option<Warning>) {
    let sound: Vec<FlowEvidence> = rows
        .iter()
        .filter(|row| row.verdict != Verdict::Wrong)
        .cloned()
        .collect();
    let mut capacity = match target {
        Some(target) => largest_holding(target, side, &sound),
        None => Capacity {
            id,
            side,
            max_users: None,
            max_rate: None,
            usl: None,
            projection: None,
        },
    };
    let busy: Vec<Throughput> = windows
        .iter()
        .copied()
        .filter(|window| window.rate > 0.0)
        .collect();
    let fitted: std::result::Result<Usl, UslError> = usl(&busy, seed);
    let mut warning = None;
    match fitted {
        Ok(fitted) => {
            capacity.projection = target.and_then(|target| target.demand).map(|demand| {
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
                of: format!("no capacity fit for {id} {side}"),
                reason: error.to_string(),
            });
        }
    }
    (capacity, warning)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use verdict_audit::Catalogue;

    use super::*;
    use crate::tape::Measured;

    fn target() -> &'static Target {
        Catalogue::builtin().target(FlowId::History).unwrap()
    }

    /// Windows of alike requests.
    fn tape(windows: &[(u32, Duration)], lag: Duration) -> Tape {
        let mut tape = Tape::new(1);
        for (requests, latency) in windows {
            tape.next_window();
            let window = Measured {
                from: Instant::now(),
                until: Instant::now() + Duration::from_secs(3600),
            };
            for place in 0..*requests {
                tape.record(window, window.from, window.from + *latency, Ok(()));
                let began = window.from + *latency * place;
                tape.record_standing(window, began, began + *latency);
                tape.record_lag(window, window.from, window.from + lag);
            }
        }
        tape
    }

    fn row(side: Side, tape: &Tape, level: Level, answers: &Answers) -> FlowEvidence {
        Measurement {
            flow: FlowId::History,
            target: Some(target()),
            side,
            level,
            window: Duration::from_secs(1),
            tape,
        }
        .held_to(answers, "a test")
        .unwrap()
    }

    const QUICK: [(u32, Duration); 3] = [(400, Duration::from_millis(2)); 3];

    #[test]
    fn a_quick_service_is_confirmed() {
        let tape = tape(&QUICK, Duration::ZERO);
        let row = row(Side::Optimized, &tape, Level::Users(4), &Answers::default());
        assert_eq!(row.verdict, Verdict::Confirmed);
        assert_eq!((row.requests, row.throughput), (1_200, 400.0));
        assert!((row.p95.value - 2_000.0).abs() <= 2.0);
        assert_eq!(row.windows.len(), 3);
        assert_eq!(each(&read(&row).unwrap())[2].count, 400);
    }

    #[test]
    fn a_service_that_answers_differently_is_wrong_however_quick() {
        let answers = Answers {
            checked: 20,
            differing: 1,
            first_difference: Some("row 7".to_owned()),
            ..Answers::default()
        };
        let tape = tape(&QUICK, Duration::ZERO);
        let row = row(Side::Optimized, &tape, Level::Users(4), &answers);
        assert_eq!(row.verdict, Verdict::Wrong);
        assert!(
            row.reason.contains("1 of 20") && row.reason.contains("row 7"),
            "{}",
            row.reason
        );
    }

    #[test]
    fn users_who_stood_still_confirm_nothing_though_few_calls_tell_of_it() {
        let mut tape = tape(&QUICK, Duration::ZERO);
        tape.next_window();
        let from = Instant::now();
        let window = Measured {
            from,
            until: from + Duration::from_secs(3600),
        };
        let ended = from + Duration::from_secs(2);
        for _ in 0..4 {
            tape.record(window, from, ended, Ok(()));
            tape.record_standing(window, from, ended);
        }
        for _ in 0..400 {
            tape.record(window, ended, ended + Duration::from_millis(2), Ok(()));
        }
        let row = row(Side::Optimized, &tape, Level::Users(4), &Answers::default());
        assert!(row.p95.hi.unwrap() < 3_000.0, "{:?}", row.p95);
        assert_ne!(row.verdict, Verdict::Confirmed, "{}", row.reason);
    }

    #[test]
    fn a_late_generator_proves_no_service_slow_and_is_held_to_the_latency() {
        let answers = Answers::default();
        let slow = [(400, Duration::from_millis(200)); 3];
        let of = |lag_ms, windows: &[(u32, Duration)]| {
            let tape = tape(windows, Duration::from_millis(lag_ms));
            row(Side::Optimized, &tape, Level::Rate(100.0), &answers)
        };
        assert_eq!(of(99, &slow).verdict, Verdict::FallsShort);
        let late = of(101, &slow);
        assert_eq!(late.verdict, Verdict::Inconclusive);
        assert!(late.reason.contains("late"), "{}", late.reason);
        // Its lag is in the latencies: without it they would be shorter still.
        let late = of(2, &QUICK);
        assert_eq!(late.verdict, Verdict::Confirmed);
        let today = row(
            Side::Baseline,
            &tape(&QUICK, Duration::ZERO),
            Level::Rate(100.0),
            &answers,
        );
        let ratios = ratios(&[today, late]).unwrap();
        assert_eq!(ratios[0].p50, None);
        assert!(ratios[0].says.contains("late"), "{}", ratios[0].says);
    }

    #[test]
    fn the_sides_are_compared_window_by_window_where_both_were_measured() {
        let answers = Answers::default();
        let of = |side, level, ms: u64| {
            let windows: Vec<_> = (0..10)
                .map(|window| (100, Duration::from_millis(ms * (window + 5))))
                .collect();
            row(side, &tape(&windows, Duration::ZERO), level, &answers)
        };
        let rows = [
            of(Side::Baseline, Level::Users(4), 30),
            of(Side::Optimized, Level::Users(4), 10),
            of(Side::Baseline, Level::Users(16), 30),
        ];
        let ratios = ratios(&rows).unwrap();
        assert_eq!(ratios.len(), 1);
        let p95 = ratios[0].p95.unwrap();
        // However windows differ, each pair met the same one.
        assert!(
            (p95.lo - 3.0).abs() < 0.02 && (p95.hi - 3.0).abs() < 0.02,
            "{p95}"
        );
        assert_eq!(ratios[0].windows, 10);
    }

    #[test]
    fn windows_that_stood_still_are_left_out_of_the_fit() {
        let windows: Vec<Throughput> = [1, 4, 16, 64]
            .into_iter()
            .flat_map(|users| [f64::from(users) * 10.0, 0.0].map(|rate| Throughput { users, rate }))
            .collect();
        let (capacity, warning) = capacity(
            (FlowId::History, Some(target())),
            Side::Baseline,
            &[],
            &windows,
            1,
        );
        assert!(capacity.usl.is_some() && warning.is_none());
    }
}
