//! What came of it, and whether it is as good as it has to be.

use std::fmt;

use serde::Serialize;
use verdict_audit::evidence::Ratio;
use verdict_audit::quantile::median;

use crate::itself::{Cell, Sides, misses_one};
use crate::power::Power;
use crate::saved::Calls;

/// Cells below which the share of misses says little.
const CELLS: usize = 500;

/// The shares of 95 % intervals that may miss the truth.
const MISSES: std::ops::RangeInclusive<f64> = 0.02..=0.08;

/// Of so many whole runs, one may have a verdict.
const RUNS_FOR_ONE: usize = 20;

/// Everything that was found; `honesty.json`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Honesty {
    /// Today against itself.
    pub aa: Aa,
    /// Known slowdowns.
    pub power: Vec<Power>,
    /// What calls save by three clocks, and which are left out.
    #[serde(flatten)]
    pub calls: Calls,
}

/// Today against itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Aa {
    /// Cells.
    pub cells: usize,
    /// Those whose 95 % interval misses 1.
    pub missing_one: usize,
    /// Cells with calls enough for a ratio of the 95th percentile.
    pub p95_cells: usize,
    /// Those in which its 95 % interval misses 1.
    pub p95_missing_one: usize,
    /// Runs with any verdict other than no effect or inconclusive.
    pub judged: usize,
    /// Runs.
    pub runs: usize,
    /// The cells by where their sides are, quiet and beside a busy core.
    pub parts: Vec<Part>,
}

/// Cells of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// `one database` or `two copies`.
    pub sides: &'static str,
    /// Whether a core was kept busy.
    pub busy: bool,
    /// Cells.
    pub cells: usize,
    /// Those whose 95 % interval misses 1.
    pub missing_one: usize,
    /// The smallest effect that the middle one of them could have told from none, as a share.
    pub smallest_effect: f64,
}

impl Aa {
    /// Sums up whole runs.
    pub fn of(runs: &[Vec<Cell>]) -> Self {
        let judged = |run: &&Vec<Cell>| run.iter().any(|cell| cell.is_judged(run.len()));
        let cells: Vec<Cell> = runs.iter().flatten().copied().collect();
        let kinds = [Sides::One, Sides::Copies].map(|sides| [(sides, false), (sides, true)]);
        let tails: Vec<Ratio> = cells.iter().filter_map(|cell| cell.p95).collect();
        Self {
            cells: cells.len(),
            missing_one: missing(&cells),
            p95_cells: tails.len(),
            p95_missing_one: tails.iter().filter(|tail| misses_one(**tail)).count(),
            judged: runs.iter().filter(judged).count(),
            runs: runs.len(),
            parts: kinds
                .as_flattened()
                .iter()
                .filter_map(|(sides, busy)| part(&cells, *sides, *busy))
                .collect(),
        }
    }

    fn share(&self) -> f64 {
        self.missing_one as f64 / self.cells.max(1) as f64
    }
}

fn missing(cells: &[Cell]) -> usize {
    cells.iter().filter(|cell| cell.misses_one()).count()
}

fn part(cells: &[Cell], sides: Sides, busy: bool) -> Option<Part> {
    let of_kind = |cell: &&Cell| cell.sides == sides && cell.busy == busy;
    let cells: Vec<Cell> = cells.iter().filter(of_kind).copied().collect();
    let effects = cells.iter().map(|cell| cell.ratio.smallest_effect());
    Some(Part {
        sides: match sides {
            Sides::One => "one database",
            Sides::Copies => "two copies",
        },
        busy,
        cells: cells.len(),
        missing_one: missing(&cells),
        smallest_effect: median(effects.collect())?,
    })
}

