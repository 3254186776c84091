//! What the service itself costs: its share of a request's time, and its requests per second on
//! an empty endpoint beside a bare axum hello-world.
//!
//! The two sides of each comparison take turns, and a plain socket that asks again when it is
//! answered loads both servers. VERDICT_ENGINES chooses the engines; the world is the one of
//! the tests.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, stdin};
use std::net::Ipv4Addr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use axum::Router;
use axum::routing::get;
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use verdict::load::{drop_sides, sides};
use verdict_audit::Side;
use verdict_audit::evidence::Ratio;
use verdict_audit::ratio::{Block, ratio};
use verdict_baseline as baseline;
use verdict_baseline::membership;
use verdict_baseline::message_history::Request as HistoryRequest;
use verdict_engines::{Choice, Engines, Options, cache_dir, host};
use verdict_optimized as optimized;
use verdict_oracle::pagination::{PageRequest, posts_page};
use verdict_oracle::{Oracle, ladder, message_send};
use verdict_seed::{Conversation, Scale, World, WorldSpec};
use verdict_service::cursor::{self, Cursor};
use verdict_service::{ServiceProcess, dispatch};

/// The hidden command of this program: the hello-world.
const HELLO: &str = "hello";

/// Blocks of a comparison, and requests of each kind in a block of the first one.
const BLOCKS: usize = 30;
const ROUNDS: u64 = 20;
/// Connections to an empty endpoint, and how long each server has its turn.
const CONNECTIONS: usize = 16;
const TURN: Duration = Duration::from_millis(500);

/// The size of the conversation, and of the author.
const ROWS: u64 = 1_000;
/// Rows of a page of messages, and of one of posts, as in the audit's examples.
const MESSAGES: i64 = 100;
const POSTS: i64 = 20;

fn main() -> ExitCode {
    let hidden = host::dispatch(std::env::args_os()).or_else(|| dispatch(std::env::args_os()));
    if let Some(code) = hidden {
        return code;
    }
    let hello = std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == OsStr::new(HELLO));
    let work = async {
        if hello {
            serve_hello().await
        } else {
            bench().await
        }
    };
    let done = tokio::runtime::Runtime::new()
        .context("make a runtime")
        .and_then(|runtime| runtime.block_on(work));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to bench the service: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn bench() -> anyhow::Result<()> {
    let world = World::new(WorldSpec {
        scale: Scale::Smoke,
        users: None,
        days: None,
        seed: 1,
    });
    let options = Options {
        choice: std::env::var("VERDICT_ENGINES").map_or(Ok(Choice::Auto), |word| word.parse())?,
        cache: cache_dir()?,
        host: std::env::current_exe()?,
        progress: indicatif::MultiProgress::new(),
    };
    let engines = Engines::with_world(&options, &world.spec().key(), async |engines| {
        verdict_seed::load(&world, engines, &options.progress).await?;
        Ok(())
    })
    .await?;
    let sides = sides(&engines).await?;
    let service = ServiceProcess::spawn(&std::env::current_exe()?, &sides)?;
    println!("the same operation over HTTP and called directly, mean time per request:");
    for (side, options) in [
        (Side::Baseline, sides.baseline.postgres),
        (Side::Optimized, sides.optimized.postgres),
    ] {
        for flow in Flow::ALL {
            share(&world, &service, side, options.clone(), flow).await?;
        }
    }
    empty(&service).await?;
    service.stop()?;
    drop_sides(&engines).await?;
    engines.stop().await?;
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    History,
    Send,
    Page,
}

impl Flow {
    const ALL: [Self; 3] = [Self::History, Self::Send, Self::Page];
}

/// One flow on one side, asked for both ways.
struct Subject {
    flow: Flow,
    side: Side,
    conversation: Conversation,
    page: PageRequest,
    pool: PgPool,
    wire: Wire,
}

impl Subject {
    /// The last row before the page of posts.
    fn after(&self) -> Option<Cursor> {
        let (created_at, id) = self.page.after?;
        Some(Cursor { created_at, id })
    }

    fn message(&self) -> baseline::message_send::Request {
        message_send::message(&self.conversation, &mut rand::rng())
    }

