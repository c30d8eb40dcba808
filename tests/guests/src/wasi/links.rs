//! Links, of which there are none: the errors of the standard come before the refusal by design.

use wasip2::filesystem::types::ErrorCode;

use super::{Check, NO_FOLLOW, NONE, READ, file, folder, open, same};
use crate::files::root;

pub fn check(function: &str) -> Option<fn() -> Check> {
    Some(match function {
        "filesystem/types descriptor.link-at" => link,
        "filesystem/types descriptor.symlink-at" => symlink,
        "filesystem/types descriptor.readlink-at" => readlink,
        _ => return None,
    })
}

fn link() -> Check {
    let link = |from: &str, to: &str| root().link_at(NO_FOLLOW, from, &root(), to);
    file("out/a", "text")?;
    folder("out/f")?;
    for (from, to, wanted) in [
        ("", "out/q", ErrorCode::NoEntry),
        ("out/a", "", ErrorCode::NoEntry),
        ("out/none", "out/q", ErrorCode::NoEntry),
        ("out/a", "out/none/q", ErrorCode::NoEntry),
        ("out/a", "out/a", ErrorCode::Exist),
        ("out/a", "out/f", ErrorCode::Exist),
        ("out/f", "out/q", ErrorCode::NotPermitted),
        ("/", "out/q", ErrorCode::NotPermitted),
        ("out/a", "/q", ErrorCode::NotPermitted),
        ("out/a", "..", ErrorCode::NotPermitted),
        ("out/a", "out/q", ErrorCode::NotPermitted),
    ] {
        same!((from, to, link(from, to).err()), (from, to, Some(wanted)));
    }
    same!(open("out/q", NONE, READ).err(), Some(ErrorCode::NoEntry));
    Ok(())
}

fn symlink() -> Check {
    let link = |from: &str, to: &str| root().symlink_at(from, to);
    file("out/a", "text")?;
    for (from, to, wanted) in [
        ("", "out/q", ErrorCode::NoEntry),
        ("a", "", ErrorCode::NoEntry),
        ("a", "out/none/q", ErrorCode::NoEntry),
        ("a", "out/a", ErrorCode::Exist),
        ("/etc", "out/q", ErrorCode::NotPermitted),
        ("/etc", "out/a", ErrorCode::NotPermitted),
        ("a", "/q", ErrorCode::NotPermitted),
        ("a", "out/q", ErrorCode::NotPermitted),
    ] {
        same!((from, to, link(from, to).err()), (from, to, Some(wanted)));
    }
    same!(open("out/q", NONE, READ).err(), Some(ErrorCode::NoEntry));
    Ok(())
}

fn readlink() -> Check {
    for (path, wanted) in [
        ("", ErrorCode::NoEntry),
        (".", ErrorCode::Invalid),
        ("in/a.txt", ErrorCode::Invalid),
        ("in/none", ErrorCode::NoEntry),
        ("./../", ErrorCode::NotPermitted),
        ("/", ErrorCode::NotPermitted),
    ] {
        same!((path, root().readlink_at(path).err()), (path, Some(wanted)));
    }
    let alpha = open("in/a.txt", NONE, READ)?;
    same!(alpha.readlink_at(".").err(), Some(ErrorCode::NotDirectory));
    Ok(())
}
