//! What one flow's levels come to: rows, ratios, targets and capacity.

use std::time::Duration;

use verdict_audit::evidence::{Answers, Compared, FlowRatio};
use verdict_audit::flow_compare::compare;
use verdict_audit::usl::Throughput;
use verdict_audit::{Side, Target, Warning, load_rules};

use crate::error::Result;
use crate::evidence::{Level, Measurement, capacity, each, unless_void};
use crate::flows::Flow;
use crate::outcome::LoadOutcome;
use crate::per_side::{PerSide, SIDES};
use crate::plan::LoadPlan;
use crate::tape::Tape;

/// What was measured of one side at one level.
pub(crate) struct Measured {
    pub level: Level,
    pub side: Side,
    pub tape: Tape,
}

impl Measured {
    /// Of both sides.
    pub fn both(level: Level, tapes: PerSide<Tape>) -> [Self; 2] {
        let of = |side, tape| Self { level, side, tape };
        [
            of(Side::Baseline, tapes.baseline),
            of(Side::Optimized, tapes.optimized),
        ]
    }

    /// What the level by itself says of its flow's goal.
    pub fn goal(&self, target: &Target, window: Duration) -> Result<Goal> {
        let row = Measurement {
            flow: target.id,
            target: Some(target),
            side: self.side,
            level: self.level,
            window,
            tape: &self.tape,
        }
        .evidence()?;
        let load = row.load();
        Ok(if self.tape.answers.differing > 0 {
            Goal::Wrong
        } else if load_rules::breaks(&load, target.goal_ms) {
            Goal::Broken
        } else if load_rules::holds(&load, target.goal_ms) {
            Goal::Held
        } else {
            Goal::Open
        })
    }
}

/// What a level says of a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// It surely holds.
    Held,
    /// It surely does not, or too much fails to tell.
    Broken,
    /// That is not decided.
    Open,
    /// Answers are wrong, so that times mean nothing.
    Wrong,
}

/// All that was measured of one flow.
pub(crate) struct Findings<'a> {
    pub flow: &'a dyn Flow,
    /// The audit's, where it has one.
    pub target: Option<&'a Target>,
    pub plan: &'a LoadPlan,
    /// Whether what is sent is taken back.
    pub restores: bool,
    /// What is written into what the flow reads, in words.
    pub changes: String,
    pub measured: &'a [Measured],
    /// Today against itself, where the level was put to it twice.
    pub itself: &'a [(Level, PerSide<Tape>)],
    pub answers: &'a PerSide<Answers>,
}