    async fn over_http(&mut self) -> anyhow::Result<()> {
        let Self { side, page, .. } = self;
        let messages = format!("/{side}/conversations/{}/messages", self.conversation.id);
        let posts = format!("/{side}/users/{}/posts?limit={POSTS}", page.of);
        let (request, status) = match (self.flow, self.after()) {
            (Flow::History, _) => {
                let viewer = self.conversation.members[0];
                let query = format!("viewer={viewer}&limit={MESSAGES}");
                (head("GET", &format!("{messages}?{query}")), 200)
            }
            (Flow::Send, _) => {
                let message = self.message();
                let body =
                    json!({ "sender": message.sender, "content": message.content }).to_string();
                let head = head("POST", &messages);
                let head = head.trim_end();
                (
                    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
                    201,
                )
            }
            (Flow::Page, Some(after)) if self.side == Side::Optimized => (
                head("GET", &format!("{posts}&cursor={}", cursor::encode(&after))),
                200,
            ),
            (Flow::Page, _) => (
                head("GET", &format!("{posts}&offset={}", self.page.offset)),
                200,
            ),
        };
        let answered = self.wire.ask(&request).await?;
        ensure!(answered == status, "{request} was answered with {answered}");
        Ok(())
    }

    async fn directly(&self) -> baseline::Result<()> {
        let pool = &self.pool;
        match (self.flow, self.side) {
            (Flow::History, side) => {
                let request = HistoryRequest {
                    conversation: self.conversation.id,
                    viewer: self.conversation.members[0],
                    limit: MESSAGES,
                    offset: 0,
                    include_recalled: false,
                };
                membership::member(pool, request.conversation, request.viewer).await?;
                match side {
                    Side::Baseline => baseline::message_history::history(pool, &request).await,
                    Side::Optimized => optimized::message_history::history(pool, &request).await,
                }
                .map(drop)
            }
            (Flow::Send, side) => {
                let message = self.message();
                membership::sender(pool, message.conversation, message.sender).await?;
                match side {
                    Side::Baseline => baseline::message_send::send(pool, &message).await,
                    Side::Optimized => optimized::message_send::send(pool, &message).await,
                }
                .map(drop)
            }
            (Flow::Page, Side::Baseline) => {
                let request = baseline::pagination::PostsRequest {
                    user: self.page.of,
                    limit: POSTS,
                    offset: self.page.offset,
                };
                baseline::pagination::posts(pool, &request).await.map(drop)
            }
            (Flow::Page, Side::Optimized) => {
                let request = optimized::pagination::PostsRequest {
                    user: self.page.of,
                    limit: POSTS,
                    after: self.after(),
                };
                optimized::pagination::posts(pool, &request).await.map(drop)
            }
        }
    }
}

async fn share(
    world: &World,
    service: &ServiceProcess,
    side: Side,
    options: PgConnectOptions,
    flow: Flow,
) -> anyhow::Result<()> {
    let author = ladder::author_with_at_least(world, ROWS).context("find the author")?;
    let mut conversation = ladder::conversation(world, ROWS).context("find the conversation")?;
    // Who is muted is refused.
    conversation.members = world.speakers(&conversation);
    let mut subject = Subject {
        flow,
        side,
        conversation,
        page: posts_page(&Oracle::new(world), &author, POSTS, ROWS),
        pool: PgPool::connect_with(options).await?,
        wire: Wire::connect(service.url()).await?,
    };
    for _ in 0..2 * ROUNDS {
        subject.over_http().await?;
        subject.directly().await?;
    }
    let mut blocks = Vec::new();
    for _ in 0..BLOCKS {
        let (mut over_http, mut directly) = (Duration::ZERO, Duration::ZERO);
        for k in 0..ROUNDS {
            // Who goes first changes with every round.
            for turn in [k % 2, (k + 1) % 2] {
                let began = Instant::now();
                if turn == 0 {
                    subject.over_http().await?;
                    over_http += began.elapsed();
                } else {
                    subject.directly().await?;
                    directly += began.elapsed();
                }
            }
        }
        blocks.push(vec![block(over_http, ROUNDS, directly, ROUNDS)]);
    }
    subject.pool.close().await;
    let mean =
        |ns: fn(&Block) -> f64| blocks.iter().flatten().map(ns).sum::<f64>() / BLOCKS as f64 / 1e3;
    let Ratio { value, lo, hi } = ratio(&blocks)?;
    let percent = |ratio: f64| (1.0 - 1.0 / ratio) * 100.0;
    println!(
        "share/{}/{side}: {:.0} µs over HTTP, {:.0} µs directly: the service's share is \
         {:.1} % ({:.1}..{:.1})",
        format!("{flow:?}").to_lowercase(),
        mean(|block| block.baseline_ns),
        mean(|block| block.variant_ns),
        percent(value),
        percent(lo),
        percent(hi),
    );
    Ok(())
}

