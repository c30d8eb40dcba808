//! Bodies that are too large to be held: they go out while the guest writes them.
//!
//! The head is judged like any request, together with the beginning of the body; every piece after
//! it is a call of its own, under the same rules and with its own bytes set aside. What is looked
//! for in requests is looked for across the pieces, and the end of what was written is held back
//! until more has been seen: no part leaves of what would be found in it. What was denied after a
//! part had left cuts the request, and is told by the answer. A replay sends nothing, and sees that
//! the same is written.

use std::sync::Arc;

use bytes::Bytes;
use envelope_evidence::Digest;
use envelope_evidence::journal::Recovery;
use envelope_rules::content::Part;
use envelope_rules::denial::{Code, Denial};
use envelope_rules::egress::target::Target;
use envelope_rules::guard::Act;
use http::HeaderMap;
use wasmtime::component::Resource;

use super::body::{Collected, SharedBody, State};
use super::effect::{Send, header_bytes};
use super::lock;
use super::models::is_virtual;
use super::response::{Future, Sent};
use super::send::{PIECE_BYTES_MAX, sent, shown};
use super::wish::Wish;
use crate::airlock::Airlock;
use crate::gate::{Effect, Effected, Lookout};
use crate::net::{Body, HEAD_BYTES_MAX, Way, flow};
use crate::request::Request;
use crate::stop::Fault;
use crate::wasi::files::{Done, Failed};
use crate::world::World;

/// Bytes of a body up to which it is held, and judged whole before anything leaves: more than
/// documents and questions have.
pub const WHOLE_BYTES_MAX: usize = 1 << 20;

/// Bytes at the end of what was written that wait for more: more than a key has, in any spelling. A
/// longer secret of the host's own waits as long as it may go on.
pub const HELD_BACK_BYTES: usize = 16 << 10;

/// A body on its way.
pub(super) struct Upload {
    ahead: Arc<Ahead>,
    target: Target,
    /// Into the connection. None where nothing is sent: on a replay, after a crash, and when the
    /// peer was too slow.
    way: Option<Way>,
    lookout: Lookout,
    /// Bytes that were passed on.
    passed: u64,
    /// Bytes of those held that were looked through.
    looked: usize,
}

/// The request that went out ahead of its body.
struct Ahead {
    /// The call that began it.
    number: usize,
    wish: Wish,
    /// The future that stands for its answer, by its place in the table.
    place: Option<u32>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload").field("number", &self.ahead.number).finish_non_exhaustive()
    }
}

/// What a request needs that goes out ahead of its body.
struct Head {
    wish: Wish,
    target: Target,
    headers: HeaderMap,
    open: Arc<()>,
}

impl Collected {
    fn is_large(&self) -> bool {
        let ends = self.promised.is_some_and(|promised| promised <= self.written);
        self.state == State::Open && !self.held && !ends && self.bytes.len() > WHOLE_BYTES_MAX
    }

    /// The next piece to send, without what `open`s a secret that may go on. At the end of the body
    /// nothing goes on.
    fn next_piece(&mut self, open: usize, rest: bool) -> Option<Bytes> {
        let kept = if rest { 0 } else { open.max(HELD_BACK_BYTES) };
        let ready = self.bytes.len().saturating_sub(kept).min(PIECE_BYTES_MAX);
        let enough = if rest { ready > 0 } else { ready == PIECE_BYTES_MAX };
        enough.then(|| self.bytes.drain(..ready).collect::<Vec<_>>().into())
    }
}

impl Airlock {
    /// Takes what the guest writes, and sends of it what can be sent.
    pub(crate) async fn write_body(&mut self, body: &SharedBody, bytes: &[u8]) -> Done<()> {
        self.collect(body, bytes)?;
        if lock(body).is_large()
            && let Some(head) = self.head_of(body).map_err(Failed::Over)?
        {
            Box::pin(self.begin_upload(body, head)).await.map_err(Failed::Over)?;
        }
        self.send_pieces(body, false).await
    }

