//! One conversation by its id, for a member; and, while nothing is measured, for others.

use std::collections::HashSet;
use std::sync::Arc;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_baseline::conversation_fetch::Details;
use verdict_oracle::{Ending, Oracle, Write, conversation_fetch as oracle, same};

use super::{CHANGED, DRAWS, TRIES, VARIED, popular};
use crate::flows::call::{Call, parse};
use crate::flows::{Flow, Lacking};
use crate::moments::Truth;

/// The part.
#[derive(Debug)]
pub(super) struct Conversation {
    asked: Vec<Arc<Asked>>,
    varied: Vec<Arc<Asked>>,
    /// Conversations that are small enough to be written to.
    changed: Vec<Uuid>,
    truth: Truth,
}

/// A conversation with what it is as long as nobody writes.
#[derive(Debug)]
struct Asked {
    id: Uuid,
    viewer: Uuid,
    /// 200, or how it is refused.
    status: u16,
    ending: Option<Arc<Ending>>,
}

impl Conversation {
    /// All conversations but these.
    pub(super) fn new(
        truth: &Truth,
        without: &HashSet<Uuid>,
        random: &mut ChaCha8Rng,
    ) -> Result<Self, Lacking> {
        let oracle = &truth.world.oracle;
        let world = oracle.world();
        let mut changed = Vec::new();
        let mut asked = Vec::with_capacity(DRAWS);
        for _ in 0..TRIES {
            let drawn = world.sample_conversation(random);
            if without.contains(&drawn.id) {
                continue;
            }
            if drawn.messages <= CHANGED {
                changed.push(drawn.id);
            }
            asked.push(Arc::new(Asked {
                viewer: *drawn.members.choose(random).unwrap_or(&Uuid::nil()),
                ending: oracle.ending(drawn.id),
                status: 200,
                id: drawn.id,
            }));
            if asked.len() == DRAWS {
                break;
            }
        }
        if asked.is_empty() {
            return Err(Lacking {
                flow: FlowId::Mix,
                what: "a conversation that is not sent to",
            });
        }
        let varied = (0..VARIED).filter_map(|_| {
            let id = oracle::draw(oracle, random);
            if without.contains(&id) {
                return None;
            }
            let rows = oracle.conversation(id);
            // Somebody may join, and nobody cannot.
            let stranger = oracle.nobody(random);
            let members = rows.map(|rows| rows.members.clone());
            let (viewer, status) = match members {
                None => (stranger, 404),
                Some(_) if random.random_bool(0.25) => (stranger, 403),
                Some(members) => (*members.choose(random).unwrap_or(&stranger), 200),
            };
            Some(Arc::new(Asked {
                ending: oracle.ending(id),
                id,
                viewer,
                status,
            }))
        });
        Ok(Self {
            varied: varied.collect(),
            asked,
            changed,
            truth: truth.clone(),
        })
    }

    fn fetch(&self, side: Side, asked: &Arc<Asked>) -> Call {
        let Asked {
            id, viewer, status, ..
        } = **asked;
        let asked = Arc::clone(asked);
        let call = Call::get(
            side,
            self.truth.of(side),
            &format!("/conversations/{id}?viewer={viewer}"),
            Box::new(move |right, body| {
                let answer: Details = parse(body)?;
                match &asked.ending {
                    Some(ending) if !right.changes(id) => {
                        same("id", &id, &answer.id)?;
                        oracle::hold_details(ending, &answer)
                    }
                    _ => oracle::hold(&right.oracle, id, &answer),
                }
            }),
            Box::new(move |right, body| oracle::hold(&right.oracle, id, &parse(body)?)),
        );
        match status {
            200 => call,
            status => call.refused(status),
        }
    }
}

impl Flow for Conversation {
    fn id(&self) -> FlowId {
        FlowId::Mix
    }

    fn about(&self) -> &str {
        "conversations drawn by popularity"
    }

    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        self.fetch(side, &self.asked[popular(self.asked.len(), random)])
    }

    fn varied(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let asked = &self.varied[random.random_range(0..self.varied.len())];
        self.fetch(side, asked).unjudged()
    }

    fn change(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Option<Write> {
        let id = *self.changed.get(popular(self.changed.len(), random))?;
        oracle::write_between(oracle, id, random)
    }
}
