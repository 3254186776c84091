//! What is right on a side from one write to the next.
//!
//! A request sees the rows of some moment between its departure and its answer. No service can
//! tell what will be written later, so an answer is held to every moment since its request left:
//! it is right when it is right at one of them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use uuid::Uuid;
use verdict_audit::Side;
use verdict_oracle::{Held, Oracle};

use crate::per_side::PerSide;

/// The rows between two writes.
#[derive(Debug)]
pub struct Moment {
    /// Every row.
    pub oracle: Oracle,
    /// The conversations and authors that are not as the world has them.
    changed: HashSet<Uuid>,
    next: OnceLock<Arc<Moment>>,
}

impl Moment {
    /// Whether a conversation or an author is not as the world has it.
    pub fn changes(&self, id: Uuid) -> bool {
        self.changed.contains(&id)
    }
}

/// One side's moments. A moment goes when no request of its time is left.
#[derive(Debug)]
pub struct Moments {
    now: Mutex<Arc<Moment>>,
}

impl Moments {
    /// The world as it was generated.
    pub fn new(oracle: &Oracle) -> Self {
        Self {
            now: Mutex::new(Arc::new(Moment {
                oracle: oracle.clone(),
                changed: HashSet::new(),
                next: OnceLock::new(),
            })),
        }
    }

    /// The last moment that has surely come.
    pub fn now(&self) -> Arc<Moment> {
        Arc::clone(&self.lock())
    }

    /// Says that another moment comes: it may be seen from here on. The one before it must have
    /// come.
    pub(crate) fn begin(&self, oracle: Oracle, changed: HashSet<Uuid>) {
        self.lock().next.get_or_init(|| {
            Arc::new(Moment {
                oracle,
                changed,
                next: OnceLock::new(),
            })
        });
    }

    /// Says that the moment that was to come has come: no request from here on may see the one
    /// before it.
    pub(crate) fn settle(&self) {
        let mut now = self.lock();
        let next = now.next.get().map(Arc::clone);
        if let Some(next) = next {
            *now = next;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Moment>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an answer is held to.
#[derive(Debug)]
pub struct Due {
    moments: Arc<Moments>,
    left: OnceLock<Arc<Moment>>,
}

impl Due {
    /// Of a side with these moments.
    pub fn of(moments: &Arc<Moments>) -> Self {
        Self {
            moments: Arc::clone(moments),
            left: OnceLock::new(),
        }
    }

    /// Says that the request leaves now.
    pub fn leave(&self) {
        self.left.get_or_init(|| self.moments.now());
    }

    /// Holds the answer to each moment since the request left, until it is right at one.
    ///
    /// # Errors
    /// What is wrong with it at the last.
    pub fn hold(&self, held: impl Fn(&Moment) -> Held) -> Held {
        let mut moment = self.left.get_or_init(|| self.moments.now());
        loop {
            let wrong = match held(moment) {
                Ok(()) => return Ok(()),
                Err(wrong) => wrong,
            };
            match moment.next.get() {
                Some(next) => moment = next,
                None => return Err(wrong),
            }
        }
    }
}

/// What is right on both sides.
#[derive(Debug, Clone)]
pub struct Truth {
    /// The world as it was generated.
    pub oracle: Arc<Oracle>,
    sides: PerSide<Arc<Moments>>,
}

impl Truth {
    /// The world as it was generated, on either side.
    pub fn new(oracle: Oracle) -> Self {
        Self {
            sides: PerSide {
                baseline: Arc::new(Moments::new(&oracle)),
                optimized: Arc::new(Moments::new(&oracle)),
            },
            oracle: Arc::new(oracle),
        }
    }

    /// One side's moments.
    pub fn of(&self, side: Side) -> &Arc<Moments> {
        self.sides.of(side)
    }
}

#[cfg(test)]
mod tests {
    use verdict_oracle::Difference;
    use verdict_seed::{Scale, World, WorldSpec};

    use super::*;

    /// Moments that are told apart by how many rows were changed.
    fn moments() -> Arc<Moments> {
        let world = World::new(WorldSpec {
            scale: Scale::Smoke,
            users: Some(20),
            days: None,
            seed: 1,
        });
        Arc::new(Moments::new(&Oracle::new(&world)))
    }

    fn begin(moments: &Moments, changed: u128) {
        let oracle = moments.now().oracle.clone();
        moments.begin(oracle, (0..changed).map(Uuid::from_u128).collect());
    }

    /// Whether an answer that shows so many changed rows is right.
    fn right(due: &Due, changed: usize) -> bool {
        let held = |moment: &Moment| match moment.changed.len() == changed {
            true => Ok(()),
            false => Err(Difference("rows".to_owned())),
        };
        due.hold(held).is_ok()
    }

    #[test]
    fn an_answer_to_a_request_that_left_after_a_write_must_show_it() {
        let moments = moments();
        let [before, amid, after] = [(); 3].map(|()| Due::of(&moments));
        before.leave();
        begin(&moments, 1);
        amid.leave();
        moments.settle();
        after.leave();
        for due in [&before, &amid] {
            assert!(right(due, 0) && right(due, 1));
        }
        assert!(!right(&after, 0) && right(&after, 1));
        assert!(!right(&before, 2));
    }

    #[test]
    fn a_request_that_was_made_early_is_held_from_when_it_leaves() {
        let moments = moments();
        let due = Due::of(&moments);
        begin(&moments, 1);
        moments.settle();
        due.leave();
        begin(&moments, 2);
        moments.settle();
        due.leave();
        assert!(!right(&due, 0) && right(&due, 1) && right(&due, 2));
    }
}
