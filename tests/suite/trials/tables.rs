//! Items 11, 13 and 14: indexes, months and the cache.

use verdict_audit::Counter;
use verdict_audit::evidence::{PlanMode, Price, PriceOf, Retired};

use super::{counted, declared, heard};

#[test]
fn an_index_is_judged_by_who_looks_into_it_and_by_what_sends_cost() {
    let buffers = |variant| {
        let heard = heard("indexes", variant);
        counted(
            heard,
            "member-conversations",
            PlanMode::Auto,
            Counter::Buffers,
        )[0]
    };
    for variant in ["proposed-members", "optimized"] {
        let (today, fix) = (buffers("baseline"), buffers(variant));
        assert!(today > 2.0 * fix, "{variant}: {today} {fix}");
    }
    let fails = heard("indexes", "proposed-conversations")
        .failure
        .as_deref();
    assert!(fails.unwrap().contains("member_count"), "{fails:?}");
    let mended = declared("indexes", "mended-conversations");
    let unread = "operations look into idx_conversations_updated_member: none";
    assert!(mended.contains(unread), "{mended}");
    let members = declared("indexes", "proposed-members");
    assert!(members.contains("conversation-fetch list ("), "{members}");
    let idle = declared("indexes", "baseline");
    for index in ["idx_conversations_updated_at", "idx_messages_version"] {
        assert!(idle.contains(index), "{index}: {idle}");
    }
    let sends = |variant| {
        let of = |price: &&Price| {
            matches!(&price.what, PriceOf::PerCall { operation, counter, .. }
            if operation.as_str() == "send" && *counter == Counter::Buffers)
        };
        heard("indexes", variant).price.iter().find(of).unwrap()
    };
    let (audits, fix) = (sends("proposed-messages"), sends("optimized"));
    assert!(audits.variant > audits.baseline, "{audits:?}");
    assert!(fix.variant < fix.baseline, "{fix:?}");
}

#[test]
fn a_month_of_its_own_goes_whole_and_makes_every_send_dearer() {
    let months = heard("hot-cold", "optimized");
    let given_back = |messages| {
        let due = PriceOf::Retention {
            messages,
            what: Retired::GivenBack,
        };
        let mut prices = months.price.iter();
        prices.find(|price| price.what == due).unwrap()
    };
    for messages in [100, 1_000] {
        let price = given_back(messages);
        assert!(price.baseline <= 0.0 && price.variant > 0.0, "{price:?}");
    }
    let sends = |of: Counter| {
        let send = |price: &&Price| {
            matches!(&price.what, PriceOf::PerCall { item, operation, counter }
            if item.as_str() == "message-send" && operation.as_str() == "send" && *counter == of)
        };
        months.price.iter().find(send).unwrap()
    };
    for counter in [Counter::WalBytes, Counter::RowsWritten] {
        let price = sends(counter);
        assert!(price.variant > price.baseline, "{price:?}");
    }
    let declared = declared("hot-cold", "optimized");
    assert!(declared.contains("into another month"), "{declared}");
}

#[test]
fn a_cache_saves_reads_and_is_judged_by_what_writes_leave_in_it() {
    let of = |variant, operation, counter| {
        let heard = heard("cache", variant);
        counted(heard, operation, PlanMode::Auto, counter)
    };
    let statements = |variant, operation| of(variant, operation, Counter::Statements);
    assert_eq!(statements("baseline", "zipf-reads"), [100.0, 1_000.0]);
    for variant in ["proposed", "optimized"] {
        assert_eq!(statements(variant, "hot-read"), [0.0], "{variant}");
        assert_eq!(of(variant, "hot-read", Counter::Hits), [1.0], "{variant}");
        assert_eq!(statements(variant, "cold-read"), [1.0], "{variant}");
        assert_eq!(of(variant, "cold-read", Counter::Misses), [1.0]);
        let reads = statements(variant, "zipf-reads");
        assert!(reads[1] < 1_000.0, "{variant}: {reads:?}");
        let misses = of(variant, "zipf-reads", Counter::Misses);
        assert_eq!(reads, misses, "{variant}");
    }
    assert_eq!(of("optimized", "hot-read", Counter::RedisCommands), [1.0]);
    // That there is no such post stays when there is one, and nothing removes a conversation.
    let answers = heard("cache", "proposed").answers.as_ref().unwrap();
    assert!(answers.differing > 0, "{answers:?}");
}
