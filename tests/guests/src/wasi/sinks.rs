//! Streams to write to. Those acts whose name ends with a reason break a rule on purpose, and the
//! host ends them.

use wasip2::cli::{stderr, stdout};
use wasip2::filesystem::types::{Descriptor, ErrorCode};
use wasip2::io::streams::OutputStream;

use super::{Check, NONE, READ, code, file, folder, is_closed, open, same, text};

pub fn check(function: &str) -> Option<fn() -> Check> {
    Some(match function {
        "filesystem/types descriptor.write-via-stream" => write_via_stream,
        "filesystem/types descriptor.append-via-stream" => append_via_stream,
        "io/streams output-stream.check-write" => check_write,
        "io/streams output-stream.write" => write,
        "io/streams output-stream.write, unpermitted" => || Ok(sink()?.1.write(b"x")?),
        "io/streams output-stream.write, above the permit" => above,
        "io/streams output-stream.write, a permit used twice" => twice,
        "io/streams output-stream.blocking-write-and-flush" => write_and_flush,
        "io/streams output-stream.blocking-write-and-flush, 4097 bytes" => {
            || Ok(sink()?.1.blocking_write_and_flush(&[0; 4097])?)
        }
        "io/streams output-stream.flush" => flush,
        "io/streams output-stream.blocking-flush" => blocking_flush,
        "io/streams output-stream.subscribe" => subscribe,
        _ => return more(function),
    })
}

fn more(function: &str) -> Option<fn() -> Check> {
    Some(match function {
        "io/streams output-stream.write-zeroes" => write_zeroes,
        "io/streams output-stream.write-zeroes, unpermitted" => || Ok(sink()?.1.write_zeroes(1)?),
        "io/streams output-stream.blocking-write-zeroes-and-flush" => zeroes_and_flush,
        "io/streams output-stream.blocking-write-zeroes-and-flush, 4097 bytes" => {
            || Ok(sink()?.1.blocking_write_zeroes_and_flush(4097)?)
        }
        "io/streams output-stream.splice" => splice,
        "io/streams output-stream.blocking-splice" => blocking_splice,
        "io/error error.to-debug-string" => to_debug_string,
        "cli/stdout get-stdout" => || said(&stdout::get_stdout()),
        "cli/stderr get-stderr" => || said(&stderr::get_stderr()),
        _ => return None,
    })
}

/// An empty file, and a stream into it.
fn sink() -> Result<(Descriptor, OutputStream), ErrorCode> {
    let it = file("out/a", "")?;
    let stream = it.write_via_stream(0)?;
    Ok((it, stream))
}

/// A stream on which every write fails.
fn broken() -> Result<OutputStream, ErrorCode> {
    file("out/b", "")?.write_via_stream(u64::MAX)
}

fn write_via_stream() -> Check {
    let it = file("out/a", "")?;
    let stream = it.write_via_stream(5)?;
    stream.blocking_write_and_flush(b"Hello, ")?;
    stream.blocking_write_and_flush(b"World!")?;
    same!(text(&it)?, "\0\0\0\0\0Hello, World!");
    it.write_via_stream(0)?.blocking_write_and_flush(b"12345")?;
    same!(text(&it)?, "12345Hello, World!");
    let alpha = open("in/a.txt", NONE, READ)?;
    same!(alpha.write_via_stream(0).err(), Some(ErrorCode::BadDescriptor));
    same!(folder("out/f")?.write_via_stream(0).err(), Some(ErrorCode::IsDirectory));
    Ok(())
}

fn append_via_stream() -> Check {
    let it = file("out/a", "one")?;
    let stream = it.append_via_stream()?;
    stream.blocking_write_and_flush(b" two")?;
    it.write(b" three", it.stat()?.size)?;
    stream.blocking_write_and_flush(b" four")?;
    same!(text(&it)?, "one two three four");
    let alpha = open("in/a.txt", NONE, READ)?;
    same!(alpha.append_via_stream().err(), Some(ErrorCode::BadDescriptor));
    Ok(())
}

fn check_write() -> Check {
    let (it, stream) = sink()?;
    let permitted = stream.check_write()?;
    same!(permitted > 0, true);
    let all = vec![b'x'; permitted as usize];
    stream.write(&all)?;
    same!(it.stat()?.size, permitted);
    same!(stream.check_write()? > 0, true);
    let broken = broken()?;
    broken.check_write()?;
    same!(code(broken.write(b"x")), Some(ErrorCode::FileTooLarge));
    same!(is_closed(broken.check_write()), true);
    Ok(())
}

fn write() -> Check {
    let (it, stream) = sink()?;
    for word in ["one ", "two ", ""] {
        stream.check_write()?;
        stream.write(word.as_bytes())?;
    }
    stream.blocking_flush()?;
    same!(text(&it)?, "one two ");
    let broken = broken()?;
    broken.check_write()?;
    same!(code(broken.write(b"x")), Some(ErrorCode::FileTooLarge));
    same!(is_closed(broken.blocking_write_and_flush(b"x")), true);
    Ok(())
}

