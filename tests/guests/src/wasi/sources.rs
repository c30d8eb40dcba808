//! Streams to read from.

use wasip2::cli::stdin;
use wasip2::filesystem::types::ErrorCode;
use wasip2::io::streams::InputStream;

use super::{CREATE, Check, NONE, READ, WRITE, code, file, is_closed, open, same};

pub fn check(function: &str) -> Option<fn() -> Check> {
    Some(match function {
        "filesystem/types descriptor.read-via-stream" => read_via_stream,
        "io/streams input-stream.read" => read,
        "io/streams input-stream.blocking-read" => blocking_read,
        "io/streams input-stream.skip" => skip,
        "io/streams input-stream.blocking-skip" => blocking_skip,
        "io/streams input-stream.subscribe" => subscribe,
        "cli/stdin get-stdin" => get_stdin,
        _ => return None,
    })
}

fn alpha(offset: u64) -> Result<InputStream, ErrorCode> {
    open("in/a.txt", NONE, READ)?.read_via_stream(offset)
}

fn read_via_stream() -> Check {
    same!(alpha(0)?.blocking_read(100)?, b"alpha");
    same!(alpha(2)?.blocking_read(100)?, b"pha");
    same!(is_closed(alpha(5)?.blocking_read(1)), true);
    same!(is_closed(alpha(17)?.blocking_read(1)), true);
    let it = file("out/a", "abc")?;
    let (one, other) = (it.read_via_stream(0)?, it.read_via_stream(1)?);
    same!((one.blocking_read(1)?, other.blocking_read(1)?), (b"a".to_vec(), b"b".to_vec()));
    same!((one.blocking_read(1)?, other.blocking_read(1)?), (b"b".to_vec(), b"c".to_vec()));
    let written = open("out/a", CREATE, WRITE)?;
    same!(written.read_via_stream(0).err(), Some(ErrorCode::BadDescriptor));
    same!(open("in", NONE, READ)?.read_via_stream(0).err(), Some(ErrorCode::IsDirectory));
    Ok(())
}

fn read() -> Check {
    let stream = alpha(0)?;
    let ready = stream.subscribe();
    let mut whole = Vec::new();
    loop {
        ready.block();
        match stream.read(2) {
            Ok(bytes) if bytes.len() <= 2 => whole.extend(bytes),
            Ok(_) => return Err(super::Wrong("more than was asked for".to_owned())),
            Err(error) => {
                same!(is_closed::<()>(Err(error)), true);
                break;
            }
        }
    }
    same!(whole, b"alpha");
    same!(alpha(0)?.read(0)?, b"");
    // What failed is closed.
    let broken = alpha(u64::MAX)?;
    same!(code(broken.read(1)), Some(ErrorCode::Invalid));
    same!((is_closed(broken.read(1)), is_closed(broken.skip(1))), (true, true));
    Ok(())
}

fn blocking_read() -> Check {
    let stream = alpha(0)?;
    same!(stream.blocking_read(0)?, b"");
    same!(stream.blocking_read(3)?, b"alp");
    same!(stream.blocking_read(u64::MAX)?, b"ha");
    same!(is_closed(stream.blocking_read(1)), true);
    same!(is_closed(stream.blocking_read(1)), true);
    Ok(())
}

fn skip() -> Check {
    let stream = alpha(0)?;
    same!(stream.skip(0)?, 0);
    same!(stream.skip(3)?, 3);
    same!(stream.read(100)?, b"ha");
    same!(is_closed(stream.skip(1)), true);
    Ok(())
}

fn blocking_skip() -> Check {
    let stream = alpha(0)?;
    same!(stream.blocking_skip(1)?, 1);
    same!(stream.blocking_skip(u64::MAX)?, 4);
    same!(is_closed(stream.blocking_skip(1)), true);
    Ok(())
}

fn subscribe() -> Check {
    let stream = alpha(4)?;
    let ready = stream.subscribe();
    ready.block();
    same!(stream.read(9)?, b"a");
    // The end can be waited for as well.
    ready.block();
    same!(is_closed(stream.read(9)), true);
    same!(ready.ready(), true);
    Ok(())
}

/// The host hands in this very act as JSON, and no more.
fn get_stdin() -> Check {
    let stream = stdin::get_stdin();
    let mut whole = stream.blocking_read(2)?;
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(bytes) => whole.extend(bytes),
            Err(error) => {
                same!(is_closed::<()>(Err(error)), true);
                break;
            }
        }
    }
    same!(String::from_utf8_lossy(&whole), r#"["wasi cli/stdin get-stdin"]"#);
    Ok(())
}
