//! One request and its answer over one connection.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use envelope_evidence::preview::Secrets;
use envelope_rules::egress::target::Target;
use http::header::{CONNECTION, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::{Body as _, Frame, Incoming as HyperBody};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::dial::Wire;
use super::limits::{HEAD_BYTES_MAX, HEADERS_MAX};
use super::scrub::{self, Scrub};
use super::{Failure, Flow, Limits};

/// What goes out: whole, or as it is written.
pub(super) type Sent = Either<Full<Bytes>, Flow>;

/// The head of an answer, and the body that is still to come.
#[derive(Debug)]
pub struct Incoming {
    /// The status.
    pub status: u16,
    /// The headers in the order they came, without what is secret in them.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub reply: Reply,
}

/// The body of an answer as it comes. Dropped, it takes the connection with it.
pub struct Reply {
    body: HyperBody,
    scrub: Scrub,
    /// What came and was not taken yet.
    ready: Bytes,
    ended: bool,
    /// Bytes that came so far.
    received: u64,
    /// How long the peer was waited for.
    waited: Duration,
    limits: Limits,
    deadline: Instant,
    _connection: Connection,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("received", &self.received).finish_non_exhaustive()
    }
}

/// The task that moves bytes between the connection and whoever holds this.
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends the request over `wire` and waits for the head of the answer.
pub(super) async fn exchange(
    wire: Wire,
    request: Request<Sent>,
    whole: Option<oneshot::Receiver<()>>,
    limits: Limits,
    deadline: Instant,
    secrets: Arc<Secrets>,
) -> Result<Incoming, Failure> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    let opened = builder.handshake(TokioIo::new(wire)).await;
    let (mut sender, connection) = opened.map_err(|why| of_hyper(&why))?;
    let connection = tokio::spawn(async move {
        // What goes wrong is told to whoever waits for the answer.
        let _ = connection.await;
    });
    let connection = Connection(connection.abort_handle());
    let mut answer = pin!(sender.send_request(request));
    let early = match whole {
        Some(whole) => until_whole(answer.as_mut(), whole, deadline).await?,
        None => None,
    };
    let patience = deadline.min(Instant::now() + limits.first_byte);
    let answered = match early {
        Some(answered) => Ok(answered),
        None => tokio::time::timeout_at(patience, answer).await,
    };
    let late = if patience == deadline { Failure::Deadline } else { Failure::FirstByteTimeout };
    let answered = answered.map_err(|_| late)?.map_err(|why| of_hyper(&why))?;
    if answered.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Failure::Upgrade);
    }
    if answered.body().size_hint().lower() > limits.response_bytes {
        return Err(Failure::BodySize);
    }
    let (head, body) = answered.into_parts();
    let seen = |(name, value): (&http::HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), scrub::value(value.as_bytes(), &secrets))
    };
    let headers = head.headers.iter().map(seen).collect();
    let reply = Reply {
        body,
        scrub: Scrub::new(Arc::clone(&secrets)),
        ready: Bytes::new(),
        ended: false,
        received: 0,
        waited: Duration::ZERO,
        limits,
        deadline,
        _connection: connection,
    };
    Ok(Incoming { status: head.status.as_u16(), headers, reply })
}

/// Waits until a body that is still being written is whole: only then is the peer late. It may
/// answer before.
async fn until_whole<A: Future>(
    mut answer: Pin<&mut A>,
    mut whole: oneshot::Receiver<()>,
    deadline: Instant,
) -> Result<Option<A::Output>, Failure> {
    let either = poll_fn(|context| match answer.as_mut().poll(context) {
        Poll::Ready(answered) => Poll::Ready(Some(answered)),
        Poll::Pending => Pin::new(&mut whole).poll(context).map(|_| None),
    });
    tokio::time::timeout_at(deadline, either).await.map_err(|_| Failure::Deadline)
}

impl Reply {
    /// The next piece of the body, of at most `most` bytes. None at its end, and after a failure.
    pub async fn next(&mut self, most: usize) -> Result<Option<Bytes>, Failure> {
        while self.ready.is_empty() && !self.ended {
            match self.frame().await {
                Ok(Some(bytes)) => self.ready = self.scrub.pass(bytes),
                Ok(None) => {
                    self.ended = true;
                    self.ready = self.scrub.rest();
                }
                Err(failure) => {
                    self.ended = true;
                    return Err(failure);
                }
            }
        }
        let piece = self.ready.split_to(most.min(self.ready.len()));
        Ok(if piece.is_empty() && most > 0 { None } else { Some(piece) })
    }

    /// The next bytes of the peer. Trailers are read over.
    async fn frame(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let Some(frame) = self.wait().await? else { return Ok(None) };
            let Ok(bytes) = frame.into_data() else { continue };
            let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            self.received = self.received.saturating_add(count);
            if self.received > self.limits.response_bytes {
                return Err(Failure::BodySize);
            }
            self.check_pace()?;
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
    }

    /// Waits for the peer, and counts how long.
    async fn wait(&mut self) -> Result<Option<Frame<Bytes>>, Failure> {
        let began = Instant::now();
        let patience = self.deadline.min(began + self.limits.between_bytes);
        let came = tokio::time::timeout_at(patience, self.body.frame()).await;
        self.waited = self.waited.saturating_add(began.elapsed());
        let late = if patience == self.deadline { Failure::Deadline } else { Failure::Slow };
        came.map_err(|_| late)?.transpose().map_err(|why| of_hyper(&why))
    }

    fn check_pace(&self) -> Result<(), Failure> {
        let slow = self.limits.is_slow(self.waited, self.received);
        if slow { Err(Failure::Slow) } else { Ok(()) }
    }
}

/// The request as it goes over the wire. What was judged is what is sent: the target's own spelling
/// stands in the request line, letter by letter.
pub(super) fn request(
    target: &Target,
    mut headers: HeaderMap,
    body: Sent,
) -> Result<Request<Sent>, Failure> {
    let method = Method::from_bytes(target.method().as_str().as_bytes());
    let method = method.map_err(|_| Failure::Protocol)?;
    let uri = Uri::try_from(target.origin_form()).map_err(|_| Failure::Protocol)?;
    let same = uri.path_and_query().is_some_and(|it| it.as_str() == target.origin_form());
    if !same || uri.authority().is_some() {
        return Err(Failure::Protocol);
    }
    let host = HeaderValue::try_from(target.authority()).map_err(|_| Failure::Protocol)?;
    headers.insert(HOST, host);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

fn of_hyper(why: &hyper::Error) -> Failure {
    // Only a server's build of hyper has a question for this.
    if why.to_string().contains("head is too large") {
        Failure::HeadSize
    } else if why.is_parse() || why.is_parse_status() {
        Failure::Protocol
    } else if why.is_incomplete_message() {
        Failure::Incomplete
    } else {
        of_body(why)
    }
}

/// What a body breaks off with is said one level down.
fn of_body(why: &hyper::Error) -> Failure {
    let cause = std::error::Error::source(why).and_then(|why| why.downcast_ref::<io::Error>());
    match cause.map(io::Error::kind) {
        Some(io::ErrorKind::UnexpectedEof) => Failure::Incomplete,
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => Failure::Protocol,
        Some(_) | None => Failure::Lost,
    }
}