fn above() -> Check {
    let (_, stream) = sink()?;
    let permitted = stream.check_write()?;
    Ok(stream.write(&vec![0; permitted as usize + 1])?)
}

fn twice() -> Check {
    let (_, stream) = sink()?;
    let permitted = stream.check_write()?;
    let all = vec![0; permitted as usize];
    stream.write(&all)?;
    Ok(stream.write(&all)?)
}

fn write_and_flush() -> Check {
    let (it, stream) = sink()?;
    stream.blocking_write_and_flush(&[b'x'; 4096])?;
    stream.blocking_write_and_flush(b"")?;
    stream.blocking_write_and_flush(b"y")?;
    same!(it.stat()?.size, 4097);
    let broken = broken()?;
    same!(code(broken.blocking_write_and_flush(b"x")), Some(ErrorCode::FileTooLarge));
    same!(is_closed(broken.blocking_write_and_flush(b"x")), true);
    Ok(())
}

fn flush() -> Check {
    let (it, stream) = sink()?;
    stream.check_write()?;
    stream.write(b"text")?;
    stream.flush()?;
    stream.subscribe().block();
    same!(stream.check_write()? > 0, true);
    same!(text(&it)?, "text");
    let broken = broken()?;
    broken.flush()?;
    same!(code(broken.blocking_write_and_flush(b"x")), Some(ErrorCode::FileTooLarge));
    same!(is_closed(broken.flush()), true);
    Ok(())
}

fn blocking_flush() -> Check {
    let (it, stream) = sink()?;
    stream.blocking_flush()?;
    stream.check_write()?;
    stream.write(b"text")?;
    stream.blocking_flush()?;
    same!(text(&it)?, "text");
    let broken = broken()?;
    same!(code(broken.blocking_write_and_flush(b"x")), Some(ErrorCode::FileTooLarge));
    same!(is_closed(broken.blocking_flush()), true);
    Ok(())
}

fn subscribe() -> Check {
    let (_, stream) = sink()?;
    stream.subscribe().block();
    same!(stream.check_write()? > 0, true);
    let broken = broken()?;
    same!(code(broken.blocking_write_and_flush(b"x")), Some(ErrorCode::FileTooLarge));
    same!(broken.subscribe().ready(), true);
    Ok(())
}

fn write_zeroes() -> Check {
    let it = file("out/a", "text")?;
    let stream = it.write_via_stream(1)?;
    stream.check_write()?;
    stream.write_zeroes(2)?;
    same!(text(&it)?, "t\0\0t");
    Ok(())
}

fn zeroes_and_flush() -> Check {
    let (it, stream) = sink()?;
    stream.blocking_write_zeroes_and_flush(4096)?;
    stream.blocking_write_zeroes_and_flush(0)?;
    same!(it.read(8192, 0)?, (vec![0; 4096], true));
    Ok(())
}

fn splice() -> Check {
    let (it, stream) = sink()?;
    let from = open("in/a.txt", NONE, READ)?.read_via_stream(0)?;
    same!(stream.splice(&from, 0)?, 0);
    same!(stream.splice(&from, 2)?, 2);
    same!(stream.splice(&from, u64::MAX)?, 3);
    same!(text(&it)?, "alpha");
    same!(is_closed(stream.splice(&from, 1)), true);
    // Where nothing can be written, nothing is read.
    let (from, broken) = (open("in/a.txt", NONE, READ)?.read_via_stream(0)?, broken()?);
    same!(code(broken.blocking_write_and_flush(b"x")), Some(ErrorCode::FileTooLarge));
    same!(is_closed(broken.splice(&from, 1)), true);
    same!(from.read(9)?, b"alpha");
    Ok(())
}

fn blocking_splice() -> Check {
    let (it, stream) = sink()?;
    let from = open("in/a.txt", NONE, READ)?.read_via_stream(1)?;
    let mut whole = 0;
    while let Ok(count) = stream.blocking_splice(&from, 3) {
        whole += count;
    }
    same!((whole, text(&it)?), (4, "lpha".to_owned()));
    let from = open("in/a.txt", NONE, READ)?.read_via_stream(u64::MAX)?;
    same!(code(stream.blocking_splice(&from, 1)), Some(ErrorCode::Invalid));
    same!(stream.check_write()? > 0, true);
    Ok(())
}

fn to_debug_string() -> Check {
    let broken = file("out/b", "")?.write_via_stream(u64::MAX)?;
    match broken.blocking_write_and_flush(b"x") {
        Err(wasip2::io::streams::StreamError::LastOperationFailed(error)) => {
            same!(error.to_debug_string(), "the file would be larger than a file may be");
            Ok(())
        }
        other => Err(super::Wrong(format!("{other:?}"))),
    }
}

/// What is said on a standard stream is captured: it takes all, and nothing comes back.
fn said(stream: &OutputStream) -> Check {
    same!(stream.check_write()? > 0, true);
    stream.write(b"said ")?;
    stream.blocking_flush()?;
    stream.blocking_write_and_flush(b"and flushed\n")?;
    Ok(())
}
