//! `wasi:io/streams`: files, standard streams and the bodies of HTTP. Every read and write is a
//! call of its own, but for a request's body: that is part of the request.

use envelope_evidence::Digest;
use envelope_rules::Path;
use envelope_rules::denial::Denial;
use envelope_rules::guard::Capability;
use wasmtime::component::Resource;
use wasmtime_wasi_io::bytes::Bytes as IoBytes;
use wasmtime_wasi_io::poll::{DynPollable, Pollable};
use wasmtime_wasi_io::streams::{
    DynInputStream, DynOutputStream, Error, InputStream, OutputStream, StreamResult,
};

use crate::airlock::Airlock;
use crate::bindings::wasi::io::{error, streams};
use crate::gate::Answer;
use crate::inside::Inside;
use crate::net::Failure;
use crate::request::Request;
use crate::stop::Stop;
use crate::wasi::files::{Done, Failed, MOVE_BYTES_MAX};
use crate::wasi::http::{SharedBody, SharedReply};
use crate::workspace::{FsError, NodeId};

/// Bytes that a stream takes at once: what `blocking-write-and-flush` takes at most, sixteenfold.
const ROOM: u64 = 64 << 10;

/// Bytes that the blocking writes take, as WASI says.
const BLOCKING_ROOM: u64 = 4096;

/// What a stream of the guest is.
#[derive(Debug, Clone)]
pub(crate) enum Stream {
    Stdin,
    Stdout,
    Stderr,
    /// A file, read or written from a place on.
    File {
        path: Path,
        node: NodeId,
        at: u64,
    },
    /// A file, written at its end.
    Append {
        path: Path,
        node: NodeId,
    },
    /// The body of a request, collected until it is whole or streams.
    Collect(SharedBody),
    /// The body of an answer, as it comes.
    Reply(SharedReply),
    /// Nothing any more: an operation on it failed.
    Closed,
}

/// What went wrong with a stream, kept behind `wasi:io/error`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("{0}")]
    Denied(Denial),
    #[error("{0}")]
    Fs(FsError),
    #[error("{0}")]
    Net(Failure),
}

type Streamed<T> = wasmtime::Result<Result<T, streams::StreamError>>;

impl error::Host for Airlock {}

impl error::HostError for Airlock {
    async fn to_debug_string(&mut self, error: Resource<Error>) -> wasmtime::Result<String> {
        Ok(self.table.get(&error)?.to_string())
    }

    async fn drop(&mut self, error: Resource<Error>) -> wasmtime::Result<()> {
        self.table.delete(error)?;
        Ok(())
    }
}

impl streams::Host for Airlock {}

impl streams::HostInputStream for Airlock {
    async fn read(&mut self, from: Resource<DynInputStream>, len: u64) -> Streamed<Vec<u8>> {
        let read = self.take(&from, len).await;
        self.streamed(from.rep(), read)
    }

    async fn blocking_read(
        &mut self,
        from: Resource<DynInputStream>,
        len: u64,
    ) -> Streamed<Vec<u8>> {
        let read = self.take(&from, len).await;
        self.streamed(from.rep(), read)
    }

    async fn skip(&mut self, from: Resource<DynInputStream>, len: u64) -> Streamed<u64> {
        let read = self.take(&from, len).await;
        self.streamed(from.rep(), read.map(|bytes| bytes.map(|bytes| count(&bytes))))
    }

    async fn blocking_skip(&mut self, from: Resource<DynInputStream>, len: u64) -> Streamed<u64> {
        let read = self.take(&from, len).await;
        self.streamed(from.rep(), read.map(|bytes| bytes.map(|bytes| count(&bytes))))
    }

    async fn subscribe(
        &mut self,
        from: Resource<DynInputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.table.get(&from)?;
        self.ready()
    }

    async fn drop(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<()> {
        self.forget(stream.rep());
        self.table.delete(stream)?.cancel().await;
        Ok(())
    }
}

impl streams::HostOutputStream for Airlock {
    async fn check_write(&mut self, to: Resource<DynOutputStream>) -> Streamed<u64> {
        let open = self.open_to_write(&to)?;
        if open.is_ok() {
            self.permitted.insert(to.rep(), ROOM);
        }
        Ok(open.map(|()| ROOM))
    }

    async fn write(&mut self, to: Resource<DynOutputStream>, bytes: Vec<u8>) -> Streamed<()> {
        self.use_permit(&to, count(&bytes))?;
        self.put_whole(&to, &bytes).await
    }

    async fn blocking_write_and_flush(
        &mut self,
        to: Resource<DynOutputStream>,
        bytes: Vec<u8>,
    ) -> Streamed<()> {
        if count(&bytes) > BLOCKING_ROOM {
            return Err(Stop::Misuse("a blocking write of more than 4096 bytes").into());
        }
        self.put_whole(&to, &bytes).await
    }

    async fn flush(&mut self, to: Resource<DynOutputStream>) -> Streamed<()> {
        self.open_to_write(&to)
    }

    async fn blocking_flush(&mut self, to: Resource<DynOutputStream>) -> Streamed<()> {
        self.open_to_write(&to)
    }

