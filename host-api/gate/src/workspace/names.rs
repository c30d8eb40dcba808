//! Names come and go.

use std::collections::BTreeMap;

use envelope_evidence::Timestamp;
use envelope_rules::path::Path;

use super::content::Content;
use super::error::FsError;
use super::quota::Used;
use super::stat::Moment;
use super::tree::{Body, Node, NodeId, Workspace};

impl Workspace {
    /// Makes an empty file where nothing is.
    pub fn create(&mut self, path: &Path, now: Timestamp) -> Result<NodeId, FsError> {
        self.make(path, Body::File(Content::default()), now)
    }

    /// Makes an empty folder where nothing is.
    pub fn mkdir(&mut self, path: &Path, now: Timestamp) -> Result<NodeId, FsError> {
        self.make(path, Body::Folder(BTreeMap::new()), now)
    }

    /// Removes an empty folder.
    pub fn rmdir(&mut self, path: &Path, now: Timestamp) -> Result<(), FsError> {
        let (folder, _) = self.seat(path)?;
        let id = self.lookup(path)?;
        if self.node(id)?.folder()?.is_empty() {
            self.remove(folder, id, now.into());
            Ok(())
        } else {
            Err(FsError::NotEmpty)
        }
    }

    /// Removes a file's name. Its bytes stay for as long as a descriptor holds it.
    pub fn unlink(&mut self, path: &Path, now: Timestamp) -> Result<(), FsError> {
        if path.is_root() {
            return Err(FsError::IsDirectory);
        }
        let (folder, _) = self.seat(path)?;
        let id = self.lookup(path)?;
        self.node(id)?.file()?;
        self.remove(folder, id, now.into());
        Ok(())
    }

    /// A descriptor holds the node from here on.
    pub fn retain(&mut self, id: NodeId) -> Result<(), FsError> {
        let node = self.node_mut(id)?;
        node.open = node.open.saturating_add(1);
        Ok(())
    }

    /// A descriptor lets the node go.
    pub fn release(&mut self, id: NodeId) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.open = node.open.saturating_sub(1);
        }
        self.sweep(id);
    }

    fn make(&mut self, path: &Path, body: Body, now: Timestamp) -> Result<NodeId, FsError> {
        if path.is_root() {
            return Err(FsError::Exist);
        }
        let (folder, name) = self.seat(path)?;
        if self.node(folder)?.folder()?.contains_key(name) {
            return Err(FsError::Exist);
        }
        if path.as_str().len() > self.quota.path {
            return Err(FsError::NameTooLong);
        }
        let node = Node::new(body, now.into(), true);
        self.used = self.used.exchange(Used::default(), node.weight(), &self.quota)?;
        let id = self.place(folder, name, node);
        self.modify(folder, now.into());
        Ok(id)
    }

    fn remove(&mut self, folder: NodeId, id: NodeId, now: Moment) {
        self.unlink_node(id);
        self.modify(folder, now);
        if let Some(node) = self.nodes.get_mut(&id) {
            node.times.changed = now;
        }
        self.sweep(id);
    }
}
