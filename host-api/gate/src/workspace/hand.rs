//! Files that pass from one run to another, by digest.

use std::collections::BTreeSet;

use bytes::Bytes;
use envelope_evidence::{Digest, Timestamp};
use envelope_rules::path::Path;

use super::content::Content;
use super::error::FsError;
use super::manifest::FileEntry;
use super::quota::Used;
use super::stat::Moment;
use super::tree::{Body, Node, NodeId, ROOT, Workspace};

/// A file to hand on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// Which file, and which bytes.
    pub entry: FileEntry,
    /// The bytes, where the store of blobs may lack them.
    pub bytes: Option<Bytes>,
}

impl Workspace {
    /// Every file whose path is `wanted`, in the order of their paths.
    pub fn files(&self, wanted: impl Fn(&Path) -> bool) -> Vec<(NodeId, Path)> {
        let files = self.nodes.iter().filter(|(_, node)| matches!(node.body, Body::File(_)));
        let mut found: Vec<_> =
            files.filter_map(|(&id, _)| Some((id, self.path(id).filter(&wanted)?))).collect();
        found.sort_by(|(_, left), (_, right)| left.cmp(right));
        found
    }

    /// How many files and folders there are.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Bytes of the file `id` that have to be hashed before it can be handed on, the first time
    /// after it was changed. It depends on nothing but what the run did.
    pub fn owe(&mut self, id: NodeId) -> u64 {
        let content = self.node_mut(id).and_then(Node::file_mut);
        content.map_or(0, Content::owe)
    }

    /// The blob that has to be supplied before the file `id` can be handed on.
    pub fn lacks(&self, id: NodeId) -> Option<Digest> {
        let content = self.node(id).ok()?.file().ok()?;
        if content.known_digest().is_some() { None } else { content.needs() }
    }

    /// The file `id`, which stands at `path`, as it is now. It is hashed once after each change.
    pub fn hand(&mut self, id: NodeId, path: Path) -> Result<Handed, FsError> {
        let content = self.node_mut(id)?.file_mut()?;
        let size = content.size();
        let (digest, bytes) = match content.known_digest() {
            Some(digest) => (digest, None),
            None => {
                let bytes = content.whole();
                let digest = Digest::of(&bytes);
                content.keep_as(digest, bytes.clone());
                (digest, Some(bytes))
            }
        };
        Ok(Handed { entry: FileEntry { path, digest, size }, bytes })
    }

    /// Whether `files` can be taken in behind `before`: a file takes the place of a file, never
    /// that of a folder, and nothing stands below one. What they replace is not counted: a callee
    /// is told too early rather than too late.
    pub fn admits(&self, before: &[FileEntry], files: &[FileEntry]) -> Result<(), FsError> {
        let all = || before.iter().chain(files);
        let come = all().fold(Used::default(), |sum, file| Used {
            bytes: sum.bytes.saturating_add(file.size),
            files: sum.files.saturating_add(1),
        });
        self.used.exchange(Used::default(), come, &self.quota)?;
        let names: BTreeSet<_> = all().map(|file| file.path.as_str()).collect();
        let below = |file: &FileEntry| {
            let above = std::iter::successors(file.path.parent(), Path::parent);
            above.into_iter().any(|above| names.contains(above.as_str()))
        };
        if all().any(below) {
            return Err(FsError::NotDirectory);
        }
        files.iter().try_for_each(|file| self.has_place(&file.path))
    }

    /// Whether a file can stand at `path`, if it takes that of a file that is there.
    fn has_place(&self, path: &Path) -> Result<(), FsError> {
        let mut at = ROOT;
        for name in path.segments() {
            match self.node(at)?.folder()?.get(name) {
                Some(&id) => at = id,
                None => return Ok(()),
            }
        }
        self.node(at)?.file().map(drop)
    }

    /// Takes in a file that another run made, in the place of what stands there.
    pub fn accept(&mut self, file: &FileEntry, now: Timestamp) -> Result<(), FsError> {
        let (parent, name) = (file.path.parent().ok_or(FsError::Busy)?, file.path.name());
        let name = name.ok_or(FsError::Busy)?;
        let now = Moment::from(now);
        let folder = self.implied(&parent, now)?;
        if let Some(&there) = self.node(folder)?.folder()?.get(name) {
            self.node(there)?.file()?;
            self.unlink_node(there);
            self.sweep(there);
        }
        let node = Node::new(Body::File(Content::stored(file.digest, file.size)), now, true);
        self.used = self.used.exchange(Used::default(), node.weight(), &self.quota)?;
        self.place(folder, name, node);
        self.modify(folder, now);
        Ok(())
    }
}