    /// Sends what is left of a body that is whole.
    pub(super) async fn send_rest(&mut self, body: &SharedBody) -> Done<()> {
        self.send_pieces(body, true).await?;
        let upload = lock(body).upload.take();
        if let Some(way) = upload.and_then(|upload| upload.way) {
            // It is sent already, as far as the record goes.
            let put = self.gate.attend(way.put(None)).await;
            put.map_err(|stop| Failed::Over(stop.into()))?;
        }
        Ok(())
    }

    /// The request that waits for `body`, if it can go out ahead of it. What may be sent again
    /// after a crash is held whole, for nobody else has its pieces; and what a human may be asked
    /// about, who is asked before any of it leaves.
    fn head_of(&mut self, body: &SharedBody) -> wasmtime::Result<Option<Head>> {
        let Some(place) = lock(body).awaited_by else { return Ok(None) };
        let future = self.table.get_mut(&Resource::<Future>::new_borrow(place))?;
        let Future::Waits(waiting) = future else { return Ok(None) };
        let promised = lock(body).promised;
        let (Ok(target), Ok(headers)) = (waiting.wish.target(), waiting.wish.header_map(promised))
        else {
            lock(body).held = true;
            return Ok(None);
        };
        let written = waiting.wish.written_ahead();
        let request = Request::new(Act::Http(&target), "request", "".into(), &written);
        let once = Act::Http(&target).recovery() == Recovery::Once;
        if is_virtual(&target) || !once || !self.gate.goes_ahead(&request) {
            lock(body).held = true;
            return Ok(None);
        }
        let Future::Waits(waiting) = std::mem::replace(future, Future::Taken) else {
            return Ok(None);
        };
        Ok(Some(Head { wish: waiting.wish, target, headers, open: waiting._open }))
    }

    /// Judges the head, with as much of the body as was written, and sends it.
    async fn begin_upload(&mut self, body: &SharedBody, head: Head) -> wasmtime::Result<()> {
        let Head { wish, target, headers, open } = head;
        let place = lock(body).awaited_by.take();
        let (promised, held) = {
            let body = lock(body);
            (body.promised, Bytes::copy_from_slice(&body.bytes))
        };
        let authority = target.authority();
        let mut lookout = self.gate.lookout();
        for (part, bytes) in sent(&authority, target.origin_form(), &headers, &[]) {
            self.gate.look_on(&mut lookout, (part, bytes), true);
        }
        for piece in held.chunks(PIECE_BYTES_MAX) {
            self.gate.look_on(&mut lookout, (Part::Body, piece), false);
            // Other runs have their turn in between.
            tokio::task::yield_now().await;
        }
        let found = lookout.found();
        let (written, shown) = (wish.written_ahead(), shown(&wish, &authority, &found));
        let request = Request::new(Act::Http(&target), "request", shown.into(), &written);
        let worst = [target.origin_form().len(), header_bytes(&headers), HEAD_BYTES_MAX];
        let worst = u64::try_from(worst.into_iter().sum::<usize>()).unwrap_or(u64::MAX);
        let limits = self.gate.network_limits().unwrap_or_default();
        let (way, flow) = flow(promised, wish.options.within(limits));
        let deadline = self.gate.warrant().deadline();
        let (options, headed) = (wish.options, Body::Flows(flow));
        let effect = Send { target: target.clone(), headers, body: headed, options, deadline };
        let request = request.carrying(found).moving(worst);
        let future = match self.gate.launch(request, effect).await? {
            Ok(number) => {
                // Where nothing was sent, nobody is at the other end.
                let way = self.gate.is_out(number).then_some(way);
                let (looked, sent) = (held.len(), target.clone());
                let ahead = Arc::new(Ahead { number, wish, place });
                let upload = Upload { ahead, target, way, lookout, passed: 0, looked };
                let mut body = lock(body);
                (body.state, body.upload) = (State::Streams, Some(Box::new(upload)));
                Future::Sent(number, Box::new(Sent { target: sent, denied: None, _open: open }))
            }
            Err(denial) => {
                lock(body).cut();
                Future::Came(Ok(self.denied(&wish, &denial)?))
            }
        };
        if let Some(place) = place {
            *self.table.get_mut(&Resource::<Future>::new_borrow(place))? = future;
        }
        Ok(())
    }

