//! Moving a file or folder, as POSIX has it.

use envelope_evidence::Timestamp;
use envelope_rules::path::{Path, SEGMENTS_MAX};

use super::error::FsError;
use super::quota::Used;
use super::stat::NodeKind;
use super::tree::{Body, NodeId, Workspace};

/// What moves along with a folder.
#[derive(Debug, Default)]
struct Load {
    /// The files that become the run's own by moving.
    files: Vec<NodeId>,
    /// What those will count.
    weight: Used,
    /// How far the longest path below it reaches, in bytes and in segments.
    bytes: usize,
    segments: usize,
}

impl Workspace {
    /// Moves what is at `from` to `to`. A file takes the place of a file, a folder that of an empty
    /// folder; descriptors stay with what they were opened on.
    pub fn rename(&mut self, from: &Path, to: &Path, now: Timestamp) -> Result<(), FsError> {
        let (old_folder, _) = self.seat(from)?;
        let (folder, name) = self.seat(to)?;
        let id = self.lookup(from)?;
        if is_below(to, from) {
            return Err(FsError::Invalid);
        }
        let target = self.node(folder)?.folder()?.get(name).copied();
        if target == Some(id) {
            return Ok(());
        }
        if let Some(target) = target {
            self.check_replaced(id, target)?;
        }
        let load = self.load(id)?;
        self.check_length(to, &load)?;
        let gone = target.map_or(Ok(Used::default()), |target| self.freed(target))?;
        self.used = self.used.exchange(gone, load.weight, &self.quota)?;
        self.make_own(&load);
        if let Some(target) = target {
            self.replace(target, now);
        }
        self.unlink_node(id);
        self.link(folder, name, id);
        self.node_mut(id)?.times.changed = now.into();
        self.modify(old_folder, now.into());
        self.modify(folder, now.into());
        Ok(())
    }

    fn check_replaced(&self, id: NodeId, target: NodeId) -> Result<(), FsError> {
        match (self.node(id)?.kind(), self.node(target)?.kind()) {
            (NodeKind::File, NodeKind::File) => Ok(()),
            (NodeKind::File, NodeKind::Folder) => Err(FsError::IsDirectory),
            (NodeKind::Folder, NodeKind::File) => Err(FsError::NotDirectory),
            (NodeKind::Folder, NodeKind::Folder) => {
                let empty = self.node(target)?.folder()?.is_empty();
                if empty { Ok(()) } else { Err(FsError::NotEmpty) }
            }
        }
    }

    /// What no longer counts when `target` loses its name.
    fn freed(&self, target: NodeId) -> Result<Used, FsError> {
        let node = self.node(target)?;
        Ok(if node.open == 0 { node.weight() } else { Used::default() })
    }

    /// Takes the name of a node whose weight was already taken off.
    fn replace(&mut self, target: NodeId, now: Timestamp) {
        self.unlink_node(target);
        match self.nodes.get_mut(&target) {
            Some(node) if node.open > 0 => node.times.changed = now.into(),
            Some(_) => drop(self.nodes.remove(&target)),
            None => {}
        }
    }

    fn make_own(&mut self, load: &Load) {
        for id in &load.files {
            if let Some(node) = self.nodes.get_mut(id) {
                node.own = true;
            }
        }
    }

    /// Walks what moves. Depth is bounded by that of paths, breadth by the quota and the manifest.
    fn load(&self, id: NodeId) -> Result<Load, FsError> {
        let mut load = Load::default();
        let mut waiting = vec![(id, 0, 0)];
        while let Some((id, bytes, segments)) = waiting.pop() {
            load.bytes = load.bytes.max(bytes);
            load.segments = load.segments.max(segments);
            let node = self.node(id)?;
            match &node.body {
                Body::File(content) if !node.own => {
                    load.files.push(id);
                    load.weight.files += 1;
                    load.weight.bytes = load.weight.bytes.saturating_add(content.size());
                }
                Body::File(_) => {}
                Body::Folder(names) => waiting.extend(
                    names.iter().map(|(name, &id)| (id, bytes + 1 + name.len(), segments + 1)),
                ),
            }
        }
        Ok(load)
    }

    fn check_length(&self, to: &Path, load: &Load) -> Result<(), FsError> {
        let bytes = to.as_str().len() + load.bytes;
        let segments = to.segments().count() + load.segments;
        let fits = bytes <= self.quota.path && segments <= SEGMENTS_MAX;
        if fits { Ok(()) } else { Err(FsError::NameTooLong) }
    }
}

fn is_below(path: &Path, folder: &Path) -> bool {
    let below = path.as_str().strip_prefix(folder.as_str());
    below.is_some_and(|rest| rest.starts_with('/'))
}
