//! What became of all mutants, counted, and the survivors by name.

use std::collections::BTreeMap;
use std::fmt;

use verdict_audit::VariantName;

use crate::bench::Outcome;
use crate::mutant::{Kind, Mutant};
use crate::specimen::{Sender, Specimen};

/// The share of the mutants that make a difference which has to be caught, of each item and of
/// all together.
pub const DUE: f64 = 0.95;

/// Mutants that could be made, below which all items together show nothing.
pub const LEAST: usize = 200;

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
    /// Took too long, so that nothing is known.
    pub undecided: usize,
    /// Survived.
    pub survived: usize,
}

impl Count {
    /// Those that could be made.
    pub fn valid(&self) -> usize {
        self.differing() + self.equivalent
    }

    /// Those of which nobody found that they make no difference.
    pub fn differing(&self) -> usize {
        self.caught + self.undecided + self.survived
    }

    /// The share that is caught of those that make a difference; all of none.
    pub fn share(&self) -> f64 {
        match self.differing() {
            0 => 1.0,
            differing => self.caught as f64 / differing as f64,
        }
    }

    fn add(&mut self, other: &Self) {
        self.invalid += other.invalid;
        self.caught += other.caught;
        self.equivalent += other.equivalent;
        self.undecided += other.undecided;
        self.survived += other.survived;
    }
}

/// A variant of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The item.
    pub item: String,
    /// The variant.
    pub variant: VariantName,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.item, self.variant)
    }
}

/// Counts by item and variant and by kind, and what a person has to look at.
#[derive(Debug, Default)]
pub struct Score {
    counts: BTreeMap<(String, Kind), Count>,
    /// In the order of the docket, as they were met.
    subjects: Vec<Subject>,
    skipped: Vec<String>,
    undecided: Vec<String>,
    survivors: Vec<String>,
    equivalents: Vec<String>,
    contradictions: Vec<String>,
}

impl Score {
    /// Notes a variant that is not judged, and why.
    pub fn skip(&mut self, subject: &Subject, reason: &str) {
        self.skipped.push(format!("{subject}: {reason}"));
    }

    /// Notes what became of a mutant; `equivalent` is why it can make no difference, if somebody
    /// found that.
    pub fn add(
        &mut self,
        subject: &Subject,
        specimen: &Specimen,
        outcome: &Outcome,
        equivalent: Option<&str>,
    ) {
        if self.subjects.last().is_none_or(|last| last != subject) {
            self.subjects.push(subject.clone());
        }
        let mutant = &specimen.mutant;
        let place = match specimen.sender {
            Sender::Calls => "",
            Sender::Change => " in its change",
        };
        let named = format!("{subject}{place}, {mutant}");
        let count = self
            .counts
            .entry((subject.to_string(), mutant.kind))
            .or_default();
        match (outcome, equivalent) {
            (Outcome::Invalid(_), _) => count.invalid += 1,
            (Outcome::Caught(first), known) => {
                count.caught += 1;
                if known.is_some() {
                    self.contradictions.push(format!("{named}: {first}"));
                }
            }
            (Outcome::Survived | Outcome::Undecided(_), Some(reason)) => {
                count.equivalent += 1;
                self.equivalents.push(format!("{named}: {reason}"));
            }
            (Outcome::Undecided(words), None) => {
                count.undecided += 1;
                self.undecided.push(format!("{named}: {words}"));
            }
            (Outcome::Survived, None) => {
                count.survived += 1;
                let excerpt = excerpt(mutant);
                self.survivors.push(format!("{named}, in\n\n{excerpt}"));
            }
        }
    }

    /// Over everything.
    pub fn total(&self) -> Count {
        let mut total = Count::default();
        self.counts.values().for_each(|count| total.add(count));
        total
    }

    /// Every bar that is missed, in words; `whole` when no item was left out by who asked.
    pub fn missed(&self, whole: bool) -> Vec<String> {
        let mut missed = Vec::new();
        let total = self.total();
        if whole && total.valid() < LEAST {
            missed.push(format!(
                "{} mutants could be made, and {LEAST} are due",
                total.valid()
            ));
        }
        let mut items: Vec<&str> = self.subjects.iter().map(|s| s.item.as_str()).collect();
        items.dedup();
        let mut shares: Vec<_> = items
            .iter()
            .map(|item| (*item, self.of_item(item)))
            .collect();
        shares.push((EVERYTHING, total));
        for (name, count) in shares {
            if count.caught == 0 || count.share() < DUE {
                missed.push(format!(
                    "{name}: {} of {} mutants that make a difference are caught, {:.1} %, and \
                     {:.0} % are due",
                    count.caught,
                    count.differing(),
                    100.0 * count.share(),
                    100.0 * DUE
                ));
            }
        }
        if !self.contradictions.is_empty() {
            missed.push("some that are said to make no difference are caught".to_owned());
        }
        missed
    }

