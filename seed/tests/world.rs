//! The world as its public face shows it, without an engine.

use std::collections::HashSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use verdict_seed::{ConversationKind, PrivacyMode, Scale, World, WorldSpec};

fn world(scale: Scale) -> World {
    World::new(WorldSpec {
        scale,
        users: None,
        days: None,
        seed: 1,
    })
}

#[test]
fn the_ladder_is_exact_and_its_rungs_are_searchable_groups() {
    let world = world(Scale::Default);
    let rungs = world.ladder_conversations();
    let sizes: Vec<_> = rungs.iter().map(|rung| rung.messages).collect();
    assert_eq!(sizes, [100, 1_000, 10_000, 100_000]);
    for rung in &rungs {
        assert_eq!(world.messages(rung).len() as u64, rung.messages);
        assert_eq!(rung.kind, ConversationKind::Group);
        assert_eq!(rung.privacy, PrivacyMode::SearchEnabled);
        assert!(rung.members.len() >= 3);
    }
    for author in world.ladder_authors() {
        assert_eq!(world.posts(&author).len() as u64, author.posts);
    }
    assert_eq!(world.total_messages(), 1_500_000);
    assert_eq!(world.total_posts(), 300_000);
}

#[test]
fn the_same_spec_gives_the_same_rows_and_another_seed_others() {
    let (one, again) = (world(Scale::Smoke), world(Scale::Smoke));
    let other = World::new(WorldSpec {
        seed: 2,
        ..one.spec().clone()
    });
    let conversation = one.conversation(40);
    assert_eq!(conversation, again.conversation(40));
    assert_eq!(one.messages(&conversation), again.messages(&conversation));
    assert_ne!(conversation.id, other.conversation(40).id);
}

#[test]
fn messages_ascend_before_the_clock_with_some_ties_deletions_recalls_and_edits() {
    let world = world(Scale::Default);
    let rung = &world.ladder_conversations()[2];
    let messages = world.messages(rung);
    assert!(messages.is_sorted_by_key(|m| m.created_at));
    assert!(messages.iter().all(|m| {
        let changes = [m.recalled_at, m.deleted_at, Some(m.updated_at)];
        let mut changes = changes.into_iter().flatten();
        changes.all(|time| m.created_at <= time && time < world.clock())
    }));
    assert!(messages.iter().all(|m| rung.members.contains(&m.sender)));
    let share = |of: usize| of as f64 / messages.len() as f64;
    let ties = messages
        .windows(2)
        .filter(|w| w[0].created_at == w[1].created_at);
    assert!((0.005..0.02).contains(&share(ties.count())));
    let deleted = messages.iter().filter(|m| m.deleted_at.is_some());
    assert!((0.015..0.04).contains(&share(deleted.count())));
    let recalled = messages.iter().filter(|m| m.recalled_at.is_some());
    assert!((0.01..0.03).contains(&share(recalled.count())));
    let edited = messages.iter().filter(|m| m.version > 1);
    assert!((0.02..0.06).contains(&share(edited.count())));
}

#[test]
fn reactions_and_attachments_belong_to_messages_and_are_given_once() {
    let world = world(Scale::Smoke);
    let rung = &world.ladder_conversations()[1];
    let messages: HashSet<_> = world.messages(rung).into_iter().map(|m| m.id).collect();
    let reactions = world.reactions(rung);
    let once: HashSet<_> = reactions
        .iter()
        .map(|r| (r.message, r.user, r.emoji))
        .collect();
    assert_eq!(once.len(), reactions.len());
    assert!(reactions.iter().all(|r| messages.contains(&r.message)));
    let attachments = world.attachments(rung);
    assert!(attachments.iter().all(|a| messages.contains(&a.message)));
    assert!(reactions.len() > 50 && attachments.len() > 50);
}

#[test]
fn conversations_and_audiences_have_heavy_tails() {
    let world = world(Scale::Default);
    let mut sizes: Vec<_> = (4..world.conversations())
        .map(|i| world.conversation(i).messages)
        .collect();
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2];
    assert!((5..30).contains(&median), "median {median}");
    assert!(sizes[sizes.len() - 1] > 100 * median);
    assert!(sizes[0] >= 2);

    let mut random = ChaCha8Rng::seed_from_u64(1);
    let sampled = (0..2_000).map(|_| world.sample_conversation(&mut random).messages);
    let mean = sampled.sum::<u64>() / 2_000;
    assert!(mean > 1_000, "large ones are met most: {mean}");
}

#[test]
fn sampled_authors_have_posts() {
    let world = world(Scale::Smoke);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    assert!((0..1_000).all(|_| world.sample_author(&mut random).posts > 0));
}

#[test]
fn engagement_decays_after_a_post_and_counts_what_stands() {
    let world = world(Scale::Smoke);
    let author = &world.ladder_authors()[1];
    let posts = world.posts(author);
    let engagement = world.engagement(author);
    assert_eq!(posts.len(), engagement.len());
    let mut days = [0_u32; 8];
    for (post, engagement) in posts.iter().zip(&engagement) {
        for view in &engagement.views {
            assert!(post.created_at < view.at && view.at < world.clock());
            let day = (view.at - post.created_at).num_days().min(7);
            days[day as usize] += 1;
        }
        let standing = || engagement.likes.iter().filter(|l| l.removed_at.is_none());
        let likers: HashSet<_> = standing().map(|like| like.user).collect();
        assert_eq!(likers.len(), standing().count(), "one like a user stands");
    }
    assert!(
        days[0] > 3 * days[1] && days[1] > days[3] && days[3] > days[6],
        "{days:?}"
    );
    let given: usize = engagement.iter().map(|e| e.likes.len()).sum();
    let standing: u64 = engagement.iter().map(|e| e.like_count()).sum();
    assert!(standing < given as u64, "some likes are withdrawn");
}

