//! Faults put between the load and a real service, one at a time: whatever the service does
//! wrong, at whichever load, the flow must come out wrong, and nothing else may.
//!
//! Left out, since it cannot be told: two of today's sends that overlap and are given each other's
//! numbers. Today counts at some instant after the insert, so the higher number may be either's.
//! With the fix the number is the place of the row, and they are told.

mod saboteur;

pub(crate) use self::saboteur::pass;

use std::time::Duration;

use verdict_audit::{FlowId, Side, Verdict};
use verdict_baseline::message_send::unsend;
use verdict_load::LoadPlan;

use self::saboteur::Fault::{
    self, AlteredSend, AnothersPage, ChangedContent, ChangedSender, ChangedTime, DoubledRows,
    Failing, LostKey, LostSend, Nothing, NumberOneOff, SentTwice, ShortPage, StalePage, StaleSince,
    SwappedNumbers,
};
use self::saboteur::Saboteur;
use crate::common::runtime;
use crate::faults::whole;
use crate::load::Stage;

/// The closed loop alone, and the open one.
fn plans(flow: FlowId) -> [LoadPlan; 2] {
    let closed = LoadPlan {
        flows: vec![flow],
        users: vec![3],
        shares: Vec::new(),
        window: Duration::from_millis(700),
        windows: 1,
        warm_up: Duration::from_millis(100),
        ..LoadPlan::short()
    };
    let open = LoadPlan {
        users: Vec::new(),
        rates: vec![150.0],
        ..closed.clone()
    };
    [closed, open]
}

/// The loops that a fault is tried in: both where there is time, or where it is a matter of when
/// requests are made; else one of them, by turns.
fn loops(flow: FlowId, fault: Fault) -> Vec<LoadPlan> {
    let [closed, open] = plans(flow);
    let when = [Nothing, StalePage, StaleSince].contains(&fault);
    match fault as usize % 2 {
        _ if when || whole() => vec![closed, open],
        0 => vec![closed],
        _ => vec![open],
    }
}

/// Loads a flow with a fault, and requires that it is told.
async fn try_fault(stage: &Stage, flow: FlowId, fault: Fault, side: Side) {
    for plan in loops(flow, fault) {
        if fault == StalePage {
            // The second window knows pages from before the writes that follow the first.
            let plan = LoadPlan {
                windows: 2,
                ..plan.clone()
            };
            try_rate(stage, plan, fault, side, 1).await;
        }
        // What changes in the middle of its one window is little.
        let one_in = if fault == StaleSince { 1 } else { 50 };
        try_rate(stage, plan, fault, side, one_in).await;
    }
}

/// How many calls a closed loop makes depends on the machine, and so does which pages are asked
/// for twice: the windows are as long as it takes for one call to go wrong.
async fn try_rate(stage: &Stage, mut plan: LoadPlan, fault: Fault, side: Side, one_in: u32) {
    for _ in 0..4 {
        if struck(stage, &plan, fault, side, one_in).await || fault == Nothing {
            return;
        }
        plan.window *= 2;
    }
    panic!("{fault:?} struck none of the calls of {plan:?}");
}

/// Loads with a fault, and requires that it is told; whether it struck at all.
async fn struck(stage: &Stage, plan: &LoadPlan, fault: Fault, side: Side, one_in: u32) -> bool {
    let (saboteur, url) = Saboteur::before(stage.service.url(), fault, side, one_in).await;
    let databases = &stage.databases;
    let (outcome, _) = stage.load_through(&url, plan, Some(databases)).await;
    let (calls, struck, extra) = saboteur.struck();
    for (conversation, message) in extra {
        let pool = databases.of(side);
        unsend(pool, conversation, &[message]).await.unwrap();
    }
    let what = format!(
        "{fault:?} in {:?} on the {side} side, {:?}: {struck} of {calls}",
        plan.flows, plan.users
    );
    assert_eq!(outcome.flows.len(), 2, "{what}");
    for row in &outcome.flows {
        let due = row.side == side && struck > 0 && ![Nothing, Failing].contains(&fault);
        let wrong = row.verdict == Verdict::Wrong;
        assert_eq!(wrong, due, "{what}: {} {}", row.side, row.reason);
        assert!(!wrong || row.reason.contains("load"), "{}", row.reason);
        let failed = row.side == side && struck > 0 && fault == Failing;
        assert!(row.errors > 0 || !failed, "{what}: {}", row.reason);
    }
    struck > 0
}

#[test]
fn wrong_pages_under_load_make_the_flow_wrong_on_their_side() {
    runtime().block_on(async {
        let stage = Stage::open("sabotaged_pages").await;
        let before = stage.sums().await;
        for flow in [FlowId::History, FlowId::Page] {
            try_fault(&stage, flow, Nothing, Side::Optimized).await;
        }
        let history = [
            AnothersPage,
            ChangedContent,
            ChangedSender,
            ShortPage,
            DoubledRows,
        ];
        for fault in history {
            try_fault(&stage, FlowId::History, fault, Side::Optimized).await;
        }
        for fault in [ChangedTime, ChangedContent, Failing] {
            try_fault(&stage, FlowId::Page, fault, Side::Optimized).await;
        }
        try_fault(&stage, FlowId::History, StalePage, Side::Optimized).await;
        try_fault(&stage, FlowId::History, StalePage, Side::Baseline).await;
        try_fault(&stage, FlowId::Page, StalePage, Side::Optimized).await;
        try_fault(&stage, FlowId::Page, StaleSince, Side::Baseline).await;
        try_fault(&stage, FlowId::Page, ShortPage, Side::Baseline).await;
        assert_eq!(stage.sums().await, before);
    });
}

#[test]
fn wrong_sends_under_load_make_the_flow_wrong_on_their_side() {
    runtime().block_on(async {
        let stage = Stage::open("sabotaged_sends").await;
        let before = stage.sums().await;
        let faults = [
            Nothing,
            LostSend,
            AlteredSend,
            SentTwice,
            LostKey,
            SwappedNumbers,
            NumberOneOff,
        ];
        for fault in faults {
            try_fault(&stage, FlowId::Send, fault, Side::Optimized).await;
        }
        for fault in [LostSend, NumberOneOff] {
            try_fault(&stage, FlowId::Send, fault, Side::Baseline).await;
        }
        assert_eq!(stage.sums().await, before);
    });
}
