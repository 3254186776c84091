//! Values that are dear to make, kept up to a weight.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps the values that were made last; the oldest go when all together weigh too much.
#[derive(Debug)]
pub(crate) struct Memo<K, V> {
    kept: Mutex<Kept<K, V>>,
    limit: u64,
}

#[derive(Debug)]
struct Kept<K, V> {
    values: HashMap<K, (Arc<V>, u64)>,
    oldest_first: VecDeque<K>,
    weight: u64,
}

impl<K: Eq + Hash + Copy, V> Memo<K, V> {
    /// None yet; together they will weigh at most `limit`, or be one.
    pub fn new(limit: u64) -> Self {
        Self {
            kept: Mutex::new(Kept {
                values: HashMap::new(),
                oldest_first: VecDeque::new(),
                weight: 0,
            }),
            limit,
        }
    }

    /// The value of a key; `make` answers it with its weight when it is not kept. Two threads
    /// may make one at once; both get the one that is kept.
    pub fn get_or(&self, key: K, make: impl FnOnce() -> (V, u64)) -> Arc<V> {
        if let Some((value, _)) = self.lock().values.get(&key) {
            return Arc::clone(value);
        }
        let (value, weight) = make();
        let mut kept = self.lock();
        if let Some((value, _)) = kept.values.get(&key) {
            return Arc::clone(value);
        }
        let value = Arc::new(value);
        while kept.weight + weight > self.limit
            && let Some(oldest) = kept.oldest_first.pop_front()
        {
            let gone = kept.values.remove(&oldest).map_or(0, |(_, weight)| weight);
            kept.weight -= gone;
        }
        kept.weight += weight;
        kept.oldest_first.push_back(key);
        kept.values.insert(key, (Arc::clone(&value), weight));
        value
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept<K, V>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once_and_the_oldest_goes_when_it_gets_heavy() {
        let memo = Memo::new(10);
        let mut made = Vec::new();
        for key in [1, 1, 2, 3, 1, 3] {
            memo.get_or(key, || {
                made.push(key);
                (key, 4)
            });
        }
        assert_eq!(made, [1, 2, 3, 1]);
    }

    #[test]
    fn one_that_is_too_heavy_alone_is_kept_alone() {
        let memo = Memo::new(10);
        memo.get_or(1, || ((), 4));
        memo.get_or(2, || ((), 40));
        let mut again = 0;
        memo.get_or(2, || {
            ((), {
                again += 1;
                40
            })
        });
        memo.get_or(1, || {
            ((), {
                again += 1;
                4
            })
        });
        assert_eq!(again, 1);
    }
}
