//! `wasi:filesystem`: one workspace, every operation judged anew.
//!
//! Paths are resolved by their text, which is exact because a workspace holds no links, and what
//! was judged is what is opened. A refusal is `access` (or `quota`, when it is the budget's);
//! `not-permitted` is what no grant can allow: leaving the workspace, and links.

mod descriptor;
mod folder;
mod links;
mod stat;

use envelope_rules::Path;
use wasmtime::component::Resource;
use wasmtime_wasi_io::streams::Error;

use crate::airlock::Airlock;
use crate::bindings::wasi::filesystem::{preopens, types};
use crate::wasi::files::{Done, denial_code};
use crate::wasi::streams::Broken;
use crate::workspace::{FsError, NodeId, Resolved, resolve};

pub use folder::Listing;

/// An open file or folder.
#[derive(Debug, Clone)]
pub struct Descriptor {
    pub(crate) node: NodeId,
    pub(crate) path: Path,
    pub(crate) folder: bool,
    pub(crate) flags: types::DescriptorFlags,
}

impl preopens::Host for Airlock {
    async fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        self.gate.charge(crate::cost::PASSAGE);
        let node = self.gate.inside().workspace.root();
        let flags = types::DescriptorFlags::READ | types::DescriptorFlags::MUTATE_DIRECTORY;
        let root = Descriptor { node, path: Path::root(), folder: true, flags };
        Ok(vec![(self.hand_out(root)?, "/".to_owned())])
    }
}

impl types::Host for Airlock {
    async fn filesystem_error_code(
        &mut self,
        error: Resource<Error>,
    ) -> wasmtime::Result<Option<types::ErrorCode>> {
        Ok(match self.table.get(&error)?.downcast_ref::<Broken>() {
            Some(Broken::Denied(denial)) => Some(denial_code(denial)),
            Some(Broken::Fs(error)) => Some(error_code(*error)),
            Some(Broken::Net(_)) | None => None,
        })
    }
}

impl Airlock {
    pub(crate) fn hand_out(
        &mut self,
        descriptor: Descriptor,
    ) -> wasmtime::Result<Resource<Descriptor>> {
        self.gate.inside().workspace.retain(descriptor.node)?;
        Ok(self.table.push(descriptor)?)
    }

    /// What the handle stands for, by the path at which it is now: a rename moves what is open, and
    /// what is judged is where it is. What was removed keeps its last name.
    fn descriptor(&mut self, handle: &Resource<Descriptor>) -> Done<Descriptor> {
        let mut descriptor = self.table.get(handle).cloned()?;
        if let Some(path) = self.gate.inside().workspace.path(descriptor.node) {
            descriptor.path = path;
        }
        Ok(descriptor)
    }

    fn file(&mut self, handle: &Resource<Descriptor>) -> Done<Descriptor> {
        let descriptor = self.descriptor(handle)?;
        if descriptor.folder { Err(FsError::IsDirectory.into()) } else { Ok(descriptor) }
    }

    fn folder(&mut self, handle: &Resource<Descriptor>) -> Done<Descriptor> {
        let descriptor = self.descriptor(handle)?;
        if descriptor.folder { Ok(descriptor) } else { Err(FsError::NotDirectory.into()) }
    }

    /// The path that `text` names from the folder `handle` on.
    fn resolve(&mut self, handle: &Resource<Descriptor>, text: &str) -> Done<Resolved> {
        let folder = self.folder(handle)?;
        let at = resolve(&folder.path, text)?;
        self.check_through(&at)?;
        Ok(at)
    }

    /// `a/../b` goes through `a`, which has to be a folder. One that the grant does not show is as
    /// good as none, so that nothing is learned of it.
    fn check_through(&mut self, at: &Resolved) -> Done<()> {
        for path in &at.through {
            let claims = self.gate.claims();
            if !claims.is_some_and(|claims| claims.shows(path)) {
                return Err(FsError::NoEntry.into());
            }
            self.gate.inside().workspace.folder(path)?;
        }
        Ok(())
    }
}

/// The code of the standard for what the workspace says.
pub(crate) fn error_code(error: FsError) -> types::ErrorCode {
    match error {
        FsError::BadDescriptor => types::ErrorCode::BadDescriptor,
        FsError::Busy => types::ErrorCode::Busy,
        FsError::Exist => types::ErrorCode::Exist,
        FsError::FileTooLarge => types::ErrorCode::FileTooLarge,
        FsError::IllegalByteSequence(_) => types::ErrorCode::IllegalByteSequence,
        FsError::Invalid => types::ErrorCode::Invalid,
        FsError::Io => types::ErrorCode::Io,
        FsError::IsDirectory => types::ErrorCode::IsDirectory,
        FsError::NameTooLong => types::ErrorCode::NameTooLong,
        FsError::NoEntry => types::ErrorCode::NoEntry,
        FsError::NotDirectory => types::ErrorCode::NotDirectory,
        FsError::NotEmpty => types::ErrorCode::NotEmpty,
        FsError::NotPermitted => types::ErrorCode::NotPermitted,
        FsError::Quota => types::ErrorCode::Quota,
    }
}
