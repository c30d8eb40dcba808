//! The tree of files and folders, and what can be done to it.
//!
//! Nodes live in an arena under numbers that are never used again, and know their folder and their
//! name. So an open descriptor, which is a number, stays with its file when that is moved, and with
//! its bytes when that is removed, as POSIX has it.

use std::collections::BTreeMap;

use envelope_evidence::{Digest, Timestamp};
use envelope_rules::path::{Path, Prefix};
use serde::Serialize;

use super::content::Content;
use super::error::FsError;
use super::manifest::{BadManifest, Manifest};
use super::quota::{Quota, Used};
use super::stat::{Listed, Moment, NodeKind, Stat, Times};

/// One file or folder, whatever it is called and whether it still has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct NodeId(u64);

pub(super) const ROOT: NodeId = NodeId(0);

#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Its folder and its name there. The root has none, nor has what was removed.
    pub(super) place: Option<(NodeId, Box<str>)>,
    pub(super) body: Body,
    pub(super) times: Times,
    /// Descriptors that hold it.
    pub(super) open: u64,
    /// Whether the run made it its own: it created, changed or moved it. Counts in the quota.
    pub(super) own: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Body {
    File(Content),
    Folder(BTreeMap<Box<str>, NodeId>),
}

impl Node {
    pub(super) fn new(body: Body, at: Moment, own: bool) -> Self {
        Self { place: None, body, times: Times::all(at), open: 0, own }
    }

    pub(super) const fn kind(&self) -> NodeKind {
        match self.body {
            Body::File(_) => NodeKind::File,
            Body::Folder(_) => NodeKind::Folder,
        }
    }

    pub(super) const fn size(&self) -> u64 {
        match &self.body {
            Body::File(content) => content.size(),
            Body::Folder(_) => 0,
        }
    }

    /// What it counts in the quota.
    pub(super) const fn weight(&self) -> Used {
        if self.own { Used { bytes: self.size(), files: 1 } } else { Used { bytes: 0, files: 0 } }
    }

    pub(super) const fn file(&self) -> Result<&Content, FsError> {
        match &self.body {
            Body::File(content) => Ok(content),
            Body::Folder(_) => Err(FsError::IsDirectory),
        }
    }

    pub(super) const fn file_mut(&mut self) -> Result<&mut Content, FsError> {
        match &mut self.body {
            Body::File(content) => Ok(content),
            Body::Folder(_) => Err(FsError::IsDirectory),
        }
    }

    pub(super) const fn folder(&self) -> Result<&BTreeMap<Box<str>, NodeId>, FsError> {
        match &self.body {
            Body::File(_) => Err(FsError::NotDirectory),
            Body::Folder(names) => Ok(names),
        }
    }
}

/// What one run makes of the files it was given.
#[derive(Debug, Clone)]
pub struct Workspace {
    pub(super) nodes: BTreeMap<NodeId, Node>,
    next: u64,
    pub(super) quota: Quota,
    pub(super) used: Used,
}

impl Workspace {
    /// The files of `manifest` as they are when the run starts, and the folder of `outputs`.
    pub fn new(
        manifest: &Manifest,
        outputs: Option<&Prefix>,
        quota: Quota,
        start: Timestamp,
    ) -> Result<Self, BadManifest> {
        let start = Moment::from(start);
        let root = Node::new(Body::Folder(BTreeMap::new()), start, false);
        let nodes = BTreeMap::from([(ROOT, root)]);
        let mut workspace = Self { nodes, next: 1, quota, used: Used::default() };
        for file in manifest.files() {
            let twice = |_| BadManifest::Twice(file.path.clone());
            let folder = file.path.parent().unwrap_or_else(Path::root);
            let folder = workspace.implied(&folder, start).map_err(twice)?;
            let body = Body::File(Content::stored(file.digest, file.size));
            let node = Node::new(body, start, false);
            workspace.place(folder, file.path.name().unwrap_or_default(), node);
        }
        if let Some(prefix) = outputs {
            let folder = prefix.folder();
            workspace.implied(&folder, start).map_err(|_| BadManifest::Twice(folder))?;
        }
        Ok(workspace)
    }

    /// The folder that holds everything.
    pub const fn root(&self) -> NodeId {
        ROOT
    }

    /// What is at `path`.
    pub fn lookup(&self, path: &Path) -> Result<NodeId, FsError> {
        path.segments().try_fold(ROOT, |at, name| {
            self.node(at)?.folder()?.get(name).copied().ok_or(FsError::NoEntry)
        })
    }

    /// The folder at `path`.
    pub fn folder(&self, path: &Path) -> Result<NodeId, FsError> {
        let id = self.lookup(path)?;
        self.node(id)?.folder()?;
        Ok(id)
    }