    async fn subscribe(
        &mut self,
        to: Resource<DynOutputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.table.get(&to)?;
        self.ready()
    }

    async fn write_zeroes(&mut self, to: Resource<DynOutputStream>, len: u64) -> Streamed<()> {
        self.use_permit(&to, len)?;
        self.put_whole(&to, &zeroes(len)).await
    }

    async fn blocking_write_zeroes_and_flush(
        &mut self,
        to: Resource<DynOutputStream>,
        len: u64,
    ) -> Streamed<()> {
        if len > BLOCKING_ROOM {
            return Err(Stop::Misuse("a blocking write of more than 4096 bytes").into());
        }
        self.put_whole(&to, &zeroes(len)).await
    }

    async fn splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        len: u64,
    ) -> Streamed<u64> {
        self.pour(&to, &from, len).await
    }

    async fn blocking_splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        len: u64,
    ) -> Streamed<u64> {
        self.pour(&to, &from, len).await
    }

    async fn drop(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<()> {
        self.forget(stream.rep());
        self.table.delete(stream)?.cancel().await;
        Ok(())
    }
}

/// `None` is the end of the stream.
type Read = Done<Option<Vec<u8>>>;

impl Airlock {
    pub(crate) fn input(&mut self, stream: Stream) -> wasmtime::Result<Resource<DynInputStream>> {
        let handle: DynInputStream = Box::new(Ours);
        let handle = self.table.push(handle)?;
        self.keep(handle.rep(), stream);
        Ok(handle)
    }

    pub(crate) fn output(&mut self, stream: Stream) -> wasmtime::Result<Resource<DynOutputStream>> {
        let handle: DynOutputStream = Box::new(Ours);
        let handle = self.table.push(handle)?;
        self.keep(handle.rep(), stream);
        Ok(handle)
    }

    fn keep(&mut self, place: u32, stream: Stream) {
        if let Stream::File { node, .. } | Stream::Append { node, .. } = &stream {
            let _ = self.gate.inside().workspace.retain(*node);
        }
        self.streams.insert(place, stream);
    }

    /// Whether anything more can be written. What was written is kept at once: there is nothing to
    /// wait for, and nothing to flush.
    fn open_to_write(&mut self, to: &Resource<DynOutputStream>) -> Streamed<()> {
        self.table.get(to)?;
        let closed = matches!(self.streams.get(&to.rep()), Some(Stream::Closed));
        Ok(if closed { Err(streams::StreamError::Closed) } else { Ok(()) })
    }

    /// A write has to have been permitted by `check-write`: that is a rule of the interface, and
    /// who breaks it traps.
    fn use_permit(&mut self, to: &Resource<DynOutputStream>, len: u64) -> wasmtime::Result<()> {
        let permitted = self.permitted.entry(to.rep()).or_default();
        match permitted.checked_sub(len) {
            Some(rest) => *permitted = rest,
            None => return Err(Stop::Misuse("a write that `check-write` did not permit").into()),
        }
        Ok(())
    }

    /// What failed is closed, as the interface says.
    fn close(&mut self, place: u32) {
        self.forget(place);
        self.streams.insert(place, Stream::Closed);
    }

    fn forget(&mut self, place: u32) {
        self.permitted.remove(&place);
        if let Some(Stream::File { node, .. } | Stream::Append { node, .. }) =
            self.streams.remove(&place)
        {
            self.gate.inside().workspace.release(node);
        }
    }

    /// A stream of ours, by the path at which its file is now.
    fn stream(&mut self, place: u32) -> Option<Stream> {
        let mut stream = self.streams.get(&place).cloned()?;
        if let Stream::File { path, node, .. } | Stream::Append { path, node } = &mut stream
            && let Some(now) = self.gate.inside().workspace.path(*node)
        {
            *path = now;
        }
        Some(stream)
    }

    async fn take(&mut self, from: &Resource<DynInputStream>, len: u64) -> Read {
        let over = |error: wasmtime::component::ResourceTableError| Failed::Over(error.into());
        self.table.get(from).map_err(over)?;
        match self.stream(from.rep()) {
            Some(Stream::Stdin) => self.take_stdin(len).await,
            Some(Stream::File { path, node, at }) => {
                let bytes = self.read_file("read-stream", &path, node, at, len).await?;
                let next = at.saturating_add(count(&bytes));
                self.streams.insert(from.rep(), Stream::File { path, node, at: next });
                Ok(if bytes.is_empty() && len > 0 { None } else { Some(bytes.to_vec()) })
            }
            Some(Stream::Reply(reply)) => self.take_reply(&reply, len).await,
            Some(
                Stream::Stdout
                | Stream::Stderr
                | Stream::Append { .. }
                | Stream::Collect(_)
                | Stream::Closed,
            ) => Ok(None),
            None => Err(Failed::Fs(FsError::BadDescriptor)),
        }
    }

