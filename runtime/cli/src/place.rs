//! Where the outputs of a run that has not ended go. This is kept at home, not in the run's folder:
//! a folder is shown to strangers, and one from a stranger must not say where to write.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::answer::Trouble;
use crate::desk;
use crate::disk::{self, Existing};
use crate::home::file_of;

/// The places of one run.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The run's own folder.
    folder: PathBuf,
    /// The folder that its outputs go to.
    pub(crate) dir: Option<PathBuf>,
}

impl Place {
    /// The places of a run that lies in `folder`.
    pub(crate) fn of(folder: &Path, dir: Option<&Path>) -> Result<Self, Trouble> {
        let real = |path| disk::real(path).map_err(|why| Trouble::usage(why, "give a folder"));
        Ok(Self { folder: real(folder)?, dir: dir.map(real).transpose()? })
    }

    /// Keeps them until the run has ended.
    pub(crate) fn remember(&self, run: &str) -> Result<(), Trouble> {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        let failed = |why: String| Trouble::failed(why, "see `ENVELOPE_HOME`");
        let path = file(run).ok_or_else(|| failed("there is no home folder".to_owned()))?;
        disk::write(&path, &bytes, Existing::Replace).map_err(|why| failed(why.to_string()))
    }

    /// Where the outputs of `run` go, if this machine began it and it still lies in `folder`.
    pub(crate) fn recall(run: &str, folder: &Path) -> Option<Self> {
        let bytes = disk::read(&file(run)?).ok()?;
        let place = serde_json::from_slice::<Self>(&bytes).ok()?;
        (place.folder == disk::real(folder).ok()?).then_some(place)
    }
}

/// Forgets the places of a run that has ended.
pub(crate) fn forget(run: &str) {
    if let Some(path) = file(run) {
        disk::remove(&path);
    }
    desk::forget(run);
}

fn file(run: &str) -> Option<PathBuf> {
    file_of("places", run)
}
