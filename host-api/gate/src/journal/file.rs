//! A journal in a file of its own: local runs.
#![expect(
    clippy::disallowed_methods,
    reason = "the one file of this crate that writes to the disk"
)]

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use crate::journal::{JournalWriter, Writing};
use crate::stop::Fault;

/// A journal file.
#[derive(Debug)]
pub struct InFile {
    file: Arc<File>,
    pending: Vec<u8>,
}

impl InFile {
    /// A new file at `path`, which must not exist.
    pub fn create(path: &Path) -> Result<Self, Fault> {
        let file = OpenOptions::new().append(true).create_new(true).open(path);
        Self::of(file.map_err(|why| failed(path, &why))?)
    }

    /// Goes on with the file at `path`, and returns what it holds: whole lines only. A line that a
    /// crash cut in two was never acknowledged, and is cut off.
    pub fn resume(path: &Path) -> Result<(Self, Vec<u8>), Fault> {
        let failed = |why| failed(path, &why);
        let mut file = OpenOptions::new().read(true).append(true).open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        if whole < bytes.len() {
            bytes.truncate(whole);
            file.set_len(u64::try_from(whole).unwrap_or(u64::MAX)).map_err(failed)?;
        }
        Ok((Self::of(file)?, bytes))
    }

    fn of(file: File) -> Result<Self, Fault> {
        Ok(Self { file: Arc::new(file), pending: Vec::new() })
    }
}

impl JournalWriter for InFile {
    fn write(&mut self, line: &[u8]) -> Result<(), Fault> {
        self.pending.extend_from_slice(line);
        Ok(())
    }

    fn pending(&self) -> usize {
        self.pending.len()
    }

    fn flush(&mut self, durable: bool) -> Writing<'_> {
        if self.pending.is_empty() && !durable {
            return Box::pin(std::future::ready(Ok(())));
        }
        let (file, pending) = (Arc::clone(&self.file), std::mem::take(&mut self.pending));
        Box::pin(async move {
            let write = move || {
                let mut to = &*file;
                to.write_all(&pending)?;
                if durable { file.sync_data() } else { Ok(()) }
            };
            let written = tokio::task::spawn_blocking(write).await;
            let written = written.map_err(|why| Fault::Journal(why.to_string()))?;
            written.map_err(|why| Fault::Journal(why.to_string()))
        })
    }
}

/// What was written survives a run that is dropped half-way: it goes on from there.
impl Drop for InFile {
    fn drop(&mut self) {
        let _ = (&*self.file).write_all(&self.pending);
    }
}

fn failed(path: &Path, why: &std::io::Error) -> Fault {
    Fault::Journal(format!("`{}`: {why}", path.display()))
}
