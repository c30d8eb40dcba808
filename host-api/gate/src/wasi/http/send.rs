//! Handing a request over, and what comes of it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use envelope_rules::content::{Found, Part, Sought};
use envelope_rules::denial::{Code, Denial};
use envelope_rules::egress::target::Target;
use envelope_rules::guard::{Act, Capability};
use http::{HeaderMap, HeaderName, HeaderValue};
use wasmtime::component::Resource;

use super::body::{COLLECTED_BYTES_MAX, SharedBody, State};
use super::effect::{Came, Piece, Receive, Send, header_bytes};
use super::fields::{Fields, is_ours};
use super::models::{is_virtual, taken};
use super::request::{OutgoingRequest, RequestOptions};
use super::response::{Future, IncomingResponse, Reply, Sent, SharedReply, Source, Waiting};
use super::wish::{Unsendable, Wish, untext};
use super::{ANSWERS_MAX, error_code, lock};
use crate::airlock::Airlock;
use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::ErrorCode;
use crate::egress::problem;
use crate::net::{Body, HEAD_BYTES_MAX};
use crate::request::Request;
use crate::wasi::files::{Done, Failed};

/// Bytes of a body that are taken or sent at once: what a connection holds ready.
pub(super) const PIECE_BYTES_MAX: usize = 64 << 10;

pub(super) type Answered = wasmtime::Result<Result<IncomingResponse, ErrorCode>>;

impl outgoing_handler::Host for Airlock {
    async fn handle(
        &mut self,
        request: Resource<OutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> wasmtime::Result<Result<Resource<Future>, ErrorCode>> {
        let mut request = self.table.delete(request)?;
        let options = options.map(|options| self.table.delete(options)).transpose()?;
        if Arc::strong_count(&self.http.answers) > ANSWERS_MAX {
            return Ok(Err(ErrorCode::ConnectionLimitReached));
        }
        let body = request.body.take();
        let wish = Wish::of(request, options.unwrap_or_default());
        match body {
            Some(body) if lock(&body).state == State::Open => {
                let open = Arc::clone(&self.http.answers);
                let waiting = Waiting { wish, body: Arc::clone(&body), _open: open };
                let future = self.table.push(Future::Waits(Box::new(waiting)))?;
                lock(&body).awaited_by = Some(future.rep());
                Ok(Ok(future))
            }
            body => {
                let future = self.answer(&wish, body.as_ref()).await?;
                Ok(Ok(self.table.push(future)?))
            }
        }
    }
}

/// Everything of a request that leaves the host, also what a name server would be asked.
pub(super) fn sent<'a>(
    authority: &'a str,
    line: &'a str,
    headers: &'a HeaderMap,
    body: &'a [u8],
) -> Vec<(Part, &'a [u8])> {
    let line = [authority, line].into_iter().map(|text| (Part::Url, text.as_bytes()));
    let headers =
        headers.iter().flat_map(|(name, value)| [name.as_str().as_bytes(), value.as_bytes()]);
    line.chain(headers.map(|bytes| (Part::Headers, bytes))).chain([(Part::Body, body)]).collect()
}

/// For people. What was found is not to stand in a record, nor in a question to a human.
pub(super) fn shown(wish: &Wish, authority: &str, found: &Found) -> String {
    let in_url = |what| found.spot(what).is_some_and(|spot| spot.part == Part::Url);
    if Sought::ALL.into_iter().any(in_url) {
        format!("{} {}://{authority}/…", wish.method, wish.scheme)
    } else {
        wish.shown()
    }
}

impl Airlock {
    /// Sends what waited for its body.
    pub(super) async fn go_on(&mut self, place: u32) -> wasmtime::Result<()> {
        let future = Resource::<Future>::new_borrow(place);
        let waiting = std::mem::replace(self.table.get_mut(&future)?, Future::Taken);
        let Future::Waits(waiting) = waiting else { return Ok(()) };
        let came = self.answer(&waiting.wish, Some(&waiting.body)).await?;
        *self.table.get_mut(&future)? = came;
        Ok(())
    }

