//! What a call of a fix saves, by three clocks, on one bare connection each.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use verdict_audit::{At, VariantName};
use verdict_engines::Call;
use verdict_engines::pgbench::{Pgbench, Script};
use verdict_scenarios::Result;
use verdict_scenarios::court::Court;
use verdict_scenarios::item::Item;
use verdict_scenarios::operation::{AnyOperation, Ladder, Leaves};
use verdict_scenarios::session::Role;

use crate::bare::{Bare, Took, WARM_UP_CALLS};
use crate::calls::{self, heard};
use crate::place::Place;
use crate::plan::Plan;

/// Where it is looked at.
const SIZES: [u64; 3] = [1_000, 2_000, 10_000];

/// How long a block is, in microseconds: long against a call, short against the machine's moods.
const BLOCK_US: f64 = 25_000.0;

/// What a call saves, in microseconds: today's less the fix's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Saved {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// By the caller's clock.
    pub caller_us: f64,
    /// By the engine's own.
    pub engine_us: f64,
    /// By pgbench, the same statements prepared.
    pub pgbench_us: f64,
    /// What a call takes by each of them: today's, and the fix's.
    pub takes: [Clocks; 2],
    /// Statements of a call of today's, and of the fix's.
    pub statements: [usize; 2],
    /// What a statement that asks for nothing costs its caller beyond the engine's time.
    pub empty_us: f64,
    /// What today's statements cost beyond the engine's time less what the fix's do, of
    /// statements that are given the same parameters and answer the same rows from a table that
    /// holds nothing else.
    pub answering_us: f64,
    /// What the caller saves beyond the engine, where both clocks saw the same calls.
    pub beyond_us: f64,
}

/// What a call takes by three clocks, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Clocks {
    /// By the caller's.
    pub caller_us: f64,
    /// By the engine's own.
    pub engine_us: f64,
    /// By pgbench's.
    pub pgbench_us: f64,
}

/// How far two clients may be apart: a share, or microseconds where that is more.
const APART: (f64, f64) = (0.1, 20.0);

/// How far what the caller saves beyond the engine may be from what it costs to ask and to be
/// answered.
const ANSWERING_APART: f64 = 0.2;

impl Saved {
    /// What of it as many empty statements as are saved cost.
    pub fn of_statements(&self) -> f64 {
        let [before, after] = self.statements.map(|count| count as f64);
        (before - after) * self.empty_us
    }

    /// Whether the clocks agree: with as many statements on both sides the two clients', with
    /// fewer the caller's with the engine's and what asking and being answered costs.
    pub fn agrees(&self) -> bool {
        let [before, after] = self.statements;
        if before == after {
            let (share, least) = APART;
            let apart = (self.caller_us - self.pgbench_us).abs();
            return apart <= (share * self.pgbench_us.abs()).max(least);
        }
        let answering = self.answering_us;
        (self.beyond_us - answering).abs() <= ANSWERING_APART * answering.abs()
    }
}

/// What calls save, and what is not known of.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Calls {
    /// By three clocks.
    pub saved: Vec<Saved>,
    /// Where pgbench cannot be given the parameters: one is longer than an argument may be.
    pub left_out: Vec<Place>,
}

/// Looks at what every optimized variant's reading calls save.
///
/// # Errors
/// What the harness could not do.
pub fn saved(court: &Court<'_>, pgbench: &Pgbench, plan: &Plan) -> Result<Calls> {
    let mut calls = Calls::default();
    for item in court.items {
        for (variant, change) in item.variants() {
            if variant != VariantName::Optimized {
                continue;
            }
            // A change that does not run saves nothing, and the trial says so.
            let _ = court.scrutinise(*item, &variant, &change, || {
                of_item(court, (*item, &variant), pgbench, plan, &mut calls)
            })?;
        }
    }
    Ok(calls)
}

