//! Acts that write a body piece by piece: `flow SIZE REQUEST`. `flow-with AT TEXT SIZE REQUEST` has
//! a text in it. Nothing but a piece is ever in the guest's memory.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{FutureIncomingResponse, OutgoingBody};
use wasip2::io::streams::OutputStream;

use crate::http::{broken, name, request, whole, write_down};
use crate::{Came, number, two};

/// Bytes that are written at once: what a blocking write takes.
const PIECE: u64 = 4096;

pub fn act(verb: &str, rest: &str) -> Option<Came> {
    Some(match verb {
        "flow" => {
            let (size, rest) = two(rest);
            pour(rest, number(size), (0, ""), |_| Ok(String::new()))
        }
        "flow-with" => {
            let (at, rest) = two(rest);
            let (text, rest) = two(rest);
            let (size, rest) = two(rest);
            pour(rest, number(size), (number(at), text), |_| Ok(String::new()))
        }
        // In the middle of it, `OTHER` is asked.
        "flow-asking" => {
            let (size, rest) = two(rest);
            let (rest, other) = rest.split_once(" ++ ").unwrap_or((rest, ""));
            let ask = |_| request(other, None).and_then(|future| whole(&future));
            pour(rest, number(size), (0, ""), ask)
        }
        "flow-away" => {
            let (size, rest) = two(rest);
            away(rest, number(size))
        }
        "flow-stall" => {
            let (size, rest) = two(rest);
            stall(rest, number(size))
        }
        "flow-early" => {
            let (size, rest) = two(rest);
            early(rest, number(size))
        }
        _ => return None,
    })
}

fn pour(
    rest: &str,
    size: u64,
    (at, text): (u64, &str),
    halfway: impl Fn(u64) -> Came,
) -> Came {
    let (future, body, stream) = begin(rest)?;
    let mut told = String::new();
    let mut written = 0;
    while written < size {
        let piece = piece(written, PIECE.min(size - written), at, text);
        stream.blocking_write_and_flush(&piece).map_err(|error| broken(&error))?;
        let before = written;
        written += piece.len() as u64;
        if before < size / 2 && written >= size / 2 {
            told = halfway(written)?;
        }
    }
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|code| name(&code))?;
    let answer = whole(&future)?;
    Ok(format!("{told} {answer}").trim_start().to_owned())
}

/// Lets go of the body in the middle.
fn away(rest: &str, size: u64) -> Came {
    let (future, body, stream) = begin(rest)?;
    write(&stream, size)?;
    drop(stream);
    drop(body);
    whole(&future)
}

/// Writes some of it, and waits for an answer without an end.
fn stall(rest: &str, size: u64) -> Came {
    let (future, body, stream) = begin(rest)?;
    write(&stream, size)?;
    let answer = whole(&future);
    drop(stream);
    drop(body);
    answer
}

/// Writes some of it, hears the answer, and then writes as much again.
fn early(rest: &str, size: u64) -> Came {
    let (future, body, stream) = begin(rest)?;
    write(&stream, size)?;
    let answer = whole(&future)?;
    write(&stream, size)?;
    drop(stream);
    OutgoingBody::finish(body, None).map_err(|code| name(&code))?;
    Ok(answer)
}

fn write(stream: &OutputStream, size: u64) -> Result<(), String> {
    (0..size / PIECE).try_for_each(|_| {
        stream.blocking_write_and_flush(&[b'x'; 4096]).map_err(|error| broken(&error))
    })
}

fn begin(rest: &str) -> Result<(FutureIncomingResponse, OutgoingBody, OutputStream), String> {
    let (request, _) = write_down(rest)?;
    let body = request.body().map_err(|()| "no body")?;
    let future = outgoing_handler::handle(request, None).map_err(|code| name(&code))?;
    let stream = body.write().map_err(|()| "no stream")?;
    Ok((future, body, stream))
}

/// `len` bytes from `from` on: by their place, but for `text` at `at`.
fn piece(from: u64, len: u64, at: u64, text: &str) -> Vec<u8> {
    let byte = |place: u64| {
        let within = place.checked_sub(at).and_then(|it| usize::try_from(it).ok());
        let of_text = within.and_then(|it| text.as_bytes().get(it)).copied();
        of_text.unwrap_or(b'a' + (place % 23) as u8)
    };
    (from..from + len).map(byte).collect()
}
