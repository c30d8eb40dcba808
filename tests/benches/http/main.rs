//! What a guarded request costs, beside the same request by the bare client on the same socket.
//!
//! `cargo bench -p envelope-tests --bench http` prints a line. Guarded is all of it: the guest
//! writes the request down, it is judged, recorded, sent, answered, recorded, and read to its end.

#[path = "../../cargo.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod cargo;
mod guarded;
#[path = "../../net/peer.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod peer;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use guarded::Guarded;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http1::Builder;
use hyper_util::rt::TokioIo;
use peer::Peer;
use tokio::net::TcpStream;

/// Rounds in which both take turns, so that what else the machine does falls on both.
const ROUNDS: usize = 40;

/// Requests of one turn.
const TURN: usize = 50;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let peer = Peer::start(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let place = SocketAddr::new(peer.address, peer.port);
    let guarded = runtime.block_on(Guarded::new(place));
    let (mut plain, mut ours) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (ours_now, plain_now) = (runtime.block_on(guarded.turn(TURN)), bare(&runtime, place));
        // What is paid once is paid in the first.
        if round > 0 {
            ours.extend(ours_now);
            plain.extend(plain_now);
        }
    }
    let (ours, plain) = (Spread::of(ours), Spread::of(plain));
    let more = |a: Duration, b: Duration| a.saturating_sub(b).as_micros();
    println!("guarded request: {ours}, bare {plain}");
    println!(
        "  more: {} µs median, {} µs p99; asked: 300 µs p99",
        more(ours.median, plain.median),
        more(ours.p99, plain.p99)
    );
}

/// A turn of the bare client.
fn bare(runtime: &tokio::runtime::Runtime, place: SocketAddr) -> Vec<Duration> {
    let once = |_| {
        let start = Instant::now();
        runtime.block_on(request(place));
        start.elapsed()
    };
    (0..TURN).map(once).collect()
}

async fn request(place: SocketAddr) {
    let stream = TcpStream::connect(place).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let opened = Builder::new().handshake(TokioIo::new(stream)).await.unwrap();
    let (mut sender, connection) = opened;
    let connection = tokio::spawn(connection);
    let request = Request::get("/v1/x").header("host", place.to_string());
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "hello");
    connection.abort();
}

/// What was measured many times.
struct Spread {
    median: Duration,
    p99: Duration,
}

impl Spread {
    fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self { median: all[all.len() / 2], p99: all[all.len() * 99 / 100] }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} µs (p99 {})", self.median.as_micros(), self.p99.as_micros())
    }
}
