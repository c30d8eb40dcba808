//! The keys of this machine: made on first use, readable by their owner alone.
#![expect(clippy::disallowed_methods, reason = "local keys lie in the home of whoever runs this")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use envelope_engine::local::Keys;
use envelope_evidence::key::{ForReceipts, SigningKey};
use zeroize::Zeroizing;

/// The receipt key and what signs grants.
pub(crate) struct LocalKeys {
    pub(crate) receipts: SigningKey<ForReceipts>,
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
        let folder = home()?.join("keys");
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|why| NoKeys::Io { path: folder.clone(), why })?;
        let receipts = key(&folder.join("receipts.key"))?;
        let grants = key(&folder.join("grants.key"))?;
        Ok(Self { receipts: SigningKey::from_secret(&receipts), grants: Keys { grants } })
    }
}

/// Where this program keeps what is its own.
pub(crate) fn home() -> Result<PathBuf, NoKeys> {
    let named = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    named("ENVELOPE_HOME")
        .or_else(|| named("XDG_DATA_HOME").map(|data| data.join("envelope")))
        .or_else(|| named("HOME").map(|home| home.join(".local/share/envelope")))
        .ok_or(NoKeys::Home)
}

fn key(path: &Path) -> Result<Zeroizing<[u8; 32]>, NoKeys> {
    let failed = |why| NoKeys::Io { path: path.to_owned(), why };
    let mut options = fs::OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let mut secret = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *secret).map_err(NoKeys::Chance)?;
            file.write_all(&*secret).and_then(|()| file.sync_all()).map_err(failed)?;
            return Ok(secret);
        }
        Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(why) => return Err(failed(why)),
    }
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(NoKeys::Open { path: path.to_owned() });
    }
    let bytes = Zeroizing::new(fs::read(path).map_err(failed)?);
    let secret = <[u8; 32]>::try_from(bytes.as_slice());
    secret.map(Zeroizing::new).map_err(|_| NoKeys::Shape { path: path.to_owned() })
}
