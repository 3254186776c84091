//! What an index makes dearer: a write to each of the tables that no other item writes to, made as
//! today and taken back at once.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sqlx::{Postgres, Transaction};
use uuid::Uuid;
use verdict_audit::{At, VariantName};
use verdict_baseline::writes;
use verdict_oracle::{Held, Oracle, ladder, post_images, same};
use verdict_seed::World;
use verdict_store::fault::Doing;
use verdict_store::{Fault, Store};

use crate::operation::{Between, Operation};

/// A write.
#[derive(Debug, Clone, Copy)]
pub enum Written {
    /// A user joins a conversation.
    Join,
    /// An author publishes a post.
    Publish,
    /// A post is liked.
    Like,
}

impl Operation for Written {
    /// What is written to, and who writes.
    type Request = (Uuid, Uuid);
    /// Whether a row was written.
    type Answer = bool;

    fn name(&self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Publish => "publish",
            Self::Like => "like",
        }
    }

    fn aside(&self) -> bool {
        true
    }

    fn rungs(&self, _: &World) -> Vec<At> {
        vec![At::rung(super::JUDGED)]
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<(Uuid, Uuid)> {
        let world = oracle.world();
        match self {
            Self::Join => {
                let conversation = ladder::conversation(world, at.n)?;
                let strangers = (0..world.users()).map(|index| world.user(index));
                let strangers = strangers.filter(|user| !conversation.members.contains(user));
                let strangers: Vec<Uuid> = strangers.collect();
                let user = strangers.get(random.random_range(0..strangers.len().max(1)))?;
                Some((conversation.id, *user))
            }
            Self::Publish => {
                let author = world.sample_author(random).id;
                Some((oracle.nobody(random), author))
            }
            Self::Like => {
                let posts = post_images::posts(oracle, 1, random);
                let (author, post) = posts.into_iter().next()?;
                Some((post, author))
            }
        }
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> (Uuid, Uuid) {
        let nobody = || (Uuid::nil(), Uuid::nil());
        self.at(oracle, At::rung(super::JUDGED), random)
            .unwrap_or_else(nobody)
    }

    fn between(&self) -> Between {
        Between::Nothing("what is written is taken back with the same transaction")
    }

    async fn call(
        &self,
        store: &Store,
        _: &VariantName,
        (what, who): &(Uuid, Uuid),
    ) -> Result<bool, Fault> {
        let mut transaction: Transaction<'_, Postgres> = store
            .postgres
            .begin()
            .await
            .doing("begin a write that is taken back")?;
        let connection = &mut *transaction;
        let written = match self {
            Self::Join => writes::join(connection, *what, *who).await,
            Self::Publish => writes::publish(connection, *what, *who).await,
            Self::Like => writes::like(connection, *what).await,
        };
        let written = written.doing("write as today")?;
        transaction.rollback().await.doing("take a write back")?;
        Ok(written)
    }

    fn hold(&self, _: &Oracle, _: &(Uuid, Uuid), answer: &bool) -> Held {
        same("a row was written", &true, answer)
    }
}
