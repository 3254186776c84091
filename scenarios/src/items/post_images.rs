//! Item 6 on trial: a post with what hangs on it, and a page of them as the feed asks for it.
//!
//! The rung is the number of posts.

use futures_util::future::BoxFuture;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;
use verdict_audit::{At, VariantName};
use verdict_baseline::post_images::{self as baseline, PostWithImages};
use verdict_optimized::as_proposed::post_images as as_proposed;
use verdict_optimized::post_images as optimized;
use verdict_oracle::post_images::{self as oracle, Asked};
use verdict_oracle::{Held, Hostile, Oracle, Write};
use verdict_seed::World;
use verdict_store::{Change, Fault, Store};

use crate::error::Result as Outcome;
use crate::item::Item;
use crate::operation::{AnyOperation, Between, Operation, erase, no_such_variant};
use crate::session::Session;
use crate::tally::Tally;

/// The audit's two ways.
const LATERAL: &str = "lateral";
const JSON: &str = "json";

/// Posts of a page: as the feed asks, and the most that it does.
const PAGES: [u64; 2] = [20, 100];

/// The item.
#[derive(Debug, Clone, Copy)]
pub struct PostImages;

impl Item for PostImages {
    fn id(&self) -> &'static str {
        "post-images"
    }

    fn hostile(&self) -> &'static [Hostile] {
        &[Hostile::TiedAuthor]
    }

    fn variants(&self) -> Vec<(VariantName, Change)> {
        let proposed = |way: &str| (VariantName::Proposed(Some(way.to_owned())), Change::NONE);
        vec![
            (VariantName::Baseline, Change::NONE),
            proposed(LATERAL),
            proposed(JSON),
            (VariantName::Optimized, Change::NONE),
        ]
    }

    fn operations(&self) -> Vec<Box<dyn AnyOperation>> {
        vec![erase(OfPost), erase(OfPage)]
    }

    fn histories<'a>(
        &'a self,
        _: &'a Session<'_>,
        _: &'a VariantName,
        tally: &'a mut Tally,
    ) -> BoxFuture<'a, Outcome<()>> {
        Box::pin(async {
            tally.declare(
                "of several images of one size, today and both fixes of the audit's take any: \
                 here every side takes the first by time, then by id"
                    .to_owned(),
            );
            Ok(())
        })
    }
}

/// One post.
#[derive(Debug, Clone, Copy)]
pub struct OfPost;

impl Operation for OfPost {
    type Request = Asked;
    type Answer = Option<PostWithImages>;

    fn name(&self) -> &'static str {
        "post"
    }

    fn rungs(&self, _: &World) -> Vec<At> {
        vec![At::rung(1)]
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Asked> {
        oracle::posts(oracle, at.n, random).pop()
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Asked {
        oracle::draw(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        asked: &Asked,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        oracle::between(oracle, &[*asked], random)
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        (_, post): &Asked,
    ) -> Result<Self::Answer, Fault> {
        let pool = &store.postgres;
        Ok(match variant {
            VariantName::Baseline => baseline::post(pool, *post).await?,
            VariantName::Proposed(Some(way)) if way == LATERAL => {
                as_proposed::lateral_post(pool, *post).await?
            }
            VariantName::Proposed(Some(way)) if way == JSON => {
                as_proposed::json_post(pool, *post).await?
            }
            VariantName::Optimized => optimized::post(pool, *post).await?,
            _ => return Err(no_such_variant(variant)),
        })
    }

    fn hold(&self, oracle: &Oracle, asked: &Asked, answer: &Self::Answer) -> Held {
        oracle::hold(oracle, &[*asked], answer.as_slice())
    }
}

/// A page of posts.
#[derive(Debug, Clone, Copy)]
pub struct OfPage;

impl Operation for OfPage {
    type Request = Vec<Asked>;
    type Answer = Vec<PostWithImages>;

    fn name(&self) -> &'static str {
        "page"
    }

    fn rungs(&self, _: &World) -> Vec<At> {
        PAGES.map(At::rung).to_vec()
    }

    fn at(&self, oracle: &Oracle, at: At, random: &mut ChaCha8Rng) -> Option<Vec<Asked>> {
        Some(oracle::posts(oracle, at.n, random))
    }

    fn draw(&self, oracle: &Oracle, random: &mut ChaCha8Rng) -> Vec<Asked> {
        oracle::draw_page(oracle, random)
    }

    fn between(&self) -> Between {
        Between::Drawn
    }

    fn write_between(
        &self,
        oracle: &Oracle,
        asked: &Vec<Asked>,
        random: &mut ChaCha8Rng,
    ) -> Option<Write> {
        oracle::between(oracle, asked, random)
    }

    async fn call(
        &self,
        store: &Store,
        variant: &VariantName,
        asked: &Vec<Asked>,
    ) -> Result<Self::Answer, Fault> {
        let pool = &store.postgres;
        let ids: Vec<Uuid> = asked.iter().map(|(_, post)| *post).collect();
        Ok(match variant {
            VariantName::Baseline => baseline::page(pool, &ids).await?,
            VariantName::Proposed(Some(way)) if way == LATERAL => {
                as_proposed::lateral_page(pool, &ids).await?
            }
            VariantName::Proposed(Some(way)) if way == JSON => {
                as_proposed::json_page(pool, &ids).await?
            }
            VariantName::Optimized => optimized::page(pool, &ids).await?,
            _ => return Err(no_such_variant(variant)),
        })
    }

    fn hold(&self, oracle: &Oracle, asked: &Vec<Asked>, answer: &Self::Answer) -> Held {
        oracle::hold(oracle, asked, answer)
    }
}
