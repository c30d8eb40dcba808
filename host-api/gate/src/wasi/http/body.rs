//! The body of a request: collected until it is whole, or until it is so large that it streams.

use std::sync::{Arc, Mutex};

use wasmtime::component::Resource;
use wasmtime_wasi_io::streams::DynOutputStream;

use super::fields::Fields;
use super::upload::Upload;
use super::{error_code, lock};
use crate::airlock::Airlock;
use crate::bindings::wasi::http::types::{self, ErrorCode};
use crate::net::Failure;
use crate::stop::Stop;
use crate::wasi::files::{Done, Failed};
use crate::wasi::streams::Stream;

/// Bytes of all bodies that one guest collects at once: they are memory of the host.
pub const COLLECTED_BYTES_MAX: usize = 16 << 20;

/// Bodies that are collected at once. Each is looked at when another grows.
const BODIES_MAX: usize = 64;

/// A body on its way to being whole.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    pub(super) bytes: Vec<u8>,
    pub(super) state: State,
    /// The future that waits for the body, by its place in the table.
    pub(super) awaited_by: Option<u32>,
    /// The length that its headers promise.
    pub(super) promised: Option<u64>,
    /// Bytes that the guest wrote.
    pub(super) written: u64,
    /// Whether it is sent whole, however large it becomes.
    pub(super) held: bool,
    /// How it is sent, while it streams.
    pub(super) upload: Option<Box<Upload>>,
}

/// How far a body is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Open,
    /// The guest said that it is whole.
    Whole,
    /// The guest let go of it before.
    Dropped,
    /// It became larger than a body may be.
    TooLarge,
    /// It is on its way.
    Streams,
    /// Nothing more of it is taken: it came to its end, or was cut.
    Over,
}

/// A body, as the handles of one guest share it.
pub(crate) type SharedBody = Arc<Mutex<Collected>>;

/// The handle on a body that is being written.
#[derive(Debug)]
pub struct OutgoingBody {
    shared: SharedBody,
    written: bool,
}

impl Collected {
    /// Nothing more of it is sent.
    pub(super) fn cut(&mut self) {
        self.state = State::Over;
        self.bytes = Vec::new();
        self.upload = None;
    }
}

impl Airlock {
    /// A body with nothing in it, and the guest's handle on it.
    pub(super) fn new_body(
        &mut self,
        promised: Option<u64>,
    ) -> wasmtime::Result<(SharedBody, Resource<OutgoingBody>)> {
        let bodies = &mut self.http.bodies;
        bodies.retain(|body| body.strong_count() > 0);
        if bodies.len() >= BODIES_MAX {
            return Err(Stop::Exhausted("bodies of requests").into());
        }
        let body = Arc::new(Mutex::new(Collected { promised, ..Collected::default() }));
        bodies.push(Arc::downgrade(&body));
        let handle = OutgoingBody { shared: Arc::clone(&body), written: false };
        Ok((body, self.table.push(handle)?))
    }

    /// Adds to a body what the guest writes.
    pub(super) fn collect(&mut self, body: &SharedBody, bytes: &[u8]) -> Done<()> {
        self.charge_bytes(bytes.len());
        let others = self.http.bodies.iter().filter_map(std::sync::Weak::upgrade);
        let held: usize = others.map(|body| lock(&body).bytes.len()).sum();
        let mut body = lock(body);
        if held.saturating_add(bytes.len()) > COLLECTED_BYTES_MAX {
            body.cut();
            body.state = State::TooLarge;
        }
        body.written = body.written.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        match body.state {
            State::Streams if body.promised.is_some_and(|promised| body.written > promised) => {
                body.cut();
                return Err(Failed::Net(Failure::RequestSize));
            }
            State::Open | State::Streams => body.bytes.extend_from_slice(bytes),
            // Whoever is refused while it writes is told by the answer.
            State::Over => {}
            State::TooLarge => return Err(Failed::Net(Failure::RequestSize)),
            State::Whole | State::Dropped => return Err(Failed::Net(Failure::Lost)),
        }
        Ok(())
    }

    /// The body has come to its end: whoever waits for it goes on.
    async fn complete(&mut self, body: &SharedBody, state: State) -> wasmtime::Result<()> {
        let awaited = {
            let mut body = lock(body);
            match body.state {
                State::Open => body.state = state,
                State::Streams => body.cut(),
                State::Whole | State::Dropped | State::TooLarge | State::Over => {}
            }
            body.awaited_by.take()
        };
        match awaited {
            Some(future) => self.go_on(future).await,
            None => Ok(()),
        }
    }
}

/// What became of a body at its end.
fn failed_body(failed: Failed) -> wasmtime::Result<Result<(), ErrorCode>> {
    match failed {
        Failed::Denied(_) => Ok(Err(ErrorCode::HttpRequestDenied)),
        Failed::Net(failure) => Ok(Err(error_code(failure))),
        Failed::Fs(_) => Ok(Err(ErrorCode::InternalError(None))),
        Failed::Over(error) => Err(error),
    }
}

impl types::HostOutgoingBody for Airlock {
    async fn write(
        &mut self,
        it: Resource<OutgoingBody>,
    ) -> wasmtime::Result<Result<Resource<DynOutputStream>, ()>> {
        let body = self.table.get_mut(&it)?;
        if std::mem::replace(&mut body.written, true) {
            return Ok(Err(()));
        }
        let shared = Arc::clone(&body.shared);
        let stream = self.output(Stream::Collect(shared))?;
        self.table.add_child(Resource::<DynOutputStream>::new_borrow(stream.rep()), it)?;
        Ok(Ok(stream))
    }

    async fn finish(
        &mut self,
        it: Resource<OutgoingBody>,
        trailers: Option<Resource<Fields>>,
    ) -> wasmtime::Result<Result<(), ErrorCode>> {
        let body = self.table.delete(it)?;
        let trailers = trailers.map(|trailers| self.table.delete(trailers)).transpose()?;
        if trailers.is_some_and(|trailers| !trailers.entries().is_empty()) {
            self.complete(&body.shared, State::Dropped).await?;
            return Ok(Err(ErrorCode::HttpRequestTrailerSectionSize(Some(0))));
        }
        let (state, promised, written) = {
            let body = lock(&body.shared);
            (body.state, body.promised, body.written)
        };
        let kept = promised.is_none_or(|promised| promised == written);
        if state == State::Streams
            && kept
            && let Err(failed) = self.send_rest(&body.shared).await
        {
            return failed_body(failed);
        }
        self.complete(&body.shared, State::Whole).await?;
        let too_large = state == State::TooLarge;
        Ok(match (too_large, kept) {
            (true, _) => Err(ErrorCode::HttpRequestBodySize(None)),
            (false, false) => Err(ErrorCode::HttpRequestBodySize(Some(written))),
            (false, true) => Ok(()),
        })
    }

    async fn drop(&mut self, it: Resource<OutgoingBody>) -> wasmtime::Result<()> {
        let body = self.table.delete(it)?;
        self.complete(&body.shared, State::Dropped).await
    }
}