    /// Over an item's variants.
    fn of_item(&self, item: &str) -> Count {
        let subjects = self.subjects.iter().filter(|subject| subject.item == item);
        let mut all = Count::default();
        subjects.for_each(|subject| all.add(&self.of(subject)));
        all
    }

    fn of(&self, subject: &Subject) -> Count {
        let mut all = Count::default();
        let subject = subject.to_string();
        let counts = self.counts.iter().filter(|((of, _), _)| *of == subject);
        counts.for_each(|(_, count)| all.add(count));
        all
    }

    fn rows(&self) -> Vec<(String, String, Count)> {
        let mut rows = Vec::new();
        for subject in &self.subjects {
            let name = subject.to_string();
            for ((of, kind), count) in &self.counts {
                if *of == name {
                    rows.push((name.clone(), kind.to_string(), *count));
                }
            }
            rows.push((name, "all".to_owned(), self.of(subject)));
        }
        rows.push((EVERYTHING.to_owned(), "all".to_owned(), self.total()));
        rows
    }
}

/// What all items together are called.
const EVERYTHING: &str = "everything";

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
            "{:<30} {:<11} {:>7} {:>7} {:>10} {:>9} {:>8} {:>7}",
            "", "kind", "invalid", "caught", "equivalent", "undecided", "survived", "share"
        )?;
        for (subject, kind, count) in self.rows() {
            writeln!(
                f,
                "{subject:<30} {kind:<11} {:>7} {:>7} {:>10} {:>9} {:>8} {:>5.1} %",
                count.invalid,
                count.caught,
                count.equivalent,
                count.undecided,
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
            ("undecided: given up in its time", &self.undecided),
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
            "\n{} of {} mutants that make a difference are caught, {:.1} %",
            total.caught,
            total.differing(),
            100.0 * total.share()
        )
    }
}

#[cfg(test)]
mod tests {
    use verdict_engines::Statement;

    use super::*;
    use crate::mutators::mutate;
    use crate::specimen::Sent;

    fn specimen() -> Specimen {
        let text = "SELECT a FROM b WHERE c".to_owned();
        Specimen {
            sender: Sender::Calls,
            mutant: mutate(&text).remove(0),
            statement: Sent::Postgres(Statement {
                text,
                parameter_types: Vec::new(),
            }),
        }
    }

    fn subject(item: &str) -> Subject {
        Subject {
            item: item.to_owned(),
            variant: VariantName::Optimized,
        }
    }

    fn caught(score: &mut Score, item: &str, times: usize) {
        for _ in 0..times {
            let caught = Outcome::Caught("row 1".to_owned());
            score.add(&subject(item), &specimen(), &caught, None);
        }
    }

    #[test]
    fn survivors_count_unless_they_make_no_difference_and_are_told() {
        let (mut score, item) = (Score::default(), subject("item"));
        caught(&mut score, "item", 19);
        let survived = Outcome::Survived;
        score.add(&item, &specimen(), &survived, Some("because"));
        score.add(&item, &specimen(), &survived, None);
        let invalid = Outcome::Invalid("syntax".to_owned());
        score.add(&item, &specimen(), &invalid, None);
        let total = score.total();
        assert_eq!((total.valid(), total.invalid, total.share()), (21, 1, 0.95));
        assert!(score.missed(false).is_empty());

        score.add(&item, &specimen(), &survived, None);
        assert!(score.missed(false)[0].starts_with("item: 19 of 21"));
        let told = score.to_string();
        for words in ["because", ">   1  SELECT a FROM b WHERE TRUE", "19 of 21"] {
            assert!(told.contains(words), "{words} in {told}");
        }
    }

    #[test]
    fn what_took_too_long_is_not_caught() {
        let mut score = Score::default();
        caught(&mut score, "item", 18);
        let undecided = Outcome::Undecided("too long".to_owned());
        score.add(&subject("item"), &specimen(), &undecided, None);
        assert!(score.missed(false)[0].contains("18 of 19"));
        assert!(score.to_string().contains("too long"));
    }

    #[test]
    fn many_caught_of_one_item_do_not_make_up_for_another() {
        let mut score = Score::default();
        caught(&mut score, "one", 198);
        caught(&mut score, "other", 1);
        assert!(score.missed(false).is_empty());
        assert!(score.missed(true)[0].starts_with("199 mutants"));
        score.add(&subject("other"), &specimen(), &Outcome::Survived, None);
        let missed = score.missed(true);
        assert_eq!(missed.len(), 1, "{missed:?}");
        assert!(missed[0].starts_with("other: 1 of 2"));
    }

    #[test]
    fn one_that_is_said_to_make_no_difference_and_is_caught_is_a_miss() {
        let mut score = Score::default();
        caught(&mut score, "item", 1);
        let caught = Outcome::Caught("row 1".to_owned());
        score.add(&subject("item"), &specimen(), &caught, Some("because"));
        assert_eq!(score.missed(false).len(), 1);
    }
}