fn of_item(
    court: &Court<'_>,
    (item, variant): (&dyn Item, &VariantName),
    pgbench: &Pgbench,
    plan: &Plan,
    seen: &mut Calls,
) -> Result<()> {
    for operation in item.operations() {
        // What ClickHouse answers is not heard on PostgreSQL's wire.
        let elsewhere = operation.ladder() != Ladder::Rows;
        if operation.aside() || elsewhere || operation.leaves() != Leaves::Nothing {
            continue;
        }
        for n in SIZES {
            let at = At::rung(n);
            let step = format!("{} at {at}, by three clocks", operation.name());
            court.watcher.step(item.id(), variant, &step);
            let Some(sides) = sides(court, (&*operation, at), variant)? else {
                continue;
            };
            let place = Place {
                item: item.id().to_owned(),
                operation: operation.name().to_owned(),
                n,
            };
            if sides.iter().all(|side| side.script.can_be_given()) {
                seen.saved.push(timed(court, place, sides, pgbench, plan)?);
            } else {
                seen.left_out.push(place);
            }
        }
    }
    Ok(())
}

/// A side's call and what was measured of it, round by round.
struct Side {
    role: Role,
    calls: Vec<Call>,
    script: Script,
    /// Calls of a block.
    each: usize,
    caller: Vec<f64>,
    engine: Vec<f64>,
    beyond: Vec<f64>,
    pgbench: Vec<f64>,
    /// Beyond the engine, where the same rows are answered without looking for them.
    answering: Vec<f64>,
}

impl Side {
    fn takes(&self) -> Clocks {
        Clocks {
            caller_us: median(self.caller.clone()),
            engine_us: median(self.engine.clone()),
            pgbench_us: median(self.pgbench.clone()),
        }
    }
}

/// Who measures in a turn.
#[derive(Clone, Copy)]
enum Turn {
    Ours(usize),
    Answering(usize),
    Pgbench(usize),
    Empty,
}

/// Today's call and the fix's; none where a side has none there.
fn sides(
    court: &Court<'_>,
    (operation, at): (&dyn AnyOperation, At),
    variant: &VariantName,
) -> Result<Option<[Side; 2]>> {
    let today = heard(court, operation, &VariantName::Baseline, at)?;
    let fix = heard(court, operation, variant, at)?;
    if today.is_empty() || fix.is_empty() {
        return Ok(None);
    }
    Ok(Some([
        side(court, Role::of(&VariantName::Baseline), today)?,
        side(court, Role::of(variant), fix)?,
    ]))
}

/// One call by all clocks, in turns.
fn timed(
    court: &Court<'_>,
    place: Place,
    mut sides: [Side; 2],
    pgbench: &Pgbench,
    plan: &Plan,
) -> Result<Saved> {
    let nothing = [calls::empty()];
    let mut empty = Vec::new();
    let mut random = ChaCha8Rng::seed_from_u64(place.n);
    for _ in 0..plan.rounds {
        let mut turns = [
            Turn::Ours(0),
            Turn::Ours(1),
            Turn::Answering(0),
            Turn::Answering(1),
            Turn::Pgbench(0),
            Turn::Pgbench(1),
            Turn::Empty,
        ];
        turns.shuffle(&mut random);
        for turn in turns {
            match turn {
                Turn::Ours(side) => {
                    let side = &mut sides[side];
                    let calls = (&side.calls[..], Found::ByWork);
                    let took = ours(court, side.role, calls, side.each, plan)?;
                    side.caller.push(typical(&took, |took| took.caller_us));
                    side.engine.push(typical(&took, |took| took.engine_us));
                    side.beyond.push(typical(&took, Took::beyond_us));
                }
                Turn::Answering(side) => {
                    let side = &mut sides[side];
                    let calls = (&side.calls[..], Found::Kept);
                    let each = side.each.max(EMPTY_CALLS);
                    let took = ours(court, side.role, calls, each, plan)?;
                    side.answering.push(typical(&took, Took::beyond_us));
                }
                Turn::Pgbench(side) => {
                    let side = &mut sides[side];
                    let database = court.session.endpoints(side.role).postgres;
                    let times = WARM_UP_CALLS + plan.blocks * side.each;
                    let times = pgbench.run(&database, &side.script, times)?;
                    let blocks = times.get(WARM_UP_CALLS..).unwrap_or_default();
                    let means = blocks.chunks(side.each).map(mean).collect();
                    side.pgbench.push(median(means));
                }
                Turn::Empty => {
                    let role = sides[0].role;
                    let each = sides[0].each.max(EMPTY_CALLS);
                    let took = ours(court, role, (&nothing, Found::ByWork), each, plan)?;
                    empty.push(typical(&took, Took::beyond_us));
                }
            }
        }
    }
    let takes = [sides[0].takes(), sides[1].takes()];
    let by = |clock: fn(&Clocks) -> f64| clock(&takes[0]) - clock(&takes[1]);
    let answering = |side: &Side| median(side.answering.clone());
    let beyond = |side: &Side| median(side.beyond.clone());
    Ok(Saved {
        place,
        caller_us: by(|side| side.caller_us),
        engine_us: by(|side| side.engine_us),
        pgbench_us: by(|side| side.pgbench_us),
        takes,
        statements: [sides[0].calls.len(), sides[1].calls.len()],
        empty_us: median(empty),
        answering_us: answering(&sides[0]) - answering(&sides[1]),
        beyond_us: beyond(&sides[0]) - beyond(&sides[1]),
    })
}