impl Honesty {
    /// As it is written down.
    pub fn json(&self) -> String {
        #[expect(
            clippy::expect_used,
            reason = "its keys are names, and it holds numbers"
        )]
        let json = serde_json::to_string_pretty(self).expect("figures as JSON");
        json + "\n"
    }

    /// Every bar that is missed, in words, of the parts that were tried: `aa` and `saved` have
    /// some. How often a slowdown is found is published, whatever it comes to.
    pub fn missed(&self, tried: impl Fn(&str) -> bool) -> Vec<String> {
        let mut missed = Vec::new();
        if tried("aa") {
            missed.extend(self.aa.missed());
        }
        if tried("saved") {
            missed.extend(self.calls.missed());
        }
        missed
    }
}

impl Aa {
    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        if self.cells < CELLS {
            missed.push(format!(
                "{} cells of today against itself, and {CELLS} are due",
                self.cells
            ));
        }
        if !MISSES.contains(&self.share()) {
            missed.push(format!(
                "{:.1} % of the 95 % intervals miss 1, and {:.0} to {:.0} % are due",
                100.0 * self.share(),
                100.0 * MISSES.start(),
                100.0 * MISSES.end()
            ));
        }
        if self.judged * RUNS_FOR_ONE > self.runs {
            missed.push(format!(
                "{} of {} runs of today against itself have a verdict, and one in \
                 {RUNS_FOR_ONE} may",
                self.judged, self.runs
            ));
        }
        missed
    }
}

impl Calls {
    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        if self.saved.is_empty() {
            missed.push("nothing was timed by three clocks".to_owned());
        }
        let disagreeing = self.saved.iter().filter(|saved| !saved.agrees());
        missed
            .extend(disagreeing.map(|saved| format!("the clocks do not agree on {}", saved.place)));
        missed
    }
}

