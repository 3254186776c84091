//! Gates of a team's own: a commented `gates.toml` that says what results have to hold, and what
//! they come to, one line each.
//!
//! Answers and counted work fail hard, since a rerun finds them again. What is timed fails only
//! where the whole interval that a verdict rests on, noise floor included, is on the wrong side.

mod file;
mod formats;
mod propose;

use std::fmt;

use verdict_audit::evidence::{
    Estimate, ItemEvidence, Latency, PlanMode, Results, VariantEvidence,
};
use verdict_audit::rules::Interval;
use verdict_audit::{Exit, Side, VariantName, Verdict};
use verdict_history::Measure;

use crate::gate::{Gate, gate};

pub use self::file::{FlowGates, Gates, GatesError, GrowthGate, ItemGates, SpeedUpGate, WorkGate};
pub use self::formats::{annotations, json, junit, markdown};
pub use self::propose::propose;

/// How a gate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Surely on the wrong side.
    Missed,
    /// The results do not say.
    Unknown,
    /// The interval has the border in it: no reason to fail.
    Open,
    /// Nothing was timed in this run.
    Untimed,
    /// Kept.
    Met,
}

/// What a gate comes to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// The item or the flow.
    pub subject: String,
    /// The gate: `answers`, `statements of first-page at n = 1000`.
    pub gate: String,
    /// How it stands.
    pub standing: Standing,
    /// Why: what was found, and what was asked for.
    pub words: String,
}

/// The lines of all gates together: 0 met, 1 missed, 2 cannot judge.
pub fn exit(lines: &[Line]) -> Exit {
    match lines.iter().map(|line| line.standing).min() {
        Some(Standing::Missed) => Exit::Missed,
        Some(Standing::Unknown) | None => Exit::CannotJudge,
        _ => Exit::Met,
    }
}

/// What every run has to hold, where there are no gates of one's own: a line for each reason why
/// it does not, or one that it does.
pub fn of_promises(results: &Results) -> Vec<Line> {
    let line = |standing, words: &str| {
        let (subject, gate) = words.split_once(": ").unwrap_or(("run", words));
        Line {
            subject: subject.to_owned(),
            gate: "promises".to_owned(),
            standing,
            words: gate.to_owned(),
        }
    };
    let (standing, reasons) = match gate(results) {
        Gate::Met => {
            let words =
                "run: every optimized variant answers as today, every judged flow holds its goal";
            return vec![line(Standing::Met, words)];
        }
        Gate::Missed(reasons) => (Standing::Missed, reasons),
        Gate::CannotJudge(reasons) => (Standing::Unknown, reasons),
    };
    reasons.iter().map(|words| line(standing, words)).collect()
}

/// Holds results to gates: one line for each.
pub fn judge(gates: &Gates, results: &Results) -> Vec<Line> {
    let world = (results.run.scale.as_str(), results.run.seed);
    if world != (gates.scale.as_str(), gates.seed) {
        return vec![Line {
            subject: "world".to_owned(),
            gate: "scale and seed".to_owned(),
            standing: Standing::Unknown,
            words: format!(
                "results of {} with seed {}, and gates for {} with seed {}: run that, or propose \
                 gates for this",
                world.0, world.1, gates.scale, gates.seed
            ),
        }];
    }
    let timed = results
        .items
        .iter()
        .flat_map(|item| &item.variants)
        .any(|variant| !variant.latency.is_empty());
    let mut lines = Vec::new();
    for item in &gates.items {
        let found = results.items.iter().find(|one| one.id == item.id);
        let mut bench = Bench {
            subject: item.id.to_string(),
            timed,
            lines: &mut lines,
        };
        match found {
            Some(found) => bench.item(gates, item, found),
            None => bench.say("item", Standing::Unknown, "it was not run".to_owned()),
        }
    }
    for flow in &gates.flows {
        let bench = Bench {
            subject: flow.id.to_string(),
            timed,
            lines: &mut lines,
        };
        bench.flow(flow, results);
    }
    lines
}

/// Where the gates of one item or flow are judged.
struct Bench<'a> {
    subject: String,
    timed: bool,
    lines: &'a mut Vec<Line>,
}

