//! What a handle tells of what it holds.

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, filesystem_error_code,
};
use wasip2::io::streams::StreamError;

use super::{
    CREATE, Check, EXCLUSIVE, MUTATE, NO_FLAGS, NO_FOLLOW, NONE, READ, WRITE, file, folder, open,
    same,
};
use crate::files::root;

pub fn check(function: &str) -> Option<fn() -> Check> {
    Some(match function {
        "filesystem/preopens get-directories" => preopened,
        "filesystem/types descriptor.get-flags" => get_flags,
        "filesystem/types descriptor.get-type" => get_type,
        "filesystem/types descriptor.stat" => stat,
        "filesystem/types descriptor.stat-at" => stat_at,
        "filesystem/types descriptor.is-same-object" => is_same_object,
        "filesystem/types descriptor.metadata-hash" => metadata_hash,
        "filesystem/types descriptor.metadata-hash-at" => metadata_hash_at,
        "filesystem/types filesystem-error-code" => error_code,
        _ => return None,
    })
}

fn preopened() -> Check {
    let found = get_directories();
    same!(found.len(), 1);
    let (folder, name) = &found[0];
    same!(name, "/");
    same!(folder.get_type()?, DescriptorType::Directory);
    same!(folder.get_flags()?, READ | MUTATE);
    same!(folder.is_same_object(&get_directories()[0].0), true);
    Ok(())
}

fn get_flags() -> Check {
    let flags = |path: &str, how, asked| open(path, how, asked)?.get_flags();
    same!(flags("in/a.txt", NONE, READ)?, READ);
    same!(flags("in/a.txt", NONE, NO_FLAGS)?, READ);
    same!(flags("in/a.txt", EXCLUSIVE, NO_FLAGS)?, READ);
    same!(flags("in", NONE, NO_FLAGS)?, READ);
    same!(flags(".", NONE, NO_FLAGS)?, READ);
    same!(flags("out", NONE, MUTATE)?, READ | MUTATE);
    same!(flags("out/a", CREATE, NO_FLAGS)?, READ | WRITE);
    same!(flags("out/a", CREATE, READ)?, READ | WRITE);
    same!(flags("out/a", CREATE, WRITE)?, WRITE);
    same!(flags("out/a", NONE, WRITE)?, WRITE);
    let whole = DescriptorFlags::FILE_INTEGRITY_SYNC;
    same!(flags("out/a", NONE, READ | WRITE | whole)?, READ | WRITE | whole);
    same!(flags("out/a", NONE, READ | WRITE | MUTATE)?, READ | WRITE);
    Ok(())
}

fn get_type() -> Check {
    same!(open("in/a.txt", NONE, READ)?.get_type()?, DescriptorType::RegularFile);
    same!(open("in", NONE, READ)?.get_type()?, DescriptorType::Directory);
    Ok(())
}

fn sound(stat: &DescriptorStat) -> bool {
    let times = [
        stat.data_access_timestamp,
        stat.data_modification_timestamp,
        stat.status_change_timestamp,
    ];
    times.iter().flatten().all(|at| at.nanoseconds < 1_000_000_000)
}

fn stat() -> Check {
    let alpha = open("in/a.txt", NONE, READ)?.stat()?;
    same!((alpha.type_, alpha.size), (DescriptorType::RegularFile, 5));
    same!((alpha.link_count, sound(&alpha)), (1, true));
    same!(root().stat()?.type_, DescriptorType::Directory);
    let it = file("out/a", "text")?;
    same!(it.stat()?.size, 4);
    root().unlink_file_at("out/a")?;
    same!((it.stat()?.size, it.stat()?.link_count), (4, 0));
    Ok(())
}

