//! Acts on files, by the raw interface: what a standard library would tidy up first is said here as
//! it is.

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    Datetime, Descriptor, DescriptorFlags, DescriptorType, ErrorCode, NewTimestamp, OpenFlags,
    PathFlags, filesystem_error_code,
};
use wasip2::io::streams::StreamError;

use crate::{Came, HELD, number, two};

const NONE: OpenFlags = OpenFlags::empty();
const CREATE: OpenFlags = OpenFlags::CREATE;
const TRUNCATE: OpenFlags = OpenFlags::TRUNCATE;
const FOLDER: OpenFlags = OpenFlags::DIRECTORY;

pub fn act(verb: &str, rest: &str) -> Option<Came> {
    let (one, other) = two(rest);
    Some(match verb {
        "read" => open(rest, NONE, DescriptorFlags::READ).and_then(|it| read(&it, 0)),
        "read-at" => open(one, NONE, DescriptorFlags::READ)
            .and_then(|it| coded(it.read(16, number(other))))
            .map(|(bytes, end)| format!("{} {end}", bytes.len())),
        "stream" => open(rest, NONE, DescriptorFlags::READ).and_then(|it| stream(&it)),
        "bytewise" => open(rest, NONE, DescriptorFlags::READ).and_then(|it| bytewise(&it)),
        "skip" => open(rest, NONE, DescriptorFlags::READ).and_then(|it| skip(&it)),
        "write" => open(one, CREATE | TRUNCATE, DescriptorFlags::WRITE)
            .and_then(|it| coded(it.write(other.as_bytes(), 0)))
            .map(|count| count.to_string()),
        "write-at" => {
            let (offset, path) = two(rest);
            open(path, CREATE, DescriptorFlags::WRITE)
                .and_then(|it| coded(it.write(b"x", number(offset))))
                .map(|count| count.to_string())
        }
        "append" => open(one, CREATE, DescriptorFlags::WRITE).and_then(|it| append(&it, other)),
        "pour" => pour(one, other),
        "write-read-only" => open(rest, NONE, DescriptorFlags::READ)
            .and_then(|it| coded(it.write(b"x", 0)))
            .map(|count| count.to_string()),
        "truncate" => open(rest, TRUNCATE, DescriptorFlags::READ).map(|_| String::new()),
        "create" => open(rest, CREATE, DescriptorFlags::WRITE).map(|_| String::new()),
        "exclusive" => {
            open(rest, CREATE | OpenFlags::EXCLUSIVE, DescriptorFlags::WRITE).map(|_| String::new())
        }
        "open-folder" => open(rest, FOLDER, DescriptorFlags::READ).map(|_| String::new()),
        "size" => {
            open(one, NONE, DescriptorFlags::WRITE).and_then(|it| done(it.set_size(number(other))))
        }
        "mkdir" => done(root().create_directory_at(rest)),
        "rmdir" => done(root().remove_directory_at(rest)),
        "unlink" => done(root().unlink_file_at(rest)),
        "rename" => done(root().rename_at(one, &root(), other)),
        "link" => done(root().link_at(PathFlags::empty(), one, &root(), other)),
        "symlink" => done(root().symlink_at(one, other)),
        "readlink" => coded(root().readlink_at(rest)),
        _ => return looks(verb, rest),
    })
}

fn looks(verb: &str, rest: &str) -> Option<Came> {
    let (one, other) = two(rest);
    Some(match verb {
        "stat" => coded(root().stat_at(PathFlags::SYMLINK_FOLLOW, rest))
            .map(|stat| format!("{} {}", kind(stat.type_), stat.size)),
        "hash" => coded(root().metadata_hash_at(PathFlags::empty(), rest))
            .map(|hash| format!("{}", u8::from(hash.lower != hash.upper))),
        "list" => open(rest, FOLDER, DescriptorFlags::READ).and_then(|it| list(&it)),
        "times" => set_times(one, other),
        "hold" => open(rest, NONE, DescriptorFlags::READ).map(|it| {
            HELD.with_borrow_mut(|held| held.files.push(it));
            String::new()
        }),
        "hold-write" => open(rest, CREATE, DescriptorFlags::WRITE).map(|it| {
            HELD.with_borrow_mut(|held| held.files.push(it));
            String::new()
        }),
        "held-read" => with_held(|it| read(it, 0)),
        "held-write" => {
            with_held(|it| coded(it.write(rest.as_bytes(), 0)).map(|count| count.to_string()))
        }
        "held-stat" => with_held(|it| coded(it.stat()).map(|stat| stat.size.to_string())),
        "held-list" => with_held(list),
        "held-size" => with_held(|it| done(it.set_size(number(rest)))),
        "held-times" => with_held(|it| done(it.set_times(NewTimestamp::Now, NewTimestamp::Now))),
        "held-hash" => with_held(|it| coded(it.metadata_hash()).map(|_| String::new())),
        "held-sync" => with_held(|it| done(it.sync()).and(done(it.sync_data()))),
        "held-kind" => with_held(|it| {
            let kind = coded(it.get_type())?;
            coded(it.get_flags()).map(|flags| format!("{} {}", self::kind(kind), flags.bits()))
        }),
        "up" => with_held(|it| {
            let opened = it.open_at(PathFlags::empty(), rest, NONE, DescriptorFlags::READ);
            coded(opened).map(|_| String::new())
        }),
        _ => return None,
    })
}

