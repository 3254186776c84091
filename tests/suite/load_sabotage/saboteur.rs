//! What stands between the load and the service.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rand::RngExt;
use serde_json::{Value, json};
use sqlx::types::Uuid;
use tokio::sync::oneshot;
use verdict_audit::Side;

use crate::common::Chance;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    /// The answer to another question that was on its way.
    AnothersPage,
    /// An earlier answer to the same question, as it was, from before a write.
    StalePage,
    /// The same, where the write came while the side was loaded.
    StaleSince,
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
    AlteredSend, AnothersPage, ChangedContent, ChangedSender, ChangedTime, Failing, LostKey,
    LostSend, Nothing, NumberOneOff, SentTwice, ShortPage, StalePage, StaleSince, SwappedNumbers,
};

/// Requests of each flow to either side before any timing, which the faults let pass, since what
/// is tried here is the load: twice twenty of either kind, and of sends twice six that send once
/// more.
const PAGES_BEFORE: u64 = 80;
const SENDS_BEFORE: u64 = 92;

/// How long before a question came another page was answered to it when the one before that is
/// stale: nobody's question is that long on its way, also where the machine is busy.
const OLD: Duration = Duration::from_millis(250);

/// How long a send waits for another with which it may change numbers.
const PATIENCE: Duration = Duration::from_millis(300);

/// A send that waits for another's number.
struct Waiting {
    path: String,
    number: i64,
    theirs: oneshot::Sender<i64>,
}

/// What passes on everything, and does one thing wrong now and then to one side.
pub(crate) struct Saboteur {
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
    /// Whether pages of before the load were forgotten.
    forgot: bool,
    /// The last number of each conversation.
    numbers: HashMap<String, i64>,
    waiting: Option<Waiting>,
    /// Messages that nobody sent.
    extra: Vec<(Uuid, Uuid)>,
}

pub(crate) struct Answer {
    status: StatusCode,
    body: Bytes,
}

/// What a service answers.
pub(crate) async fn pass(
    client: &reqwest::Client,
    service: &str,
    method: Method,
    path: &str,
    body: Bytes,
) -> Answer {
    let answer = client
        .request(method, format!("{service}{path}"))
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
    pub(crate) async fn before(
        service: &str,
        fault: Fault,
        side: Side,
        one_in: u32,
    ) -> (Arc<Self>, String) {
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
                chance: Chance::new(one_in.into(), before),
                last: None,
                pages: HashMap::new(),
                stale: HashMap::new(),
                forgot: false,
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

    /// How many calls it saw, how many it did wrong, and what nobody sent, which is forgotten.
    pub(crate) fn struck(&self) -> (u64, u64, Vec<(Uuid, Uuid)>) {
        let mut memory = self.memory();
        let extra = std::mem::take(&mut memory.extra);
        (memory.chance.calls, memory.chance.struck, extra)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pass(&self, method: Method, path: &str, body: Bytes) -> Answer {
        pass(&self.client, &self.service, method, path, body).await
    }

    async fn page(&self, path: String) -> Answer {
        let came = Instant::now();
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
        let loads = memory.chance.calls > memory.chance.spared;
        if self.fault == StaleSince && loads && !memory.forgot {
            memory.forgot = true;
            memory.pages.clear();
            memory.stale.clear();
        }
        if let Some(earlier) = memory.pages.insert(path.clone(), right.clone())
            && earlier != right
        {
            memory.stale.insert(path.clone(), (earlier, Instant::now()));
        }
        let wrong = strikes.then(|| self.wrong_page(&memory, (&path, came), right.clone()));
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
    fn wrong_page(
        &self,
        memory: &Memory,
        (path, came): (&str, Instant),
        mut page: Value,
    ) -> Option<Value> {
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
        if matches!(self.fault, StalePage | StaleSince) {
            let (page, replaced) = memory.stale.get(path)?;
            return (came.saturating_duration_since(*replaced) > OLD).then(|| page.clone());
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
