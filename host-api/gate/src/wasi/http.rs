//! `wasi:http`: requests over the network, each judged before anything leaves.
//!
//! A request is collected until its body is whole, then passes the gate as one call, then its
//! answer streams, every piece a call of its own. So what is judged, scanned for what must not
//! leave, and recorded before it happens, is the whole request. Only a large body streams: then the
//! head is judged with the beginning, and every piece after it is a call too. It is under way then,
//! beside others of the same guest, until a wait of the guest's tells that it is back. A refusal is
//! an answer: `403` with a problem document, so that ordinary clients show it.

mod body;
mod effect;
mod fields;
mod models;
mod request;
mod response;
mod send;
mod server;
mod upload;
mod wish;

pub(crate) use body::SharedBody;
pub use body::{COLLECTED_BYTES_MAX, OutgoingBody};
pub use fields::{FIELD_BYTES_MAX, FIELDS_MAX, Fields};
pub use request::{OutgoingRequest, RequestOptions};
pub(crate) use response::SharedReply;
pub use response::{Future, IncomingBody, IncomingResponse, NoTrailers};
pub use server::{NoOutparam, NoRequest, OutgoingResponse};
pub use upload::{HELD_BACK_BYTES, WHOLE_BYTES_MAX};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use wasmtime::component::Resource;
use wasmtime_wasi_io::streams::Error;

use crate::airlock::Airlock;
use crate::bindings::wasi::http::types::{self, DnsErrorPayload, ErrorCode};
use crate::net::Failure;
use crate::wasi::streams::Broken;
use body::Collected;

/// Answers that a guest may hold open at once: far more than it can read side by side, few enough
/// that no run takes all of a host's sockets.
pub const ANSWERS_MAX: usize = 64;

/// What a guest has under way.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    /// Bodies that are being collected.
    bodies: Vec<Weak<Mutex<Collected>>>,
    /// Answers of models so far.
    models: u64,
    /// Held once by every answer that is open or will be.
    answers: Arc<()>,
    /// The pollables that wait for an answer, and the futures they wait for, each by its place in
    /// the table.
    pub(crate) waiting: BTreeMap<u32, u32>,
}

impl types::Host for Airlock {
    async fn http_error_code(
        &mut self,
        error: Resource<Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        let broken = self.table.get(&error)?.downcast_ref::<Broken>();
        Ok(broken.and_then(|broken| match broken {
            Broken::Net(failure) => Some(error_code(*failure)),
            Broken::Denied(_) => Some(ErrorCode::HttpRequestDenied),
            Broken::Fs(_) => None,
        }))
    }
}

/// What a failure looks like to an ordinary program.
fn error_code(failure: Failure) -> ErrorCode {
    let unknown = DnsErrorPayload { rcode: None, info_code: None };
    match failure {
        Failure::NameTimeout => ErrorCode::DnsTimeout,
        Failure::NameUnknown => ErrorCode::DnsError(unknown),
        Failure::Refused => ErrorCode::ConnectionRefused,
        Failure::Unreachable => ErrorCode::DestinationUnavailable,
        Failure::ConnectTimeout => ErrorCode::ConnectionTimeout,
        Failure::Certificate => ErrorCode::TlsCertificateError,
        Failure::Tls => ErrorCode::TlsProtocolError,
        Failure::FirstByteTimeout | Failure::Deadline => ErrorCode::HttpResponseTimeout,
        Failure::Slow => ErrorCode::ConnectionReadTimeout,
        Failure::SlowUpload => ErrorCode::ConnectionWriteTimeout,
        Failure::HeadSize => ErrorCode::HttpResponseHeaderSectionSize(None),
        Failure::RequestSize => ErrorCode::HttpRequestBodySize(None),
        Failure::BodySize => ErrorCode::HttpResponseBodySize(None),
        Failure::Incomplete => ErrorCode::HttpResponseIncomplete,
        Failure::Lost => ErrorCode::ConnectionTerminated,
        Failure::Protocol => ErrorCode::HttpProtocolError,
        Failure::Upgrade => ErrorCode::HttpUpgradeFailed,
    }
}

/// Looks into something that handles of one guest share. Nothing panics while it is held.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
