//! What WASI 0.2 says of each of its functions, asked of the host. An act is called like the
//! function it is about: `wasi filesystem/types descriptor.open-at`.
//!
//! The texts beside the functions in `host-api/wit/deps` are what is checked, errors included;
//! where they leave it to POSIX, POSIX is.

mod command;
mod contents;
mod folders;
mod handles;
mod headers;
mod http;
mod links;
mod names;
mod sinks;
mod sources;
mod waiting;

use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags, filesystem_error_code,
};
use wasip2::io::streams::StreamError;

use crate::Came;
use crate::files::root;

/// What is wrong, if anything is.
type Check = Result<(), Wrong>;

/// What is wrong, and where it was seen.
struct Wrong(String);

const NONE: OpenFlags = OpenFlags::empty();
const CREATE: OpenFlags = OpenFlags::CREATE;
const EXCLUSIVE: OpenFlags = OpenFlags::EXCLUSIVE;
const TRUNCATE: OpenFlags = OpenFlags::TRUNCATE;
const FOLDER: OpenFlags = OpenFlags::DIRECTORY;
const NO_FLAGS: DescriptorFlags = DescriptorFlags::empty();
const READ: DescriptorFlags = DescriptorFlags::READ;
const WRITE: DescriptorFlags = DescriptorFlags::WRITE;
const MUTATE: DescriptorFlags = DescriptorFlags::MUTATE_DIRECTORY;
const NO_FOLLOW: PathFlags = PathFlags::empty();

/// Both are the same, or that is what is wrong.
macro_rules! same {
    ($left:expr, $right:expr) => {
        match (&$left, &$right) {
            (left, right) if left == right => {}
            (left, right) => {
                let place = concat!(file!(), ":", line!());
                return Err($crate::wasi::Wrong(format!("{place}: {left:?}, not {right:?}")));
            }
        }
    };
}
use same;

/// A function, and behind ` @` the peer of those that need one.
pub fn act(function: &str) -> Came {
    let (function, peer) = function.split_once(" @").unwrap_or((function, ""));
    http::at(peer);
    let found = command::check(function)
        .or_else(|| contents::check(function))
        .or_else(|| folders::check(function))
        .or_else(|| handles::check(function))
        .or_else(|| headers::check(function))
        .or_else(|| http::check(function))
        .or_else(|| links::check(function))
        .or_else(|| names::check(function))
        .or_else(|| sinks::check(function))
        .or_else(|| sources::check(function))
        .or_else(|| waiting::check(function));
    match found {
        Some(check) => check().map(|()| String::new()).map_err(|Wrong(what)| what),
        None => Err("no check".to_owned()),
    }
}

impl From<ErrorCode> for Wrong {
    fn from(code: ErrorCode) -> Self {
        Self(format!("failed: {}", code.name()))
    }
}

impl From<StreamError> for Wrong {
    fn from(error: StreamError) -> Self {
        Self(format!("failed: {error:?}"))
    }
}

fn open(path: &str, how: OpenFlags, flags: DescriptorFlags) -> Result<Descriptor, ErrorCode> {
    root().open_at(PathFlags::SYMLINK_FOLLOW, path, how, flags)
}

/// A file for reading and writing that holds `text`.
fn file(path: &str, text: &str) -> Result<Descriptor, ErrorCode> {
    let file = open(path, CREATE | TRUNCATE, READ | WRITE)?;
    file.write(text.as_bytes(), 0)?;
    Ok(file)
}

fn folder(path: &str) -> Result<Descriptor, ErrorCode> {
    root().create_directory_at(path)?;
    open(path, FOLDER, READ | MUTATE)
}

/// All of a file.
fn text(file: &Descriptor) -> Result<String, ErrorCode> {
    let (bytes, _) = file.read(1 << 16, 0)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The code of what failed; none, if it did not fail or not because of the file system.
fn code<T>(result: Result<T, StreamError>) -> Option<ErrorCode> {
    match result {
        Err(StreamError::LastOperationFailed(error)) => filesystem_error_code(&error),
        Err(StreamError::Closed) | Ok(_) => None,
    }
}

fn is_closed<T>(result: Result<T, StreamError>) -> bool {
    matches!(result, Err(StreamError::Closed))
}
