//! What is in a file, and its times.

use bytes::Bytes;
use envelope_evidence::{Digest, Timestamp};

use super::content::{Content, to_u64};
use super::error::FsError;
use super::quota::Used;
use super::stat::Moment;
use super::tree::{Body, NodeId, Workspace};

impl Workspace {
    /// The blob to [supply](Workspace::supply) before the node's bytes are read or written.
    pub fn needs(&self, id: NodeId) -> Option<Digest> {
        match &self.nodes.get(&id)?.body {
            Body::File(content) => content.needs(),
            Body::Folder(_) => None,
        }
    }

    /// Hands over the blob that a node needs. [`Blobs::get`](super::Blobs::get) checked its digest.
    pub fn supply(&mut self, id: NodeId, bytes: Bytes) -> Result<(), FsError> {
        let supplied = self.node_mut(id)?.file_mut()?.supply(bytes);
        if supplied { Ok(()) } else { Err(FsError::Io) }
    }

    /// Up to `len` bytes from `offset` on: fewer where the file ends, none after it. Where nobody
    /// wrote, nothing is copied.
    pub fn read(&self, id: NodeId, offset: u64, len: u64) -> Result<Bytes, FsError> {
        Ok(self.loaded(id)?.read(offset, len))
    }

    /// Puts `data` at `offset`, all of it or nothing. Between the end of the file and there come
    /// zeros, which count like all other bytes.
    pub fn write(
        &mut self,
        id: NodeId,
        offset: u64,
        data: &[u8],
        now: Timestamp,
    ) -> Result<(), FsError> {
        let size = self.loaded(id)?.size();
        if data.is_empty() {
            return Ok(());
        }
        let end = offset.checked_add(to_u64(data.len())).ok_or(FsError::FileTooLarge)?;
        self.own(id, size.max(end))?;
        let node = self.node_mut(id)?;
        node.file_mut()?.write(offset, data);
        node.times.modify(now.into());
        Ok(())
    }

    /// Puts `data` at the end, and says where that was.
    pub fn append(&mut self, id: NodeId, data: &[u8], now: Timestamp) -> Result<u64, FsError> {
        let end = self.loaded(id)?.size();
        self.write(id, end, data, now)?;
        Ok(end)
    }

    /// Cuts a file, or lengthens it by zeros. To nothing it is cut without being loaded.
    pub fn set_size(&mut self, id: NodeId, size: u64, now: Timestamp) -> Result<(), FsError> {
        if size > 0 {
            self.loaded(id)?;
        }
        self.node(id)?.file()?;
        self.own(id, size)?;
        let node = self.node_mut(id)?;
        node.file_mut()?.set_size(size);
        node.times.modify(now.into());
        Ok(())
    }

    /// Says when a file or folder was read and modified, where something is to be said.
    pub fn set_times(
        &mut self,
        id: NodeId,
        accessed: Option<Moment>,
        modified: Option<Moment>,
        now: Timestamp,
    ) -> Result<(), FsError> {
        let times = &mut self.node_mut(id)?.times;
        times.accessed = accessed.unwrap_or(times.accessed);
        times.modified = modified.unwrap_or(times.modified);
        if accessed.is_some() || modified.is_some() {
            times.changed = now.into();
        }
        Ok(())
    }

    fn loaded(&self, id: NodeId) -> Result<&Content, FsError> {
        let content = self.node(id)?.file()?;
        if content.needs().is_some() { Err(FsError::Io) } else { Ok(content) }
    }

    /// Makes a file that will have `size` bytes the run's own, if the quota allows.
    fn own(&mut self, id: NodeId, size: u64) -> Result<(), FsError> {
        let node = self.node(id)?;
        if size > self.quota.file_bytes && size > node.size() {
            return Err(FsError::FileTooLarge);
        }
        let come = Used { bytes: size, files: 1 };
        self.used = self.used.exchange(node.weight(), come, &self.quota)?;
        self.node_mut(id)?.own = true;
        Ok(())
    }
}
