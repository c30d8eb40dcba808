//! What is in a file: reading, writing, sizes, times.

use wasip2::filesystem::types::{Advice, Datetime, DescriptorStat, ErrorCode, NewTimestamp};

use super::{Check, NO_FOLLOW, NONE, READ, WRITE, file, folder, open, same, text};
use crate::files::root;

pub fn check(function: &str) -> Option<fn() -> Check> {
    Some(match function {
        "filesystem/types descriptor.read" => read,
        "filesystem/types descriptor.write" => write,
        "filesystem/types descriptor.set-size" => set_size,
        "filesystem/types descriptor.set-times" => set_times,
        "filesystem/types descriptor.set-times-at" => set_times_at,
        "filesystem/types descriptor.advise" => advise,
        "filesystem/types descriptor.sync" => sync,
        "filesystem/types descriptor.sync-data" => sync_data,
        _ => return None,
    })
}

fn read() -> Check {
    let alpha = open("in/a.txt", NONE, READ)?;
    same!(alpha.read(3, 0)?, (b"alp".to_vec(), false));
    same!(alpha.read(3, 2)?, (b"pha".to_vec(), true));
    same!(alpha.read(100, 0)?, (b"alpha".to_vec(), true));
    same!(alpha.read(0, 0)?.0, b"");
    same!(alpha.read(1, 5)?, (Vec::new(), true));
    same!(alpha.read(1, 17)?, (Vec::new(), true));
    same!(alpha.read(1, u64::MAX).err(), Some(ErrorCode::Invalid));
    same!(open("out/w", super::CREATE, WRITE)?.read(1, 0).err(), Some(ErrorCode::BadDescriptor));
    same!(open("in", NONE, READ)?.read(1, 0).err(), Some(ErrorCode::IsDirectory));
    Ok(())
}

fn write() -> Check {
    let it = file("out/a", "hello!")?;
    same!(it.write(b"byeee", 0)?, 5);
    same!(text(&it)?, "byeee!");
    same!(it.write(b"x", 8)?, 1);
    same!(text(&it)?, "byeee!\0\0x");
    same!(it.write(b"", 100)?, 0);
    same!(it.stat()?.size, 9);
    same!(it.write(b"x", u64::MAX).err(), Some(ErrorCode::FileTooLarge));
    same!(it.stat()?.size, 9);
    same!(open("in/a.txt", NONE, READ)?.write(b"x", 0).err(), Some(ErrorCode::BadDescriptor));
    same!(folder("out/f")?.write(b"x", 0).err(), Some(ErrorCode::IsDirectory));
    Ok(())
}

fn set_size() -> Check {
    let it = file("out/a", "text")?;
    let other = open("out/a", NONE, READ)?;
    it.set_size(6)?;
    same!(text(&other)?, "text\0\0");
    it.set_size(2)?;
    same!((text(&other)?, other.stat()?.size), ("te".to_owned(), 2));
    same!(other.set_size(100).err(), Some(ErrorCode::BadDescriptor));
    same!(it.set_size(u64::MAX).err(), Some(ErrorCode::FileTooLarge));
    root().unlink_file_at("out/a")?;
    it.set_size(42)?;
    same!(other.stat()?.size, 42);
    same!(folder("out/f")?.set_size(1).err(), Some(ErrorCode::IsDirectory));
    Ok(())
}

const AT: [Datetime; 2] =
    [Datetime { seconds: 42, nanoseconds: 1 }, Datetime { seconds: 69, nanoseconds: 999_999_999 }];
const NEVER: Datetime = Datetime { seconds: 1, nanoseconds: 1_000_000_000 };

fn times(stat: &DescriptorStat) -> Vec<(u64, u32)> {
    let times = [stat.data_access_timestamp, stat.data_modification_timestamp];
    times.into_iter().flatten().map(|at| (at.seconds, at.nanoseconds)).collect()
}

fn set_times() -> Check {
    let it = file("out/a", "text")?;
    let [accessed, modified] = AT.map(NewTimestamp::Timestamp);
    it.set_times(accessed, modified)?;
    same!(times(&it.stat()?), [(42, 1), (69, 999_999_999)]);
    it.set_times(NewTimestamp::NoChange, NewTimestamp::NoChange)?;
    same!(times(&it.stat()?), [(42, 1), (69, 999_999_999)]);
    it.set_times(NewTimestamp::NoChange, NewTimestamp::Now)?;
    same!(times(&it.stat()?)[0], (42, 1));
    same!(times(&it.stat()?)[1].0 > 1_000_000_000, true);
    let never = NewTimestamp::Timestamp(NEVER);
    same!(it.set_times(never, NewTimestamp::Now).err(), Some(ErrorCode::Invalid));
    folder("out/f")?.set_times(accessed, modified)?;
    Ok(())
}

fn set_times_at() -> Check {
    let set = |path: &str| {
        let [accessed, modified] = AT.map(NewTimestamp::Timestamp);
        root().set_times_at(NO_FOLLOW, path, accessed, modified)
    };
    let it = file("out/a", "text")?;
    set("out/a")?;
    same!(times(&it.stat()?), [(42, 1), (69, 999_999_999)]);
    same!(set("out/none").err(), Some(ErrorCode::NoEntry));
    same!(set("out/a/").err(), Some(ErrorCode::NotDirectory));
    same!(set("").err(), Some(ErrorCode::NoEntry));
    same!(set("/").err(), Some(ErrorCode::NotPermitted));
    same!(set("..").err(), Some(ErrorCode::NotPermitted));
    same!(set("../out/a").err(), Some(ErrorCode::NotPermitted));
    Ok(())
}

fn advise() -> Check {
    let it = open("in/a.txt", NONE, READ)?;
    let all = [
        Advice::Normal,
        Advice::Sequential,
        Advice::Random,
        Advice::WillNeed,
        Advice::DontNeed,
        Advice::NoReuse,
    ];
    for advice in all {
        for (offset, length) in [(0, 0), (0, 5), (5, 1), (4096, 4096), (u64::MAX, u64::MAX)] {
            it.advise(offset, length, advice)?;
        }
    }
    same!(text(&it)?, "alpha");
    same!(root().advise(0, 0, Advice::Normal).err(), Some(ErrorCode::BadDescriptor));
    Ok(())
}

fn sync() -> Check {
    let it = file("out/a", "text")?;
    it.sync()?;
    same!(text(&open("out/a", NONE, READ)?)?, "text");
    open("in/a.txt", NONE, READ)?.sync()?;
    Ok(root().sync()?)
}

fn sync_data() -> Check {
    let it = file("out/a", "text")?;
    it.sync_data()?;
    same!(text(&open("out/a", NONE, READ)?)?, "text");
    open("in/a.txt", NONE, READ)?.sync_data()?;
    Ok(root().sync_data()?)
}
