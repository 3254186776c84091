//! The interval of a ratio on recorded blocks whose faults are known: how often it covers the
//! truth. Each kind of fault by itself, and all of them together.

#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps says where it failed"
)]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use verdict_audit::evidence::{Ratio, Zero};
use verdict_audit::ratio::{Block, ratio};

/// What is known of a recording. All but the truth are of logarithms: 0.01 is 1 %.
#[derive(Debug, Clone, Copy)]
struct Recording {
    /// Baseline ÷ variant.
    truth: f64,
    rounds: usize,
    /// Blocks of a round.
    blocks: usize,
    /// What each block of each side is off by, by itself.
    noise: f64,
    /// What blocks of each side are off by that have something of the one before them in the same
    /// round, and how much.
    own: f64,
    like_the_last: f64,
    /// The same of the machine: both sides', and through all rounds.
    shared: f64,
    /// What a side is off by for a round: its connection's, its plan's.
    offset: f64,
    /// What both sides have become slower by at the end.
    drift: f64,
    /// What one side in a block in ten is slower by besides.
    tail: f64,
}

/// Nothing but noise.
const PLAIN: Recording = Recording {
    truth: 1.2,
    rounds: 20,
    blocks: 4,
    noise: 0.01,
    own: 0.0,
    like_the_last: 0.0,
    shared: 0.0,
    offset: 0.0,
    drift: 0.0,
    tail: 0.0,
};

/// What comes and goes slowly: each value has a share of the one before, and in all the same
/// spread however large that share is.
#[derive(Clone, Copy)]
struct Mood {
    value: f64,
    share: f64,
    spread: f64,
}

impl Mood {
    fn new(share: f64, spread: f64, random: &mut ChaCha8Rng) -> Self {
        Self {
            value: spread * normal(random),
            share,
            spread,
        }
    }

    fn next(&mut self, random: &mut ChaCha8Rng) -> f64 {
        let fresh = (1.0 - self.share.powi(2)).sqrt() * self.spread;
        self.value = self.share * self.value + fresh * normal(random);
        self.value
    }
}

/// A normal number of two uniform ones (Box and Muller).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (one, other): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - one).ln()).sqrt() * (std::f64::consts::TAU * other).cos()
}

impl Recording {
    fn draw(&self, random: &mut ChaCha8Rng) -> Vec<Vec<Block>> {
        let mut machine = Mood::new(self.like_the_last, self.shared, random);
        let all = (self.rounds * self.blocks) as f64;
        let mut seen = 0.0;
        (0..self.rounds)
            .map(|_| {
                let offsets = [(); 2].map(|()| self.offset * normal(random));
                let mut own = [(); 2].map(|()| Mood::new(self.like_the_last, self.own, random));
                (0..self.blocks)
                    .map(|_| {
                        seen += 1.0;
                        let both = machine.next(random) + self.drift * seen / all;
                        let mut side = |number: usize| {
                            let slow = if random.random::<f64>() < 0.1 {
                                self.tail
                            } else {
                                0.0
                            };
                            let off = offsets[number] + own[number].next(random) + slow;
                            1e6 * (both + off + self.noise * normal(random)).exp()
                        };
                        Block {
                            baseline_ns: self.truth * side(0),
                            variant_ns: side(1),
                        }
                    })
                    .collect()
            })
            .collect()
    }

    /// The share of so many intervals that cover the truth.
    fn coverage(&self, recordings: usize, seed: u64) -> f64 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let covers = |Ratio { lo, hi, .. }: Ratio| lo <= self.truth && self.truth <= hi;
        let covered = (0..recordings)
            .filter(|_| covers(ratio(&self.draw(&mut random)).unwrap()))
            .count();
        covered as f64 / recordings as f64
    }
}