pub fn root() -> Descriptor {
    get_directories().pop().expect("a workspace").0
}

pub fn open(path: &str, open: OpenFlags, flags: DescriptorFlags) -> Result<Descriptor, String> {
    coded(root().open_at(PathFlags::SYMLINK_FOLLOW, path, open, flags))
}

fn with_held(act: impl FnOnce(&Descriptor) -> Came) -> Came {
    HELD.with_borrow(|held| act(held.files.last().expect("something is held")))
}

pub fn coded<T>(result: Result<T, ErrorCode>) -> Result<T, String> {
    result.map_err(|code| code.name().to_owned())
}

fn done(result: Result<(), ErrorCode>) -> Came {
    coded(result).map(|()| String::new())
}

pub fn streamed<T>(result: Result<T, StreamError>) -> Result<T, String> {
    result.map_err(|error| match error {
        StreamError::Closed => "closed".to_owned(),
        StreamError::LastOperationFailed(error) => filesystem_error_code(&error)
            .map_or_else(|| error.to_debug_string(), |code| code.name().to_owned()),
    })
}

fn read(file: &Descriptor, offset: u64) -> Came {
    let (bytes, _) = coded(file.read(1 << 16, offset))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn stream(file: &Descriptor) -> Came {
    let stream = coded(file.read_via_stream(0))?;
    let mut whole = Vec::new();
    loop {
        match stream.blocking_read(4096) {
            Ok(bytes) => whole.extend(bytes),
            Err(StreamError::Closed) => return Ok(String::from_utf8_lossy(&whole).into_owned()),
            Err(error) => return streamed(Err(error)),
        }
    }
}

fn bytewise(file: &Descriptor) -> Came {
    loop {
        coded(file.read(1, 0))?;
    }
}

fn skip(file: &Descriptor) -> Came {
    let stream = coded(file.read_via_stream(0))?;
    streamed(stream.blocking_skip(u64::MAX)).map(|count| count.to_string())
}

fn append(file: &Descriptor, text: &str) -> Came {
    let stream = coded(file.append_via_stream())?;
    streamed(stream.blocking_write_and_flush(text.as_bytes())).map(|()| String::new())
}

fn pour(from: &str, to: &str) -> Came {
    let from = open(from, NONE, DescriptorFlags::READ)?;
    let to = open(to, CREATE, DescriptorFlags::WRITE)?;
    let (from, to) = (coded(from.read_via_stream(0))?, coded(to.write_via_stream(0))?);
    streamed(to.blocking_splice(&from, u64::MAX)).map(|count| count.to_string())
}

fn list(folder: &Descriptor) -> Came {
    let stream = coded(folder.read_directory())?;
    let mut names = Vec::new();
    while let Some(entry) = coded(stream.read_directory_entry())? {
        names.push(entry.name);
    }
    Ok(names.join(","))
}

fn kind(kind: DescriptorType) -> &'static str {
    if kind == DescriptorType::Directory { "folder" } else { "file" }
}

/// `times a.txt 18446744073709551615:999999999`
fn set_times(path: &str, at: &str) -> Came {
    let (seconds, nanoseconds) = at.split_once(':').unwrap_or((at, "0"));
    let nanoseconds = nanoseconds.parse().unwrap_or(u32::MAX);
    let time = NewTimestamp::Timestamp(Datetime { seconds: number(seconds), nanoseconds });
    done(root().set_times_at(PathFlags::empty(), path, time, time))
}
