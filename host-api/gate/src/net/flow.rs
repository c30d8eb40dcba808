//! The body of a request that goes out as it is written.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Failure, Limits};

/// Pieces that wait for a peer: enough that neither side waits for the other for nothing.
const PIECES_MAX: usize = 2;

/// Where the pieces of a body are put.
#[derive(Debug)]
pub struct Way {
    pieces: Sender<Option<Bytes>>,
    cut: Arc<OnceLock<Failure>>,
    limits: Limits,
    sent: u64,
    /// How long the peer was waited for.
    waited: Duration,
}

/// The body as the peer's connection takes it.
#[derive(Debug)]
pub struct Flow {
    pieces: Receiver<Option<Bytes>>,
    pub(super) cut: Arc<OnceLock<Failure>>,
    /// Bytes that are still to come, where the head says how many.
    left: Option<u64>,
    /// Told when all of it is taken.
    whole: Option<oneshot::Sender<()>>,
    over: bool,
}

/// A body that is not whole, and never will be.
#[derive(Debug, thiserror::Error)]
#[error("the body was cut")]
pub struct Cut;

/// A body of `length` bytes, if that is known, and the way into it.
pub fn flow(length: Option<u64>, limits: Limits) -> (Way, Flow) {
    let (sender, receiver) = channel(PIECES_MAX);
    let cut = Arc::new(OnceLock::new());
    let way =
        Way { pieces: sender, cut: Arc::clone(&cut), limits, sent: 0, waited: Duration::ZERO };
    let flow = Flow { pieces: receiver, cut, left: length, whole: None, over: false };
    (way, flow)
}

impl Way {
    /// Puts a piece in, or says that nothing more is to come. Gives the way back, unless the peer
    /// is too slow: then the request is cut. A peer that is gone takes everything, and its answer
    /// says so.
    pub async fn put(mut self, piece: Option<Bytes>) -> Option<Self> {
        let size = piece.as_ref().map_or(0, Bytes::len);
        let began = Instant::now();
        let put = tokio::time::timeout(self.limits.between_bytes, self.pieces.send(piece)).await;
        self.waited = self.waited.saturating_add(began.elapsed());
        self.sent = self.sent.saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
        if put.is_err() || self.limits.is_slow(self.waited, self.sent) {
            let _ = self.cut.set(Failure::SlowUpload);
            return None;
        }
        Some(self)
    }
}

impl Flow {
    /// How many bytes it says that it has.
    pub const fn length(&self) -> Option<u64> {
        self.left
    }

    /// Who is told when all of it is taken, or nothing more will be.
    pub(super) fn whole(&mut self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.whole = Some(sender);
        receiver
    }
}

impl Body for Flow {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let flow = self.get_mut();
        if flow.over {
            return Poll::Ready(None);
        }
        let piece = ready!(flow.pieces.poll_recv(context));
        Poll::Ready(match piece {
            Some(Some(bytes)) => {
                let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                flow.left = flow.left.map(|left| left.saturating_sub(size));
                Some(Ok(Frame::data(bytes)))
            }
            Some(None) => {
                flow.over = true;
                flow.whole = None;
                None
            }
            None => Some(Err(Cut)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.over
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
