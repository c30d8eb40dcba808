//! What guards each import, and the case of the attack table that shows it. The positive control
//! stands beside that case.

/// An interface, functions of it, their guard, the case.
pub type Row = (&'static str, &'static str, &'static str, &'static str);

/// It touches only what the guest holds itself: no judgement, but a price.
const PURE: &str = "pure: run-owned, charged";
/// It takes a handle that nobody ever gets.
const NOBODY: &str = "unreachable: nobody gets a handle";
/// It answers nothing: it ends the run.
const LEAVES: &str = "pure: ends the run";

const FS: &str = "wasi:filesystem/types";
const IO: &str = "wasi:io/streams";
const STREAM: &str = "files, http or stdio, by what the stream is";

const HTTP: &str = "wasi:http/types";
/// What a guest does with a request before it hands it over.
const OWN: &str = "[constructor]fields [constructor]outgoing-request [constructor]request-options \
    [constructor]outgoing-response append authority between-bytes-timeout body clone \
    connect-timeout delete entries first-byte-timeout from-list has headers method \
    path-with-query scheme set set-authority set-between-bytes-timeout set-connect-timeout \
    set-first-byte-timeout set-method set-path-with-query set-scheme write";

pub const ROWS: &[Row] = &[
    ("envelope:host/agents", "call", "agents", "another agent"),
    ("envelope:host/agents", "call-all", "agents", "many agents"),
    ("envelope:host/approvals", "ask", "approvals", "a question"),
    ("envelope:host/approvals", "request-scope", "approvals", "more scope"),
    ("envelope:host/artifacts", "put", "artifacts", "no artifacts"),
    ("envelope:host/model", "next", NOBODY, "a stream of a model"),
    ("envelope:host/model", "complete", "model", "a model"),
    ("envelope:host/model", "embed", "model", "an embedding"),
    ("envelope:host/model", "stream", "model", "a stream of a model"),
    ("envelope:host/run", "about", "run", "no run: about"),
    ("envelope:host/run", "last-denial", "run", "no run: denial"),
    ("envelope:host/run", "left", "run", "no run: left"),
    ("envelope:host/trace", "emit", "trace", "no trace: emit"),
    ("envelope:host/trace", "log", "trace", "no trace: log"),
    ("envelope:host/trace", "progress", "trace", "no trace: progress"),
    ("wasi:cli/environment", "get-arguments get-environment", "environment", "no environment"),
    ("wasi:cli/environment", "initial-cwd", "environment", "no environment: folder"),
    ("wasi:cli/exit", "exit exit-with-code", LEAVES, "leaving with a status"),
    ("wasi:cli/stderr", "get-stderr", PURE, "a flood of passages"),
    ("wasi:cli/stdin", "get-stdin", PURE, "a flood of passages"),
    ("wasi:cli/stdout", "get-stdout", PURE, "a flood of passages"),
    ("wasi:cli/terminal-stderr", "get-terminal-stderr", PURE, "a flood of passages"),
    ("wasi:cli/terminal-stdin", "get-terminal-stdin", PURE, "a flood of passages"),
    ("wasi:cli/terminal-stdout", "get-terminal-stdout", PURE, "a flood of terminals"),
    ("wasi:clocks/monotonic-clock", "now", "clock", "no clock: monotonic"),
    ("wasi:clocks/monotonic-clock", "resolution", PURE, "a flood of resolutions"),
    ("wasi:clocks/monotonic-clock", "subscribe-duration", "clock", "no clock: timer"),
    ("wasi:clocks/monotonic-clock", "subscribe-instant", "clock", "no clock: instant"),
    ("wasi:clocks/wall-clock", "now", "clock", "no clock: wall clock"),
    ("wasi:clocks/wall-clock", "resolution", PURE, "a flood of resolutions"),
    ("wasi:filesystem/preopens", "get-directories", PURE, "a flood of passages"),
    (FS, "advise get-flags get-type is-same-object sync sync-data", PURE, "a flood of passages"),
    (FS, "filesystem-error-code", PURE, "revoked before a read"),
    (FS, "append-via-stream", "files, at each write", "revoked before an append"),
    (FS, "create-directory-at", "files", "make a folder"),
    (FS, "link-at", "files; never by design", "hard link to the secret"),
    (FS, "metadata-hash", "files", "revoked before a hash"),
    (FS, "metadata-hash-at", "files", "a hash of the secret"),
    (FS, "open-at", "files", "another's file"),
    (FS, "read", "files", "revoked between two reads"),
    (FS, "read-directory", "files", "revoked before a list"),
    (FS, "read-directory-entry", "pure: what was listed under a permit", "a flood of lists"),
    (FS, "read-via-stream", "files, at each read", "revoked before a read"),
    (FS, "readlink-at", "files; nothing is a link", "what no link can be read as"),
    (FS, "remove-directory-at", "files", "remove a folder"),
    (FS, "rename-at", "files, at both ends", "move over an input"),
    (FS, "set-size", "files", "revoked before a size"),
    (FS, "set-times", "files", "revoked before times"),
    (FS, "set-times-at", "files", "times of an input"),
    (FS, "stat", "files", "revoked before a look"),
    (FS, "stat-at", "files", "a stat of the secret"),
    (FS, "symlink-at", "files; never by design", "symlink into the inputs"),
    (FS, "unlink-file-at", "files", "remove an input"),
    (FS, "write", "files", "revoked with a file open for writing"),
    (FS, "write-via-stream", "files, at each write", "revoked before a write"),
    ("wasi:http/outgoing-handler", "handle", "http, the whole request at once", "a request"),
    (HTTP, "incoming-request.* response-outparam.*", NOBODY, "a request"),
    (HTTP, OWN, PURE, "a flood of headers"),
    (HTTP, "finish", "pure, but for the request that it completes: http", "a request"),
    (HTTP, "status stream consume get subscribe", PURE, "a request"),
    (HTTP, "http-error-code", PURE, "revoked before a read"),
    (HTTP, "set-status-code status-code", PURE, "a flood of headers"),
    ("wasi:io/error", "to-debug-string", PURE, "a flood of complaints"),
    ("wasi:io/poll", "block", "clock", "sleeping past the deadline"),
    ("wasi:io/poll", "ready", "clock", "no clock: ready"),
    ("wasi:io/poll", "poll", "clock", "no clock: poll"),
    (IO, "blocking-read", STREAM, "revoked before a blocking read"),
    (IO, "blocking-skip", STREAM, "revoked before a blocking skip"),
    (IO, "read", STREAM, "revoked before a read"),
    (IO, "skip", STREAM, "revoked before a skip"),
    (IO, "subscribe blocking-flush check-write flush", PURE, "a flood of passages"),
    (IO, "blocking-splice", STREAM, "revoked before a blocking splice"),
    (IO, "blocking-write-and-flush", STREAM, "revoked before a flushed write"),
    (IO, "blocking-write-zeroes-and-flush", STREAM, "revoked before flushed zeroes"),
    (IO, "splice", STREAM, "revoked before a splice"),
    (IO, "write", STREAM, "revoked before a write"),
    (IO, "write-zeroes", STREAM, "revoked before zeroes"),
    ("wasi:random/insecure-seed", "insecure-seed", "random", "no random: seed"),
    ("wasi:random/insecure", "get-insecure-random-bytes", "random", "no random: insecure"),
    ("wasi:random/insecure", "get-insecure-random-u64", "random", "no random: insecure number"),
    ("wasi:random/random", "get-random-bytes", "random", "no random: bytes"),
    ("wasi:random/random", "get-random-u64", "random", "no random: number"),
    ("wasi:sockets/instance-network", "instance-network", "http, as a raw socket", "the network"),
    (
        "wasi:sockets/ip-name-lookup",
        "resolve-addresses resolve-next-address subscribe",
        NOBODY,
        "a name",
    ),
    (
        "wasi:sockets/tcp-create-socket",
        "create-tcp-socket",
        "http, as a raw socket",
        "a tcp socket",
    ),
    ("wasi:sockets/tcp", "*", NOBODY, "a tcp socket"),
    (
        "wasi:sockets/udp-create-socket",
        "create-udp-socket",
        "http, as a raw socket",
        "a udp socket",
    ),
    ("wasi:sockets/udp", "*", NOBODY, "a udp socket"),
];
