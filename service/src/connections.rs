//! Connections: accepted one by one, each with its time.
//!
//! What axum's own loop does, and bounds on how long a client may take to say what it wants and to
//! take what it is answered: without them, clients that do neither hold their connections for
//! good, until there is none left for anybody else, and the service cannot end. And a bound on how
//! many there are: without it they take the files that the connections to the databases need.

use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use nix::sys::resource::{Resource, getrlimit};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

use crate::refusal::Refusal;

/// How long a client may take over the head of a request, over nothing between two requests, or
/// to take any more of an answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long a request may take from its head to its answer, its body included.
const REQUEST: Duration = Duration::from_secs(120);
/// How long no connection is accepted when the process has as many as it may.
const PAUSE: Duration = Duration::from_millis(200);

/// Files of the process that are no client's: those to the databases, and what any program has.
const BESIDE: u64 = 128;

/// As many clients as the limit on open files leaves; half of it where it is very low.
pub(crate) fn most() -> usize {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(limit, _)| limit);
    let most = limit.saturating_sub(BESIDE).max(limit / 2);
    usize::try_from(most).map_or(Semaphore::MAX_PERMITS, |most| {
        most.clamp(1, Semaphore::MAX_PERMITS)
    })
}

/// Serves until `shutdown` completes, and then until the requests that run are answered. A client
/// that takes longer than `patience` over the head of a request, or to take any more of an answer,
/// is let go. More than `most` at once wait, unaccepted, until one of them is done.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    most: usize,
    patience: Duration,
    shutdown: impl Future<Output = ()>,
) {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(patience);
    let connections = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    let places = Arc::new(Semaphore::new(most));
    let mut told = false;
    loop {
        if places.available_permits() == 0 && !std::mem::replace(&mut told, true) {
            eprintln!(
                "{most} clients are connected, which is all that the limit on open files leaves: \
                 others wait until one is done; raise the limit (`ulimit -n`)"
            );
        }
        let accept = async {
            let place = Arc::clone(&places).acquire_owned().await;
            listener.accept().await.map(|(stream, _)| (stream, place))
        };
        let accepted = tokio::select! {
            accepted = accept => accepted,
            () = &mut shutdown => break,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            // The client's affair.
            Err(error) if of_the_client(error.kind()) => continue,
            Err(error) => {
                tracing::error!("no connection can be accepted: {error}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Without it a response in two packets would wait for the client's delayed
        // acknowledgement.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(patience));
        let service = TowerToHyperService::new(routes.clone());
        let stream = TokioIo::new(Box::pin(stream));
        let connection = connections.watch(protocol.serve_connection(stream, service));
        // An error here is a client that went away, or took too long.
        tokio::spawn(async move {
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    connections.shutdown().await;
}

fn of_the_client(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

/// Refuses a request that takes too long, such as one whose body never ends.
pub(crate) async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal {
            status: StatusCode::REQUEST_TIMEOUT,
            message: format!("the request was not whole within {} s", REQUEST.as_secs()),
        }
        .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;

    use super::*;

    /// More than the kernel takes for a client that reads nothing.
    const MUCH: usize = 64 << 20;
    /// As many clients as the tests have at once.
    const MOST: usize = 4;

    #[test]
    fn a_client_that_takes_nothing_of_its_answer_is_let_go() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let routes = Router::new().route("/", get(|| async { "x".repeat(MUCH) }));
            let (stop, stopped) = oneshot::channel::<()>();
            let serving = tokio::spawn(serve(listener, routes, MOST, PATIENCE / 300, async {
                let _ = stopped.await;
            }));
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
            stream.write_all(request).await.unwrap();
            // The answer has begun, and no more of it is taken.
            stream.readable().await.unwrap();
            stop.send(()).unwrap();
            let ended = tokio::time::timeout(PATIENCE, serving).await;
            ended.expect("it waits for the client").unwrap();
            let mut taken = Vec::new();
            let _ = stream.read_to_end(&mut taken).await;
            assert!(taken.len() < MUCH, "all of it was sent");
        });
    }

    #[test]
    fn clients_that_say_nothing_are_let_go_and_others_are_answered() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let routes = Router::new().route("/", get(|| async { "here" }));
            let (stop, stopped) = oneshot::channel::<()>();
            let serving = tokio::spawn(serve(listener, routes, MOST, PATIENCE / 300, async {
                let _ = stopped.await;
            }));
            let mut silent = Vec::new();
            for began in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: x\r\n"] {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(began.as_bytes()).await.unwrap();
                silent.push(stream);
            }
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
            stream.write_all(request).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.ends_with("here"), "{answer}");
            for mut stream in silent {
                let mut said = String::new();
                // Ends when the service closes the connection, and not before.
                stream.read_to_string(&mut said).await.unwrap();
                assert!(!said.contains("here"), "{said}");
            }
            stop.send(()).unwrap();
            serving.await.unwrap();
        });
    }

    #[test]
    fn more_clients_than_there_may_be_wait_until_one_is_done() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let routes = Router::new().route("/", get(|| async { "here" }));
            let (stop, stopped) = oneshot::channel::<()>();
            let serving = tokio::spawn(serve(listener, routes, 1, PATIENCE, async {
                let _ = stopped.await;
            }));
            let ask = async || {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
                stream.write_all(request).await.unwrap();
                stream
            };
            let answered = async |stream: &mut TcpStream| {
                let mut answer = [0; 12];
                let read = stream.read_exact(&mut answer);
                let read = tokio::time::timeout(PATIENCE / 60, read).await;
                read.is_ok_and(|read| read.is_ok()) && answer.ends_with(b"200")
            };
            let mut first = ask().await;
            assert!(answered(&mut first).await);
            let mut second = ask().await;
            assert!(!answered(&mut second).await, "there is one already");
            drop(first);
            assert!(answered(&mut second).await);
            // It ends though others wait.
            let third = ask().await;
            stop.send(()).unwrap();
            drop(second);
            serving.await.unwrap();
            drop(third);
        });
    }
}
