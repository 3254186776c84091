//! Weighted choices and heavy tails.

use rand::{Rng, RngExt};

/// Counts per entity, kept as running totals: 8 bytes an entity.
#[derive(Debug)]
pub(crate) struct Counts {
    /// `starts[i]` items lie before entity i; one more entry at the end holds the total.
    starts: Vec<u64>,
}

impl Counts {
    pub(crate) fn new(counts: impl IntoIterator<Item = u64>) -> Self {
        let mut starts = vec![0];
        let mut total = 0;
        for count in counts {
            total += count;
            starts.push(total);
        }
        Self { starts }
    }

    pub(crate) fn entities(&self) -> u32 {
        (self.starts.len() - 1) as u32
    }

    /// Items of all entities.
    pub(crate) fn total(&self) -> u64 {
        self.starts[self.starts.len() - 1]
    }

    pub(crate) fn of(&self, entity: u32) -> u64 {
        self.starts[entity as usize + 1] - self.start(entity)
    }

    /// The number, among all items, of the entity's first.
    pub(crate) fn start(&self, entity: u32) -> u64 {
        self.starts[entity as usize]
    }

    /// An entity with probability in proportion to its count.
    pub(crate) fn sample(&self, random: &mut impl Rng) -> u32 {
        let item = random.random_range(0..self.total());
        (self.starts.partition_point(|&start| start <= item) - 1) as u32
    }
}

/// Weights per entity, kept as running totals.
#[derive(Debug)]
pub(crate) struct Weights {
    ends: Vec<f64>,
}

impl Weights {
    pub(crate) fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut total = 0.0;
        let ends = weights.into_iter().map(|weight| {
            total += weight;
            total
        });
        Self {
            ends: ends.collect(),
        }
    }

    pub(crate) fn of(&self, entity: u32) -> f64 {
        let i = entity as usize;
        self.ends[i] - if i == 0 { 0.0 } else { self.ends[i - 1] }
    }

    pub(crate) fn total(&self) -> f64 {
        self.ends[self.ends.len() - 1]
    }

    /// An entity with probability in proportion to its weight.
    pub(crate) fn sample(&self, random: &mut impl Rng) -> u32 {
        let point = random.random::<f64>() * self.total();
        let found = self.ends.partition_point(|&end| end <= point);
        found.min(self.ends.len() - 1) as u32
    }
}

/// Pareto with minimum 1: P(X > x) = x^-alpha.
pub(crate) fn pareto(random: &mut impl Rng, alpha: f64) -> f64 {
    (1.0 - random.random::<f64>()).powf(-1.0 / alpha)
}

/// Exponential with the given mean.
pub(crate) fn exponential(random: &mut impl Rng, mean: f64) -> f64 {
    -mean * (1.0 - random.random::<f64>()).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Aspect, stream};

    #[test]
    fn entities_are_sampled_in_proportion_and_empty_ones_never() {
        let counts = Counts::new([1, 0, 9]);
        let weights = Weights::new([1.0, 0.0, 9.0]);
        let mut random = stream(1, Aspect::ACTIVITY, 0);
        let (mut by_count, mut by_weight) = ([0; 3], [0; 3]);
        for _ in 0..10_000 {
            by_count[counts.sample(&mut random) as usize] += 1;
            by_weight[weights.sample(&mut random) as usize] += 1;
        }
        for seen in [by_count, by_weight] {
            assert!((900..1_100).contains(&seen[0]), "{seen:?}");
            assert_eq!(seen[1], 0);
        }
    }
}
