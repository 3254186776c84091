//! Faults put between the load and a real service, one at a time: whatever the service does
//! wrong, at whichever load, the flow must come out wrong, and nothing else may.
//!
//! Left out, since it cannot be told: two of today's sends that overlap and are given each other's
//! numbers. Today counts at some instant after the insert, so the higher number may be either's.
//! With the fix the number is the place of the row, and they are told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use sqlx::types::Uuid;
use tokio::sync::oneshot;
use verdict_audit::{FlowId, Side, Verdict};
use verdict_baseline::message_send::unsend;
use verdict_load::LoadPlan;

use crate::common::runtime;
use crate::load::Stage;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// The answer to another question that was on its way.
    AnothersPage,
    /// An earlier answer to the same question, as it was, from before a write.
    StalePage,
    ChangedContent,
    ChangedSender,
    ChangedTime,
    ShortPage,
    /// The first half of the rows, each twice.
    DoubledRows,
    /// Acknowledged, and never sent on.
    LostSend,
    /// Stored with another content.
    AlteredSend,
    /// Stored a second time, without its key.
    SentTwice,
    /// Stored without its key.
    LostKey,
    /// Two sends are given each other's numbers.
    SwappedNumbers,
    NumberOneOff,
    /// A status that says so.
    Failing,
}

use Fault::{
    AlteredSend, AnothersPage, ChangedContent, ChangedSender, ChangedTime, DoubledRows, Failing,
    LostKey, LostSend, Nothing, NumberOneOff, SentTwice, ShortPage, StalePage, SwappedNumbers,
};

/// Requests of each flow to either side before any timing, which the faults let pass, since what
/// is tried here is the load: twice twenty of either kind, and of sends twice six that send once
/// more.
const PAGES_BEFORE: u32 = 80;
const SENDS_BEFORE: u32 = 92;

/// How long ago another page of the same question was answered when the one before it is stale,
/// whoever asks: nobody's question is that long on its way.
const OLD: Duration = Duration::from_millis(150);

/// How long a send waits for another with which it may change numbers.
const PATIENCE: Duration = Duration::from_millis(300);

/// One call of so many, at seeded places, goes wrong.
struct Chance {
    before: u32,
    one_in: u32,
    random: ChaCha8Rng,
    calls: u32,
    place: u32,
    /// Of those that were due, the ones that could not be done yet.
    owed: u32,
    struck: u32,
}

impl Chance {
    fn new(before: u32, one_in: u32) -> Self {
        Self {
            before,
            one_in,
            random: ChaCha8Rng::seed_from_u64(u64::from(one_in)),
            calls: 0,
            place: 0,
            owed: 0,
            struck: 0,
        }
    }

    fn strikes(&mut self) -> bool {
        self.calls += 1;
        let Some(call) = self.calls.checked_sub(self.before + 1) else {
            return false;
        };
        if call.is_multiple_of(self.one_in) {
            self.place = self.random.random_range(0..self.one_in);
        }
        self.owed += u32::from(call % self.one_in == self.place);
        if self.owed == 0 {
            return false;
        }
        self.owed -= 1;
        self.struck += 1;
        true
    }

    fn give_back(&mut self) {
        self.owed += 1;
        self.struck -= 1;
    }
}

/// A send that waits for another's number.
struct Waiting {
    path: String,
    number: i64,
    theirs: oneshot::Sender<i64>,
}

/// What passes on everything, and does one thing wrong now and then to one side.
struct Saboteur {
    service: String,
    client: reqwest::Client,
    fault: Fault,
    side: Side,
    memory: Mutex<Memory>,
}

struct Memory {
    chance: Chance,
    /// The page that was answered last.
    last: Option<(String, Value)>,
    /// The last page by path and query.
    pages: HashMap<String, Value>,
    /// The one before it, of other rows, and when the last was first answered.
    stale: HashMap<String, (Value, Instant)>,
    /// The last number of each conversation.
    numbers: HashMap<String, i64>,
    waiting: Option<Waiting>,
    /// Messages that nobody sent.
    extra: Vec<(Uuid, Uuid)>,
}

struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn of(status: u16, body: &Value) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap(),
            body: body.to_string().into(),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let json = [(header::CONTENT_TYPE, "application/json")];
        (self.status, json, self.body).into_response()
    }
}