    /// What comes of `wish`: it is under way to its peer, or there is an answer already.
    async fn answer(&mut self, wish: &Wish, body: Option<&SharedBody>) -> wasmtime::Result<Future> {
        self.charge_bytes(wish.bytes());
        let (state, bytes) = match body {
            None => (State::Whole, Bytes::new()),
            Some(body) => {
                let mut body = lock(body);
                (body.state, Bytes::from(std::mem::take(&mut body.bytes)))
            }
        };
        match state {
            State::Whole => self.judge(wish, bytes).await,
            State::TooLarge => {
                let what = format!("more than {COLLECTED_BYTES_MAX} bytes are not held");
                Ok(Future::Came(self.refuse(wish, Denial::new(Code::EgressSize, what)).await?))
            }
            // What streams was sent before.
            State::Open | State::Dropped | State::Streams | State::Over => {
                let why = "the request's body was let go before it was finished";
                Ok(Future::Came(Err(ErrorCode::InternalError(Some(why.to_owned())))))
            }
        }
    }

    async fn judge(&mut self, wish: &Wish, body: Bytes) -> wasmtime::Result<Future> {
        let read = wish.target().map_err(Unsendable::Denied);
        let read =
            read.and_then(|target| Ok((target, wish.header_map(u64::try_from(body.len()).ok())?)));
        let (target, headers) = match read {
            Ok(read) => read,
            Err(Unsendable::Failed(code)) => return Ok(Future::Came(Err(code))),
            Err(Unsendable::Denied(denial)) => {
                return Ok(Future::Came(self.refuse(wish, denial).await?));
            }
        };
        if is_virtual(&target) {
            return Ok(Future::Came(self.ask_models(wish, &target, &body).await?));
        }
        let authority = target.authority();
        let parts = sent(&authority, target.origin_form(), &headers, &body);
        let found = self.gate.look_through(parts).await;
        let (written, shown) = (wish.written(&body), shown(wish, &authority, &found));
        let request = Request::new(Act::Http(&target), "request", shown.into(), &written);
        let request = request.carrying(found);
        let worst =
            [target.origin_form().len(), header_bytes(&headers), body.len(), HEAD_BYTES_MAX];
        let worst = u64::try_from(worst.into_iter().sum::<usize>()).unwrap_or(u64::MAX);
        let deadline = self.gate.warrant().deadline();
        let options = wish.options;
        let body = Body::Whole(body);
        let effect = Send { target: target.clone(), headers, body, options, deadline };
        let open = Arc::clone(&self.http.answers);
        Ok(match self.gate.launch(request.moving(worst), effect).await? {
            Ok(number) => {
                Future::Sent(number, Box::new(Sent { target, denied: None, _open: open }))
            }
            Err(denial) => Future::Came(Ok(self.denied(wish, &denial)?)),
        })
    }

    /// The answer of request `number`, which is back.
    pub(super) fn take_answer(&mut self, number: usize, target: Target) -> Answered {
        match self.gate.take_flight(number) {
            Some((answer, reply)) => self.came(target, &answer, reply),
            None => Err(self.gate.unreadable("an answer that is not there").into()),
        }
    }

    /// Refuses what no rule has to be asked about.
    async fn refuse(&mut self, wish: &Wish, denial: Denial) -> Answered {
        let written = wish.written(&[]);
        let request = Request::plain(Capability::Http, "request", wish.shown(), &written);
        let denial = self.gate.refuse(request, denial).await?;
        Ok(Ok(self.denied(wish, &denial)?))
    }

