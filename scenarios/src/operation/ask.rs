//! Asking once, and asking again around a write.

use futures_util::future::join_all;
use rand::{Rng, RngExt};
use verdict_audit::VariantName;
use verdict_oracle::{Difference, Oracle, Write};
use verdict_store::{Error, Fault, Refusal, Store};

use super::contract::{Operation, in_time};
use crate::tally::Tally;

/// Equal reads at most before a write, after it, and after it is taken back: a copy may be made
/// of the first answer, or only of what is asked for often.
const EQUAL: u32 = 8;

/// How a variant is asked, and how its answers are called in the tally.
pub(super) struct Asker<'a, O> {
    pub operation: &'a O,
    pub variant: &'a VariantName,
    /// What the harness writes and reads back by.
    pub store: &'a Store,
    /// What the variant is called by.
    pub calls: &'a Store,
    /// When.
    pub when: &'static str,
    /// Whether the first wrong answer is enough.
    pub until_wrong: bool,
}

impl<O: Operation> Asker<'_, O> {
    /// Asks once, and holds the answer and what it left; the answer, if there was one.
    pub async fn ask(
        &self,
        oracle: &Oracle,
        request: &O::Request,
        tally: &mut Tally,
    ) -> Result<Option<O::Answer>, Error> {
        let operation = self.operation;
        let called = in_time(operation.call(self.calls, self.variant, request)).await;
        let (when, name) = (self.when, operation.name());
        match called {
            Ok(answer) => {
                let held = match operation.hold(oracle, request, &answer) {
                    Ok(()) => operation.hold_left(self.store, request, &answer).await?,
                    wrong => wrong,
                };
                tally.record(format_args!("{when}{name} {request:?}"), held);
                Ok(Some(answer))
            }
            Err(Fault::Variant(refusal)) => {
                tally.refuse(format_args!("{when}{name} {request:?}"), &refusal);
                Ok(None)
            }
            Err(Fault::Harness(error)) => Err(error),
        }
    }

    /// Asks all of them at once.
    pub async fn at_once(
        &self,
        oracle: &Oracle,
        requests: &[O::Request],
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let mut tallies: Vec<Tally> = requests.iter().map(|_| Tally::default()).collect();
        let asked = requests
            .iter()
            .zip(&mut tallies)
            .map(|(request, tally)| self.ask(oracle, request, tally));
        for asked in join_all(asked).await {
            asked?;
        }
        for of_one in tallies {
            tally.add(of_one);
        }
        Ok(())
    }

    /// Asks what was just asked again and again, then after a write, and then when that is taken
    /// back; whether it was made. `often` tells how often at the most.
    pub async fn around(
        &self,
        oracle: &Oracle,
        request: &O::Request,
        write: Write,
        random: &mut impl Rng,
        often: u32,
        tally: &mut Tally,
    ) -> Result<bool, Error> {
        let again = equal(random, often) - 1;
        self.equally(oracle, request, again, tally).await?;
        let made = self.operation.write(self.store, self.variant, &write);
        match made.await {
            Ok(()) => {}
            // A schema that takes no such row any more is the variant's doing.
            Err(
                Fault::Harness(Error::Refused { words, .. })
                | Fault::Variant(Refusal::Refused(words) | Refusal::TimedOut(words)),
            ) => {
                tally.record(format_args!("{write:?}"), Err(Difference(words)));
                return Ok(false);
            }
            Err(Fault::Harness(error)) => return Err(error),
        }
        let with = oracle.with(&write);
        let again = equal(random, often);
        let asked = self.equally(&with, request, again, tally).await;
        let back = write.back();
        let taken = self.operation.write(self.store, self.variant, &back);
        match taken.await {
            Ok(()) => asked?,
            Err(Fault::Variant(refusal)) => return Err(Error::NotRenewed(refusal.to_string())),
            Err(Fault::Harness(error)) => return Err(error),
        }
        let again = equal(random, often);
        self.equally(oracle, request, again, tally).await?;
        Ok(true)
    }

    async fn equally(
        &self,
        oracle: &Oracle,
        request: &O::Request,
        times: u32,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        for _ in 0..times {
            if self.until_wrong && tally.differs() {
                break;
            }
            self.ask(oracle, request, tally).await?;
        }
        Ok(())
    }
}

/// How often something is asked: once as often as more than once.
fn equal(random: &mut impl Rng, often: u32) -> u32 {
    match random.random() {
        true => 1,
        false => random.random_range(1..=EQUAL).min(often),
    }
}