    /// Where the node is now. Nowhere once it was removed.
    pub fn path(&self, id: NodeId) -> Option<Path> {
        let mut names = Vec::new();
        let mut at = id;
        while at != ROOT {
            let (folder, name) = self.nodes.get(&at)?.place.as_ref()?;
            names.push(&**name);
            at = *folder;
        }
        names.reverse();
        if names.is_empty() { Some(Path::root()) } else { Path::parse(&names.join("/")).ok() }
    }

    /// The metadata of a node.
    pub fn stat(&self, id: NodeId) -> Result<Stat, FsError> {
        let node = self.node(id)?;
        let Times { accessed, modified, changed } = node.times;
        let links = u64::from(node.place.is_some() || id == ROOT);
        Ok(Stat { kind: node.kind(), size: node.size(), links, accessed, modified, changed })
    }

    /// The names in a folder, sorted by their bytes.
    pub fn list(&self, id: NodeId) -> Result<Vec<Listed>, FsError> {
        let names = self.node(id)?.folder()?.iter();
        names
            .map(|(name, &id)| Ok(Listed { name: name.to_string(), kind: self.node(id)?.kind() }))
            .collect()
    }

    /// Whether both are one file or folder.
    pub fn same(&self, left: NodeId, right: NodeId) -> bool {
        left == right
    }

    /// 128 bits that tell this node from all others, and its content from what it was before: they
    /// change when it is modified, as WASI has it. Languages take them for device and inode.
    pub fn metadata_hash(&self, id: NodeId) -> Result<u128, FsError> {
        let Stat { size, modified, .. } = self.stat(id)?;
        let (secs, nanos) = (modified.secs().to_be_bytes(), modified.nanos().to_be_bytes());
        let (id, size) = (id.0.to_be_bytes(), size.to_be_bytes());
        let digest = Digest::of_parts(&[b"workspace node", &id, &size, &secs, &nanos]);
        let half = digest.as_bytes().first_chunk().copied().unwrap_or_default();
        Ok(u128::from_be_bytes(half))
    }

    /// What the run holds.
    pub const fn used(&self) -> Used {
        self.used
    }

    pub(super) fn node(&self, id: NodeId) -> Result<&Node, FsError> {
        self.nodes.get(&id).ok_or(FsError::BadDescriptor)
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> Result<&mut Node, FsError> {
        self.nodes.get_mut(&id).ok_or(FsError::BadDescriptor)
    }

    /// The folder at `path`, made where it is missing.
    pub(super) fn implied(&mut self, path: &Path, start: Moment) -> Result<NodeId, FsError> {
        let mut at = ROOT;
        for name in path.segments() {
            at = match self.node(at)?.folder()?.get(name) {
                Some(&id) => id,
                None => {
                    let folder = Node::new(Body::Folder(BTreeMap::new()), start, false);
                    self.place(at, name, folder)
                }
            };
        }
        self.node(at)?.folder()?;
        Ok(at)
    }

    /// Puts a new node into a folder.
    pub(super) fn place(&mut self, folder: NodeId, name: &str, node: Node) -> NodeId {
        let id = NodeId(self.next);
        self.next += 1;
        self.nodes.insert(id, node);
        self.link(folder, name, id);
        id
    }

    /// Gives a node a name.
    pub(super) fn link(&mut self, folder: NodeId, name: &str, id: NodeId) {
        if let Some(Node { body: Body::Folder(names), .. }) = self.nodes.get_mut(&folder) {
            names.insert(name.into(), id);
        }
        if let Some(node) = self.nodes.get_mut(&id) {
            node.place = Some((folder, name.into()));
        }
    }

    /// Takes a node's name away.
    pub(super) fn unlink_node(&mut self, id: NodeId) {
        let place = self.nodes.get_mut(&id).and_then(|node| node.place.take());
        let Some((folder, name)) = place else { return };
        if let Some(Node { body: Body::Folder(names), .. }) = self.nodes.get_mut(&folder) {
            names.remove(&name);
        }
    }

    /// Forgets a node that has neither a name nor a descriptor.
    pub(super) fn sweep(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get(&id) else { return };
        if id == ROOT || node.place.is_some() || node.open > 0 {
            return;
        }
        let Used { bytes, files } = node.weight();
        self.used.bytes = self.used.bytes.saturating_sub(bytes);
        self.used.files = self.used.files.saturating_sub(files);
        self.nodes.remove(&id);
    }

    pub(super) fn modify(&mut self, id: NodeId, now: Moment) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.times.modify(now);
        }
    }

    /// The folder in which `path` is, or would be, and its name there.
    pub(super) fn seat<'p>(&self, path: &'p Path) -> Result<(NodeId, &'p str), FsError> {
        let (Some(folder), Some(name)) = (path.parent(), path.name()) else {
            return Err(FsError::Busy);
        };
        Ok((self.folder(&folder)?, name))
    }
}