async fn empty(service: &ServiceProcess) -> anyhow::Result<()> {
    let hello = Hello::spawn()?;
    let mut blocks = Vec::new();
    let (mut all_bare, mut all_ours) = (0, 0);
    for _ in 0..BLOCKS {
        let bare = answers(&hello.url, "/").await?;
        let ours = answers(service.url(), "/empty").await?;
        blocks.push(vec![block(TURN, bare, TURN, ours)]);
        (all_bare, all_ours) = (all_bare + bare, all_ours + ours);
    }
    let seconds = BLOCKS as f64 * TURN.as_secs_f64();
    let rate = |calls: u64| calls as f64 / seconds;
    let Ratio { value, lo, hi } = ratio(&blocks)?;
    println!(
        "empty: {:.0} requests/s of {CONNECTIONS} connections, a bare axum hello-world {:.0}: \
         {value:.3} of it ({lo:.3}..{hi:.3})",
        rate(all_ours),
        rate(all_bare),
    );
    Ok(())
}

/// The mean call of either side.
fn block(baseline: Duration, baseline_calls: u64, variant: Duration, variant_calls: u64) -> Block {
    Block {
        baseline_ns: baseline.as_nanos() as f64 / baseline_calls as f64,
        variant_ns: variant.as_nanos() as f64 / variant_calls as f64,
    }
}

/// Requests that a server answers in its turn.
async fn answers(url: &str, path: &str) -> anyhow::Result<u64> {
    let mut users = tokio::task::JoinSet::new();
    let request = head("GET", path);
    for _ in 0..CONNECTIONS {
        let mut wire = Wire::connect(url).await?;
        let request = request.clone();
        users.spawn(async move {
            let end = Instant::now() + TURN;
            let mut answers = 0;
            while Instant::now() < end {
                wire.ask(&request).await?;
                answers += 1;
            }
            anyhow::Ok(answers)
        });
    }
    let mut total = 0;
    while let Some(answers) = users.join_next().await {
        total += answers??;
    }
    Ok(total)
}

fn head(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// One connection that is asked one request at a time, at the least cost to the machine.
struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    async fn connect(url: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(url.trim_start_matches("http://")).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    /// Sends a request, reads its answer to the end, and gives the status.
    async fn ask(&mut self, request: &str) -> anyhow::Result<u16> {
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        let head = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection in the middle of an answer");
            }
            if let Some(end) = self
                .buffer
                .windows(4)
                .position(|bytes| bytes == b"\r\n\r\n")
            {
                break end + 4;
            }
        };
        let text = std::str::from_utf8(&self.buffer[..head])?;
        let status = text.split(' ').nth(1).context("find the status")?.parse()?;
        let length: usize = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(Ok(0), |(_, length)| length.trim().parse())?;
        while self.buffer.len() < head + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection in the middle of an answer");
            }
        }
        Ok(status)
    }
}

/// The hello-world in a process of its own, as the service is.
struct Hello {
    child: Child,
    url: String,
}

impl Hello {
    fn spawn() -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(HELLO)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut url = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut url)?;
        }
        let url = url.trim_end().to_owned();
        Ok(Self { child, url })
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn serve_hello() -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    let parent = tokio::task::spawn_blocking(|| stdin().lock().read(&mut [0]));
    let app = Router::new().route("/", get(async || "Hello, World!"));
    tokio::select! {
        served = axum::serve(listener, app).into_future() => Ok(served?),
        _ = parent => Ok(()),
    }
}
