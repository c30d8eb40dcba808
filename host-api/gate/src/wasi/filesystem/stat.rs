//! Metadata: what kind, how large, since when.

use envelope_evidence::Timestamp;
use envelope_rules::Path;
use envelope_rules::grant::Access;

use crate::airlock::Airlock;
use crate::bindings::wasi::filesystem::types;
use crate::gate::Answer;
use crate::inside::Inside;
use crate::request::Request;
use crate::wasi::clocks::datetime;
use crate::wasi::files::{Done, answer, done};
use crate::workspace::{FsError, Kind, Node, Resolved, Stat};

impl Airlock {
    /// The metadata of an open node.
    pub(super) async fn stat_node(&mut self, path: &Path, node: Node) -> Done<Stat> {
        self.look("stat", path, move |inside| Ok(inside.workspace.stat(node))).await
    }

    /// The metadata of what stands at a path.
    pub(super) async fn stat_path(&mut self, at: &Resolved) -> Done<Stat> {
        let path = at.path.clone();
        let must_be_folder = at.must_be_folder;
        self.look("stat", &at.path, move |inside| {
            let node = inside.workspace.lookup(&path).ok_or(FsError::NoEntry)?;
            let stat = inside.workspace.stat(node);
            if must_be_folder && stat.kind != Kind::Folder {
                return Err(FsError::NotDirectory);
            }
            Ok(stat)
        })
        .await
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
        find: impl FnOnce(&Inside) -> Result<Node, FsError>,
        [accessed, modified]: [types::NewTimestamp; 2],
    ) -> Done<()> {
        let body = (format!("{accessed:?}"), format!("{modified:?}"));
        let request = Request::file("set-times", Access::Write, path, &body);
        let set = |inside: &mut Inside, now| {
            let outcome = find(inside).and_then(|node| {
                let (accessed, modified) = (time(accessed, now)?, time(modified, now)?);
                inside.workspace.set_times(node, accessed, modified)
            });
            let answer = answer(&outcome, |()| Answer::computed(b""));
            (outcome, answer)
        };
        done(self.gate.inner(request, set).await)
    }
}

/// The time a guest wants a file to bear: kept in milliseconds, like every time of a run.
fn time(wanted: types::NewTimestamp, now: Timestamp) -> Result<Option<Timestamp>, FsError> {
    match wanted {
        types::NewTimestamp::NoChange => Ok(None),
        types::NewTimestamp::Now => Ok(Some(now)),
        types::NewTimestamp::Timestamp(at) => {
            let fits = at.nanoseconds < 1_000_000_000;
            let millis = at.seconds.checked_mul(1000).filter(|_| fits);
            let millis = millis.and_then(|ms| ms.checked_add(u64::from(at.nanoseconds / 1_000_000)));
            millis.and_then(Timestamp::from_millis).ok_or(FsError::Invalid).map(Some)
        }
    }
}

pub(super) fn told(stat: &Stat) -> types::DescriptorStat {
    types::DescriptorStat {
        type_: kind(stat.kind),
        link_count: 1,
        size: stat.size,
        data_access_timestamp: Some(datetime(stat.accessed)),
        data_modification_timestamp: Some(datetime(stat.modified)),
        status_change_timestamp: Some(datetime(stat.modified)),
    }
}

pub(super) fn kind(kind: Kind) -> types::DescriptorType {
    match kind {
        Kind::File => types::DescriptorType::RegularFile,
        Kind::Folder => types::DescriptorType::Directory,
    }
}

fn words(stat: &Stat) -> String {
    let Stat { kind, size, accessed, modified, .. } = stat;
    format!("{kind:?} {size} {} {}", accessed.millis(), modified.millis())
}
