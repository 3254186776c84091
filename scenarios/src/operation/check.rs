//! The check: drawn requests, one after the other, and writes between them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use verdict_audit::VariantName;
use verdict_oracle::write::Kind;
use verdict_oracle::{Difference, Oracle, Write, same};
use verdict_store::{Error, Store, Table};

use super::ask::Asker;
use super::contract::{Between, Leaves, Operation};
use crate::tally::Tally;

/// What a check needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// What is right.
    pub oracle: &'a Oracle,
    /// Where the variant runs, and what it left is read back.
    pub store: &'a Store,
    /// By way of which the variant itself is called: [`Self::store`], or a line to it.
    pub calls: &'a Store,
    /// Which variant.
    pub variant: &'a VariantName,
    /// How much is asked.
    pub effort: Effort,
    /// The seed that requests are drawn from.
    pub seed: u64,
    /// Whether the first wrong answer is enough.
    pub until_wrong: bool,
}

/// How much is asked of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Answers to drawn requests that are held; equal reads around a write come to them.
    pub answers: u64,
    /// A variant that is slow is asked less: for this many answers to requests that are drawn as
    /// the others are, and then only as long as patience lasts.
    pub least: u64,
    /// See [`Self::least`].
    pub patience: Duration,
    /// How often some requests are asked at once: answers must not be mixed up where calls
    /// overlap.
    pub crowds: usize,
}

impl Effort {
    /// What a trial asks of a variant.
    #[must_use]
    pub fn trial(answers: u64) -> Self {
        Self {
            answers,
            least: 60,
            patience: Duration::from_secs(2),
            crowds: 4,
        }
    }

    /// Enough to see that an operation still runs.
    #[must_use]
    pub fn glance(answers: u64) -> Self {
        Self {
            answers,
            least: 2,
            patience: Duration::from_millis(500),
            crowds: 0,
        }
    }
}

/// Requests that are asked at once.
const AT_ONCE: usize = 16;

/// Among so many drawn requests, one at least has something to write between its reads, where an
/// operation says that it has.
const DRAW_A_WRITE: u64 = 60;

/// Of so many requests, one is asked again after a write, and again when it is taken back. So is
/// each whose answer is that there is nothing, if something can come to be there.
const WRITES_ONE_IN: u64 = 4;

/// Writes at least, where they take longer than the patience allows.
const LEAST_WRITES: u64 = 5;

pub(super) async fn check<O: Operation>(
    operation: &O,
    check: Check<'_>,
    tally: &mut Tally,
) -> Result<BTreeSet<Table>, Error> {
    let mut written = BTreeSet::new();
    if !operation.offered_by(check.variant) {
        return Ok(written);
    }
    let asker = Asker {
        operation,
        variant: check.variant,
        store: check.store,
        calls: check.calls,
        when: "",
        until_wrong: check.until_wrong,
    };
    let Effort {
        answers,
        least,
        patience,
        crowds,
    } = check.effort;
    let mut random = ChaCha8Rng::seed_from_u64(check.seed);
    let started = Instant::now();
    let checked = tally.checked();
    let (mut asked, mut between) = (0, 0);
    for number in 0u64.. {
        let took = started.elapsed();
        let enough = asked >= least && took > patience;
        if asked >= answers || enough || check.until_wrong && tally.differs() {
            break;
        }
        let request = operation.draw(check.oracle, &mut random);
        let answer = asker.ask(check.oracle, &request, tally).await?;
        asked += 1;
        if operation.leaves() == Leaves::Rows {
            written.extend(operation.writes());
            let acknowledged = answer.map_or(0, |answer| operation.acknowledged(&answer));
            let taken = operation.undo(check.store, vec![request.clone()]).await?;
            if let Err(wrong) = same("rows stored", &acknowledged, &taken) {
                tally.record(format_args!("{} {request:?}", operation.name()), Err(wrong));
            }
        }
        let write = operation.write_between(check.oracle, &request, &mut random);
        let one_in = number.is_multiple_of(WRITES_ONE_IN);
        let patient = took <= patience || between < LEAST_WRITES;
        let due = |write: &Write| (one_in || write.kind == Kind::Created) && patient;
        if let Some(write) = write.filter(due) {
            written.extend(write.tables());
            let often = if took > patience / 2 { 1 } else { u32::MAX };
            let oracle = check.oracle;
            asker
                .around(oracle, &request, write, &mut random, often, tally)
                .await?;
            (asked, between) = (asked + 2, between + 1);
        }
    }
    if operation.leaves() == Leaves::Nothing {
        for _ in 0..crowds {
            if check.until_wrong && tally.differs() {
                break;
            }
            let crowd: Vec<_> = (0..AT_ONCE)
                .map(|_| operation.draw(check.oracle, &mut random))
                .collect();
            asker.at_once(check.oracle, &crowd, tally).await?;
        }
    }
    if operation.between() == Between::Drawn && between == 0 && asked >= DRAW_A_WRITE {
        let none = Difference("nothing was written between its reads".to_owned());
        tally.record(operation.name(), Err(none));
    }
    if asked < answers && !check.until_wrong {
        let call = started.elapsed() / u32::try_from(tally.checked() - checked).unwrap_or(1).max(1);
        tally.shorten(format!(
            "{}: {asked} drawn answers instead of {}, since one takes {call:.1?}",
            operation.name(),
            answers
        ));
    }
    Ok(written)
}
