//! The answer to a request, as the guest gets it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use envelope_rules::egress::target::Target;
use wasmtime::component::Resource;
use wasmtime_wasi_io::poll::DynPollable;
use wasmtime_wasi_io::streams::DynInputStream;

use super::body::SharedBody;
use super::fields::Fields;
use super::wish::Wish;
use crate::airlock::Airlock;
use crate::bindings::wasi::http::types::{self, ErrorCode};
use crate::model::front::Speech;
use crate::net;
use crate::wasi::poll::Due;
use crate::wasi::streams::Stream;

/// What was handed over, and what has come of it.
#[derive(Debug)]
pub enum Future {
    /// The body is not whole yet.
    #[doc(hidden)]
    Waits(Box<Waiting>),
    /// It is under way, or back: the number of its call.
    #[doc(hidden)]
    Sent(usize, Box<Sent>),
    /// There is an answer, or none will come.
    #[doc(hidden)]
    Came(Result<IncomingResponse, ErrorCode>),
    /// The guest has taken it.
    #[doc(hidden)]
    Taken,
}

/// A request whose body is not whole.
#[derive(Debug)]
pub struct Waiting {
    pub(super) wish: Wish,
    pub(super) body: SharedBody,
    /// Counts among the answers that are open: it will be one.
    pub(super) _open: Arc<()>,
}

/// A request that was handed over.
#[derive(Debug)]
pub struct Sent {
    pub(super) target: Target,
    /// What the guest is told instead of what comes back: that the rest of its body was denied.
    pub(super) denied: Option<IncomingResponse>,
    /// Counts among the answers that are open: it will be one.
    pub(super) _open: Arc<()>,
}

/// An answer, its body not asked for yet.
#[derive(Debug)]
pub struct IncomingResponse {
    pub(super) status: u16,
    pub(super) headers: Fields,
    pub(super) reply: Option<SharedReply>,
}

/// The handle on an answer's body.
#[derive(Debug)]
pub struct IncomingBody {
    reply: SharedReply,
    streamed: bool,
}

/// Trailers that never come: they are read over.
#[derive(Debug, Default)]
pub struct NoTrailers {
    told: bool,
}

/// An answer's body, as the handles of one guest share it.
pub(crate) type SharedReply = Arc<Mutex<Reply>>;

/// An answer's body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(super) source: Source,
    /// Whether nothing follows.
    pub(super) ended: bool,
    /// Counts among the answers that are open.
    pub(super) _open: Arc<()>,
}

/// Where the rest of an answer comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// The host's own words.
    Held(Bytes),
    /// The peer. Without a connection it is a record that is played, or one that was played until
    /// here: nobody speaks any more.
    Peer(Arc<Target>, Option<Box<net::Reply>>),
    /// A model. None, while its next piece is waited for, and when the guest let go of it.
    Model(Option<Box<Speech>>),
}

impl types::HostFutureIncomingResponse for Airlock {
    async fn subscribe(&mut self, it: Resource<Future>) -> wasmtime::Result<Resource<DynPollable>> {
        let is_there = matches!(self.table.get(&it)?, Future::Came(_) | Future::Taken);
        let pollable = self.ready()?;
        if !is_there {
            self.http.waiting.insert(pollable.rep(), it.rep());
        }
        Ok(pollable)
    }

    async fn get(
        &mut self,
        it: Resource<Future>,
    ) -> wasmtime::Result<Option<Result<Result<Resource<IncomingResponse>, ErrorCode>, ()>>> {
        let came = match std::mem::replace(self.table.get_mut(&it)?, Future::Taken) {
            Future::Taken => return Ok(Some(Err(()))),
            waits @ Future::Waits(_) => {
                *self.table.get_mut(&it)? = waits;
                return Ok(None);
            }
            Future::Sent(number, sent) => {
                if !self.is_back(number).await? {
                    *self.table.get_mut(&it)? = Future::Sent(number, sent);
                    return Ok(None);
                }
                match sent.denied {
                    Some(denied) => {
                        self.gate.let_go(number);
                        Ok(denied)
                    }
                    None => self.take_answer(number, sent.target)?,
                }
            }
            Future::Came(came) => came,
        };
        Ok(Some(Ok(match came {
            Ok(response) => Ok(self.table.push(response)?),
            Err(code) => Err(code),
        })))
    }

