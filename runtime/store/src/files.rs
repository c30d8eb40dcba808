//! Files of a folder that was handed in, each whole or not there at all.

use std::io::{self, Read as _, Write as _};

use cap_std::fs::Dir;

/// Writes a file whole or not at all, with the folders above it, and so that a power cut keeps it.
pub(crate) fn write(folder: &Dir, path: &str, bytes: &[u8]) -> io::Result<()> {
    let above = path.rsplit_once('/').map_or(".", |(above, _)| above);
    folder.create_dir_all(above)?;
    // Of two who write one file, each writes one of its own, and the last name counts.
    let mut chance = [0; 8];
    getrandom::fill(&mut chance).map_err(io::Error::other)?;
    let new = format!("{path}.{:016x}.new", u64::from_be_bytes(chance));
    let mut file = folder.create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    folder.rename(&new, folder, path)?;
    // The new name lasts when its folder does.
    folder.open(above)?.sync_all()
}

/// Reads a file of at most `max` bytes.
pub(crate) fn read(folder: &Dir, path: &str, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    folder.open(path)?.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max {
        return Err(io::Error::other(format!("larger than {max} bytes")));
    }
    Ok(bytes)
}