impl fmt::Display for Honesty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { aa, power, calls } = self;
        writeln!(
            f,
            "today against itself: {} of {} intervals miss 1, {:.1} %; {} of {} runs have a verdict",
            aa.missing_one,
            aa.cells,
            100.0 * aa.share(),
            aa.judged,
            aa.runs
        )?;
        writeln!(
            f,
            "  of the 95th percentile: {} of {} miss 1",
            aa.p95_missing_one, aa.p95_cells
        )?;
        for part in &aa.parts {
            writeln!(
                f,
                "  {:<13} {:<19} {:>3} of {:>3} miss 1, smallest effect {:.1} %",
                part.sides,
                if part.busy {
                    "beside a busy core"
                } else {
                    "quiet"
                },
                part.missing_one,
                part.cells,
                100.0 * part.smallest_effect
            )?;
        }
        writeln!(f, "\nknown slowdowns:")?;
        for power in power {
            writeln!(
                f,
                "  {:>4.1} % (waited {:.1} %), {} depth: found in {} of {}",
                100.0 * power.slowdown,
                100.0 * power.waited,
                power.depth,
                power.found,
                power.tries
            )?;
        }
        writeln!(
            f,
            "\n{:<34} {:>6} {:>16} {:>8} {:>8} {:>8} {:>10} {:>7} {:>9} {:>10}",
            "saved by a call, µs",
            "n",
            "calls",
            "caller",
            "engine",
            "pgbench",
            "statements",
            "beyond",
            "answering",
            "statements"
        )?;
        for saved in &calls.saved {
            let [before, after] = saved.statements;
            writeln!(
                f,
                "{:<34} {:>6} {:>16} {:>8.1} {:>8.1} {:>8.1} {:>10} {:>7.0} {:>9.0} {:>10.0} {}",
                format!("{} {}", saved.place.item, saved.place.operation),
                saved.place.n,
                format!(
                    "{:.0} {:.0}",
                    saved.takes[0].caller_us, saved.takes[1].caller_us
                ),
                saved.caller_us,
                saved.engine_us,
                saved.pgbench_us,
                format!("{before} to {after}"),
                saved.beyond_us,
                saved.answering_us,
                saved.of_statements(),
                if saved.agrees() { "" } else { "apart" }
            )?;
        }
        for place in &calls.left_out {
            writeln!(
                f,
                "left out: {place}, since pgbench cannot be given a parameter as long"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    fn run(cells: usize, missing: usize, value: f64) -> Vec<Cell> {
        let cell = |number| {
            let value = if number < missing { value } else { 1.0 };
            Cell {
                sides: [Sides::One, Sides::Copies][number % 2],
                busy: number % 4 > 1,
                ratio: Ratio {
                    value,
                    lo: value / 1.02,
                    hi: value * 1.02,
                },
                rounds: 10,
                p95: (number % 10 == 0).then_some(Ratio {
                    value,
                    lo: value / 1.02,
                    hi: value * 1.02,
                }),
            }
        };
        (0..cells).map(cell).collect()
    }

    fn missed(runs: &[Vec<Cell>]) -> Vec<String> {
        let honesty = Honesty {
            aa: Aa::of(runs),
            ..Honesty::default()
        };
        let mut missed = honesty.missed(|_| true);
        assert_eq!(missed.pop().unwrap(), "nothing was timed by three clocks");
        assert_eq!(missed, honesty.missed(|part| part == "aa"));
        missed
    }

    #[test]
    fn five_in_a_hundred_may_miss_and_none_may_be_judged_but_one_run() {
        let (fair, loud) = (run(40, 2, 1.021), run(40, 2, 1.5));
        let mut runs = vec![fair.clone(); 19];
        runs.push(loud.clone());
        assert_eq!(missed(&runs), Vec::<String>::new());
        let aa = Aa::of(&runs);
        assert_eq!((aa.cells, aa.missing_one), (800, 40));
        assert_eq!((aa.p95_cells, aa.p95_missing_one), (80, 20));
        assert_eq!((aa.judged, aa.runs), (1, 20));
        assert_eq!(aa.parts.len(), 4);
        runs[0] = loud;
        assert!(missed(&runs)[0].starts_with("2 of 20 runs"));
    }

    #[test]
    fn too_many_misses_and_too_few_are_told_and_so_are_too_few_cells() {
        let often = vec![run(40, 4, 1.021); 20];
        assert!(missed(&often)[0].starts_with("10.0 %"));
        let never = vec![run(40, 0, 1.0); 20];
        assert!(missed(&never)[0].starts_with("0.0 %"));
        let few = vec![run(20, 1, 1.021); 20];
        assert!(missed(&few)[0].starts_with("400 cells"));
    }

    #[test]
    fn a_part_is_held_to_its_own_bars_and_slowdowns_to_none() {
        let nothing = Honesty::default();
        assert!(nothing.missed(|part| part == "power").is_empty());
        let saved = nothing.missed(|part| part == "saved");
        assert_eq!(saved, ["nothing was timed by three clocks"]);
        let aa = nothing.missed(|part| part == "aa");
        assert!(aa[0].starts_with("0 cells"), "{aa:?}");
    }

    #[test]
    fn what_slowdowns_waited_is_published() {
        let honesty = Honesty {
            power: vec![Power {
                slowdown: 0.05,
                depth: "full",
                found: 3,
                tries: 4,
                waited: 0.0521,
            }],
            ..Honesty::default()
        };
        assert!(honesty.to_string().contains("waited 5.2 %"));
        let json: serde_json::Value = serde_json::from_str(&honesty.json()).unwrap();
        assert_eq!(json["power"][0]["waited"], 0.0521);
    }

    #[test]
    fn a_call_that_is_left_out_is_named() {
        let mut honesty = Honesty::default();
        honesty.calls.left_out.push(Place {
            item: "item".to_owned(),
            operation: "call".to_owned(),
            n: 7,
        });
        assert!(honesty.to_string().contains("left out: item call at 7"));
        let json: serde_json::Value = serde_json::from_str(&honesty.json()).unwrap();
        assert_eq!(json["left_out"][0]["n"], 7);
        assert!(json["saved"].as_array().unwrap().is_empty());
    }
}
