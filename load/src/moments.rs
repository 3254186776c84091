//! What is right on a side from one write to the next.
//!
//! A request sees the rows of some moment between its departure and its answer. No service can
//! tell what will be written later, so an answer is held to every moment since its request left:
//! it is right when it is right at one of them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use uuid::Uuid;
use verdict_audit::Side;
use verdict_oracle::write::Rows;
use verdict_oracle::{Held, Oracle, Write};

use crate::per_side::PerSide;

/// Every row, and where it is not as the world has it.
#[derive(Debug, Clone)]
pub struct Right {
    /// Every row.
    pub oracle: Oracle,
    /// Conversations and authors that were written to.
    changed: HashSet<Uuid>,
}

impl Right {
    /// The world as it was generated.
    pub fn new(oracle: Oracle) -> Self {
        Self {
            oracle,
            changed: HashSet::new(),
        }
    }

    /// After one write more.
    #[must_use]
    pub(crate) fn with(&self, write: &Write) -> Self {
        let mut changed = self.changed.clone();
        changed.insert(into(write));
        Self {
            oracle: self.oracle.with(write),
            changed,
        }
    }

    /// Whether a conversation or an author was written to.
    pub fn changes(&self, id: Uuid) -> bool {
        self.changed.contains(&id)
    }
}

/// The conversation or the author that is written to.
pub(crate) fn into(write: &Write) -> Uuid {
    match &write.rows {
        Rows::Message { conversation, .. } | Rows::Member { conversation, .. } => *conversation,
        Rows::Post { author, .. } | Rows::Hung { author, .. } => *author,
        Rows::Conversation(turn) => turn.either().map_or_else(Uuid::nil, |rows| rows.id),
        Rows::Author(turn) => turn.either().map_or_else(Uuid::nil, |rows| rows.id),
        Rows::Delivered(_) => Uuid::nil(),
    }
}

/// The time between two writes.
#[derive(Debug)]
pub(crate) struct Moment {
    right: Right,
    next: OnceLock<Arc<Moment>>,
}

impl Moment {
    fn new(right: Right) -> Arc<Self> {
        Arc::new(Self {
            right,
            next: OnceLock::new(),
        })
    }
}

/// One side's moments. A moment goes when no request of its time is left.
#[derive(Debug)]
pub struct Moments {
    now: Mutex<Arc<Moment>>,
}

impl Moments {
    fn new(right: Right) -> Self {
        Self {
            now: Mutex::new(Moment::new(right)),
        }
    }

    /// What is right since the last moment that has surely come.
    pub fn now(&self) -> Right {
        self.lock().right.clone()
    }

    /// Says that another moment comes: it may be seen from here on. The one before it must have
    /// come.
    pub(crate) fn begin(&self, right: Right) {
        self.lock().next.get_or_init(|| Moment::new(right));
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
        self.left.get_or_init(|| Arc::clone(&self.moments.lock()));
    }

    /// Holds the answer to each moment since the request left, until it is right at one.
    ///
    /// # Errors
    /// What is wrong with it at the last.
    pub fn hold(&self, held: impl Fn(&Right) -> Held) -> Held {
        let mut moment = self.left.get_or_init(|| Arc::clone(&self.moments.lock()));
        loop {
            let wrong = match held(&moment.right) {
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
    pub world: Right,
    sides: PerSide<Arc<Moments>>,
}

impl Truth {
    /// The world as it was generated, on either side.
    pub fn new(oracle: Oracle) -> Self {
        let world = Right::new(oracle);
        let moments = || Arc::new(Moments::new(world.clone()));
        Self {
            sides: PerSide {
                baseline: moments(),
                optimized: moments(),
            },
            world,
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
        Arc::new(Moments::new(Right::new(Oracle::new(&world))))
    }

    fn begin(moments: &Moments, changed: u128) {
        moments.begin(Right {
            changed: (0..changed).map(Uuid::from_u128).collect(),
            ..moments.now()
        });
    }

    /// Whether an answer that shows so many changed rows is right.
    fn right(due: &Due, changed: usize) -> bool {
        let held = |right: &Right| match right.changed.len() == changed {
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
