//! The service in a process of its own, over real databases.

mod answers;
mod refusals;
mod running;

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sqlx::types::Uuid;
use tokio::sync::OnceCell;
use verdict_seed::World;
use verdict_service::{ServiceProcess, Sides};

use crate::common::{clone, migrated, world};

const PROGRAM: &str = env!("CARGO_BIN_EXE_verdict");
const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";
const SIDES: [&str; 2] = ["baseline", "optimized"];

/// The world's conversations that a test sends into, each for one test alone; no test reads them.
const NUMBERED: u64 = 10;
const MISUSED: u64 = 11;
const HELD: u64 = 12;
const CLOSED: u64 = 13;
const FOLLOWED: u64 = 14;
const WRITTEN: [u64; 5] = [NUMBERED, MISUSED, HELD, CLOSED, FOLLOWED];

/// A world at the smoke scale, a database for each side, and a service on them.
struct Stage {
    world: World,
    sides: Sides,
    service: ServiceProcess,
    client: Client,
}

async fn stage() -> &'static Stage {
    static STAGE: OnceCell<Stage> = OnceCell::const_new();
    STAGE
        .get_or_init(async || {
            let sides = Sides {
                baseline: clone("service_baseline").await,
                optimized: migrated("service_optimized").await,
            };
            let service = spawn(&sides);
            Stage {
                world: world(),
                sides,
                service,
                client: Client::new(),
            }
        })
        .await
}

fn spawn(sides: &Sides) -> ServiceProcess {
    ServiceProcess::spawn(Path::new(PROGRAM), sides).expect("a service")
}

impl Stage {
    async fn get(&self, service: &ServiceProcess, path: &str) -> (StatusCode, String) {
        let request = self.client.get(format!("{}{path}", service.url()));
        let response = request.send().await.expect("an answer");
        let status = response.status();
        (status, response.text().await.expect("a body"))
    }

    async fn read(&self, path: &str) -> Value {
        let (status, body) = self.get(&self.service, path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        json(&body)
    }

    async fn post(&self, url: &str, path: &str, body: String) -> (StatusCode, String) {
        let request = self.client.post(format!("{url}{path}")).body(body);
        let response = request.send().await.expect("an answer");
        let status = response.status();
        (status, response.text().await.expect("a body"))
    }

    /// A member who may send.
    fn speaker(&self, conversation: u64) -> Uuid {
        let conversation = self.world.conversation(conversation);
        self.world.speakers(&conversation)[0]
    }

    /// Somebody who is no member of the one that is closed, and joins it for a while.
    fn stranger(&self) -> Uuid {
        let members = self.world.conversation(CLOSED).members;
        let mut users = (0..self.world.users()).map(|index| self.world.user(index));
        users.find(|user| !members.contains(user)).expect("one")
    }

    fn messages(&self, conversation: u64) -> String {
        format!(
            "/conversations/{}/messages",
            self.world.conversation(conversation).id
        )
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn rows<'a>(page: &'a Value, name: &str) -> &'a [Value] {
    page[name]
        .as_array()
        .unwrap_or_else(|| panic!("no {name} in {page}"))
}

fn column(rows: &[Value], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row[name].clone()).collect()
}

/// Rows by id, without what has no order today: reactions and attachments are sorted, and a
/// number is left out, for of two messages of one instant either may come first.
fn by_id(rows: &[Value]) -> BTreeMap<String, Value> {
    rows.iter()
        .map(|row| {
            let mut row = row.clone();
            let fields = row.as_object_mut().expect("rows are objects");
            fields.remove("sequence_number");
            for list in ["reactions", "attachments"] {
                if let Some(Value::Array(list)) = fields.get_mut(list) {
                    list.sort_by_key(Value::to_string);
                }
            }
            (row["id"].to_string(), row)
        })
        .collect()
}

/// The same rows, but for those that share an instant with the page's borders.
fn assert_same_rows(baseline: &[Value], optimized: &[Value]) {
    assert_eq!(
        column(baseline, "created_at"),
        column(optimized, "created_at")
    );
    assert_eq!(
        column(baseline, "sequence_number"),
        column(optimized, "sequence_number")
    );
    let (baseline, optimized) = (by_id(baseline), by_id(optimized));
    for (id, row) in &baseline {
        match optimized.get(id) {
            Some(other) => assert_eq!(row, other),
            None => assert!(
                optimized
                    .values()
                    .any(|other| other["created_at"] == row["created_at"]
                        && !baseline.contains_key(&other["id"].to_string())),
                "only today has {row}"
            ),
        }
    }
}

fn assert_refused((status, body): (StatusCode, String), expected: u16, words: &str) {
    assert_eq!(status.as_u16(), expected, "{body}");
    let error = json(&body);
    let error = error["error"]
        .as_str()
        .unwrap_or_else(|| panic!("no error in {body}"));
    assert!(error.contains(words), "{error:?} does not say {words:?}");
    for secret in ["SELECT", "INSERT", "postgres:", "password"] {
        assert!(!error.contains(secret), "{error}");
    }
}

fn uuid(text: &str) -> Uuid {
    text.parse().expect("a UUID")
}
