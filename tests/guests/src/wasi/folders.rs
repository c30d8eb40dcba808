//! Folders: listing, making, removing.

use std::collections::BTreeSet;

use wasip2::filesystem::types::{DescriptorType, DirectoryEntryStream, ErrorCode};

use super::{Check, NONE, READ, file, folder, open, same};
use crate::files::root;

pub fn check(function: &str) -> Option<fn() -> Check> {
    Some(match function {
        "filesystem/types descriptor.read-directory" => read_directory,
        "filesystem/types directory-entry-stream.read-directory-entry" => read_entry,
        "filesystem/types descriptor.create-directory-at" => create,
        "filesystem/types descriptor.remove-directory-at" => remove,
        _ => return None,
    })
}

type Names = BTreeSet<(String, bool)>;

/// The names that are left, each with whether it is a folder.
fn rest(stream: &DirectoryEntryStream) -> Result<Names, ErrorCode> {
    let mut names = Names::new();
    while let Some(entry) = stream.read_directory_entry()? {
        names.insert((entry.name, entry.type_ == DescriptorType::Directory));
    }
    Ok(names)
}

fn read_directory() -> Check {
    let names = |list: &[(&str, bool)]| -> Names {
        list.iter().map(|(name, folder)| ((*name).to_owned(), *folder)).collect()
    };
    let inside = open("in", NONE, READ)?;
    let all = names(&[("a.txt", false), ("b.txt", false), ("deep", true)]);
    same!(rest(&inside.read_directory()?)?, all);
    let (one, other) = (inside.read_directory()?, inside.read_directory()?);
    one.read_directory_entry()?;
    same!(rest(&one)?.len(), 2);
    same!(rest(&other)?, all);
    let own = folder("out/f")?;
    same!(rest(&own.read_directory()?)?, names(&[]));
    file("out/f/x", "")?;
    same!(rest(&own.read_directory()?)?, names(&[("x", false)]));
    let alpha = open("in/a.txt", NONE, READ)?;
    same!(alpha.read_directory().err(), Some(ErrorCode::NotDirectory));
    Ok(())
}

fn read_entry() -> Check {
    let stream = open("in/deep", NONE, READ)?.read_directory()?;
    let entry = stream.read_directory_entry()?.map(|it| (it.name, it.type_));
    same!(entry, Some(("c.txt".to_owned(), DescriptorType::RegularFile)));
    same!(stream.read_directory_entry()?.is_none(), true);
    same!(stream.read_directory_entry()?.is_none(), true);
    Ok(())
}

fn create() -> Check {
    let make = |path: &str| root().create_directory_at(path);
    make("out/f")?;
    make("out/f/deep/")?;
    same!(open("out/f/deep", NONE, READ)?.get_type()?, DescriptorType::Directory);
    file("out/a", "")?;
    for (path, wanted) in [
        ("", ErrorCode::NoEntry),
        (".", ErrorCode::Exist),
        ("out/f", ErrorCode::Exist),
        ("out/f/.", ErrorCode::Exist),
        ("out/a", ErrorCode::Exist),
        ("out/none/deeper", ErrorCode::NoEntry),
        ("out/none/.", ErrorCode::NoEntry),
        ("out/a/deeper", ErrorCode::NotDirectory),
        ("..", ErrorCode::NotPermitted),
        ("/", ErrorCode::NotPermitted),
        ("../out/q", ErrorCode::NotPermitted),
    ] {
        same!((path, make(path).err()), (path, Some(wanted)));
    }
    let inner = open("out/f", NONE, READ)?;
    same!(inner.create_directory_at("../q").err(), Some(ErrorCode::NotPermitted));
    Ok(())
}

fn remove() -> Check {
    let remove = |path: &str| root().remove_directory_at(path);
    folder("out/f")?;
    remove("out/f")?;
    same!(open("out/f", NONE, READ).err(), Some(ErrorCode::NoEntry));
    folder("out/f")?;
    remove("out/f/")?;
    folder("out/f")?;
    file("out/f/x", "")?;
    file("out/a", "")?;
    for (path, wanted) in [
        ("", ErrorCode::NoEntry),
        ("out/none", ErrorCode::NoEntry),
        ("out/f", ErrorCode::NotEmpty),
        ("out/f/.", ErrorCode::Invalid),
        ("out/a", ErrorCode::NotDirectory),
        ("out/a/", ErrorCode::NotDirectory),
        ("..", ErrorCode::NotPermitted),
        ("/", ErrorCode::NotPermitted),
        ("out/f/../../../f", ErrorCode::NotPermitted),
    ] {
        same!((path, remove(path).err()), (path, Some(wanted)));
    }
    Ok(())
}
