//! A relay before a real server on a real socket.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::relay::{Address, Relay};

/// Answers every `size` bytes with as many, on any number of connections.
fn echo(size: usize) -> Address {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut buffer = vec![0; size];
                while stream.read_exact(&mut buffer).is_ok() {
                    stream.write_all(&buffer).unwrap();
                }
            });
        }
    });
    Address {
        host: "127.0.0.1".to_owned(),
        port,
    }
}

fn connect(relay: &Relay) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn exchange(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
    let mut answer = vec![0; bytes.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, bytes);
}

#[test]
fn a_turn_is_a_wait_for_an_answer_and_a_pipelined_batch_is_one() {
    for one_way in [Duration::ZERO, Duration::from_millis(2)] {
        let relay = Relay::start(&echo(4), one_way).unwrap();
        let mut stream = connect(&relay);
        for _ in 0..3 {
            exchange(&mut stream, b"ping");
        }
        assert_eq!(relay.totals().turns, 3);

        let before = relay.totals();
        // In pieces, of which only the last lets the server answer.
        for piece in [b"p", b"i", b"n"] {
            stream.write_all(piece).unwrap();
            std::thread::sleep(Duration::from_millis(10));
        }
        stream.write_all(b"g").unwrap();
        stream.read_exact(&mut [0; 4]).unwrap();
        let since = relay.totals().since(before);
        assert_eq!(
            (since.turns, since.bytes_sent, since.bytes_received),
            (1, 4, 4)
        );
    }
}

#[test]
fn what_is_said_while_an_answer_is_under_way_was_not_waited_for() {
    let relay = Relay::start(&echo(4), Duration::from_millis(300)).unwrap();
    let mut stream = connect(&relay);
    exchange(&mut stream, b"ping");
    let before = relay.totals();
    stream.write_all(b"ping").unwrap();
    // By now the first answer has left the server and not reached the client.
    std::thread::sleep(Duration::from_millis(450));
    stream.write_all(b"ping").unwrap();
    stream.read_exact(&mut [0; 8]).unwrap();
    assert_eq!(relay.totals().since(before).turns, 1);
}

#[test]
fn connections_at_once_are_counted_like_one() {
    let relay = Relay::start(&echo(5), Duration::ZERO).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut stream = connect(&relay);
                for _ in 0..50 {
                    exchange(&mut stream, b"hello");
                }
            });
        }
    });
    let totals = relay.totals();
    assert_eq!(
        (totals.turns, totals.bytes_sent, totals.bytes_received),
        (400, 2000, 2000)
    );
}

#[test]
fn each_direction_is_held_back_for_the_whole_time() {
    let one_way = Duration::from_millis(15);
    let relay = Relay::start(&echo(4), one_way).unwrap();
    let began = Instant::now();
    let mut stream = connect(&relay);
    exchange(&mut stream, b"ping");
    assert!(
        began.elapsed() >= 4 * one_way,
        "a connection costs a round trip of its own: {:?}",
        began.elapsed()
    );
    for _ in 0..20 {
        let began = Instant::now();
        exchange(&mut stream, b"ping");
        assert!(began.elapsed() >= 2 * one_way, "{:?}", began.elapsed());
    }
}

#[test]
fn what_is_pipelined_is_held_back_once() {
    let one_way = Duration::from_millis(200);
    let relay = Relay::start(&echo(1), one_way).unwrap();
    let mut stream = connect(&relay);
    exchange(&mut stream, b"x");
    let began = Instant::now();
    for _ in 0..10 {
        stream.write_all(b"x").unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    stream.read_exact(&mut [0; 10]).unwrap();
    let took = began.elapsed();
    assert!(took >= 2 * one_way, "{took:?}");
    assert!(
        took < 10 * one_way,
        "one after the other they would take twenty: {took:?}"
    );
}

#[test]
fn a_long_stream_arrives_whole_and_its_end_after_it() {
    const LENGTH: usize = 4 << 20;
    for one_way in [Duration::ZERO, Duration::from_millis(5)] {
        let relay = Relay::start(&echo(LENGTH), one_way).unwrap();
        let sent: Vec<u8> = (0..LENGTH).map(|at| (at % 251) as u8).collect();
        let mut stream = connect(&relay);
        stream.write_all(&sent).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).unwrap();
        assert!(received == sent);
        assert_eq!(relay.totals().bytes_received, LENGTH as u64);
    }
}

#[test]
fn its_end_closes_everything_and_does_not_take_long() {
    let relay = Relay::start(&echo(4), Duration::from_secs(20)).unwrap();
    let port = relay.port();
    let mut streams: Vec<_> = (0..5).map(|_| connect(&relay)).collect();
    for stream in &mut streams {
        stream.write_all(b"ping").unwrap();
    }
    let began = Instant::now();
    drop(relay);
    for stream in &mut streams {
        assert!(matches!(stream.read(&mut [0; 4]), Ok(0) | Err(_)));
    }
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn an_engine_that_is_not_there_is_a_closed_connection() {
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let address = Address {
        host: gone.ip().to_string(),
        port: gone.port(),
    };
    let relay = Relay::start(&address, Duration::ZERO).unwrap();
    let mut stream = connect(&relay);
    assert!(matches!(stream.read(&mut [0; 1]), Ok(0) | Err(_)));
}
