//! What became of all mutants, counted, and the survivors by name.

use std::collections::BTreeMap;
use std::fmt;

use crate::bench::{Outcome, Specimen};
use crate::mutant::{Kind, Mutant};

/// The share of the mutants that make a difference which has to be caught.
pub const DUE: f64 = 0.95;

/// Lines of a statement that are shown before and after a fault.
const AROUND: usize = 4;

/// How many came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// They were refused before they ran: no mutants.
    pub invalid: usize,
    /// Caught.
    pub caught: usize,
    /// Survived, and can make no difference.
    pub equivalent: usize,
    /// Survived.
    pub survived: usize,
}

impl Count {
    /// Those that could be made.
    pub fn valid(&self) -> usize {
        self.caught + self.equivalent + self.survived
    }

    /// The share that is caught of those that make a difference; all of none.
    pub fn share(&self) -> f64 {
        match self.caught + self.survived {
            0 => 1.0,
            differing => self.caught as f64 / differing as f64,
        }
    }

    fn add(&mut self, other: &Self) {
        self.invalid += other.invalid;
        self.caught += other.caught;
        self.equivalent += other.equivalent;
        self.survived += other.survived;
    }
}

/// Counts by item and variant and by kind, and what a person has to look at.
#[derive(Debug, Default)]
pub struct Score {
    counts: BTreeMap<(String, Kind), Count>,
    /// In the order of the docket, as they were met.
    subjects: Vec<String>,
    skipped: Vec<String>,
    survivors: Vec<String>,
    equivalents: Vec<String>,
    contradictions: Vec<String>,
}

impl Score {
    /// Notes a variant that is not judged, and why.
    pub fn skip(&mut self, subject: &str, reason: &str) {
        self.skipped.push(format!("{subject}: {reason}"));
    }

    /// Notes what became of a mutant; `equivalent` is why it can make no difference, if somebody
    /// found that.
    pub fn add(
        &mut self,
        subject: &str,
        specimen: &Specimen,
        outcome: &Outcome,
        equivalent: Option<&str>,
    ) {
        if self.subjects.last().is_none_or(|last| last != subject) {
            self.subjects.push(subject.to_owned());
        }
        let mutant = &specimen.mutant;
        let count = self
            .counts
            .entry((subject.to_owned(), mutant.kind))
            .or_default();
        match (outcome, equivalent) {
            (Outcome::Invalid(_), _) => count.invalid += 1,
            (Outcome::Caught(first), known) => {
                count.caught += 1;
                if known.is_some() {
                    let words = format!("{subject}, {mutant}: {first}");
                    self.contradictions.push(words);
                }
            }
            (Outcome::Survived, Some(reason)) => {
                count.equivalent += 1;
                self.equivalents
                    .push(format!("{subject}, {mutant}: {reason}"));
            }
            (Outcome::Survived, None) => {
                count.survived += 1;
                let excerpt = excerpt(mutant);
                self.survivors
                    .push(format!("{subject}, {mutant}, in\n\n{excerpt}"));
            }
        }
    }

    /// Over everything.
    pub fn total(&self) -> Count {
        let mut total = Count::default();
        self.counts.values().for_each(|count| total.add(count));
        total
    }

    /// Whether enough was caught.
    pub fn is_met(&self) -> bool {
        let total = self.total();
        total.caught > 0 && total.share() >= DUE && self.contradictions.is_empty()
    }

    fn rows(&self) -> Vec<(&str, String, Count)> {
        let mut rows = Vec::new();
        for subject in &self.subjects {
            let mut all = Count::default();
            for ((of, kind), count) in &self.counts {
                if of == subject {
                    all.add(count);
                    rows.push((subject.as_str(), kind.to_string(), *count));
                }
            }
            rows.push((subject, "all".to_owned(), all));
        }
        rows.push(("everything", "all".to_owned(), self.total()));
        rows
    }
}

/// The lines of a mutant around its fault.
fn excerpt(mutant: &Mutant) -> String {
    let lines = (1..).zip(mutant.text.trim().lines());
    lines
        .filter(|(number, _)| mutant.line.abs_diff(*number) <= AROUND)
        .map(|(number, line)| {
            let mark = if number == mutant.line { '>' } else { ' ' };
            format!("  {mark} {number:>3}  {line}\n")
        })
        .collect()
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<30} {:<11} {:>7} {:>7} {:>10} {:>8} {:>7}",
            "", "kind", "invalid", "caught", "equivalent", "survived", "share"
        )?;
        for (subject, kind, count) in self.rows() {
            writeln!(
                f,
                "{subject:<30} {kind:<11} {:>7} {:>7} {:>10} {:>8} {:>5.1} %",
                count.invalid,
                count.caught,
                count.equivalent,
                count.survived,
                100.0 * count.share()
            )?;
        }
        let lists = [
            ("not judged", &self.skipped),
            ("make no difference", &self.equivalents),
            (
                "said to make no difference, and caught: the list is wrong",
                &self.contradictions,
            ),
            ("survived", &self.survivors),
        ];
        for (title, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            writeln!(f, "\n{title}:\n")?;
            for line in list {
                writeln!(f, "  {line}")?;
            }
        }
        let total = self.total();
        writeln!(
            f,
            "\n{} of {} mutants that make a difference are caught, {:.1} %; {:.0} % are due",
            total.caught,
            total.caught + total.survived,
            100.0 * total.share(),
            100.0 * DUE
        )
    }
}

#[cfg(test)]
mod tests {
    use verdict_engines::Statement;

    use super::*;
    use crate::mutators::mutate;

    fn specimen() -> Specimen {
        let text = "SELECT a FROM b WHERE c".to_owned();
        Specimen {
            mutant: mutate(&text).remove(0),
            statement: Statement {
                text,
                parameter_types: Vec::new(),
            },
        }
    }

    #[test]
    fn survivors_count_unless_they_make_no_difference_and_are_told() {
        let mut score = Score::default();
        let specimen = specimen();
        let caught = Outcome::Caught("row 1".to_owned());
        for _ in 0..19 {
            score.add("item, optimized", &specimen, &caught, None);
        }
        let survived = Outcome::Survived;
        score.add("item, optimized", &specimen, &survived, Some("because"));
        score.add("item, optimized", &specimen, &survived, None);
        let invalid = Outcome::Invalid("syntax".to_owned());
        score.add("item, optimized", &specimen, &invalid, None);
        let total = score.total();
        assert_eq!((total.valid(), total.invalid, total.share()), (21, 1, 0.95));
        assert!(score.is_met());

        score.add("item, optimized", &specimen, &survived, None);
        assert!(!score.is_met());
        let told = score.to_string();
        for words in ["because", ">   1  SELECT a FROM b WHERE TRUE", "19 of 21"] {
            assert!(told.contains(words), "{words} in {told}");
        }
    }
}