impl Findings<'_> {
    /// Adds the flow's rows, the ratio of today against itself and the capacity of both sides to
    /// the outcome; answers what the reader must know. One wrong answer at any level, and every
    /// row of that side is wrong; the other side's stand by themselves.
    pub fn add_to(&self, outcome: &mut LoadOutcome) -> Result<Vec<Warning>> {
        for measured in self.measured {
            let about = self.about(&measured.tape);
            let answers = self.answers.of(measured.side);
            let row = self.measurement(measured).held_to(answers, &about)?;
            outcome.flows.push(row);
        }
        for (level, tapes) in self.itself {
            outcome
                .flow_ratios
                .push(self.against_itself(*level, tapes)?);
        }
        let mut warnings = Vec::new();
        for side in SIDES {
            let windows = self.throughputs(side);
            let of = (self.flow.id(), self.target);
            let (capacity, warning) = capacity(of, side, &outcome.flows, &windows, self.plan.seed);
            outcome.capacity.push(capacity);
            warnings.extend(warning);
        }
        Ok(warnings)
    }

    fn measurement<'m>(&'m self, measured: &'m Measured) -> Measurement<'m> {
        Measurement {
            flow: self.flow.id(),
            target: self.target,
            side: measured.side,
            level: measured.level,
            window: self.plan.window,
            tape: &measured.tape,
        }
    }

    fn against_itself(&self, level: Level, tapes: &PerSide<Tape>) -> Result<FlowRatio> {
        let row = |tape| {
            Measurement {
                flow: self.flow.id(),
                target: self.target,
                side: Side::Baseline,
                level,
                window: self.plan.window,
                tape,
            }
            .evidence()
        };
        let (one, other) = (row(&tapes.baseline)?, row(&tapes.optimized)?);
        let figures = [&tapes.baseline, &tapes.optimized].map(|tape| each(&tape.windows));
        let mut ratio = compare(Compared::Itself, &one, &figures[0], &figures[1]);
        unless_void(&mut ratio, [&one, &other]);
        Ok(ratio)
    }

    fn about(&self, tape: &Tape) -> String {
        let asked = self.flow.about();
        let held = tape.answers.checked;
        let rows = match (self.flow.keeper().is_some(), self.restores) {
            (true, true) => format!(
                ", read back and taken back after each window, in the fullest of which {} were sent",
                tape.most_sent
            ),
            (true, false) => "; the rows stay there, unread".to_owned(),
            (false, _) => String::new(),
        };
        let changes = &self.changes;
        format!(
            "{asked}{rows}; {changes}; {held} answers under this load held to what is due, whole rows"
        )
    }

    fn throughputs(&self, side: Side) -> Vec<Throughput> {
        let seconds = self.plan.window.as_secs_f64();
        self.measured
            .iter()
            // What a level answers while it also fails is not what it can answer.
            .filter(|measured| measured.side == side && !measured.tape.failing())
            .filter_map(|measured| match measured.level {
                Level::Users(users) => Some((users, &measured.tape)),
                Level::Rate(_) => None,
            })
            .flat_map(|(users, tape)| {
                tape.windows.iter().map(move |window| Throughput {
                    users,
                    rate: window.answered as f64 / seconds,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use verdict_audit::Catalogue;

    use super::*;
    use crate::flows::call::Amiss;
    use crate::knock::Knock;
    use crate::tape::Measured as Window;

    /// Three windows of a thousand requests in all, so many of which fail.
    fn tape(errors: u32) -> Tape {
        let mut tape = Tape::new(1);
        for requests in [334, 333, 333] {
            tape.next_window();
            let window = Window::opening_now(Duration::ZERO, Duration::from_secs(3600));
            for _ in 0..requests {
                let failed = tape.errors < u64::from(errors);
                let outcome = match failed {
                    true => Err(Amiss::Failed("refused".to_owned())),
                    false => Ok(()),
                };
                let ended = window.from + Duration::from_millis(2);
                tape.record(window, window.from, ended, outcome);
            }
        }
        tape
    }

    #[test]
    fn a_level_that_fails_too_often_is_no_throughput_and_no_noise() {
        let (plan, answers) = (LoadPlan::short(), PerSide::default());
        let levels = [1, 0, 2].map(|errors| Measured {
            level: Level::Users(errors + 4),
            side: Side::Baseline,
            tape: tape(errors),
        });
        let findings = Findings {
            flow: &Knock,
            target: Catalogue::builtin().target(Knock.id()),
            plan: &plan,
            restores: true,
            changes: String::new(),
            measured: &levels,
            itself: &[],
            answers: &answers,
        };
        let users: Vec<u32> = findings
            .throughputs(Side::Baseline)
            .iter()
            .map(|one| one.users)
            .collect();
        // One of a thousand is as many as a level may have.
        assert_eq!(users, [5, 5, 5, 4, 4, 4]);
        let said = |errors| {
            let tapes = PerSide {
                baseline: tape(0),
                optimized: tape(errors),
            };
            let ratio = findings.against_itself(Level::Users(4), &tapes);
            ratio.unwrap()
        };
        assert!(said(1).p95.is_some(), "{}", said(1).says);
        assert_eq!(said(2).says, "no ratio: requests failed");
        assert!(said(2).p50.is_none() && said(2).p95.is_none());
    }
}
