//! What a request and its answer are outside: the effects behind the two calls.

use std::time::Duration;

use envelope_evidence::Timestamp;
use envelope_rules::denial::{Code, Denial};
use envelope_rules::egress::target::Target;
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::request::RequestOptions;
use super::wish;
use crate::gate::{Effect, Effected};
use crate::net::{self, Body, Failure, Network, NoRoute, Outgoing, Route};
use crate::stop::Fault;
use crate::world::World;

/// What came of a request: recorded, and read again on a replay.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Came {
    /// The head of an answer. The values are bytes, one character each.
    Head { status: u16, headers: Vec<(String, String)> },
    /// None came.
    Failed(Failure),
}

/// Sends a request, and waits for the head of its answer.
pub(super) struct Send {
    pub(super) target: Target,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) options: RequestOptions,
    /// The run's own.
    pub(super) deadline: Timestamp,
}

impl Send {
    /// What the operator, the guest and the time that the run has left allow.
    fn limits(&self, network: &Network, world: &dyn World) -> net::Limits {
        let limits = self.options.within(*network.limits());
        let left = Duration::from_millis(self.deadline.millis_since(world.now()));
        let (connect, total) = (limits.connect.min(left), limits.total.min(left));
        net::Limits { connect, total, ..limits }
    }

    fn oversized(&self, most: u64) -> Option<Denial> {
        let size = self.body.length().filter(|size| *size > most)?;
        let what = format_args!("{size} bytes, at most {most}");
        Some(Denial::new(Code::EgressSize, what))
    }
}

impl Effect for Send {
    /// A name that nobody knows is no refusal: the guest is told what every program is told.
    type Ready = Result<Route, Failure>;
    type Kept = Box<net::Reply>;

    async fn prepare(&mut self, world: &dyn World) -> Result<Result<Self::Ready, Denial>, Fault> {
        let network = world.network().ok_or(Fault::Unavailable("the network"))?;
        if let Some(denial) = self.oversized(network.limits().request_bytes) {
            return Ok(Err(denial));
        }
        let within = self.limits(network, world).connect;
        Ok(match network.resolve(&self.target, within).await {
            Ok(route) => Ok(Ok(route)),
            Err(NoRoute::Failed(failure)) => Ok(Err(failure)),
            Err(NoRoute::Denied(denial)) => Err(denial),
        })
    }

    async fn perform(self, world: &dyn World, ready: Self::Ready) -> Effected<Self::Kept> {
        let sent = header_bytes(&self.headers).saturating_add(match &self.body {
            Body::Whole(bytes) => bytes.len(),
            // Its pieces are counted one by one.
            Body::Flows(_) => 0,
        });
        let route = match ready {
            Ok(route) => route,
            Err(failure) => return told(&Came::Failed(failure), 0, None),
        };
        let Some(network) = world.network() else {
            return told(&Came::Failed(Failure::Unreachable), 0, None);
        };
        let limits = self.limits(network, world);
        let Self { headers, body, .. } = self;
        match network.send(route, Outgoing { headers, body, limits }).await {
            Ok(net::Incoming { status, headers, reply }) => {
                let size = |(name, value): &(String, Vec<u8>)| name.len() + value.len();
                let moved = sent.saturating_add(headers.iter().map(size).sum());
                let as_text =
                    |(name, value): (String, Vec<u8>)| (name, wish::text(&value).into_owned());
                let headers = headers.into_iter().map(as_text).collect();
                told(&Came::Head { status, headers }, moved, Some(Box::new(reply)))
            }
            Err(failure) => told(&Came::Failed(failure), sent, None),
        }
    }
}

fn told(came: &Came, moved: usize, kept: Option<Box<net::Reply>>) -> Effected<Box<net::Reply>> {
    // A status, names and texts: there is nothing in it that JSON could not say.
    let answer = envelope_evidence::canonical::of(came).unwrap_or_default();
    Effected { answer, moved: u64::try_from(moved).unwrap_or(u64::MAX), kept }
}

/// Bytes of headers on the wire.
pub(super) fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// Takes the next piece of an answer.
pub(super) struct Receive {
    pub(super) reply: Option<Box<net::Reply>>,
    pub(super) most: usize,
}

/// A piece of an answer, or its end: recorded, and read again on a replay.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Bytes(Vec<u8>),
    End,
    Failed(Failure),
}

impl Piece {
    /// One byte that says which, and what goes with it.
    fn write(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => [b"+", bytes.as_slice()].concat(),
            Self::End => b".".to_vec(),
            Self::Failed(failure) => {
                [b"!".as_slice(), &serde_json::to_vec(failure).unwrap_or_default()].concat()
            }
        }
    }

    /// What [`write`](Self::write) wrote.
    pub(super) fn read(answer: &[u8]) -> Option<Self> {
        match answer.split_first()? {
            (b'+', bytes) => Some(Self::Bytes(bytes.to_vec())),
            (b'.', []) => Some(Self::End),
            (b'!', failure) => serde_json::from_slice(failure).ok().map(Self::Failed),
            _ => None,
        }
    }
}

impl Effect for Receive {
    type Ready = ();
    type Kept = Box<net::Reply>;

    async fn prepare(&mut self, _world: &dyn World) -> Result<Result<(), Denial>, Fault> {
        Ok(Ok(()))
    }

    async fn perform(self, _world: &dyn World, _ready: ()) -> Effected<Self::Kept> {
        // The process that held the connection is gone.
        let Some(mut reply) = self.reply else {
            let answer = Piece::Failed(Failure::Lost).write();
            return Effected { answer, moved: 0, kept: None };
        };
        let (piece, moved) = match reply.next(self.most).await {
            Ok(Some(bytes)) => (Piece::Bytes(bytes.to_vec()), bytes.len()),
            Ok(None) => (Piece::End, 0),
            Err(failure) => (Piece::Failed(failure), 0),
        };
        let kept = matches!(piece, Piece::Bytes(_)).then_some(reply);
        Effected { answer: piece.write(), moved: u64::try_from(moved).unwrap_or(0), kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_read_as_it_was_written() {
        for piece in [
            Piece::Bytes(vec![0, 255, b'!']),
            Piece::Bytes(Vec::new()),
            Piece::End,
            Piece::Failed(Failure::BodySize),
        ] {
            assert_eq!(Piece::read(&piece.write()), Some(piece));
        }
        for bad in ["", "?", ".x", "!\"nothing\"", "!"] {
            assert_eq!(Piece::read(bad.as_bytes()), None, "{bad}");
        }
    }
}
