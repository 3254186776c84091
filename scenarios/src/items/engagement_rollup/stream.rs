//! A hostile stream of versions: a like before its post, a like taken back, given again and
//! delivered once more, comments alone, a post that is deleted later. What is right is asked
//! after each of them, before anything is merged and after everything is.

use chrono::TimeDelta;
use uuid::Uuid;
use verdict_audit::VariantName;
use verdict_baseline::engagement_rollup::MetricsRequest;
use verdict_optimized::as_proposed::engagement_rollup as proposed;
use verdict_oracle::events::PostFacts;
use verdict_oracle::{Delivery, engagement_rollup as oracle};
use verdict_store::{Fault, Step, change};

use super::scene::{Part, Scene};
use super::{NIGHTLY, OPTIMIZE, caught_up, solution};
use crate::error::Result;
use crate::parts;
use crate::session::Session;
use crate::tally::Tally;

/// Plays the stream before merges and after them.
pub(super) async fn heard(
    session: &Session<'_>,
    variant: &VariantName,
    tally: &mut Tally,
) -> Result<()> {
    let Some(scene) = Scene::open(session, variant, Part::Smallest) else {
        return Ok(());
    };
    for merged in [false, true] {
        let played = play(session, &scene, merged, tally).await;
        parts::let_go(&scene.store.clickhouse).await?;
        scene.anew(false).await?;
        played?;
    }
    Ok(())
}

/// Who is heard of.
struct Cast {
    user: Uuid,
    other: Uuid,
    post: Uuid,
    facts: PostFacts,
    beside: Uuid,
    comments: [Uuid; 4],
}

/// What comes, one after the other, and what it is.
fn stream(cast: &Cast, scene: &Scene<'_>) -> Vec<(&'static str, Delivery)> {
    let world = scene.oracle.world();
    let at = cast.facts.created_at + 60;
    let later = |delivery: Delivery, by| Delivery {
        version: delivery.version + by,
        ..delivery
    };
    let like = Delivery::like(world, cast.user, cast.post, at);
    let post = Delivery::post(world, cast.post, cast.facts);
    let again = later(Delivery::like(world, cast.user, cast.post, at + 4_000), 2);
    let [first, second, alone, early] = cast.comments;
    let [comment, beside] =
        [first, second].map(|id| Delivery::comment(world, id, (cast.user, cast.post), at + 5_000));
    let alone = Delivery::comment(world, alone, (cast.other, cast.post), at + 60);
    let early = Delivery::comment(world, early, (cast.other, cast.beside), at);
    let others = Delivery::like(world, cast.other, cast.post, at);
    let elsewhere = Delivery::like(world, cast.user, cast.beside, at);
    vec![
        ("a like before its post", like),
        ("its post", post),
        ("the like once more", like),
        ("the like taken back", like.gone()),
        ("the like once more, late", like),
        ("liked again", again),
        ("a comment", comment),
        ("another of the same second", beside),
        ("a comment of somebody who likes nothing", alone),
        ("somebody else's like in the second of the first", others),
        ("a comment before its post", early),
        (
            "its post, too",
            Delivery::post(world, cast.beside, cast.facts),
        ),
        ("a like of it in the same second", elsewhere),
        ("the comment deleted", comment.gone()),
        ("the post edited", later(post, 5)),
        ("the like taken back once more, late", like.gone()),
        ("the post deleted", later(post.gone(), 10)),
        ("the post as it was, once more, late", post),
    ]
}

async fn play(
    session: &Session<'_>,
    scene: &Scene<'_>,
    merged: bool,
    tally: &mut Tally,
) -> Result<()> {
    let (oracle, variant) = (&scene.oracle, scene.variant);
    let mut random = session.random("engagement-rollup stream");
    let made = oracle.world().clock() - TimeDelta::days(2);
    let cast = Cast {
        user: oracle.nobody(&mut random),
        other: oracle.nobody(&mut random),
        post: oracle::new_post(&oracle.events(), oracle, &mut random),
        beside: oracle::new_post(&oracle.events(), oracle, &mut random),
        facts: PostFacts {
            author: oracle.world().user(0),
            created_at: made.timestamp() as u32,
            deleted: false,
        },
        comments: [0; 4].map(|_| oracle.nobody(&mut random)),
    };
    let users = [cast.user, cast.other].map(|user| oracle::of(oracle, user));
    let posts = [MetricsRequest {
        posts: vec![cast.post.to_string()],
        since: made - TimeDelta::days(1),
        until: oracle.world().clock(),
    }];
    let when = if merged { "merged" } else { "not merged yet" };
    if !merged {
        parts::hold(&scene.store.clickhouse).await?;
    }
    let mut come = Vec::new();
    let mut said = false;
    for (what, delivery) in stream(&cast, scene) {
        come.push(delivery);
        match delivery.deliver(&scene.store.clickhouse).await {
            Ok(()) => {}
            Err(Fault::Variant(refusal)) => {
                let refused = verdict_oracle::Difference(refusal.to_string());
                tally.record(format_args!("{what}, delivered"), Err(refused));
                continue;
            }
            Err(Fault::Harness(error)) => return Err(error.into()),
        }
        caught_up(&scene.store, variant).await?;
        if merged {
            scene.merge().await?;
        }
        let right = oracle.delivered(&come);
        let when = format!("{what}, {when}");
        let wrong = scene.ask(&when, &right, &users, &posts, tally).await?;
        if let Some(wrong) = wrong.filter(|_| !said) {
            tally.declare(format!(
                "the first wrong answer of a stream: {when}: {wrong}"
            ));
            said = true;
        }
    }
    if let Some((name, steps)) = refresh(variant).filter(|_| !merged) {
        parts::let_go(&scene.store.clickhouse).await?;
        change::run(steps, &scene.store).await?;
        let right = oracle.delivered(&come);
        let when = format!("after {name}");
        let wrong = scene.ask(&when, &right, &users, &posts, tally).await?;
        tally.declare(match wrong {
            Some(wrong) => format!("{when} the stream is still answered wrongly: {wrong}"),
            None => format!("{when} the stream is answered rightly"),
        });
    }
    Ok(())
}

/// The refresh that the audit names, of the variant that tries it.
fn refresh(variant: &VariantName) -> Option<(&'static str, &'static [Step])> {
    match solution(variant) {
        NIGHTLY => Some(("the views are dropped and created again", proposed::NIGHTLY)),
        OPTIMIZE => Some(("OPTIMIZE TABLE", proposed::OPTIMIZE)),
        _ => None,
    }
}