#[test]
fn likes_are_given_again_and_some_rows_are_deleted_for_good() {
    let world = world(Scale::Quick);
    let author = &world.ladder_authors()[2];
    let mut again = 0;
    for engagement in world.engagement(author) {
        for like in &engagement.likes {
            let mut later = engagement
                .likes
                .iter()
                .filter(|other| other.user == like.user && other.created_at > like.created_at);
            if let Some(later) = later.next() {
                let removed = like.removed_at.expect("the one before was taken back");
                assert!(later.created_at.timestamp() > removed.timestamp());
                again += 1;
            }
        }
        let all: HashSet<_> = engagement.comments.iter().map(|c| c.id).collect();
        let kept = engagement
            .comments
            .iter()
            .filter(|c| c.removed_at.is_none());
        let kept: HashSet<_> = kept.map(|c| c.id).collect();
        for parent in engagement.comments.iter().filter_map(|c| c.parent) {
            assert!(all.contains(&parent) && kept.contains(&parent));
        }
    }
    assert!(again > 50, "{again}");

    let standing: HashSet<_> = world.posts(author).into_iter().map(|p| p.id).collect();
    let deleted = world.deleted_posts(author);
    assert!((10..100).contains(&deleted.len()), "{}", deleted.len());
    for gone in &deleted {
        assert!(!standing.contains(&gone.post.id));
        assert!(gone.post.created_at < gone.deleted_at && gone.deleted_at < world.clock());
        let likes = gone.engagement.likes.iter().map(|like| like.removed_at);
        let comments = gone.engagement.comments.iter().map(|c| c.removed_at);
        let mut all = likes.chain(comments);
        assert!(all.all(|removed| removed.is_some_and(|time| time <= gone.deleted_at)));
    }
}

#[test]
fn interactions_in_short_are_those_of_the_rows() {
    let world = world(Scale::Smoke);
    for index in 0..40 {
        let author = world.author(index);
        let rows = world
            .posts(&author)
            .into_iter()
            .zip(world.engagement(&author));
        let rows = rows.map(|(post, engagement)| (post.id, false, engagement));
        let gone = world.deleted_posts(&author).into_iter();
        let gone = gone.map(|gone| (gone.post.id, true, gone.engagement));
        let mut rows: Vec<_> = rows.chain(gone).collect();
        let mut short = world.interactions(index);
        rows.sort_by_key(|(id, ..)| *id);
        short.sort_by_key(|post| post.post);
        assert_eq!(rows.len(), short.len());
        for ((id, deleted, engagement), short) in rows.iter().zip(&short) {
            assert_eq!((*id, *deleted), (short.post, short.deleted));
            let likes = engagement.likes.iter();
            let likes = likes.map(|l| (l.user, l.created_at.timestamp(), l.removed_at.is_some()));
            let told = |i: &verdict_seed::Interaction| {
                (world.user(i.user.into()), i64::from(i.at), i.removed)
            };
            assert!(likes.eq(short.likes.iter().map(told)));
            let comments = engagement.comments.iter().map(|c| {
                let removed = c.removed_at.is_some();
                (c.id, (c.user, c.created_at.timestamp(), removed))
            });
            let numbered = (0..).zip(&short.comments);
            let numbered = numbered.map(|(k, i)| (world.comment(short.number, k), told(i)));
            assert!(comments.eq(numbered));
        }
    }
}

#[test]
fn posts_have_ties_and_images_in_three_variants_with_faults() {
    let world = world(Scale::Default);
    let author = &world.ladder_authors()[2];
    let posts = world.posts(author);
    let ties = posts
        .windows(2)
        .filter(|w| w[0].created_at == w[1].created_at);
    assert!((50..200).contains(&ties.count()));
    let images = world.images(author);
    let count = |status: &str| images.iter().filter(|i| i.status == status).count();
    assert!(count("failed") > 0 && count("completed") > images.len() * 9 / 10);
    assert!(images.len() > 3 * posts.len(), "some variants are doubled");
    let unserved = |i: &&verdict_seed::PostImage| i.status == "completed" && i.url.is_none();
    assert!(images.iter().filter(unserved).count() > 0);
}

#[test]
fn few_users_and_few_days_still_make_a_world() {
    let world = World::new(WorldSpec {
        scale: Scale::Smoke,
        users: Some(1),
        days: Some(1),
        seed: 3,
    });
    assert_eq!(world.users(), 20);
    for index in 0..world.conversations() {
        let conversation = world.conversation(index);
        let messages = world.messages(&conversation);
        assert_eq!(messages.len() as u64, conversation.messages);
        assert!(messages.iter().all(|m| m.created_at < world.clock()));
        assert!(conversation.members.len() >= 2);
    }
}
