//! The service in a process of its own, over real databases.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write, stdin};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sqlx::types::Uuid;
use sqlx::{ConnectOptions, Connection};
use tokio::sync::OnceCell;
use verdict_baseline::writes::{join, leave};
use verdict_seed::World;
use verdict_service::cursor::{self, Cursor};
use verdict_service::{ServiceProcess, SideAddress, Sides};

use crate::common::{clone, engines, migrated, runtime, world};

const PROGRAM: &str = env!("CARGO_BIN_EXE_verdict");
const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";
const SIDES: [&str; 2] = ["baseline", "optimized"];

/// The world's conversations that a test sends into, each for one test alone; no test reads them.
const NUMBERED: u64 = 10;
const MISUSED: u64 = 11;
const HELD: u64 = 12;
const CLOSED: u64 = 13;

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

#[test]
fn both_sides_answer_histories_alike() {
    runtime().block_on(async {
        let stage = stage().await;
        let mut seen = 0;
        for conversation in (20..stage.world.conversations()).step_by(97).chain([0, 1]) {
            let messages = stage.messages(conversation);
            let viewer = stage.world.conversation(conversation).members[0];
            for query in [
                "",
                "&limit=7&offset=3&include_recalled=true",
                "&limit=500&offset=90",
            ] {
                let path = format!("{messages}?viewer={viewer}{query}");
                let baseline = stage.read(&format!("/baseline{path}")).await;
                let optimized = stage.read(&format!("/optimized{path}")).await;
                let page = rows(&baseline, "messages");
                assert_same_rows(page, rows(&optimized, "messages"));
                assert!(page.len() <= 200, "{} rows", page.len());
                seen += page.len();
            }
        }
        // The ladder's second conversation alone gives 50 + 7 + 200.
        assert!(seen > 250, "{seen} messages is no sample");
    });
}

