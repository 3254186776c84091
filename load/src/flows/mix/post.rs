//! One post with its images, by its id.

use std::sync::Arc;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::{FlowId, Side};
use verdict_baseline::post_images::PostWithImages;
use verdict_oracle::post_images::{self as oracle, Asked};
use verdict_oracle::{Difference, Oracle, Write, same};

use super::{DRAWS, VARIED, popular};
use crate::flows::Flow;
use crate::flows::call::{Call, parse};
use crate::moments::{Right, Truth};

/// The part.
#[derive(Debug)]
pub(super) struct Post {
    asked: Vec<Arc<Read>>,
    varied: Vec<Arc<Read>>,
    truth: Truth,
}

/// A post with what it is as long as nobody writes; none where it is deleted, or nobody's.
#[derive(Debug)]
struct Read {
    asked: Asked,
    due: Option<PostWithImages>,
}

impl Read {
    fn of(oracle: &Oracle, asked: Asked) -> Arc<Self> {
        let due = oracle::due(oracle, asked);
        Arc::new(Self { asked, due })
    }

    fn hold(&self, right: &Right, body: &[u8]) -> Result<(), Difference> {
        let answer: PostWithImages = parse(body)?;
        let (author, _) = self.asked;
        match right.changes(author) {
            true => oracle::hold(&right.oracle, &[self.asked], &[answer]),
            false => same("post", &self.due, &Some(answer)),
        }
    }
}

impl Post {
    pub(super) fn new(truth: &Truth, random: &mut ChaCha8Rng) -> Self {
        let oracle = &truth.world.oracle;
        // One that is drawn twice is asked for twice as often.
        let drawn = oracle::posts(oracle, DRAWS as u64, random);
        let varied = (0..VARIED).map(|_| Read::of(oracle, oracle::draw(oracle, random)));
        Self {
            varied: varied.collect(),
            asked: drawn
                .into_iter()
                .map(|asked| Read::of(oracle, asked))
                .collect(),
            truth: truth.clone(),
        }
    }

    /// Whether somebody asks for a post: it has to stay there.
    pub(super) fn shows(&self, post: Uuid) -> bool {
        let mut all = self.asked.iter().chain(&self.varied);
        all.any(|read| read.asked.1 == post)
    }

    fn fetch(&self, side: Side, read: &Arc<Read>) -> Call {
        let (shape, whole) = (Arc::clone(read), Arc::clone(read));
        let call = Call::get(
            side,
            self.truth.of(side),
            &format!("/posts/{}", read.asked.1),
            Box::new(move |right, body| shape.hold(right, body)),
            Box::new(move |right, body| {
                oracle::hold(&right.oracle, &[whole.asked], &[parse(body)?])
            }),
        );
        match read.due {
            Some(_) => call,
            None => call.refused(404),
        }
    }
}

impl Flow for Post {
    fn id(&self) -> FlowId {
        FlowId::Mix
    }

    fn about(&self) -> &str {
        "posts of authors drawn by popularity"
    }

    fn call(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        self.fetch(side, &self.asked[popular(self.asked.len(), random)])
    }

    fn varied(&self, side: Side, random: &mut ChaCha8Rng) -> Call {
        let read = &self.varied[random.random_range(0..self.varied.len())];
        self.fetch(side, read).unjudged()
    }

    fn change(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Option<Write> {
        let read = self.asked.get(popular(self.asked.len(), random))?;
        oracle::between(oracle, &[read.asked], random)
    }
}
