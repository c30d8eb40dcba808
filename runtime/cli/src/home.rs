//! The keys of this machine: made on first use, readable by their owner alone.
#![expect(clippy::disallowed_methods, reason = "local keys lie in the home of whoever runs this")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use envelope_engine::component::CacheKey;
use envelope_engine::local::Keys;
use envelope_evidence::key::{ForLogs, ForReceipts, SigningKey};
use envelope_store::vault::MasterKeys;
use zeroize::Zeroizing;

/// Bytes that are read of a key: one more than it has, to know a longer file for what it is.
const KEY_READ_MAX: u64 = 33;

/// The receipt key and what signs grants.
pub(crate) struct LocalKeys {
    pub(crate) receipts: Arc<SigningKey<ForReceipts>>,
    pub(crate) grants: Keys,
}

/// Keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoKeys {
    #[error("there is no home folder: set `ENVELOPE_HOME`")]
    Home,
    #[error("`{path}`: {why}", path = path.display())]
    Io { path: PathBuf, why: std::io::Error },
    #[error("`{path}` can be read by others: `chmod 600` it, or remove it", path = path.display())]
    Open { path: PathBuf },
    #[error("`{path}` is no key of 32 bytes: remove it for a new one", path = path.display())]
    Shape { path: PathBuf },
    #[error("the system gives no random bytes: {0}")]
    Chance(getrandom::Error),
}

impl LocalKeys {
    /// The keys, made if there are none.
    pub(crate) fn load() -> Result<Self, NoKeys> {
        let folder = made(home()?.join("keys"))?;
        let receipts = key(&folder.join("receipts.key"))?;
        let grants = key(&folder.join("grants.key"))?;
        let receipts = Arc::new(SigningKey::from_secret(&receipts));
        Ok(Self { receipts, grants: Keys { grants } })
    }
}

/// The key that signs the audit log.
pub(crate) fn log_key() -> Result<SigningKey<ForLogs>, NoKeys> {
    let key = key(&made(home()?.join("keys"))?.join("log.key"))?;
    Ok(SigningKey::from_secret(&key))
}

/// A new master key, with every older one beside it, and the files of those. The older one is set
/// aside first: a crash in between leaves no master key, and the next who asks makes it.
pub(crate) fn new_master() -> Result<(MasterKeys, Vec<PathBuf>), NoKeys> {
    let folder = made(home()?.join("keys"))?;
    let path = folder.join("master.key");
    let failed = |why| NoKeys::Io { path: path.clone(), why };
    // Two who rotate at once would set the one's new key aside in the place of the old one.
    let turn = fs::File::create(folder.join("master.lock")).map_err(failed)?;
    turn.lock().map_err(failed)?;
    if path.exists() {
        let name = MasterKeys::new(key(&path)?, []).current().to_owned();
        fs::rename(&path, folder.join(format!("master-{name}.key"))).map_err(failed)?;
    }
    let keys = master_keys()?;
    // The names last when their folder does: nothing may be sealed under a key that could go.
    fs::File::open(&folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(keys)
}

/// The master key and older ones.
pub(crate) fn masters() -> Result<MasterKeys, NoKeys> {
    master_keys().map(|(keys, _)| keys)
}

/// The master key, made if there is none, and older ones.
pub(crate) fn master_keys() -> Result<(MasterKeys, Vec<PathBuf>), NoKeys> {
    let folder = made(home()?.join("keys"))?;
    let failed = |why| NoKeys::Io { path: folder.clone(), why };
    let mut older = Vec::new();
    for file in fs::read_dir(&folder).map_err(failed)? {
        let path = file.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("master-") && name.ends_with(".key") {
            older.push(path);
        }
    }
    older.sort();
    let keys = older.iter().map(|path| key(path)).collect::<Result<Vec<_>, _>>()?;
    Ok((MasterKeys::new(key(&folder.join("master.key"))?, keys), older))
}

/// The folder of this program's own, made if there is none.
pub(crate) fn made_home() -> Result<PathBuf, NoKeys> {
    made(home()?)
}

/// Where this program keeps what is its own.
pub(crate) fn home() -> Result<PathBuf, NoKeys> {
    let named = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    named("ENVELOPE_HOME")
        .or_else(|| named("XDG_DATA_HOME").map(|data| data.join("envelope")))
        .or_else(|| named("HOME").map(|home| home.join(".local/share/envelope")))
        .ok_or(NoKeys::Home)
}

/// What is kept in `folder` of a run. Its name comes from a file: nothing but a plain name becomes
/// a path.
pub(crate) fn file_of(folder: &str, run: &str) -> Option<PathBuf> {
    let plain = run.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let home = home().ok().filter(|_| plain)?;
    Some(home.join(folder).join(format!("{run}.json")))
}

/// Where compiled components are kept, and the key that proves them to be our own. Who can write to
/// the one folder cannot read the other.
pub(crate) fn compiled() -> Result<(Dir, CacheKey), NoKeys> {
    let home = home()?;
    let key = key(&made(home.join("keys"))?.join("compiled.key"))?;
    let path = made(home.join("compiled"))?;
    let folder = Dir::open_ambient_dir(&path, ambient_authority());
    Ok((folder.map_err(|why| NoKeys::Io { path, why })?, CacheKey::new(*key)))
}

/// A folder for its owner alone.
fn made(path: PathBuf) -> Result<PathBuf, NoKeys> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
    made.map_err(|why| NoKeys::Io { path: path.clone(), why })?;
    Ok(path)
}

/// The key at `path`. The first who asks makes it; of two at once, one, and both have the same.
fn key(path: &Path) -> Result<Zeroizing<[u8; 32]>, NoKeys> {
    let failed = |why| NoKeys::Io { path: path.to_owned(), why };
    let there = fs::metadata(path).is_ok_and(|about| about.len() > 0);
    let mut options = fs::OpenOptions::new();
    options.read(true).write(!there).create(!there).mode(0o600);
    let mut file = options.open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(NoKeys::Open { path: path.to_owned() });
    }
    // Whoever is making it holds it until all of it is written.
    file.lock().map_err(failed)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(64));
    (&file).take(KEY_READ_MAX).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.is_empty() && !there {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret).map_err(NoKeys::Chance)?;
        file.write_all(&*secret).and_then(|()| file.sync_all()).map_err(failed)?;
        return Ok(secret);
    }
    let secret = <[u8; 32]>::try_from(bytes.as_slice());
    secret.map(Zeroizing::new).map_err(|_| NoKeys::Shape { path: path.to_owned() })
}