    async fn drop(&mut self, it: Resource<Future>) -> wasmtime::Result<()> {
        let place = it.rep();
        self.http.waiting.retain(|_, future| *future != place);
        match self.table.delete(it)? {
            Future::Waits(waiting) => super::lock(&waiting.body).awaited_by = None,
            Future::Sent(number, _) => self.gate.let_go(number),
            Future::Came(Ok(IncomingResponse { reply: Some(reply), .. })) => {
                self.let_go(&reply).await?;
            }
            Future::Came(Ok(_) | Err(_)) | Future::Taken => {}
        }
        Ok(())
    }
}

impl Airlock {
    /// When the answer is there that the future at `place` stands for.
    pub(crate) fn answer_due(&self, place: u32) -> Due {
        match self.table.get(&Resource::<Future>::new_borrow(place)) {
            // No time is late enough while the body is not whole.
            Ok(Future::Waits(_)) => Due::At(u64::MAX),
            Ok(Future::Sent(number, _)) if !self.gate.told_of(*number) => Due::Back(*number),
            Ok(Future::Sent(..) | Future::Came(_) | Future::Taken) | Err(_) => Due::At(0),
        }
    }

    /// Whether request `number` is back: a guest may look without waiting.
    async fn is_back(&mut self, number: usize) -> wasmtime::Result<bool> {
        let due = Due::Back(number);
        Ok(self.gate.told_of(number) || self.glance("future.get", due).await?.shows(due))
    }
}

impl types::HostIncomingResponse for Airlock {
    async fn status(&mut self, it: Resource<IncomingResponse>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&it)?.status)
    }

    async fn headers(
        &mut self,
        it: Resource<IncomingResponse>,
    ) -> wasmtime::Result<Resource<Fields>> {
        let headers = self.table.get(&it)?.headers.to_fixed();
        self.show(headers, &it)
    }

    async fn consume(
        &mut self,
        it: Resource<IncomingResponse>,
    ) -> wasmtime::Result<Result<Resource<IncomingBody>, ()>> {
        match self.table.get_mut(&it)?.reply.take() {
            Some(reply) => Ok(Ok(self.table.push(IncomingBody { reply, streamed: false })?)),
            None => Ok(Err(())),
        }
    }

    async fn drop(&mut self, it: Resource<IncomingResponse>) -> wasmtime::Result<()> {
        match self.table.delete(it)?.reply {
            Some(reply) => self.let_go(&reply).await,
            None => Ok(()),
        }
    }
}

impl types::HostIncomingBody for Airlock {
    async fn stream(
        &mut self,
        it: Resource<IncomingBody>,
    ) -> wasmtime::Result<Result<Resource<DynInputStream>, ()>> {
        let body = self.table.get_mut(&it)?;
        if std::mem::replace(&mut body.streamed, true) {
            return Ok(Err(()));
        }
        let reply = Arc::clone(&body.reply);
        let stream = self.input(Stream::Reply(reply))?;
        self.table.add_child(Resource::<DynInputStream>::new_borrow(stream.rep()), it)?;
        Ok(Ok(stream))
    }

    async fn finish(
        &mut self,
        it: Resource<IncomingBody>,
    ) -> wasmtime::Result<Resource<NoTrailers>> {
        let body = self.table.delete(it)?;
        self.let_go(&body.reply).await?;
        Ok(self.table.push(NoTrailers::default())?)
    }

    async fn drop(&mut self, it: Resource<IncomingBody>) -> wasmtime::Result<()> {
        let body = self.table.delete(it)?;
        self.let_go(&body.reply).await
    }
}

impl types::HostFutureTrailers for Airlock {
    async fn subscribe(
        &mut self,
        it: Resource<NoTrailers>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.table.get(&it)?;
        self.ready()
    }

    async fn get(
        &mut self,
        it: Resource<NoTrailers>,
    ) -> wasmtime::Result<Option<Result<Result<Option<Resource<Fields>>, ErrorCode>, ()>>> {
        let told = std::mem::replace(&mut self.table.get_mut(&it)?.told, true);
        Ok(Some(if told { Err(()) } else { Ok(Ok(None)) }))
    }

    async fn drop(&mut self, it: Resource<NoTrailers>) -> wasmtime::Result<()> {
        Ok(self.table.delete(it).map(drop)?)
    }
}
