//! All fixes on one populated side: made and taken back in drawn orders, with what a send leaves
//! while all of them stand.

use std::io::Write;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sqlx::types::Uuid;
use verdict_audit::VariantName;
use verdict_optimized::FIXES;
use verdict_oracle::{Oracle, ladder, message_send};
use verdict_scenarios::Result;
use verdict_scenarios::docket::ITEMS;
use verdict_scenarios::together::{Order, Together, fixes};
use verdict_scenarios::versions::{Updates, Versions};
use verdict_seed::Conversation;
use verdict_store::{Connect, Store};

use crate::common::{self, runtime, world};

/// How many orders are drawn, where it is another number than a few.
const VARIABLE: &str = "VERDICT_ORDERS";
const ORDERS: u64 = 4;

/// Messages that are sent as today, and as many with the fix.
const SENT: usize = 5;

#[test]
fn all_fixes_live_together_in_any_order_and_leave_the_world_as_it_was() {
    runtime().block_on(async {
        let store = common::store("together", &Connect::default().by_one()).await;
        let fixes = fixes(ITEMS, FIXES).unwrap();
        let mut together = Together::open(store.clone(), fixes).await.unwrap();
        let conversation = ladder::conversation(&world(), 1_000).unwrap();
        let oracle = Oracle::new(&world());
        for seed in 0..orders() {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let order = Order::draw(together.fixes(), &mut random);
            let done = |done: Result<()>| done.unwrap_or_else(|error| panic!("{seed}: {error}"));
            done(together.make(&order.made).await);
            let fix = VariantName::Optimized;
            done(together.answer(ITEMS, &oracle, &fix, seed).await);
            for fixed in [false, true] {
                let left = versions(&store, &conversation, fixed, &mut random).await;
                assert_eq!(left.all, 1.0, "{seed}: {fixed}");
            }
            done(together.take_back(&order.taken_back).await);
        }
        store.close().await;
    });
}

fn orders() -> u64 {
    let asked = std::env::var(VARIABLE).ok();
    let orders = asked.and_then(|asked| asked.parse().ok()).unwrap_or(ORDERS);
    // Not by way of what a test says, which is shown of those alone that fail.
    let _ = writeln!(std::io::stderr(), "{orders} orders are drawn ({VARIABLE})");
    orders
}

/// Versions of the conversation's row that a send leaves, as today or with the fix. What was sent
/// is taken back.
async fn versions(
    store: &Store,
    conversation: &Conversation,
    fixed: bool,
    random: &mut ChaCha8Rng,
) -> Versions {
    let pool = &store.postgres;
    let before = Updates::so_far(pool, "conversations").await.unwrap();
    let mut sent: Vec<Uuid> = Vec::new();
    for _ in 0..SENT {
        let message = message_send::message(conversation, random);
        let answer = match fixed {
            true => verdict_optimized::message_send::send(pool, &message).await,
            false => verdict_baseline::message_send::send(pool, &message).await,
        };
        sent.push(answer.unwrap().id);
    }
    let after = Updates::so_far(pool, "conversations").await.unwrap();
    let taken = verdict_baseline::message_send::unsend(pool, conversation.id, &sent).await;
    assert_eq!(taken.unwrap(), SENT as u64);
    after.per_call(before, SENT)
}
