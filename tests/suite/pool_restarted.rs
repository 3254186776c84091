//! Item 12 on a PostgreSQL of the test's own, which is stopped under its callers and started anew.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::types::Uuid;
use sqlx::{ConnectOptions, PgPool, raw_sql};
use tempfile::TempDir;
use verdict_baseline::pool::{self as today, Message, PageRequest};
use verdict_baseline::schema::{FOREIGN_KEYS, INDEXES, TABLES};
use verdict_optimized::pool as ours;

use crate::common::{engines, options, runtime};

/// Callers of each kind at once.
const CALLERS: usize = 8;

/// For how long they call before the server is stopped, and after it has come back.
const CALLING: Duration = Duration::from_millis(300);

/// A server by itself, from the programs of the tests' engines.
struct Server {
    programs: PathBuf,
    data: TempDir,
    port: u16,
    process: Child,
}

impl Server {
    async fn new() -> Self {
        let programs = programs().await;
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().to_str().unwrap();
        let initdb = [
            "-D",
            folder,
            "-U",
            "postgres",
            "--auth=trust",
            "--no-sync",
            "--locale=C",
            "--encoding=UTF8",
        ];
        let mut made = launch(&programs.join("initdb"), &initdb);
        assert!(made.wait().unwrap().success());
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = nobody.local_addr().unwrap().port();
        drop(nobody);
        let mut server = Self {
            process: started(&programs, data.path(), port),
            programs,
            data,
            port,
        };
        server.ready().await;
        server
    }

    fn address(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username("postgres")
            .database("postgres")
    }

    /// Waits until it answers.
    async fn ready(&mut self) {
        while self.address().connect().await.is_err() {
            assert!(self.process.try_wait().unwrap().is_none(), "it has ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops it in the way that the signal asks for, and starts it anew.
    async fn restart(&mut self, how: Signal) {
        let pid = Pid::from_raw(self.process.id().try_into().unwrap());
        kill(pid, how).unwrap();
        while self.process.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.process = started(&self.programs, self.data.path(), self.port);
        self.ready().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.process.id().try_into().unwrap());
        let _ = kill(pid, Signal::SIGQUIT);
        let _ = self.process.wait();
    }
}

/// Where the engines' PostgreSQL has its programs.
async fn programs() -> PathBuf {
    let engines = engines().await;
    let mut connection = engines.postgres(engines.world()).connect().await.unwrap();
    let folder: String = sqlx::query_scalar("SHOW data_directory")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let lock = std::fs::read_to_string(Path::new(&folder).join("postmaster.pid")).unwrap();
    let server = format!("/proc/{}/exe", lock.lines().next().unwrap());
    let server = std::fs::read_link(server).unwrap();
    server.parent().unwrap().to_owned()
}

fn started(programs: &Path, data: &Path, port: u16) -> Child {
    let port = format!("port={port}");
    let args = ["-D", data.to_str().unwrap(), "-c", &port];
    let only = [
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "unix_socket_directories=",
    ];
    launch(&programs.join("postgres"), &[&args[..], &only].concat())
}

/// Starts a program as engines are, which end with the thread that started them.
fn launch(program: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(options().host);
    command
        .arg("engine-launch")
        .arg(std::process::id().to_string())
        .arg((Signal::SIGQUIT as i32).to_string());
    // PostgreSQL refuses to be root.
    if geteuid().is_root() {
        command.arg("--namespace");
    }
    command.arg("--").arg(program).args(args);
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    quiet.stderr(Stdio::null()).spawn().unwrap()
}

const ROWS: &str = "
INSERT INTO users (id, username, email, password_hash)
VALUES (GEN_RANDOM_UUID(), 'one', 'one@example.org', '');
INSERT INTO conversations (id, conversation_type, name, created_by)
SELECT GEN_RANDOM_UUID(), 'group', 'one', id FROM users;
INSERT INTO messages (id, conversation_id, sender_id, content, created_at)
SELECT GEN_RANDOM_UUID(), conversations.id, created_by, 'before', NOW() - INTERVAL '1 s' * n
FROM conversations, GENERATE_SERIES(1, 200) AS n";

/// What callers ask for, and whether they go on.
struct Asked {
    page: PageRequest,
    goes_on: AtomicBool,
}

impl Asked {
    fn message(&self) -> Message {
        Message {
            id: Uuid::new_v4(),
            conversation: self.page.conversation,
            sender: self.page.viewer,
            content: "sent while the server is stopped".to_owned(),
            idempotency_key: None,
        }
    }

    /// Calls again and again, for as long as it goes on; how many calls were lost.
    async fn lost<T>(&self, call: impl AsyncFn() -> verdict_baseline::Result<T>) -> Vec<String> {
        let mut lost = Vec::new();
        while self.goes_on.load(Ordering::Relaxed) {
            if let Err(error) = call().await {
                lost.push(error.to_string());
            }
        }
        lost
    }
}

#[test]
fn a_server_that_is_started_anew_under_its_callers_loses_calls_of_todays_and_none_of_ours() {
    runtime().block_on(async {
        let mut server = Server::new().await;
        let todays = PgPool::connect_with(server.address()).await.unwrap();
        for script in [TABLES, INDEXES, FOREIGN_KEYS, ROWS] {
            raw_sql(script).execute(&todays).await.unwrap();
        }
        let of = "SELECT id, created_by FROM conversations";
        let (conversation, viewer) = sqlx::query_as(of).fetch_one(&todays).await.unwrap();
        let page = PageRequest {
            conversation,
            viewer,
            limit: 100,
            offset: 0,
            include_recalled: true,
        };
        let pool = ours::options(PgPoolOptions::new()).connect_lazy_with(server.address());
        let asked = &Asked {
            page,
            goes_on: AtomicBool::new(true),
        };
        let sent = &std::sync::Mutex::new(Vec::new());
        let callers = async {
            let todays = (0..CALLERS).map(|_| asked.lost(|| today::page(&todays, &asked.page)));
            let pages = (0..CALLERS).map(|_| asked.lost(|| ours::page(&pool, &asked.page)));
            let sends = (0..CALLERS).map(|_| {
                asked.lost(async || {
                    let message = asked.message();
                    let answer = ours::send(&pool, &message).await;
                    sent.lock().unwrap().push(message.id);
                    answer
                })
            });
            tokio::join!(join_all(todays), join_all(pages), join_all(sends))
        };
        let restarts = async {
            for how in [Signal::SIGINT, Signal::SIGQUIT] {
                tokio::time::sleep(CALLING).await;
                server.restart(how).await;
            }
            tokio::time::sleep(CALLING).await;
            asked.goes_on.store(false, Ordering::Relaxed);
        };
        let ((todays_lost, pages, sends), ()) = tokio::join!(callers, restarts);
        assert_ne!(todays_lost.concat(), Vec::<String>::new());
        assert_eq!(pages.concat(), Vec::<String>::new());
        assert_eq!(sends.concat(), Vec::<String>::new());
        let sent = std::mem::take(&mut *sent.lock().unwrap());
        let stored: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM messages WHERE id = ANY($1)")
            .bind(&sent)
            .fetch_all(&pool)
            .await
            .unwrap();
        assert_eq!(stored.len(), sent.len(), "each once");
        todays.close().await;
        pool.close().await;
    });
}