/// Every kind of fault by itself, and all of them.
fn kinds() -> [(&'static str, Recording); 7] {
    let all = Recording {
        own: 0.02,
        like_the_last: 0.8,
        shared: 0.1,
        offset: 0.03,
        drift: 0.2,
        tail: 0.1,
        ..PLAIN
    };
    [
        ("noise", PLAIN),
        (
            "each like the one before",
            Recording {
                own: 0.02,
                like_the_last: 0.8,
                ..PLAIN
            },
        ),
        (
            "a machine of moods",
            Recording {
                shared: 0.1,
                like_the_last: 0.95,
                ..PLAIN
            },
        ),
        (
            "offsets of rounds",
            Recording {
                offset: 0.05,
                ..PLAIN
            },
        ),
        (
            "drift",
            Recording {
                drift: 0.3,
                ..PLAIN
            },
        ),
        ("a long tail", Recording { tail: 0.3, ..PLAIN }),
        ("all", all),
    ]
}

#[test]
fn the_interval_covers_the_truth_whatever_is_wrong_with_the_blocks() {
    for (seed, (kind, recording)) in (1..).zip(kinds()) {
        for (rounds, truth) in [(6, 1.0), (20, 3.0)] {
            let recording = Recording {
                rounds,
                truth,
                ..recording
            };
            let coverage = recording.coverage(2_000, seed);
            assert!(
                (0.93..=0.97).contains(&coverage),
                "{kind}, {rounds} rounds: {coverage}"
            );
        }
    }
}

/// What the rounds are for: as many blocks on one pair of connections, taken for rounds each,
/// are sure of what is their connections' own.
#[test]
fn blocks_of_one_round_taken_for_rounds_cover_far_too_seldom() {
    let one_round = Recording {
        rounds: 1,
        blocks: 20,
        offset: 0.05,
        ..PLAIN
    };
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let covered = (0..500)
        .filter(|_| {
            let blocks = one_round.draw(&mut random).swap_remove(0);
            let rounds: Vec<_> = blocks.into_iter().map(|block| vec![block]).collect();
            let found = ratio(&rounds).unwrap();
            found.lo <= one_round.truth && one_round.truth <= found.hi
        })
        .count();
    assert!(covered < 150, "{covered} of 500");
}

/// Two copies of a database differ for good: taken from a zero that was measured on them, the
/// interval covers the truth, and as it is it does not.
#[test]
fn an_offset_of_the_copies_is_taken_off_with_the_zero() {
    let today = Recording {
        truth: 1.0,
        rounds: 10,
        offset: 0.01,
        ..PLAIN
    };
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let (mut with_zero, mut without) = (0, 0);
    let (recordings, truth) = (2_000, 1.3);
    for _ in 0..recordings {
        let copies = (0.03 * normal(&mut random)).exp();
        let of = |truth: f64| Recording {
            truth: truth * copies,
            ..today
        };
        let zero = Zero {
            ratio: ratio(&of(1.0).draw(&mut random)).unwrap(),
            rounds: today.rounds,
        };
        let measured = ratio(&of(truth).draw(&mut random)).unwrap();
        let covers = |found: Ratio| usize::from(found.lo <= truth && truth <= found.hi);
        with_zero += covers(measured.relative_to(zero, today.rounds));
        without += covers(measured);
    }
    let share = |covered: usize| covered as f64 / f64::from(recordings);
    assert!(
        (0.93..=0.975).contains(&share(with_zero)),
        "{}",
        share(with_zero)
    );
    assert!(share(without) < 0.6, "{}", share(without));
}

/// A slowdown of a few percent is found in almost every recording of 20 rounds, for which blocks
/// and rounds are there.
#[test]
fn a_slowdown_of_a_few_percent_is_found() {
    let (_, all) = kinds()[6];
    let slower = Recording {
        truth: 1.0 / 1.05,
        tail: 0.0,
        ..all
    };
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let found = (0..500).filter(|_| ratio(&slower.draw(&mut random)).unwrap().hi < 1.0);
    let found = found.count();
    assert!(found > 450, "{found} of 500");
}