    async fn take_stdin(&mut self, len: u64) -> Read {
        let at = self.stdin_read;
        let len = len.min(MOVE_BYTES_MAX);
        let body = (at.to_string(), len);
        let request = Request::plain(Capability::Stdio, "stdin.read", "", &body).moving(len);
        let read = |inside: &mut Inside, _| {
            let rest = inside.stdin.get(at..).unwrap_or_default();
            let end = usize::try_from(len).unwrap_or(usize::MAX).min(rest.len());
            let bytes = rest.get(..end).unwrap_or_default().to_vec();
            let answer = Answer::computed(&bytes).moved(count(&bytes));
            (bytes, answer)
        };
        let bytes = match self.gate.inner(request, read).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(denial)) => return Err(Failed::Denied(denial)),
            Err(stop) => return Err(Failed::Over(stop.into())),
        };
        self.stdin_read = at.saturating_add(bytes.len());
        Ok(if bytes.is_empty() && len > 0 { None } else { Some(bytes) })
    }

    async fn put_whole(&mut self, to: &Resource<DynOutputStream>, bytes: &[u8]) -> Streamed<()> {
        let put = self.put(to, bytes).await;
        self.streamed(to.rep(), put)
    }

    /// `None` is a stream that is closed.
    async fn put(&mut self, to: &Resource<DynOutputStream>, bytes: &[u8]) -> Done<Option<()>> {
        let over = |error: wasmtime::component::ResourceTableError| Failed::Over(error.into());
        self.table.get(to).map_err(over)?;
        match self.stream(to.rep()) {
            Some(Stream::File { path, node, at }) => {
                self.write_file("write-stream", &path, node, Some(at), bytes).await?;
                let next = at.saturating_add(count(bytes));
                self.streams.insert(to.rep(), Stream::File { path, node, at: next });
                Ok(Some(()))
            }
            Some(Stream::Append { path, node }) => {
                self.write_file("append-stream", &path, node, None, bytes).await.map(Some)
            }
            Some(Stream::Stdout) => self.say("stdout.write", bytes).await.map(Some),
            Some(Stream::Stderr) => self.say("stderr.write", bytes).await.map(Some),
            Some(Stream::Collect(body)) => self.write_body(&body, bytes).await.map(Some),
            Some(Stream::Closed) => Ok(None),
            Some(Stream::Stdin | Stream::Reply(_)) | None => {
                Err(Failed::Fs(FsError::BadDescriptor))
            }
        }
    }

    async fn say(&mut self, operation: &'static str, bytes: &[u8]) -> Done<()> {
        let len = count(bytes);
        let text = String::from_utf8_lossy(bytes.get(..256.min(bytes.len())).unwrap_or_default());
        let target = text.into_owned();
        let body = (len, Digest::of(bytes));
        let request = Request::plain(Capability::Stdio, operation, target, &body).moving(len);
        let write = |inside: &mut Inside, _| {
            let to =
                if operation == "stdout.write" { &mut inside.stdout } else { &mut inside.stderr };
            let fits = to.push(bytes);
            (fits, Answer::computed(if fits { b"ok" } else { b"full" }).moved(len))
        };
        match self.gate.inner(request, write).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(Failed::Over(Stop::Exhausted("output bytes").into())),
            Ok(Err(denial)) => Err(Failed::Denied(denial)),
            Err(stop) => Err(Failed::Over(stop.into())),
        }
    }

    async fn pour(
        &mut self,
        to: &Resource<DynOutputStream>,
        from: &Resource<DynInputStream>,
        len: u64,
    ) -> Streamed<u64> {
        if let Err(closed) = self.open_to_write(to)? {
            return Ok(Err(closed));
        }
        let read = self.take(from, len.min(ROOM)).await;
        match self.streamed(from.rep(), read)? {
            Ok(bytes) if bytes.is_empty() => Ok(Ok(0)),
            Ok(bytes) => Ok(self.put_whole(to, &bytes).await?.map(|()| count(&bytes))),
            Err(error) => Ok(Err(error)),
        }
    }

    /// What an operation on the stream at `place` gave, as the interface tells it.
    fn streamed<T>(&mut self, place: u32, done: Done<Option<T>>) -> Streamed<T> {
        let broken = match done {
            Ok(Some(value)) => return Ok(Ok(value)),
            Ok(None) => return Ok(Err(streams::StreamError::Closed)),
            Err(Failed::Over(error)) => return Err(error),
            Err(Failed::Denied(denial)) => Broken::Denied(denial),
            Err(Failed::Fs(error)) => Broken::Fs(error),
            Err(Failed::Net(failure)) => Broken::Net(failure),
        };
        self.close(place);
        let error = self.table.push(Error::from(broken))?;
        Ok(Err(streams::StreamError::LastOperationFailed(error)))
    }
}

fn count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn zeroes(len: u64) -> Vec<u8> {
    vec![0; usize::try_from(len).unwrap_or(0)]
}

/// What stands in the guest's table for a stream of ours: it is never used itself.
struct Ours;

#[wasmtime_wasi_io::async_trait]
impl Pollable for Ours {
    async fn ready(&mut self) {}
}

impl InputStream for Ours {
    fn read(&mut self, _size: usize) -> StreamResult<IoBytes> {
        Ok(IoBytes::new())
    }
}

impl OutputStream for Ours {
    fn write(&mut self, _bytes: IoBytes) -> StreamResult<()> {
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(0)
    }
}