#[test]
fn a_walk_by_cursor_meets_the_posts_of_a_walk_by_offset() {
    runtime().block_on(async {
        let stage = stage().await;
        let author = stage.world.ladder_authors()[0].id;
        let (mut offset, mut cursor, mut pages) = (0, String::new(), 0);
        loop {
            let path = format!("/users/{author}/posts?limit=20");
            let baseline = stage
                .read(&format!("/baseline{path}&offset={offset}"))
                .await;
            let optimized = stage.read(&format!("/optimized{path}{cursor}")).await;
            let page = rows(&baseline, "posts");
            assert_same_rows(page, rows(&optimized, "posts"));
            assert_eq!(baseline["next"], Value::Null);
            offset += page.len();
            pages += 1;
            match optimized["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert!(pages >= 4, "{pages} pages is no walk");
        let visible = stage.world.posts(&stage.world.author(0));
        let visible = visible
            .iter()
            .filter(|post| post.soft_delete.is_none())
            .count();
        assert_eq!(offset, visible);
    });
}

#[test]
fn both_sides_number_sends_alike_and_refuse_them_alike() {
    runtime().block_on(async {
        let stage = stage().await;
        let conversation = stage.world.conversation(NUMBERED);
        let path = stage.messages(NUMBERED);
        for side in SIDES {
            let send = async |body: Value| {
                let path = format!("/{side}{path}");
                stage
                    .post(stage.service.url(), &path, body.to_string())
                    .await
            };
            let sender = stage.speaker(NUMBERED);
            let key = "6f1f7d9a-7f3e-4a58-9d0e-0c7f0d5a9b11";
            let first = json!({ "sender": sender, "content": "hello", "idempotency_key": key });
            for (number, body) in [
                (1, first.clone()),
                (2, json!({ "sender": sender, "content": "" })),
            ] {
                let (status, answer) = send(body).await;
                assert_eq!(status, StatusCode::CREATED, "{answer}");
                assert_eq!(
                    json(&answer)["sequence_number"],
                    conversation.messages + number,
                    "{side}"
                );
                assert!(json(&answer)["id"].is_string());
            }
            let (status, answer) = send(first).await;
            assert_eq!(status, StatusCode::CONFLICT, "{answer}");
            assert!(answer.contains("sent before"), "{answer}");
        }
    });
}

#[test]
fn a_conversation_is_read_by_its_members_and_sent_to_by_those_who_are_not_muted() {
    const REFUSED: &str = "of somebody who may not";
    runtime().block_on(async {
        let stage = stage().await;
        let members = stage.world.conversation(CLOSED).members;
        let mut users = (0..stage.world.users()).map(|index| stage.world.user(index));
        let stranger = users.find(|user| !members.contains(user)).expect("one");
        let (place, muted) = (20..stage.world.conversations())
            .find_map(|place| {
                let conversation = stage.world.conversation(place);
                let speakers = stage.world.speakers(&conversation);
                let mut members = conversation.members.into_iter();
                Some((place, members.find(|member| !speakers.contains(member))?))
            })
            .expect("a muted member");
        for (side, address) in [
            ("baseline", &stage.sides.baseline),
            ("optimized", &stage.sides.optimized),
        ] {
            let asked = async |place, viewer| {
                let path = format!("/{side}{}?viewer={viewer}", stage.messages(place));
                stage.get(&stage.service, &path).await
            };
            let sent = async |place, sender| {
                let path = format!("/{side}{}", stage.messages(place));
                let body = json!({ "sender": sender, "content": REFUSED }).to_string();
                stage.post(stage.service.url(), &path, body).await
            };
            for outsider in [stranger, uuid(NOBODY)] {
                assert_refused(asked(CLOSED, outsider).await, 403, "members");
                assert_refused(sent(CLOSED, outsider).await, 403, "members");
            }
            assert_eq!(asked(place, muted).await.0, StatusCode::OK);
            assert_refused(sent(place, muted).await, 403, "muted");

            let mut connection = address.postgres.connect().await.expect("a connection");
            let id = stage.world.conversation(CLOSED).id;
            assert!(join(&mut connection, id, stranger).await.expect("joined"));
            assert_eq!(asked(CLOSED, stranger).await.0, StatusCode::OK);
            assert!(leave(&mut connection, id, stranger).await.expect("left"));
            assert_refused(asked(CLOSED, stranger).await, 403, "members");

            let stored = "SELECT COUNT(*) FROM messages WHERE content = $1";
            let stored = sqlx::query_scalar(stored).bind(REFUSED);
            let stored: i64 = stored.fetch_one(&mut connection).await.expect("a count");
            assert_eq!(stored, 0, "{side}");
        }
    });
}

#[test]
fn bad_requests_get_their_status_and_are_told_what_is_accepted() {
    runtime().block_on(async {
        let stage = stage().await;
        let history = format!("{}?viewer={NOBODY}", stage.messages(0));
        let posts = format!("/users/{}/posts", stage.world.user(0));
        let nobodys = format!("/users/{NOBODY}/posts");
        let garbage = "0".repeat(32);
        let far = cursor::encode(&Cursor {
            created_at: chrono::DateTime::UNIX_EPOCH,
            id: uuid(NOBODY),
        });
        let gets = [
            (
                &*history,
                "&limit=-1",
                400,
                "`limit` is \"-1\": it is a whole number from 1",
            ),
            (&history, "&limit=0", 400, "whole number from 1"),
            (&history, "&limit=ten", 400, "whole number from 1"),
            (
                &history,
                "&limit=99999999999999999999",
                400,
                "whole number from 1",
            ),
            (&history, "&offset=-1", 400, "whole number from 0"),
            (&history, "&offset=", 400, "whole number from 0"),
            (&history, "&include_recalled=perhaps", 400, "true or false"),
            (&history, "&limit=5&limit=6", 400, "`limit` is given twice"),
            (
                &history,
                "&page=2",
                400,
                "viewer, limit, offset, include_recalled",
            ),
            (&stage.messages(0), "", 400, "`viewer` is missing"),
            (&stage.messages(0), "?viewer=me", 400, "UUID"),
            ("/conversations/first/messages", "?viewer=me", 400, "UUID"),
            ("/conversations/%ff/messages", "?viewer=me", 400, "UTF-8"),
            (
                &format!("/conversations/{NOBODY}/messages"),
                &format!("?viewer={NOBODY}"),
                404,
                "no such conversation",
            ),
            (
                &format!("/conversations/{NOBODY}/messages"),
                &format!("?viewer={NOBODY}&offset=9"),
                404,
                "no such conversation",
            ),
            (&nobodys, "", 404, NOBODY),
            (&posts, "?limit=-5", 400, "whole number from 1"),
            ("/users", "", 404, "there is nothing at"),
        ];
        for side in SIDES {
            for (path, query, status, words) in gets {
                assert_refused(
                    stage
                        .get(&stage.service, &format!("/{side}{path}{query}"))
                        .await,
                    status,
                    words,
                );
            }
        }
        for (path, status, words) in [
            (format!("/optimized{posts}?offset=20"), 400, "`cursor`"),
            (
                format!("/optimized{posts}?cursor="),
                400,
                "`cursor` is not one",
            ),
            (
                format!("/optimized{posts}?cursor={garbage}!"),
                400,
                "`cursor` is not one",
            ),
            (
                format!("/optimized{posts}?cursor=gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
                400,
                "`cursor` is not one",
            ),
            (format!("/optimized{nobodys}?cursor={far}"), 404, NOBODY),
            (format!("/baseline{posts}?cursor={far}"), 400, "`offset`"),
            (
                format!("/baseline{posts}?offset=-20"),
                400,
                "whole number from 0",
            ),
            ("/".to_owned(), 404, "there is nothing at /"),
        ] {
            assert_refused(stage.get(&stage.service, &path).await, status, words);
        }
        // A cursor beyond the last post is a page without posts, not an unknown user.
        let end = stage.read(&format!("/optimized{posts}?cursor={far}")).await;
        assert_eq!(end, json!({ "posts": [], "next": null }));
    });
}

#[test]
fn bad_bodies_get_their_status_and_are_told_what_is_accepted() {
    runtime().block_on(async {
        let stage = stage().await;
        let sender = stage.speaker(MISUSED);
        let message = |content: &str| json!({ "sender": sender, "content": content }).to_string();
        let nowhere = format!("/conversations/{NOBODY}/messages");
        for side in SIDES {
            for (path, body, status, words) in [
                (
                    stage.messages(MISUSED),
                    "hello".to_owned(),
                    400,
                    "JSON object with `sender`",
                ),
                (
                    stage.messages(MISUSED),
                    String::new(),
                    400,
                    "JSON object with `sender`",
                ),
                (
                    stage.messages(MISUSED),
                    json!({ "content": "hello" }).to_string(),
                    400,
                    "missing field `sender`",
                ),
                (
                    stage.messages(MISUSED),
                    json!({ "sender": "me", "content": "hello" }).to_string(),
                    400,
                    "UUID",
                ),
                (
                    stage.messages(MISUSED),
                    json!({ "sender": sender, "text": "hello" }).to_string(),
                    400,
                    "`text`",
                ),
                (
                    stage.messages(MISUSED),
                    message("hel\0lo"),
                    400,
                    "character of code 0",
                ),
                (
                    stage.messages(MISUSED),
                    message(&"x".repeat(65 * 1024)),
                    413,
                    "at most 64 KiB",
                ),
                (
                    nowhere.clone(),
                    message("hello"),
                    404,
                    "no such conversation",
                ),
                (
                    format!("/users/{NOBODY}/posts"),
                    String::new(),
                    405,
                    "POST is not for",
                ),
            ] {
                let path = format!("/{side}{path}");
                assert_refused(
                    stage.post(stage.service.url(), &path, body).await,
                    status,
                    words,
                );
            }
        }
        let (status, answer) = stage
            .post(
                stage.service.url(),
                &format!("/baseline{}", stage.messages(MISUSED)),
                message(&"x".repeat(63 * 1024)),
            )
            .await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    });
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

#[test]
fn metrics_count_requests_and_each_statements_wait_for_a_connection() {
    runtime().block_on(async {
        let stage = stage().await;
        // Its own, for the counts are exact.
        let service = spawn(&stage.sides);
        let viewer = stage.world.conversation(1).members[0];
        for side in SIDES {
            for query in [
                format!("viewer={viewer}"),
                format!("viewer={viewer}&limit=5"),
                "viewer=me".to_owned(),
            ] {
                stage
                    .get(&service, &format!("/{side}{}?{query}", stage.messages(1)))
                    .await;
            }
        }
        let (status, text) = stage.get(&service, "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        let series: BTreeMap<&str, f64> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(name, value)| (name, value.parse().expect("values are numbers")))
            .collect();
        let duration = "verdict_request_duration_seconds";
        for side in SIDES {
            let labels =
                |flow, class| format!("{{flow=\"{flow}\",side=\"{side}\",status=\"{class}\"}}");
            assert_eq!(
                series[&*format!("{duration}_count{}", labels("history", "2xx"))],
                2.0
            );
            assert_eq!(
                series[&*format!("{duration}_count{}", labels("history", "4xx"))],
                1.0
            );
            assert_eq!(
                series[&*format!("{duration}_count{}", labels("history", "5xx"))],
                0.0
            );
            assert_eq!(
                series[&*format!("{duration}_count{}", labels("send", "2xx"))],
                0.0
            );
            assert!(series[&*format!("{duration}_sum{}", labels("history", "2xx"))] > 0.0);
            let of_side = format!("{{side=\"{side}\"}}");
            // Three statements a page today, one with the fix; and who may read it.
            let statements = if side == "baseline" { 8.0 } else { 4.0 };
            assert_eq!(
                series[&*format!("verdict_pool_wait_seconds_count{of_side}")],
                statements,
                "{side}"
            );
            assert!(series[&*format!("verdict_pool_wait_seconds_sum{of_side}")] > 0.0);
            assert_eq!(
                series[&*format!("verdict_pool_connections_max{of_side}")],
                10.0
            );
            assert!(series[&*format!("verdict_pool_connections{of_side}")] >= 1.0);
            assert_eq!(
                series[&*format!("verdict_pool_timeouts_total{of_side}")],
                0.0
            );
        }
        let (status, body) = stage.get(&service, "/empty").await;
        assert_eq!((status, &*body), (StatusCode::NO_CONTENT, ""));
        let (status, _) = stage.get(&service, "/health").await;
        assert_eq!(status, StatusCode::OK);
        service.stop().expect("a clean end");
    });
}

#[test]
fn a_database_that_is_gone_is_a_503_and_leaves_the_other_side_alone() {
    runtime().block_on(async {
        let stage = stage().await;
        let sides = Sides {
            baseline: clone("service_gone").await,
            optimized: stage.sides.optimized.clone(),
        };
        let service = spawn(&sides);
        let viewer = stage.world.conversation(1).members[0];
        let path = format!("{}?viewer={viewer}", stage.messages(1));
        let (status, _) = stage.get(&service, &format!("/baseline{path}")).await;
        assert_eq!(status, StatusCode::OK);
        engines()
            .await
            .drop_sandbox("service_gone")
            .await
            .expect("the clone dropped");

        assert_refused(
            stage.get(&service, &format!("/baseline{path}")).await,
            503,
            "baseline database cannot be reached",
        );
        assert_refused(stage.get(&service, "/health").await, 503, "baseline");
        let (status, _) = stage.get(&service, &format!("/optimized{path}")).await;
        assert_eq!(status, StatusCode::OK);
        service.stop().expect("a clean end");
    });
}

#[test]
fn a_stop_lets_a_running_send_finish_and_accepts_nothing_new() {
    runtime().block_on(async {
        let stage = stage().await;
        let service = spawn(&stage.sides);
        let url = service.url().to_owned();
        let address = url.trim_start_matches("http://").to_owned();
        let conversation = stage.world.conversation(HELD);
        let mut holder = stage
            .sides
            .optimized
            .postgres
            .connect()
            .await
            .expect("a connection");
        let mut lock = holder.begin().await.expect("a transaction");
        sqlx::query("SELECT FROM conversations WHERE id = $1 FOR UPDATE")
            .bind(conversation.id)
            .execute(&mut *lock)
            .await
            .expect("the lock that a send needs");

        let body = json!({ "sender": stage.speaker(HELD), "content": "held" }).to_string();
        let path = format!("/optimized{}", stage.messages(HELD));
        let send = async { stage.post(&url, &path, body).await };
        let stop = async {
            blocked(
                &mut stage
                    .sides
                    .optimized
                    .postgres
                    .connect()
                    .await
                    .expect("a connection"),
            )
            .await;
            let stopping = tokio::task::spawn_blocking(|| service.stop());
            until("the service refuses connections", || {
                TcpStream::connect(&address).is_err()
            })
            .await;
            lock.rollback().await.expect("the lock given back");
            stopping.await.expect("no panic")
        };
        let ((status, answer), stopped) = tokio::join!(send, stop);
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        stopped.expect("a clean end");
    });
}

/// Waits until some session waits for a lock.
async fn blocked(connection: &mut sqlx::PgConnection) {
    let deadline = Instant::now() + Duration::from_secs(10);
    let waits = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waits)
        .fetch_one(&mut *connection)
        .await
        .expect("a count")
        == 0
    {
        assert!(Instant::now() < deadline, "the send never waited");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 10 s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_killed_parent_takes_its_service_along() {
    runtime().block_on(async {
        let stage = stage().await;
        // This test program once more, as a parent that can be killed.
        let mut parent = Command::new(std::env::current_exe().expect("this program"))
            .args([
                "service::parent_of_a_service",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a parent");
        let mut input = parent.stdin.take().expect("its input");
        for side in [&stage.sides.baseline, &stage.sides.optimized] {
            writeln!(input, "{}", side.postgres.to_url_lossy()).expect("a connection string");
            let clickhouse = serde_json::to_string(&side.clickhouse).expect("JSON");
            writeln!(input, "{clickhouse}").expect("an address");
        }
        let output = BufReader::new(parent.stdout.take().expect("its output"));
        let url = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.find("http://").map(|place| line[place..].to_owned()))
            .expect("the service's address");
        let address = url.trim_start_matches("http://");
        TcpStream::connect(address).expect("the service listens");

        parent.kill().expect("the parent killed");
        parent.wait().expect("the parent's end");
        until("the service is gone", || {
            TcpStream::connect(address).is_err()
        })
        .await;
    });
}

#[test]
#[ignore = "the parent that `a_killed_parent_takes_its_service_along` kills"]
fn parent_of_a_service() {
    let mut lines = stdin().lines().map_while(Result::ok);
    let mut side = || {
        Some(SideAddress {
            postgres: lines.next()?.parse().expect("a connection string"),
            clickhouse: serde_json::from_str(&lines.next()?).expect("an address"),
        })
    };
    let (Some(baseline), Some(optimized)) = (side(), side()) else {
        return;
    };
    let service = spawn(&Sides {
        baseline,
        optimized,
    });
    println!("\n{}", service.url());
    std::thread::sleep(Duration::from_secs(60));
}
