//! A user's list of conversations.

use std::collections::HashSet;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_baseline::conversation_fetch::LISTED;
use verdict_oracle::{Difference, Oracle, Write, conversation_fetch as oracle, same};
use verdict_service::ConversationsAnswer;

use super::{CHANGED, TRIES, VARIED};
use crate::flows::call::{Call, parse};
use crate::flows::{Flow, Lacking};
use crate::moments::{Truth, into};

/// Users whose lists are read.
const USERS: usize = 64;

/// The part.
#[derive(Debug)]
pub(super) struct Conversations {
    users: Vec<Uuid>,
    /// Anybody, and nobody.
    varied: Vec<(Uuid, bool)>,
    truth: Truth,
}

impl Conversations {
    /// Lists without these conversations.
    pub(super) fn new(
        truth: &Truth,
        without: &HashSet<Uuid>,
        random: &mut ChaCha8Rng,
    ) -> Result<Self, Lacking> {
        let oracle = &truth.world.oracle;
        let is_apart = |user: Uuid| {
            let mut listed = oracle.conversations_of(user).into_iter();
            !listed.any(|id| without.contains(&id))
        };
        let mut users = Vec::new();
        for _ in 0..TRIES {
            let members = oracle.world().sample_conversation(random).members;
            users.extend(
                members
                    .choose(random)
                    .copied()
                    .filter(|user| is_apart(*user)),
            );
            if users.len() == USERS {
                break;
            }
        }
        if users.is_empty() {
            return Err(Lacking {
                flow: FlowId::Mix,
                what: "a user in none of the conversations that are sent to",
            });
        }
        let varied = (0..VARIED).map(|_| oracle::draw_user(oracle, random));
        let varied: Vec<Uuid> = varied.filter(|user| is_apart(*user)).collect();
        let known = |user: Uuid| (user, oracle.author(user).is_some());
        Ok(Self {
            varied: varied.into_iter().chain([Uuid::nil()]).map(known).collect(),
            users,
            truth: truth.clone(),
        })
    }

    fn list(&self, side: Side, user: Uuid) -> Call {
        Call::get(
            side,
            self.truth.of(side),
            &format!("/users/{user}/conversations"),
            Box::new(move |right, body| {
                let answer: ConversationsAnswer = parse(body)?;
                let due: HashSet<Uuid> = right.oracle.conversations_of(user).into_iter().collect();
                let rows = &answer.conversations;
                same("rows", &due.len().min(LISTED), &rows.len())?;
                let ids = rows.iter().map(|row| row.details.id);
                let listed: HashSet<Uuid> = ids.filter(|id| due.contains(id)).collect();
                same("the user's conversations", &rows.len(), &listed.len())?;
                if rows.is_sorted_by(|a, b| a.updated_at >= b.updated_at) {
                    Ok(())
                } else {
                    Err(Difference("a list in another order".to_owned()))
                }
            }),
            Box::new(move |right, body| {
                let answer: ConversationsAnswer = parse(body)?;
                oracle::hold_list(&right.oracle, user, &answer.conversations)
            }),
        )
    }
}

impl Flow for Conversations {
    fn id(&self) -> FlowId {
        FlowId::Mix
    }

    fn about(&self) -> &str {
        "lists of members of conversations drawn by popularity"
    }

    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        self.list(side, self.users[random.random_range(0..self.users.len())])
    }

    fn varied(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let (user, is_known) = self.varied[random.random_range(0..self.varied.len())];
        let call = self.list(side, user).unjudged();
        if is_known { call } else { call.refused(404) }
    }

    fn change(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Option<Write> {
        let write = oracle::write_in_list(oracle, *self.users.choose(random)?, random)?;
        // What is right has to be made of all of its rows each time.
        let rows = oracle.conversation(into(&write))?;
        (rows.messages as u64 <= CHANGED).then_some(write)
    }
}
