//! Faults put between the load and a real service, one at a time: whatever the service does
//! wrong, at whichever load, the flow must come out wrong, and nothing else may.
//!
//! Left out, since it cannot be told: two of today's sends that overlap and are given each other's
//! numbers. Today counts at some instant after the insert, so the higher number may be either's.
//! With the fix the number is the place of the row, and they are told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rand::RngExt;
use serde_json::{Value, json};
use sqlx::types::Uuid;
use tokio::sync::oneshot;
use verdict_audit::{FlowId, Side, Verdict};
use verdict_baseline::message_send::unsend;
use verdict_load::LoadPlan;

use crate::common::{Chance, runtime};
use crate::load::Stage;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// The answer to another question that was on its way.
    AnothersPage,
    /// An earlier answer to the same question, from before a row was changed.
    EarlierPageAltered,
    ChangedContent,
    ChangedSender,
    ShortPage,
    /// The first half of the rows, each twice.
    DoubledRows,
    /// Acknowledged, and never sent on.
    LostSend,
    /// Stored with another content.
    AlteredSend,
    /// Stored a second time.
    SentTwice,
    /// Two sends are given each other's numbers.
    SwappedNumbers,
    NumberOneOff,
    /// A status that says so.
    Failing,
}

use Fault::{
    AlteredSend, AnothersPage, ChangedContent, ChangedSender, DoubledRows, EarlierPageAltered,
    Failing, LostSend, Nothing, NumberOneOff, SentTwice, ShortPage, SwappedNumbers,
};

/// Requests of each flow to either side before any timing, which the faults let pass: what is
/// tried here is the load.
const BEFORE: u64 = 20;

/// How long a send waits for another with which it may change numbers.
const PATIENCE: Duration = Duration::from_millis(300);

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
    /// Pages by path and query.
    pages: HashMap<String, Value>,
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
            LostSend | AlteredSend | SentTwice | SwappedNumbers | NumberOneOff
        )
    }
}

impl Saboteur {
    /// Serves on a port of its own, in front of a service; the address.
    async fn before(service: &str, fault: Fault, side: Side, one_in: u32) -> (Arc<Self>, String) {
        let saboteur = Arc::new(Self {
            service: service.to_owned(),
            client: reqwest::Client::new(),
            fault,
            side,
            memory: Mutex::new(Memory {
                chance: Chance::new(one_in.into(), BEFORE),
                last: None,
                pages: HashMap::new(),
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
        let right = answer.json();
        let mut memory = self.memory();
        let wrong = strikes.then(|| self.wrong_page(&memory, &path, right.clone()));
        memory.last = Some((path.clone(), right.clone()));
        memory.pages.insert(path, right);
        match wrong {
            Some(Some(wrong)) => Answer::of(200, &wrong),
            Some(None) => {
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
        if self.fault == EarlierPageAltered {
            page = memory.pages.get(path)?.clone();
        }
        let rows = page[name].as_array_mut()?;
        let middle = rows.len() / 2;
        match self.fault {
            EarlierPageAltered => rows[middle]["updated_at"] = json!("2020-01-01T00:00:00Z"),
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
        let body = if strikes && self.fault == AlteredSend {
            message["content"] = json!("something else");
            message.to_string().into()
        } else {
            body
        };
        let answer = self.pass(Method::POST, &path, body).await;
        let mut sent = answer.json();
        let Some(number) = sent["sequence_number"].as_i64() else {
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

/// The closed loop alone, and the open one, and how seldom a call goes wrong in it. How many the
/// closed loop makes depends on the machine, and the slowest flow makes 60 or so.
fn plans(flow: FlowId) -> [(LoadPlan, u32); 2] {
    let closed = LoadPlan {
        flows: vec![flow],
        users: vec![3],
        shares: Vec::new(),
        window: Duration::from_millis(500),
        windows: 1,
        warm_up: Duration::from_millis(100),
        ..LoadPlan::short()
    };
    let open = LoadPlan {
        users: Vec::new(),
        rates: vec![150.0],
        ..closed.clone()
    };
    [(closed, 10), (open, 50)]
}

/// Loads a flow with a fault, in either loop, and requires that it is told.
async fn try_fault(stage: &Stage, flow: FlowId, fault: Fault, side: Side) {
    for (plan, one_in) in plans(flow) {
        let what = format!("{fault:?} in {flow} on the {side} side, {:?}", plan.users);
        let (saboteur, url) = Saboteur::before(stage.service.url(), fault, side, one_in).await;
        let databases = &stage.databases;
        let (outcome, _) = stage.load_through(&url, &plan, Some(databases)).await;
        let (calls, struck, extra) = {
            let mut memory = saboteur.memory();
            let extra = std::mem::take(&mut memory.extra);
            (memory.chance.calls, memory.chance.struck, extra)
        };
        for (conversation, message) in extra {
            let pool = databases.of(side);
            unsend(pool, conversation, &[message]).await.unwrap();
        }
        assert!(struck > 0 || fault == Nothing, "{what}: none of {calls}");
        assert_eq!(outcome.flows.len(), 2, "{what}");
        for row in &outcome.flows {
            let due = row.side == side && fault != Nothing && fault != Failing;
            let wrong = row.verdict == Verdict::Wrong;
            assert_eq!(wrong, due, "{what}: {} {}", row.side, row.reason);
            assert!(!wrong || row.reason.contains("load"), "{}", row.reason);
            let failed = row.side == side && fault == Failing;
            assert!(row.errors > 0 || !failed, "{what}: {}", row.reason);
        }
    }
}

#[test]
fn wrong_pages_under_load_make_the_flow_wrong_on_their_side() {
    runtime().block_on(async {
        let stage = Stage::open("sabotaged_pages").await;
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
        for fault in [EarlierPageAltered, ChangedContent, Failing] {
            try_fault(&stage, FlowId::Page, fault, Side::Optimized).await;
        }
        try_fault(&stage, FlowId::Page, ShortPage, Side::Baseline).await;
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
