//! Metadata: what kind, how large, since when.

use envelope_evidence::Timestamp;
use envelope_rules::Path;
use envelope_rules::grant::Access;

use crate::airlock::Airlock;
use crate::bindings::wasi::filesystem::types;
use crate::gate::Answer;
use crate::inside::Inside;
use crate::request::Request;
use crate::wasi::files::{Done, answer, done};
use crate::workspace::{FsError, Moment, NodeId, NodeKind, Resolved, Stat, Workspace};

impl Airlock {
    /// The metadata of an open node.
    pub(super) async fn stat_node(&mut self, path: &Path, node: NodeId) -> Done<Stat> {
        self.look("stat", path, move |inside| inside.workspace.stat(node)).await
    }

    /// The metadata of what stands at a path.
    pub(super) async fn stat_path(&mut self, at: &Resolved) -> Done<Stat> {
        let find = |inside: &Inside| inside.workspace.stat(find(&inside.workspace, at)?);
        self.look("stat", &at.path, find).await
    }

    async fn look(
        &mut self,
        operation: &'static str,
        path: &Path,
        find: impl FnOnce(&Inside) -> Result<Stat, FsError>,
    ) -> Done<Stat> {
        let request = Request::file(operation, Access::Look, path, &());
        let look = |inside: &mut Inside, _| {
            let outcome = find(inside);
            let answer = answer(&outcome, |stat| Answer::computed(words(stat).as_bytes()));
            (outcome, answer)
        };
        done(self.gate.inner(request, look).await)
    }

    /// Sets the times of a node.
    pub(super) async fn touch(
        &mut self,
        path: &Path,
        find: impl FnOnce(&Inside) -> Result<NodeId, FsError>,
        [accessed, modified]: [types::NewTimestamp; 2],
    ) -> Done<()> {
        let body = (format!("{accessed:?}"), format!("{modified:?}"));
        let request = Request::file("set-times", Access::Write, path, &body);
        let set = |inside: &mut Inside, now| {
            let outcome = find(inside).and_then(|node| {
                let (accessed, modified) = (time(accessed, now)?, time(modified, now)?);
                inside.workspace.set_times(node, accessed, modified, now)
            });
            let answer = answer(&outcome, |()| Answer::computed(b""));
            (outcome, answer)
        };
        done(self.gate.inner(request, set).await)
    }
}

/// What stands at `at`: a folder, if the text ends like one.
pub(super) fn find(workspace: &Workspace, at: &Resolved) -> Result<NodeId, FsError> {
    let node = workspace.lookup(&at.path)?;
    let fits = !at.wants_folder() || workspace.stat(node)?.kind == NodeKind::Folder;
    if fits { Ok(node) } else { Err(FsError::NotDirectory) }
}

/// The time a guest wants a file to bear.
fn time(wanted: types::NewTimestamp, now: Timestamp) -> Result<Option<Moment>, FsError> {
    match wanted {
        types::NewTimestamp::NoChange => Ok(None),
        types::NewTimestamp::Now => Ok(Some(now.into())),
        types::NewTimestamp::Timestamp(at) => {
            Moment::new(at.seconds, at.nanoseconds).ok_or(FsError::Invalid).map(Some)
        }
    }
}

fn clock(at: Moment) -> types::Datetime {
    types::Datetime { seconds: at.secs(), nanoseconds: at.nanos() }
}

pub(super) fn told(stat: &Stat) -> types::DescriptorStat {
    types::DescriptorStat {
        type_: kind(stat.kind),
        link_count: stat.links,
        size: stat.size,
        data_access_timestamp: Some(clock(stat.accessed)),
        data_modification_timestamp: Some(clock(stat.modified)),
        status_change_timestamp: Some(clock(stat.changed)),
    }
}

pub(super) fn kind(kind: NodeKind) -> types::DescriptorType {
    match kind {
        NodeKind::File => types::DescriptorType::RegularFile,
        NodeKind::Folder => types::DescriptorType::Directory,
    }
}

fn words(stat: &Stat) -> String {
    format!("{stat:?}")
}