    fn came(
        &mut self,
        target: Target,
        answer: &[u8],
        reply: Option<Box<crate::net::Reply>>,
    ) -> Answered {
        let unreadable = || self.gate.unreadable("the head of an answer");
        let came = serde_json::from_slice(answer).map_err(|_| unreadable())?;
        let (status, headers) = match came {
            Came::Failed(failure) => return Ok(Err(error_code(failure))),
            Came::Head { status, headers } => (status, headers),
        };
        let read = |(name, value): &(String, String)| {
            let value = HeaderValue::from_bytes(&untext(value)?).ok()?;
            Some((HeaderName::try_from(name.as_str()).ok()?, value))
        };
        let headers = headers.iter().map(read).collect::<Option<Vec<_>>>();
        let mut headers = headers.ok_or_else(unreadable)?;
        // They speak of a connection that is the host's own, or with the host's own voice.
        headers.retain(|(name, _)| !is_ours(name) && !problem::is_ours(name));
        self.charge_bytes(answer.len());
        let source = Source::Peer(Arc::new(target), reply);
        Ok(Ok(self.response(status, headers, source)))
    }

    /// A refusal as an answer.
    pub(super) fn denied(
        &self,
        wish: &Wish,
        denial: &Denial,
    ) -> wasmtime::Result<IncomingResponse> {
        let asked = problem::Asked {
            method: &wish.method,
            scheme: &wish.scheme,
            authority: &wish.authority,
            path: &wish.path,
        };
        let (status, headers, body) = problem::answer(denial, &asked);
        Ok(self.response(status, headers, Source::Held(body)))
    }

    pub(super) fn response(
        &self,
        status: u16,
        headers: Vec<(HeaderName, HeaderValue)>,
        source: Source,
    ) -> IncomingResponse {
        let reply = Reply { source, ended: false, _open: Arc::clone(&self.http.answers) };
        let reply = Some(Arc::new(Mutex::new(reply)));
        IncomingResponse { status, headers: Fields::fixed(headers), reply }
    }

    /// The next bytes of an answer's body. None is its end.
    pub(crate) async fn take_reply(
        &mut self,
        shared: &SharedReply,
        len: u64,
    ) -> Done<Option<Vec<u8>>> {
        let most = usize::try_from(len).unwrap_or(usize::MAX).min(PIECE_BYTES_MAX);
        if most > 0
            && let Some(speech) = taken(shared)
        {
            return self.hear(shared, speech, most).await;
        }
        let (target, peer) = {
            let mut reply = lock(shared);
            if reply.ended {
                return Ok(None);
            }
            match &mut reply.source {
                _ if most == 0 => return Ok(Some(Vec::new())),
                Source::Held(bytes) => {
                    let piece = bytes.split_to(most.min(bytes.len()));
                    reply.ended = piece.is_empty();
                    return Ok((!piece.is_empty()).then(|| piece.to_vec()));
                }
                Source::Peer(target, peer) => (Arc::clone(target), peer.take()),
                // Whoever let go of it hears nothing more.
                Source::Model(_) => return Ok(None),
            }
        };
        let piece = self.receive(&target, Receive { reply: peer, most }).await;
        let mut reply = lock(shared);
        match piece {
            Ok((Piece::Bytes(bytes), peer)) => {
                reply.source = Source::Peer(target, peer);
                Ok(Some(bytes))
            }
            Ok((Piece::End, _)) => {
                reply.ended = true;
                Ok(None)
            }
            Ok((Piece::Failed(failure), _)) => {
                reply.ended = true;
                Err(Failed::Net(failure))
            }
            Err(failed) => {
                reply.ended = true;
                Err(failed)
            }
        }
    }

    async fn receive(
        &mut self,
        target: &Target,
        effect: Receive,
    ) -> Done<(Piece, Option<Box<crate::net::Reply>>)> {
        let most = u64::try_from(effect.most).unwrap_or(u64::MAX);
        let shown = format!("{} {}", target.method().as_str(), target.authority());
        let request = Request::new(Act::Reply(target), "read", shown.into(), &most.to_string());
        match self.gate.reach(request.moving(most), effect).await {
            Ok(Ok((answer, peer))) => match Piece::read(&answer) {
                Some(piece) => Ok((piece, peer)),
                None => Err(Failed::Over(self.gate.unreadable("a piece of an answer").into())),
            },
            Ok(Err(denial)) => Err(Failed::Denied(denial)),
            Err(stop) => Err(Failed::Over(stop.into())),
        }
    }
}
