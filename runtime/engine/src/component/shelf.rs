//! A folder of compiled components.
//!
//! An entry is a file: a line that says what it is, a code that proves it, the machine code. It is
//! written beside its place and then renamed, so that whoever reads sees all of it or nothing, and
//! two who write the same do not disturb each other. It is not forced to the disk: what a loss of
//! power leaves half-written fails its proof, and is compiled again.

use std::io::{self, Read as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::fs::{Dir, Metadata, OpenOptions};
use envelope_evidence::Digest;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What a folder may hold: some hundred interpreters, or ten thousand small agents.
pub const SHELF_BYTES_MAX: u64 = 8 << 30;

/// The longest entry that is read. Machine code is a few times as long as what it is made of.
const ENTRY_BYTES_MAX: u64 = 1 << 30;

/// How an entry begins. Another form of entry begins otherwise.
const MAGIC: &[u8] = b"envelope component 1\n";

const CODE_BYTES: usize = 32;
const ENDING: &str = ".compiled";

/// The secret that proves an entry to be our own. It lies elsewhere than the entries.
#[derive(Clone)]
pub struct CacheKey(Zeroizing<[u8; 32]>);

impl CacheKey {
    /// A key of random bytes.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(Zeroizing::new(secret))
    }
}

/// A folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoShelf {
    /// Others can look into it or write to it, and that cannot be changed.
    #[error("the folder of compiled components is open to others: `chmod 700` it")]
    Open,
    /// It cannot be read.
    #[error("the folder of compiled components cannot be used: {0}")]
    Io(#[from] io::Error),
}

/// What an entry is for: these bytes, on this engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) component: Digest,
    pub(super) engine: Digest,
}

impl Subject {
    fn file(&self) -> String {
        let engine = self.engine.hex();
        format!("{}-{}{ENDING}", self.component.hex(), engine.get(..16).unwrap_or(&engine))
    }
}

/// Machine code that is proven to be our own. Only this file makes one.
pub(super) struct Proven {
    file: Vec<u8>,
}

impl Proven {
    /// The machine code.
    pub(super) fn bytes(&self) -> &[u8] {
        self.file.get(MAGIC.len() + CODE_BYTES..).unwrap_or_default()
    }
}

/// What stood in an entry's place.
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// Something else than what was put there.
    Damaged,
    /// What was put there.
    Proven(Proven),
}

/// The folder.
pub(super) struct Shelf {
    folder: Dir,
    key: CacheKey,
    max: u64,
}

impl Shelf {
    /// Uses `folder`, and closes it to others.
    pub(super) fn open(folder: Dir, key: CacheKey) -> Result<Self, NoShelf> {
        close_to_others(&folder)?;
        Ok(Self { folder, key, max: SHELF_BYTES_MAX })
    }

    /// Reads the entry of `subject`. A folder that cannot be read has nothing.
    pub(super) fn find(&self, subject: &Subject) -> Found {
        match self.read(subject) {
            Ok(file) => self.prove(subject, file),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Found::Nothing,
            Err(_) => Found::Damaged,
        }
    }

    fn read(&self, subject: &Subject) -> io::Result<Vec<u8>> {
        // Opening a pipe would wait for whoever writes to it.
        if !self.folder.symlink_metadata(subject.file())?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let file = self.folder.open(subject.file())?;
        let length = file.metadata()?.len();
        if length > ENTRY_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.take(ENTRY_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn prove(&self, subject: &Subject, file: Vec<u8>) -> Found {
        let rest = file.strip_prefix(MAGIC);
        let Some((code, machine_code)) = rest.and_then(|rest| rest.split_at_checked(CODE_BYTES))
        else {
            return Found::Damaged;
        };
        match self.code(subject, machine_code).verify_slice(code) {
            Ok(()) => Found::Proven(Proven { file }),
            Err(_) => Found::Damaged,
        }
    }

    /// Puts an entry into its place.
    pub(super) fn put(&self, subject: &Subject, machine_code: &[u8]) -> io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let beside = format!("{}-{number}.part", std::process::id());
        let code = self.code(subject, machine_code).finalize().into_bytes();
        let written = self.write(&beside, &[MAGIC, &code, machine_code]);
        let placed = written.and_then(|()| {
            self.folder.rename(&beside, &self.folder, subject.file())?;
            self.trim(&subject.file())
        });
        placed.inspect_err(|_| drop(self.folder.remove_file(&beside)))
    }

    fn write(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        // A process of the same number may have left one behind.
        let _ = self.folder.remove_file(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = self.folder.open_with(name, &options)?;
        parts.iter().try_for_each(|part| file.write_all(part))
    }

    /// Removes the oldest entries until the rest is small enough, but not `kept`.
    fn trim(&self, kept: &str) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in self.folder.entries()? {
            let entry = entry?;
            // Somebody else may have removed it meanwhile.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_file() {
                files.push((metadata.modified().ok(), metadata.len(), entry.file_name()));
            }
        }
        files.sort();
        let mut sum: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, name) in files {
            if sum <= self.max {
                break;
            }
            if name != kept {
                let _ = self.folder.remove_file(&name);
                sum = sum.saturating_sub(length);
            }
        }
        Ok(())
    }

    fn code(&self, subject: &Subject, machine_code: &[u8]) -> Hmac<Sha256> {
        hmac(&self.key.0)
            .chain_update(MAGIC)
            .chain_update(subject.component.as_bytes())
            .chain_update(subject.engine.as_bytes())
            .chain_update(machine_code)
    }
}