impl Bench<'_> {
    fn say(&mut self, gate: &str, standing: Standing, words: String) {
        self.lines.push(Line {
            subject: self.subject.clone(),
            gate: gate.to_owned(),
            standing,
            words,
        });
    }

    fn item(&mut self, gates: &Gates, item: &ItemGates, found: &ItemEvidence) {
        let mut variants = found.variants.iter();
        let Some(fix) = variants.find(|one| one.name == VariantName::Optimized) else {
            let words = "the optimized variant was not run".to_owned();
            return self.say("answers", Standing::Unknown, words);
        };
        if item.answers {
            self.answers(fix);
        }
        if item.no_regression {
            self.regressions(fix);
        }
        for gate in &item.work {
            self.work(gates, gate, fix);
        }
        for gate in &item.growth {
            self.growth(gate, fix);
        }
        for gate in &item.speed_up {
            self.speed_up(gate, fix);
        }
    }

    fn answers(&mut self, fix: &VariantEvidence) {
        let both = [&fix.answers, &fix.additive];
        let checked: u64 = both
            .iter()
            .filter_map(|a| a.as_ref())
            .map(|a| a.checked)
            .sum();
        let wrong = both.iter().filter_map(|answers| answers.as_ref());
        let wrong = wrong.filter(|answers| answers.differing > 0);
        let first = wrong
            .clone()
            .find_map(|answers| answers.first_difference.clone());
        let wrong: u64 = wrong.map(|answers| answers.differing).sum();
        let (standing, words) = match &fix.failure {
            Some(failure) => (Standing::Missed, format!("it does not run: {failure}")),
            None if wrong > 0 => (
                Standing::Missed,
                format!(
                    "{wrong} of {checked} answers differ, first {}",
                    first.unwrap_or_else(|| "unknown".to_owned())
                ),
            ),
            None if fix
                .answers
                .as_ref()
                .is_none_or(|answers| answers.checked == 0) =>
            {
                (Standing::Unknown, "no answer was compared".to_owned())
            }
            None => (Standing::Met, format!("{checked} answers, all as due")),
        };
        self.say("answers", standing, words);
    }

    fn regressions(&mut self, fix: &VariantEvidence) {
        let worse =
            |verdict| [Verdict::Regression, Verdict::Fails, Verdict::Wrong].contains(&verdict);
        let mut claims = fix.claims.iter();
        let (standing, words) = match claims.find(|claim| worse(claim.verdict)) {
            Some(claim) => (
                Standing::Missed,
                format!("{}: {}: {}", claim.id, claim.verdict, claim.measured),
            ),
            None => (
                Standing::Met,
                format!("none in {} claims", fix.claims.len()),
            ),
        };
        self.say("no regression", standing, words);
    }

    fn work(&mut self, gates: &Gates, gate: &WorkGate, fix: &VariantEvidence) {
        let mut work = fix.work.iter();
        let counted = work.find(|work| {
            work.operation == gate.operation
                && work.at == gate.at
                && work.plan_mode == PlanMode::Auto
        });
        for (counter, most) in &gate.most {
            let name = format!("{} of {} at {}", counter.words(), gate.operation, gate.at);
            let slack = match gates.margins.get(counter) {
                Some(margin) => margin * most,
                None => {
                    let at_once = gate.at.callers != 1;
                    let slack = Measure::Work(*counter).slack(*most, at_once);
                    slack.unwrap_or(0.0)
                }
            };
            let found = counted.and_then(|work| work.counters.get(counter));
            let (standing, words) = match found {
                None => (Standing::Unknown, "not counted in this run".to_owned()),
                Some(found) if *found > most + slack + f64::EPSILON => {
                    (Standing::Missed, format!("{found:.1}, at most {most:.1}"))
                }
                Some(found) if *found < most - slack => (
                    Standing::Met,
                    format!("{found:.1}, at most {most:.1}: the gate can be closer"),
                ),
                Some(found) => (Standing::Met, format!("{found:.1}, at most {most:.1}")),
            };
            self.say(&name, standing, words);
        }
    }

    fn growth(&mut self, gate: &GrowthGate, fix: &VariantEvidence) {
        let name = format!("growth of {} of {}", gate.counter.words(), gate.operation);
        let mut growth = fix.growth.iter();
        let found = growth.find(|found| {
            found.operation == gate.operation
                && found.counter == gate.counter
                && found.plan_mode == PlanMode::Auto
        });
        let interval = found.and_then(|found| {
            Some(Interval {
                lo: found.lo?,
                hi: found.hi?,
            })
        });
        let (standing, words) = match interval {
            None => (
                Standing::Unknown,
                "too few rungs for a class: run a scale with a longer ladder".to_owned(),
            ),
            Some(interval) if interval.exceeds(gate.class) => (
                Standing::Missed,
                format!(
                    "n^({:.2} to {:.2}), more than {}",
                    interval.lo, interval.hi, gate.class
                ),
            ),
            Some(interval) => {
                let words = format!(
                    "n^({:.2} to {:.2}), {}",
                    interval.lo, interval.hi, gate.class
                );
                match interval.keeps_to(gate.class) {
                    true => (Standing::Met, words),
                    false => (Standing::Open, format!("{words}: not surely more")),
                }
            }
        };
        self.say(&name, standing, words);
    }

    fn speed_up(&mut self, gate: &SpeedUpGate, fix: &VariantEvidence) {
        let kind = if gate.p95 { "p95" } else { "time" };
        let name = format!("speed-up in {kind} of {} at {}", gate.operation, gate.at);
        let mut latency = fix.latency.iter();
        let found = latency.find(|one| one.operation == gate.operation && one.at == gate.at);
        let ratio = found.and_then(|found: &Latency| match gate.p95 {
            true => found.p95_judged,
            false => found.judged,
        });
        let least = gate.least;
        let (standing, words) = match ratio {
            None if !self.timed => (Standing::Untimed, "nothing was timed".to_owned()),
            None => (Standing::Unknown, "not timed in this run".to_owned()),
            Some(ratio) if ratio.hi < least => {
                (Standing::Missed, format!("{ratio}, at least {least}x"))
            }
            Some(ratio) if ratio.lo < least => (
                Standing::Open,
                format!("{ratio}, at least {least}x: not surely less"),
            ),
            Some(ratio) => (Standing::Met, format!("{ratio}, at least {least}x")),
        };
        self.say(&name, standing, words);
    }

    fn flow(mut self, gate: &FlowGates, results: &Results) {
        let mut targets = results.targets.iter();
        let fix = |side: Side| side == Side::Optimized;
        let target = targets.find(|one| one.id == gate.id && fix(one.side));
        let most = gate.p95_ms;
        let wrong = target.is_some_and(|target| target.verdict == Verdict::Wrong);
        let (standing, words) = match target.and_then(|target| target.judged.as_ref()) {
            _ if wrong => (Standing::Missed, "wrong answers under load".to_owned()),
            None if !self.timed && results.flows.is_empty() => {
                (Standing::Untimed, "nothing was timed".to_owned())
            }
            None => (Standing::Unknown, "not judged under load".to_owned()),
            Some(Estimate { value, lo, hi }) => {
                let ms = |us: f64| us / 1e3;
                let known =
                    |end: &Option<f64>| end.map_or("?".to_owned(), |us| format!("{:.1}", ms(us)));
                let words = format!(
                    "{:.1} ms ({}-{}), at most {most} ms",
                    ms(*value),
                    known(lo),
                    known(hi)
                );
                match (lo.map(ms), hi.map(ms)) {
                    (Some(lo), _) if lo > most => (Standing::Missed, words),
                    (_, Some(hi)) if hi <= most => (Standing::Met, words),
                    _ => (Standing::Open, format!("{words}: not surely more")),
                }
            }
        };
        self.say("p95 under load", standing, words);
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Missed => "missed",
            Self::Unknown => "cannot judge",
            Self::Open => "open",
            Self::Untimed => "untimed",
            Self::Met => "met",
        })
    }
}

/// `missed        message-history: statements of first-page at n = 1000: 9.0, at most 3.0`.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            gate,
            standing,
            words,
        } = self;
        write!(f, "{standing:<12}  {subject}: {gate}: {words}")
    }
}