fn stat_at() -> Check {
    let stat = |path: &str| root().stat_at(NO_FOLLOW, path);
    same!((stat("in/a.txt")?.type_, stat("in/a.txt")?.size), (DescriptorType::RegularFile, 5));
    same!(stat("in/")?.type_, DescriptorType::Directory);
    same!(stat(".")?.type_, DescriptorType::Directory);
    same!(stat("in/./deep//../a.txt")?.size, 5);
    let long = "x".repeat(256);
    for (path, wanted) in [
        ("", ErrorCode::NoEntry),
        ("..", ErrorCode::NotPermitted),
        ("in/../..", ErrorCode::NotPermitted),
        ("/", ErrorCode::NotPermitted),
        ("/in/a.txt", ErrorCode::NotPermitted),
        ("in/none", ErrorCode::NoEntry),
        ("in/none/deeper", ErrorCode::NoEntry),
        ("in/a.txt/", ErrorCode::NotDirectory),
        ("in/a.txt/.", ErrorCode::NotDirectory),
        ("in/a.txt/b", ErrorCode::NotDirectory),
        ("in/a.txt\0", ErrorCode::Invalid),
        (&*long, ErrorCode::NameTooLong),
        ("secret/key.txt", ErrorCode::Access),
    ] {
        same!((path, stat(path).err()), (path, Some(wanted)));
    }
    let alpha = open("in/a.txt", NONE, READ)?;
    same!(alpha.stat_at(NO_FOLLOW, "a.txt").err(), Some(ErrorCode::NotDirectory));
    same!(alpha.stat_at(NO_FOLLOW, ".").err(), Some(ErrorCode::NotDirectory));
    Ok(())
}

fn is_same_object() -> Check {
    let (alpha, beta) = (open("in/a.txt", NONE, READ)?, open("in/b.txt", NONE, READ)?);
    let again = open("in/deep/../a.txt", NONE, READ)?;
    same!(alpha.is_same_object(&again), true);
    same!(alpha.is_same_object(&beta), false);
    same!(root().is_same_object(&open(".", NONE, READ)?), true);
    same!(root().is_same_object(&alpha), false);
    let it = file("out/a", "text")?;
    root().rename_at("out/a", &root(), "out/b")?;
    same!(it.is_same_object(&open("out/b", NONE, READ)?), true);
    root().unlink_file_at("out/b")?;
    same!(it.is_same_object(&file("out/b", "text")?), false);
    Ok(())
}

fn metadata_hash() -> Check {
    let hash = |it: &Descriptor| it.metadata_hash().map(|hash| (hash.lower, hash.upper));
    let (alpha, beta) = (open("in/a.txt", NONE, READ)?, open("in/b.txt", NONE, READ)?);
    same!(hash(&alpha)?, hash(&open("in/a.txt", NONE, READ)?)?);
    same!(hash(&alpha)? == hash(&beta)?, false);
    let it = file("out/a", "text")?;
    let before = hash(&it)?;
    same!(hash(&it)?, before);
    it.set_size(3)?;
    same!(hash(&it)? == before, false);
    hash(&folder("out/f")?)?;
    Ok(())
}

fn metadata_hash_at() -> Check {
    let hash = |path: &str| root().metadata_hash_at(NO_FOLLOW, path);
    let alpha = open("in/a.txt", NONE, READ)?.metadata_hash()?;
    same!((hash("in/a.txt")?.lower, hash("in/a.txt")?.upper), (alpha.lower, alpha.upper));
    for (path, wanted) in [
        ("", ErrorCode::NoEntry),
        ("/", ErrorCode::NotPermitted),
        ("/in/a.txt", ErrorCode::NotPermitted),
        ("..", ErrorCode::NotPermitted),
        ("in/none", ErrorCode::NoEntry),
        ("in/a.txt/", ErrorCode::NotDirectory),
    ] {
        same!((path, hash(path).err()), (path, Some(wanted)));
    }
    Ok(())
}

fn error_code() -> Check {
    let stream = open("in/a.txt", NONE, READ)?.read_via_stream(u64::MAX)?;
    let Err(StreamError::LastOperationFailed(error)) = stream.read(1) else {
        return Err(super::Wrong("it was read".to_owned()));
    };
    same!(filesystem_error_code(&error), Some(ErrorCode::Invalid));
    same!(error.to_debug_string().is_empty(), false);
    Ok(())
}