    /// Sends the pieces that are ready; if the body is whole, all of them.
    async fn send_pieces(&mut self, body: &SharedBody, rest: bool) -> Done<()> {
        loop {
            let (upload, held) = {
                let mut body = lock(body);
                let Some(upload) = body.upload.take() else { return Ok(()) };
                let new = body.bytes.get(upload.looked..).unwrap_or_default();
                let new = Bytes::copy_from_slice(new);
                (upload, new)
            };
            let upload = self.look_ahead(upload, &held, rest);
            let piece = lock(body).next_piece(upload.lookout.open(), rest);
            let Some(piece) = piece else {
                lock(body).upload = Some(upload);
                return Ok(());
            };
            let ahead = Arc::clone(&upload.ahead);
            match self.send_piece(upload, piece).await {
                Ok(upload) => lock(body).upload = Some(upload),
                Err(failed) => {
                    lock(body).cut();
                    return self.turn_away(&ahead, failed);
                }
            }
        }
    }

    /// Part of the body has left, and no more of it will. A denial is told by the answer, as any
    /// other is, as long as the guest waits for one.
    fn turn_away(&mut self, ahead: &Ahead, failed: Failed) -> Done<()> {
        let (Failed::Denied(denial), Some(place)) = (&failed, ahead.place) else {
            return Err(failed);
        };
        let denied = self.denied(&ahead.wish, denial).map_err(Failed::Over)?;
        match self.table.get_mut(&Resource::<Future>::new_borrow(place)) {
            Ok(Future::Sent(number, sent)) if *number == ahead.number => {
                sent.denied = Some(denied);
                Ok(())
            }
            Ok(_) | Err(_) => Err(failed),
        }
    }

    fn look_ahead(&mut self, mut upload: Box<Upload>, more: &[u8], over: bool) -> Box<Upload> {
        upload.looked = upload.looked.saturating_add(more.len());
        self.gate.look_on(&mut upload.lookout, (Part::Body, more), over);
        upload
    }

    /// Passes one piece.
    async fn send_piece(&mut self, mut upload: Box<Upload>, piece: Bytes) -> Done<Box<Upload>> {
        let found = upload.lookout.found();
        let size = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let written =
            (upload.ahead.number, upload.passed.to_string(), piece.len(), Digest::of(&piece));
        let target = upload.target.clone();
        let words = format!("{} {}", target.method().as_str(), target.authority());
        let request = Request::new(Act::Reply(&target), "send", words.into(), &written);
        let request = request.moving(size).carrying(found);
        upload.passed = upload.passed.saturating_add(size);
        upload.looked = upload.looked.saturating_sub(piece.len());
        let asked = self.gate.asks_about(&found);
        let put = Put { way: upload.way.take(), piece, passed: upload.passed, asked };
        match self.gate.reach(request, put).await {
            Ok(Ok((_, way))) => {
                upload.way = way;
                Ok(upload)
            }
            Ok(Err(denial)) => Err(Failed::Denied(denial)),
            Err(stop) => Err(Failed::Over(stop.into())),
        }
    }
}

/// Puts a piece on its way.
struct Put {
    way: Option<Way>,
    piece: Bytes,
    /// Bytes of the body, this piece included.
    passed: u64,
    /// What a human would have to be asked about.
    asked: Option<String>,
}

impl Effect for Put {
    type Ready = ();
    type Kept = Way;

    async fn prepare(&mut self, world: &dyn World) -> Result<Result<(), Denial>, Fault> {
        if let Some(what) = &self.asked {
            let what = format_args!("{what}; part of it has left, so that nobody is asked");
            return Ok(Err(Denial::new(Code::EgressContent, what)));
        }
        let most = world.network().map_or(u64::MAX, |network| network.limits().request_bytes);
        let what = format_args!("more than {most} bytes");
        let fits = self.passed <= most;
        Ok(if fits { Ok(()) } else { Err(Denial::new(Code::EgressSize, what)) })
    }

    async fn perform(self, _world: &dyn World, _ready: ()) -> Effected<Way> {
        let moved = u64::try_from(self.piece.len()).unwrap_or(u64::MAX);
        let kept = match self.way {
            Some(way) => way.put(Some(self.piece)).await,
            None => None,
        };
        Effected { answer: Vec::new(), moved, kept }
    }
}
