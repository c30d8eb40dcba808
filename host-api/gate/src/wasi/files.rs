//! Reading and writing one file through the gate: what descriptors and streams have in common.

use bytes::Bytes;
use envelope_evidence::Digest;
use envelope_rules::Path;
use envelope_rules::denial::{Denial, WitCase};
use envelope_rules::grant::Access;

use crate::airlock::Airlock;
use crate::bindings::wasi::filesystem::types::ErrorCode;
use crate::gate::{Answer, Passed};
use crate::inside::Inside;
use crate::net::Failure;
use crate::request::Request;
use crate::stop::{Fault, Stop};
use crate::wasi::filesystem::error_code;
use crate::workspace::{FsError, NodeId};

/// Bytes that move in one call. A guest that wants more asks again, as `read` and `write` allow.
pub(crate) const MOVE_BYTES_MAX: u64 = 1 << 20;

/// The last place in a file that can be named: POSIX counts with a sign.
const OFFSET_MAX: u64 = i64::MAX.unsigned_abs();

/// Why a file operation gave nothing.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It was refused.
    Denied(Denial),
    /// The file system says no.
    Fs(FsError),
    /// The network fails.
    Net(Failure),
    /// The run is over.
    Over(wasmtime::Error),
}

/// What a file operation gives.
pub(crate) type Done<T> = Result<T, Failed>;

impl From<FsError> for Failed {
    fn from(error: FsError) -> Self {
        Self::Fs(error)
    }
}

/// What a call of the gate gave, as a file operation sees it.
pub(crate) fn done<T>(passed: Passed<Result<T, FsError>>) -> Done<T> {
    match passed {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(error))) => Err(Failed::Fs(error)),
        Ok(Err(denial)) => Err(Failed::Denied(denial)),
        Err(stop) => Err(Failed::Over(stop.into())),
    }
}

/// The same for an interface that answers with error codes.
pub(crate) fn coded<T>(done: Done<T>) -> wasmtime::Result<Result<T, ErrorCode>> {
    match done {
        Ok(value) => Ok(Ok(value)),
        Err(Failed::Fs(error)) => Ok(Err(error_code(error))),
        Err(Failed::Denied(denial)) => Ok(Err(denial_code(&denial))),
        Err(Failed::Net(_)) => Ok(Err(ErrorCode::Io)),
        Err(Failed::Over(error)) => Err(error),
    }
}

/// What a refusal looks like to an ordinary program.
pub(crate) fn denial_code(denial: &Denial) -> ErrorCode {
    match denial.row().wit {
        WitCase::Budget | WitCase::Limit => ErrorCode::Quota,
        WitCase::Grant
        | WitCase::Revoked
        | WitCase::Egress
        | WitCase::Approval
        | WitCase::Policy => ErrorCode::Access,
    }
}

/// The answer that stands for an outcome of the file system.
pub(crate) fn answer<T>(outcome: &Result<T, FsError>, bytes: impl FnOnce(&T) -> Answer) -> Answer {
    match outcome {
        Ok(value) => bytes(value),
        Err(error) => Answer::computed(format!("error {}", error.name()).as_bytes()),
    }
}

impl Airlock {
    /// Up to `len` bytes of a file from `offset` on; none at its end.
    pub(crate) async fn read_file(
        &mut self,
        operation: &'static str,
        path: &Path,
        node: NodeId,
        offset: u64,
        len: u64,
    ) -> Done<Bytes> {
        let len = len.min(MOVE_BYTES_MAX);
        let body = (offset.to_string(), len);
        let request = Request::file(operation, Access::Read, path, &body).moving(len);
        self.load(node).await?;
        let read = |inside: &mut Inside, _| {
            let outcome = match offset {
                0..=OFFSET_MAX => inside.workspace.read(node, offset, len),
                _ => Err(FsError::Invalid),
            };
            let answer = answer(&outcome, |bytes| {
                Answer::computed(bytes).moved(u64::try_from(bytes.len()).unwrap_or(len))
            });
            (outcome, answer)
        };
        done(self.gate.inner(request, read).await)
    }

    /// Writes `bytes` at `offset`, or at the end.
    pub(crate) async fn write_file(
        &mut self,
        operation: &'static str,
        path: &Path,
        node: NodeId,
        offset: Option<u64>,
        bytes: &[u8],
    ) -> Done<()> {
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let body = (offset.map(|offset| offset.to_string()), Digest::of(bytes));
        let request = Request::file(operation, Access::Write, path, &body).moving(len);
        self.load(node).await?;
        let write = |inside: &mut Inside, now| {
            let outcome = match offset {
                Some(offset) => inside.workspace.write(node, offset, bytes, now),
                None => inside.workspace.append(node, bytes, now).map(drop),
            };
            let answer = answer(&outcome, |()| Answer::computed(b"").moved(len));
            (outcome, answer)
        };
        done(self.gate.inner(request, write).await)
    }

    /// Brings the content of a file in, when it is not there yet. A file is only opened under a
    /// permit, and who may open it may have its content at hand.
    pub(crate) async fn load(&mut self, node: NodeId) -> Done<()> {
        let inside = self.gate.inside();
        let Some(digest) = inside.workspace.needs(node) else { return Ok(()) };
        let blobs = inside.blobs.clone();
        let bytes = blobs.get(&digest).await.map_err(|why| {
            let fault = Fault::Blob { digest, why: why.to_string() };
            Failed::Over(Stop::from(fault).into())
        })?;
        self.gate.inside().workspace.supply(node, bytes)?;
        Ok(())
    }
}
