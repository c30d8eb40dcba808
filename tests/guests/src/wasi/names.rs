//! Names that come and go: opening, moving, removing.

use wasip2::filesystem::types::ErrorCode;

use super::{
    CREATE, Check, EXCLUSIVE, FOLDER, MUTATE, NO_FLAGS, NO_FOLLOW, NONE, READ, TRUNCATE, WRITE,
    file, folder, open, same, text,
};
use crate::files::root;

pub fn check(function: &str) -> Option<fn() -> Check> {
    Some(match function {
        "filesystem/types descriptor.open-at" => open_at,
        "filesystem/types descriptor.rename-at" => rename_at,
        "filesystem/types descriptor.unlink-file-at" => unlink_file_at,
        _ => return None,
    })
}

fn open_at() -> Check {
    for (path, wanted) in [
        ("", ErrorCode::NoEntry),
        ("..", ErrorCode::NotPermitted),
        ("/", ErrorCode::NotPermitted),
        ("in/none", ErrorCode::NoEntry),
        ("in/a.txt/", ErrorCode::NotDirectory),
        ("in/a.txt///", ErrorCode::NotDirectory),
        ("in/a.txt\0", ErrorCode::Invalid),
        ("in/deep/../../../in/a.txt", ErrorCode::NotPermitted),
    ] {
        same!((path, open(path, NONE, READ).err()), (path, Some(wanted)));
    }
    for path in ["in/", "in///", ".", "./in/.//deep/../../in"] {
        open(path, NONE, READ)?;
    }
    same!(text(&open("in/.//deep/../../in//./a.txt", NONE, NO_FLAGS)?)?, "alpha");
    same!(open("in/a.txt", FOLDER, READ).err(), Some(ErrorCode::NotDirectory));
    same!(open(".", NONE, WRITE).err(), Some(ErrorCode::IsDirectory));
    made()?;
    from_a_folder()
}

fn made() -> Check {
    same!(open("out/a", CREATE | EXCLUSIVE, READ | WRITE)?.write(b"text", 0)?, 4);
    same!(open("out/a", CREATE | EXCLUSIVE, READ).err(), Some(ErrorCode::Exist));
    same!(text(&open("out/a", CREATE, READ)?)?, "text");
    let before = open("out/a", NONE, READ)?;
    same!(text(&open("out/a", TRUNCATE, READ | WRITE)?)?, "");
    same!(before.stat()?.size, 0);
    same!(open("out/none/a", CREATE, WRITE).err(), Some(ErrorCode::NoEntry));
    same!(open("out/none/", CREATE, WRITE).err(), Some(ErrorCode::IsDirectory));
    same!(open("out/none", CREATE | FOLDER, WRITE).err(), Some(ErrorCode::Invalid));
    same!(open("out/none", TRUNCATE, WRITE).err(), Some(ErrorCode::NoEntry));
    same!(open("out", CREATE | EXCLUSIVE, WRITE).err(), Some(ErrorCode::Exist));
    same!(open("out", TRUNCATE, READ).err(), Some(ErrorCode::IsDirectory));
    Ok(())
}

/// What is relative to a folder stays in it.
fn from_a_folder() -> Check {
    let inner = folder("out/inner")?;
    let open = |path: &str, how| inner.open_at(NO_FOLLOW, path, how, READ);
    open("a", CREATE)?;
    same!(root().stat_at(NO_FOLLOW, "out/inner/a")?.size, 0);
    same!(open("../a", NONE).err(), Some(ErrorCode::NotPermitted));
    same!(open("../inner/a", NONE).err(), Some(ErrorCode::NotPermitted));
    let it = file("out/b", "")?;
    same!(it.open_at(NO_FOLLOW, "a", NONE, READ).err(), Some(ErrorCode::NotDirectory));
    Ok(())
}

fn moved(from: &str, to: &str) -> Result<(), ErrorCode> {
    root().rename_at(from, &root(), to)
}

fn rename_at() -> Check {
    file("out/a", "a")?;
    moved("out/a", "out/a")?;
    moved("out/a", "out/b")?;
    same!(moved("out/a", "out/a").err(), Some(ErrorCode::NoEntry));
    file("out/c", "c")?;
    moved("out/b", "out/c")?;
    same!(text(&open("out/c", NONE, READ)?)?, "a");
    folder("out/f")?;
    for (from, to, wanted) in [
        ("out/none", "out/q", ErrorCode::NoEntry),
        ("out/c", "out/none/q", ErrorCode::NoEntry),
        ("out/c", "", ErrorCode::NoEntry),
        ("out/c", "../q", ErrorCode::NotPermitted),
        ("out/c", "/q", ErrorCode::NotPermitted),
        ("out/c/", "out/q", ErrorCode::NotDirectory),
        ("out/c", "out/q/", ErrorCode::NotDirectory),
        ("out/f/.", "out/q", ErrorCode::Invalid),
        ("out/c", "out/f/.", ErrorCode::Invalid),
    ] {
        same!((from, to, moved(from, to).err()), (from, to, Some(wanted)));
    }
    folders_move()
}

fn folders_move() -> Check {
    folder("out/x")?;
    file("out/x/in", "inside")?;
    moved("out/x/", "out/y")?;
    moved("out/y", "out/x/")?;
    same!(text(&open("out/x/in", NONE, READ)?)?, "inside");
    folder("out/empty")?;
    moved("out/x", "out/empty")?;
    same!(text(&open("out/empty/in", NONE, READ)?)?, "inside");
    folder("out/x")?;
    same!(moved("out/x", "out/empty").err(), Some(ErrorCode::NotEmpty));
    same!(moved("out/x", "out/empty/in").err(), Some(ErrorCode::NotDirectory));
    same!(moved("out/empty/in", "out/x").err(), Some(ErrorCode::IsDirectory));
    same!(moved("out/empty", "out/empty/deeper").err(), Some(ErrorCode::Invalid));
    let inner = open("out/empty", FOLDER, MUTATE)?;
    inner.rename_at("in", &root(), "out/in")?;
    root().rename_at("out/in", &inner, "back")?;
    same!(inner.stat_at(NO_FOLLOW, "back")?.size, 6);
    Ok(())
}

fn unlink_file_at() -> Check {
    let unlink = |path: &str| root().unlink_file_at(path);
    let it = file("out/a", "text")?;
    same!(unlink("out/a/").err(), Some(ErrorCode::NotDirectory));
    unlink("out/a")?;
    same!(open("out/a", NONE, READ).err(), Some(ErrorCode::NoEntry));
    same!(text(&it)?, "text");
    folder("out/f")?;
    for (path, wanted) in [
        ("", ErrorCode::NoEntry),
        ("out/none", ErrorCode::NoEntry),
        ("out/f", ErrorCode::IsDirectory),
        ("out/f/", ErrorCode::IsDirectory),
        ("out/f/.", ErrorCode::IsDirectory),
        ("..", ErrorCode::NotPermitted),
        ("/", ErrorCode::NotPermitted),
        ("/etc/passwd", ErrorCode::NotPermitted),
    ] {
        same!((path, unlink(path).err()), (path, Some(wanted)));
    }
    Ok(())
}
