//! What a run leaves behind.

use bytes::Bytes;
use envelope_evidence::Digest;
use envelope_rules::path::{Path, Prefix};

use super::content::Content;
use super::tree::{Body, Workspace};

/// A file that the run created, changed or moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where it stands.
    pub path: Path,
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
    /// Its bytes. None where it was moved without being loaded: then the store of blobs has them.
    pub bytes: Option<Bytes>,
}

impl Workspace {
    /// The files below `prefix` that the run created, changed or moved, sorted by path. Files that
    /// it removed and folders without files are no outputs.
    pub fn outputs(&self, prefix: &Prefix) -> Vec<Output> {
        let folder = prefix.folder();
        let mut outputs = Vec::new();
        let mut waiting: Vec<_> = self.lookup(&folder).map(|id| (id, folder)).into_iter().collect();
        while let Some((id, path)) = waiting.pop() {
            let Some(node) = self.nodes.get(&id) else { continue };
            match &node.body {
                Body::File(content) if node.own => outputs.push(output(path, content)),
                Body::File(_) => {}
                Body::Folder(names) => {
                    let below = names.iter().map(|(name, &id)| (id, path.join(name)));
                    waiting.extend(below.filter_map(|(id, path)| Some((id, path.ok()?))));
                }
            }
        }
        outputs.sort_by(|left, right| left.path.cmp(&right.path));
        outputs
    }
}

fn output(path: Path, content: &Content) -> Output {
    let bytes = content.needs().is_none().then(|| content.whole());
    let known = content.known_digest();
    let computed = || Digest::of(bytes.as_deref().unwrap_or_default());
    Output { path, digest: known.unwrap_or_else(computed), size: content.size(), bytes }
}