fn hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    // A key shorter than a block is filled up with zeros: that is how HMAC has it.
    let mut block = Zeroizing::new([0; 64]);
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    Hmac::new((&*block).into())
}

#[cfg(unix)]
fn close_to_others(folder: &Dir) -> Result<(), NoShelf> {
    use cap_std::fs::{Permissions, PermissionsExt as _};
    let others = |metadata: &Metadata| metadata.permissions().mode() & 0o077 != 0;
    if others(&folder.dir_metadata()?) {
        let closed = folder.set_permissions(".", Permissions::from_mode(0o700));
        closed.map_err(|_| NoShelf::Open)?;
    }
    if others(&folder.dir_metadata()?) { Err(NoShelf::Open) } else { Ok(()) }
}

#[cfg(not(unix))]
fn close_to_others(_: &Dir) -> Result<(), NoShelf> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use cap_std::ambient_authority;

    use super::*;

    /// A shelf in a folder of its own.
    fn shelf() -> Shelf {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = format!("envelope-shelf-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(path);
        Dir::create_ambient_dir_all(&path, ambient_authority()).unwrap();
        let folder = Dir::open_ambient_dir(&path, ambient_authority()).unwrap();
        Shelf::open(folder, CacheKey::new([7; 32])).unwrap()
    }

    fn remove(shelf: Shelf) {
        shelf.folder.remove_open_dir_all().unwrap();
    }

    fn subject(component: &str, engine: &str) -> Subject {
        let digest = |text: &str| Digest::of(text.as_bytes());
        Subject { component: digest(component), engine: digest(engine) }
    }

    #[test]
    fn an_entry_is_for_one_engine() {
        let shelf = shelf();
        let (here, there) = (subject("a", "this engine"), subject("a", "that engine"));
        shelf.put(&here, b"machine code").unwrap();
        let Found::Proven(code) = shelf.find(&here) else { panic!("it was put there") };
        assert_eq!(code.bytes(), b"machine code");
        assert!(matches!(shelf.find(&there), Found::Nothing));
        // Also when somebody gives it the other's name.
        shelf.folder.copy(here.file(), &shelf.folder, there.file()).unwrap();
        assert!(matches!(shelf.find(&there), Found::Damaged));
        remove(shelf);
    }

    #[test]
    fn the_oldest_entries_make_room() {
        let mut shelf = shelf();
        let entry = u64::try_from(MAGIC.len() + CODE_BYTES + 4).unwrap();
        shelf.max = 2 * entry;
        let subjects = ["a", "b", "c"].map(|name| subject(name, "engine"));
        for (minute, subject) in (0..).zip(&subjects) {
            shelf.put(subject, b"code").unwrap();
            set_written(&shelf, subject, minute);
        }
        shelf.put(&subjects[2], b"code").unwrap();
        let there = |subject: &Subject| matches!(shelf.find(subject), Found::Proven(_));
        assert_eq!(subjects.each_ref().map(there), [false, true, true]);
        // One that is too large by itself is kept all the same: somebody waits for it.
        shelf.put(&subjects[0], &[0; 1000]).unwrap();
        let there = |subject: &Subject| matches!(shelf.find(subject), Found::Proven(_));
        assert_eq!(subjects.each_ref().map(there), [true, false, false]);
        remove(shelf);
    }

    /// Makes an entry older than now, and older the smaller its minute.
    fn set_written(shelf: &Shelf, subject: &Subject, minute: u64) {
        use std::time::{Duration, SystemTime};
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(60 * minute);
        let file = shelf.folder.open(subject.file()).unwrap().into_std();
        file.set_modified(at).unwrap();
    }
}