/// Calls of a block of statements that ask for nothing.
const EMPTY_CALLS: usize = 100;

/// A side whose calls are known, and how many of them make a block.
fn side(court: &Court<'_>, role: Role, calls: Vec<Call>) -> Result<Side> {
    let database = court.session.endpoints(role).postgres;
    let (script, once) = court.runtime.block_on(async {
        let mut bare = Bare::connect(&database).await?;
        let script = bare.script(&calls).await?;
        let once = bare.blocks(&calls, 1, WARM_UP_CALLS).await?;
        bare.close().await?;
        Ok::<_, verdict_store::Error>((script, once))
    })?;
    let typical = once.first().map_or(BLOCK_US, |took| took.caller_us);
    Ok(Side {
        role,
        calls,
        script,
        each: (BLOCK_US / typical).clamp(1.0, 1_000.0) as usize,
        caller: Vec::new(),
        engine: Vec::new(),
        beyond: Vec::new(),
        pgbench: Vec::new(),
        answering: Vec::new(),
    })
}

/// How the rows of an answer are found.
#[derive(Clone, Copy, PartialEq)]
enum Found {
    ByWork,
    /// They are kept from before.
    Kept,
}

/// Blocks of calls on a fresh connection.
fn ours(
    court: &Court<'_>,
    role: Role,
    (calls, found): (&[Call], Found),
    each: usize,
    plan: &Plan,
) -> Result<Vec<Took>> {
    let database = court.session.endpoints(role).postgres;
    let took = court.runtime.block_on(async {
        let mut bare = Bare::connect(&database).await?;
        let kept = match found {
            Found::ByWork => None,
            Found::Kept => Some(bare.answering(calls).await?),
        };
        let calls = kept.as_deref().unwrap_or(calls);
        let took = bare.blocks(calls, plan.blocks, each).await?;
        bare.close().await?;
        Ok::<_, verdict_store::Error>(took)
    })?;
    Ok(took)
}

fn typical(took: &[Took], time: fn(&Took) -> f64) -> f64 {
    median(took.iter().map(time).collect())
}

fn mean(times: &[f64]) -> f64 {
    times.iter().sum::<f64>() / times.len() as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.get(middle) {
        Some(upper) if values.len().is_multiple_of(2) => (values[middle - 1] + upper) / 2.0,
        Some(value) => *value,
        None => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(statements: [usize; 2], caller_us: f64, engine_us: f64, pgbench_us: f64) -> Saved {
        Saved {
            place: Place::default(),
            caller_us,
            engine_us,
            pgbench_us,
            takes: Default::default(),
            statements,
            empty_us: 50.0,
            answering_us: 100.0,
            beyond_us: caller_us - engine_us,
        }
    }

    #[test]
    fn with_as_many_statements_two_clients_have_to_agree() {
        assert!(saved([1, 1], 1_090.0, 0.0, 1_000.0).agrees());
        assert!(!saved([1, 1], 1_110.0, 0.0, 1_000.0).agrees());
        assert!(saved([1, 1], 19.0, 0.0, 0.0).agrees());
        assert!(!saved([1, 1], -21.0, 0.0, 0.0).agrees());
    }

    #[test]
    fn with_fewer_the_caller_saves_what_the_engine_does_and_asking_and_answering() {
        assert!(saved([3, 1], 300.0, 200.0, 0.0).agrees());
        assert!(saved([3, 1], 319.0, 200.0, 0.0).agrees());
        assert!(!saved([3, 1], 321.0, 200.0, 0.0).agrees());
        assert!(!saved([3, 1], 279.0, 200.0, 0.0).agrees());
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![9.0, 1.0, 2.0, 4.0]), 3.0);
        assert_eq!(median(Vec::new()), 0.0);
    }
}