async fn relay(
    State(saboteur): State<Arc<Saboteur>>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Answer {
    let path = uri.to_string();
    let ours = path.starts_with(&format!("/{}/", saboteur.side));
    match (ours, &method) {
        (true, &Method::POST) if saboteur.fault.is_of_sends() => saboteur.send(path, body).await,
        (true, &Method::GET) if !saboteur.fault.is_of_sends() => saboteur.page(path).await,
        _ => saboteur.pass(method, &path, body).await,
    }
}

impl Fault {
    fn is_of_sends(self) -> bool {
        matches!(
            self,
            LostSend | AlteredSend | SentTwice | LostKey | SwappedNumbers | NumberOneOff
        )
    }
}

impl Saboteur {
    /// Serves on a port of its own, in front of a service; the address.
    async fn before(service: &str, fault: Fault, side: Side, one_in: u32) -> (Arc<Self>, String) {
        let before = if fault.is_of_sends() {
            SENDS_BEFORE
        } else {
            PAGES_BEFORE
        };
        let saboteur = Arc::new(Self {
            service: service.to_owned(),
            client: reqwest::Client::new(),
            fault,
            side,
            memory: Mutex::new(Memory {
                chance: Chance::new(before, one_in),
                last: None,
                pages: HashMap::new(),
                stale: HashMap::new(),
                numbers: HashMap::new(),
                waiting: None,
                extra: Vec::new(),
            }),
        });
        let router = Router::new()
            .fallback(relay)
            .with_state(Arc::clone(&saboteur));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (saboteur, url)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pass(&self, method: Method, path: &str, body: Bytes) -> Answer {
        let answer = self
            .client
            .request(method, format!("{}{path}", self.service))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .send()
            .await
            .unwrap();
        Answer {
            status: answer.status(),
            body: answer.bytes().await.unwrap(),
        }
    }

    async fn page(&self, path: String) -> Answer {
        let strikes = self.memory().chance.strikes();
        if strikes && self.fault == Failing {
            return Answer::of(500, &json!({"error": "out of order"}));
        }
        let answer = self.pass(Method::GET, &path, Bytes::new()).await;
        if self.fault == Nothing || self.fault == Failing {
            return answer;
        }
        let right = in_order(answer.json());
        let mut memory = self.memory();
        if let Some(earlier) = memory.pages.insert(path.clone(), right.clone())
            && earlier != right
        {
            memory.stale.insert(path.clone(), (earlier, Instant::now()));
        }
        let wrong = strikes.then(|| self.wrong_page(&memory, &path, right.clone()));
        if rows(&right).is_some_and(|rows| !rows.is_empty()) {
            memory.last = Some((path, right.clone()));
        }
        match wrong {
            Some(Some(wrong)) if wrong != right => Answer::of(200, &wrong),
            Some(_) => {
                memory.chance.give_back();
                answer
            }
            None => answer,
        }
    }

    /// A wrong page in the place of a right one, if there can be one yet.
    fn wrong_page(&self, memory: &Memory, path: &str, mut page: Value) -> Option<Value> {
        let whose = |path: &str| path.split('?').next().map(str::to_owned);
        let name = if page.get("posts").is_some() {
            "posts"
        } else {
            "messages"
        };
        if self.fault == AnothersPage {
            let last = memory.last.as_ref();
            let other = last.filter(|(other, _)| whose(other) != whose(path));
            return other.map(|(_, page)| page.clone());
        }
        if self.fault == StalePage {
            let (page, replaced) = memory.stale.get(path)?;
            return (replaced.elapsed() > OLD).then(|| page.clone());
        }
        let rows = page[name].as_array_mut()?;
        if rows.is_empty() {
            return None;
        }
        let middle = rows.len() / 2;
        match self.fault {
            ChangedTime => rows[middle]["updated_at"] = json!("2020-01-01T00:00:00Z"),
            ChangedContent if name == "posts" => rows[middle]["caption"] = json!("another"),
            ChangedContent => rows[middle]["content"] = json!("another"),
            // Another member of the same conversation, whom no list of ids gives away.
            ChangedSender => rows[middle]["sender_id"] = rows[0]["id"].clone(),
            ShortPage => {
                rows.pop();
            }
            _ => {
                *rows = (0..rows.len()).map(|row| rows[row / 2].clone()).collect();
            }
        }
        Some(page)
    }

    async fn send(&self, path: String, body: Bytes) -> Answer {
        let strikes = self.memory().chance.strikes();
        let mut message: Value = serde_json::from_slice(&body).unwrap();
        if strikes && self.fault == LostSend {
            let mut memory = self.memory();
            if let Some(last) = memory.numbers.get_mut(&path) {
                *last += 1;
                let sent = json!({"id": message["id"], "sequence_number": *last});
                return Answer::of(201, &sent);
            }
            memory.chance.give_back();
        }
        let body = match self.fault {
            AlteredSend if strikes => {
                message["content"] = json!("something else");
                message.to_string().into()
            }
            LostKey if strikes => {
                message["idempotency_key"] = Value::Null;
                message.to_string().into()
            }
            _ => body,
        };
        let answer = self.pass(Method::POST, &path, body).await;
        let mut sent = answer.json();
        let Some(number) = sent["sequence_number"].as_i64() else {
            // Refused, as it must be.
            if strikes {
                self.memory().chance.give_back();
            }
            return answer;
        };
        self.memory().numbers.insert(path.clone(), number);
        match self.fault {
            NumberOneOff if strikes => sent["sequence_number"] = json!(number + 1),
            SentTwice if strikes => self.again(&path, message).await,
            SwappedNumbers => {
                let number = self.swapped(path, number, strikes).await;
                sent["sequence_number"] = json!(number);
            }
            _ => {}
        }
        Answer::of(201, &sent)
    }

    async fn again(&self, path: &str, mut message: Value) {
        let id = Uuid::from_u128(self.memory().chance.random.random());
        message["id"] = json!(id.to_string());
        message["idempotency_key"] = Value::Null;
        let body = message.to_string().into();
        self.pass(Method::POST, path, body).await;
        let conversation = path.split('/').nth(3).unwrap().parse().unwrap();
        self.memory().extra.push((conversation, id));
    }

    async fn swapped(&self, path: String, number: i64, strikes: bool) -> i64 {
        let theirs = {
            let mut memory = self.memory();
            if let Some(waiting) = memory.waiting.take_if(|waiting| waiting.path == path) {
                if strikes {
                    memory.chance.give_back();
                }
                let _ = waiting.theirs.send(number);
                return waiting.number;
            }
            if !strikes {
                return number;
            }
            if memory.waiting.is_some() {
                memory.chance.give_back();
                return number;
            }
            let (theirs, answer) = oneshot::channel();
            memory.waiting = Some(Waiting {
                path,
                number,
                theirs,
            });
            answer
        };
        let mut theirs = theirs;
        if let Ok(Ok(theirs)) = tokio::time::timeout(PATIENCE, &mut theirs).await {
            return theirs;
        }
        let mut memory = self.memory();
        // Nobody came, or just now.
        theirs.try_recv().unwrap_or_else(|_| {
            memory.waiting = None;
            memory.chance.give_back();
            number
        })
    }
}

/// The rows of a page.
fn rows(page: &Value) -> Option<&Vec<Value>> {
    page.get("messages").or(page.get("posts"))?.as_array()
}

/// A page with what has no order in an order, so that equal pages are equal.
fn in_order(mut page: Value) -> Value {
    let messages = page.get_mut("messages").and_then(Value::as_array_mut);
    for message in messages.into_iter().flatten() {
        for list in ["reactions", "attachments"] {
            if let Some(list) = message[list].as_array_mut() {
                list.sort_by_key(Value::to_string);
            }
        }
    }
    page
}

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

/// Loads a flow with a fault, in either loop, and requires that it is told.
async fn try_fault(stage: &Stage, flow: FlowId, fault: Fault, side: Side) {
    for plan in plans(flow) {
        if fault == StalePage {
            // The second window knows pages from before the writes that follow the first.
            let plan = LoadPlan {
                window: plan.window / 2,
                windows: 2,
                ..plan.clone()
            };
            try_rate(stage, plan, fault, side, 1).await;
        }
        try_rate(stage, plan, fault, side, 50).await;
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
    let (calls, struck, extra) = {
        let mut memory = saboteur.memory();
        let extra = std::mem::take(&mut memory.extra);
        (memory.chance.calls, memory.chance.struck, extra)
    };
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
