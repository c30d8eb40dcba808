//! Acts on streams of files, by every method there is, and what a guest may do without asking.

use wasip2::cli::{stderr, stdin, stdout, terminal_stderr, terminal_stdin, terminal_stdout};
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::filesystem::types::{Advice, DescriptorFlags, OpenFlags};
use wasip2::io::streams::StreamError;

use crate::files::{coded, open, root, streamed};
use crate::{Came, number, two};

pub fn act(verb: &str, rest: &str) -> Option<Came> {
    let (mode, path) = two(rest);
    Some(match verb {
        "in" => take(mode, path),
        "out" => put(mode, path),
        "passages" => passages(number(rest)),
        "broken" => broken(rest),
        _ => return None,
    })
}

fn take(mode: &str, path: &str) -> Came {
    let file = open(path, OpenFlags::empty(), DescriptorFlags::READ)?;
    let stream = coded(file.read_via_stream(0))?;
    streamed(match mode {
        "read" => stream.read(9).map(|bytes| bytes.len().to_string()),
        "blocking-read" => stream.blocking_read(9).map(|bytes| bytes.len().to_string()),
        "skip" => stream.skip(9).map(|count| count.to_string()),
        _ => stream.blocking_skip(9).map(|count| count.to_string()),
    })
}

fn put(mode: &str, path: &str) -> Came {
    let from = open("in/a.txt", OpenFlags::empty(), DescriptorFlags::READ)?;
    let file = open(path, OpenFlags::CREATE, DescriptorFlags::WRITE)?;
    let (from, stream) = (coded(from.read_via_stream(0))?, coded(file.write_via_stream(0))?);
    let nothing = |()| String::new();
    streamed(stream.check_write())?;
    streamed(match mode {
        "write" => stream.write(b"text").map(nothing),
        "flushed" => stream.blocking_write_and_flush(b"text").map(nothing),
        "append" => {
            let stream = coded(file.append_via_stream())?;
            streamed(stream.check_write())?;
            stream.write(b"text").map(nothing)
        }
        "zeroes" => stream.write_zeroes(9).map(nothing),
        "zeroes-flushed" => stream.blocking_write_zeroes_and_flush(9).map(nothing),
        "splice" => stream.splice(&from, 9).map(|count| count.to_string()),
        _ => stream.blocking_splice(&from, 9).map(|count| count.to_string()),
    })
}

/// What a broken stream says of itself, again and again.
fn broken(path: &str) -> Came {
    let file = open(path, OpenFlags::CREATE, DescriptorFlags::WRITE)?;
    let stream = coded(file.write_via_stream(u64::MAX))?;
    streamed(stream.check_write())?;
    match stream.write(b"text") {
        Err(StreamError::LastOperationFailed(error)) => loop {
            error.to_debug_string();
        },
        Err(StreamError::Closed) => Err("closed".to_owned()),
        Ok(()) => Ok(String::new()),
    }
}

/// Everything that is neither judged nor recorded, because it only touches what the guest holds.
fn passages(times: u64) -> Came {
    for _ in 0..times {
        let root = root();
        let (input, output, errors) =
            (stdin::get_stdin(), stdout::get_stdout(), stderr::get_stderr());
        let ready = [input.subscribe(), output.subscribe()];
        streamed(output.check_write())?;
        streamed(output.flush())?;
        streamed(errors.blocking_flush())?;
        coded(root.get_flags())?;
        coded(root.get_type())?;
        coded(root.sync())?;
        coded(root.sync_data())?;
        let terminals = terminal_stdin::get_terminal_stdin().is_some()
            || terminal_stdout::get_terminal_stdout().is_some()
            || terminal_stderr::get_terminal_stderr().is_some();
        let fine = root.is_same_object(&root) && !terminals && ready.len() == 2;
        let advised = root.advise(0, 1, Advice::Normal).is_err();
        monotonic_clock::resolution();
        wall_clock::resolution();
        if !fine || !advised {
            return Err("odd".to_owned());
        }
    }
    Ok(String::new())
}
