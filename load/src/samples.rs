//! Which of a window's answers are held to the oracle, whole rows.
//!
//! Any of them with the same chance, so that no order in which a service goes wrong (the first
//! of a connection, every second one, towards the end) passes between the samples.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::flows::call::Call;

/// Answers of a window that are held at most. Of 300 drawn at random, with one in 50 wrong, none
/// is wrong one time in 430; and a page is tens of kilobytes, so they are 20 MB at most, for as
/// long as the window lasts.
const HELD: usize = 300;

/// And of those to requests that the audit's target does not speak of, which are few.
const UNJUDGED: usize = 100;

/// An answer that came while the service was loaded.
#[derive(Debug)]
pub(crate) struct Sample {
    /// What was asked.
    pub call: Call,
    /// What was answered.
    pub body: Vec<u8>,
}

/// A window's samples: of what is judged, and of what is asked beside it.
#[derive(Debug)]
pub(crate) struct Samples {
    judged: Drawn,
    unjudged: Drawn,
    random: ChaCha8Rng,
}

impl Samples {
    /// None yet; the seed decides which are kept.
    pub fn new(seed: u64) -> Self {
        Self {
            judged: Drawn::of(HELD),
            unjudged: Drawn::of(UNJUDGED),
            random: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// Keeps an answer, perhaps in the place of another.
    pub fn offer(&mut self, call: Call, body: Vec<u8>) {
        let drawn = if call.judged {
            &mut self.judged
        } else {
            &mut self.unjudged
        };
        drawn.offer(Sample { call, body }, &mut self.random);
    }

    /// What was kept, to begin anew.
    pub fn take(&mut self) -> Vec<Sample> {
        let mut taken = self.judged.take();
        taken.append(&mut self.unjudged.take());
        taken
    }
}

/// A sample without replacement of a number of answers that is not known beforehand (Vitter's
/// algorithm R): all of them while they are few.
#[derive(Debug)]
struct Drawn {
    most: usize,
    kept: Vec<Sample>,
    offered: usize,
}

impl Drawn {
    fn of(most: usize) -> Self {
        Self {
            most,
            kept: Vec::new(),
            offered: 0,
        }
    }

    fn offer(&mut self, sample: Sample, random: &mut ChaCha8Rng) {
        self.offered += 1;
        if self.kept.len() < self.most {
            self.kept.push(sample);
        } else if let Some(kept) = self.kept.get_mut(random.random_range(0..self.offered)) {
            *kept = sample;
        }
    }

    fn take(&mut self) -> Vec<Sample> {
        self.offered = 0;
        std::mem::take(&mut self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::Flow;
    use crate::knock::Knock;

    /// Places of the answers that are kept of so many.
    fn kept(samples: &mut Samples, answers: usize) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for place in 0..answers {
            let call = Knock.call(verdict_audit::Side::Baseline, &mut random);
            samples.offer(call, place.to_le_bytes().into());
        }
        let place = |sample: Sample| usize::from_le_bytes(sample.body.try_into().unwrap());
        let mut places: Vec<usize> = samples.take().into_iter().map(place).collect();
        places.sort_unstable();
        places
    }

    #[test]
    fn few_answers_are_all_kept_and_of_many_as_many_as_are_held_in_each_window_anew() {
        let mut samples = Samples::new(1);
        assert_eq!(kept(&mut samples, 7), (0..7).collect::<Vec<_>>());
        for _ in 0..2 {
            let mut places = kept(&mut samples, 4_000);
            places.dedup();
            assert_eq!(places.len(), HELD);
        }
    }

    #[test]
    fn what_is_asked_beside_the_judged_requests_is_kept_however_many_those_are() {
        let mut samples = Samples::new(1);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for place in 0..4_000 {
            let side = verdict_audit::Side::Baseline;
            let call = match place % 80 {
                0 => Knock.varied(side, &mut random),
                _ => Knock.call(side, &mut random),
            };
            samples.offer(call, Vec::new());
        }
        let unjudged = samples.take().iter().filter(|of| !of.call.judged).count();
        assert_eq!(unjudged, 50);
    }

    #[test]
    fn every_part_of_a_window_is_drawn_from_alike() {
        let mut tenths = [0; 10];
        for seed in 0..20 {
            for place in kept(&mut Samples::new(seed), 2_000) {
                tenths[place / 200] += 1;
            }
        }
        // 600 of each expected, with a standard deviation of 21.
        assert!(
            tenths.iter().all(|of| (480..720).contains(of)),
            "{tenths:?}"
        );
    }

    #[test]
    fn a_fault_of_one_answer_in_fifty_is_among_those_that_are_held() {
        let missed = (0..400)
            .filter(|seed| {
                let places = kept(&mut Samples::new(*seed), 2_000);
                // Wherever in each fifty it strikes.
                !places.iter().any(|place| place % 50 == *seed as usize % 50)
            })
            .count();
        // One in 430 or less, since without replacement.
        assert!(missed <= 4, "{missed} of 400");
    }
}
