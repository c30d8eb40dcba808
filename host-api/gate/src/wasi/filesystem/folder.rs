//! What happens in folders: opening, listing, making, moving and removing.

use envelope_evidence::Timestamp;
use envelope_rules::Path;
use envelope_rules::grant::{Access, FileOp};
use wasmtime::component::Resource;

use crate::airlock::Airlock;
use crate::bindings::wasi::filesystem::types::{
    self, DescriptorFlags, DirectoryEntry, ErrorCode, OpenFlags,
};
use crate::gate::Answer;
use crate::inside::Inside;
use crate::request::Request;
use crate::wasi::files::{Done, Failed, answer, coded, done};
use crate::wasi::filesystem::{Descriptor, stat};
use crate::workspace::{Ending, FsError, NodeId, NodeKind, Resolved};

/// The entries of a folder that its reader has not seen yet, the last one first.
#[derive(Debug)]
pub struct Listing(Vec<(String, NodeKind)>);

impl types::HostDirectoryEntryStream for Airlock {
    async fn read_directory_entry(
        &mut self,
        listing: Resource<Listing>,
    ) -> wasmtime::Result<Result<Option<DirectoryEntry>, ErrorCode>> {
        let next = self.table.get_mut(&listing)?.0.pop();
        Ok(Ok(next.map(|(name, kind)| DirectoryEntry { type_: stat::kind(kind), name })))
    }

    async fn drop(&mut self, listing: Resource<Listing>) -> wasmtime::Result<()> {
        self.table.delete(listing)?;
        Ok(())
    }
}

/// How something is opened.
struct Opening {
    create: bool,
    exclusive: bool,
    truncate: bool,
    folder: bool,
    write: bool,
}

impl Airlock {
    pub(super) async fn open(
        &mut self,
        base: &Resource<Descriptor>,
        path: &str,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> wasmtime::Result<Result<Resource<Descriptor>, ErrorCode>> {
        let opened = self.open_inner(base, path, open, flags).await;
        match coded(opened)? {
            Ok(descriptor) => Ok(Ok(self.hand_out(descriptor)?)),
            Err(code) => Ok(Err(code)),
        }
    }

    async fn open_inner(
        &mut self,
        base: &Resource<Descriptor>,
        path: &str,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Done<Descriptor> {
        let at = self.resolve(base, path)?;
        let how = Opening {
            create: open.contains(OpenFlags::CREATE),
            exclusive: open.contains(OpenFlags::EXCLUSIVE),
            truncate: open.contains(OpenFlags::TRUNCATE),
            folder: open.contains(OpenFlags::DIRECTORY) || at.wants_folder(),
            write: flags.contains(DescriptorFlags::WRITE),
        };
        how.check(open, &at)?;
        let access = self.access_of(&at, &how);
        let body = (open.bits_text(), flags.bits_text());
        let request = Request::file("open", access, &at.path, &body);
        let path = at.path.clone();
        let opening = |inside: &mut Inside, now| {
            let outcome = how.carry_out(inside, &path, now);
            let answer =
                answer(&outcome, |(_, kind)| Answer::computed(format!("{kind:?}").as_bytes()));
            (outcome, answer)
        };
        let (node, kind) = done(self.gate.inner(request, opening).await)?;
        let flags = opened_as(kind, open, flags);
        Ok(Descriptor { node, path: at.path, folder: kind == NodeKind::Folder, flags })
    }

    /// What is asked for: a look into a folder, reading a file, or more. A folder that may be
    /// looked at is not written by opening it, whatever is asked for: that it is one is all there
    /// is to say.
    fn access_of(&mut self, at: &Resolved, how: &Opening) -> Access {
        let shown = self.gate.claims().is_some_and(|claims| claims.shows(&at.path));
        let is_folder = self.gate.inside().workspace.folder(&at.path).is_ok();
        if is_folder && shown {
            Access::Look
        } else if how.write || how.truncate || how.create {
            Access::Write
        } else if is_folder || how.folder {
            Access::Look
        } else {
            Access::Read
        }
    }

    pub(super) async fn list(&mut self, handle: &Resource<Descriptor>) -> Done<Listing> {
        let folder = self.folder(handle)?;
        let (shown, walked) = self.shown(&folder)?;
        let count = u64::try_from(walked).unwrap_or(u64::MAX);
        let request = Request::file("list", Access::Look, &folder.path, &()).looking_at(count);
        let list = |_: &mut Inside, _| {
            let names: String =
                shown.iter().map(|(name, kind)| format!("{name}/{kind:?}/")).collect();
            let answer = Answer::computed(names.as_bytes());
            (Ok(shown), answer)
        };
        let mut entries = done(self.gate.inner(request, list).await)?;
        entries.reverse();
        Ok(Listing(entries))
    }

    /// The entries of a folder that the grant lets be seen, and how many were looked at.
    fn shown(&mut self, folder: &Descriptor) -> Done<(Vec<(String, NodeKind)>, usize)> {
        let entries = self.gate.inside().workspace.list(folder.node)?;
        let walked = entries.len();
        let claims = self.gate.claims();
        let seen = |name: &str| {
            claims
                .zip(folder.path.join(name).ok())
                .is_some_and(|(claims, path)| claims.shows(&path))
        };
        let entries = entries.into_iter().map(|entry| (entry.name, entry.kind));
        Ok((entries.filter(|(name, _)| seen(name)).collect(), walked))
    }

    /// Makes a folder. Of one that is there and may be looked at, that is all there is to say:
    /// programs make sure of a folder by making it, and nothing changes.
    pub(super) async fn make_folder(
        &mut self,
        base: &Resource<Descriptor>,
        path: &str,
    ) -> Done<()> {
        let at = self.resolve(base, path)?;
        let shown = self.gate.claims().is_some_and(|claims| claims.shows(&at.path));
        let there = shown && self.gate.inside().workspace.lookup(&at.path).is_ok();
        let access = if there { Access::Look } else { Access::Write };
        let request = Request::file("make-folder", access, &at.path, &());
        let make = |inside: &mut Inside, now| {
            let outcome = match at.ending {
                Ending::Name | Ending::Slash => inside.workspace.mkdir(&at.path, now).map(drop),
                // By this name a folder is found, not made.
                Ending::Dots => inside.workspace.lookup(&at.path).and(Err(FsError::Exist)),
            };
            let answer = answer(&outcome, |()| Answer::computed(b""));
            (outcome, answer)
        };
        done(self.gate.inner(request, make).await)
    }

    /// A change at one path.
    pub(super) async fn change(
        &mut self,
        operation: &'static str,
        base: &Resource<Descriptor>,
        path: &str,
        act: impl FnOnce(&mut Inside, &Resolved, Timestamp) -> Result<(), FsError>,
    ) -> Done<()> {
        let at = self.resolve(base, path)?;
        let request = Request::file(operation, Access::Write, &at.path, &());
        let change = |inside: &mut Inside, now| {
            let outcome = act(inside, &at, now);
            let answer = answer(&outcome, |()| Answer::computed(b""));
            (outcome, answer)
        };
        done(self.gate.inner(request, change).await)
    }

    pub(super) async fn rename(
        &mut self,
        from: (&Resource<Descriptor>, &str),
        to: (&Resource<Descriptor>, &str),
    ) -> Done<()> {
        let from = self.resolve(from.0, from.1)?;
        let to = self.resolve(to.0, to.1)?;
        let source = FileOp { access: Access::Write, path: &from.path };
        let target = FileOp { access: Access::Write, path: &to.path };
        let request = Request::files("rename", source, target, &());
        let rename = |inside: &mut Inside, now| {
            let outcome = movable(inside, &from, &to)
                .and_then(|()| inside.workspace.rename(&from.path, &to.path, now));
            let answer = answer(&outcome, |()| Answer::computed(b""));
            (outcome, answer)
        };
        done(self.gate.inner(request, rename).await)
    }
}

/// Whether names that end like this can be given away and taken: nobody moves `.` or `..`, and only
/// a folder takes a name with a slash behind it.
fn movable(inside: &Inside, from: &Resolved, to: &Resolved) -> Result<(), FsError> {
    if from.ending == Ending::Dots || to.ending == Ending::Dots {
        return Err(FsError::Invalid);
    }
    let workspace = &inside.workspace;
    let kind = workspace.stat(stat::find(workspace, from)?)?.kind;
    let fits = kind == NodeKind::Folder || to.ending == Ending::Name;
    if fits { Ok(()) } else { Err(FsError::NotDirectory) }
}

/// What may be done with what was opened: who asks for nothing reads, and who creates a file writes
/// it. Files have no folder's flag and folders no file's.
fn opened_as(kind: NodeKind, open: OpenFlags, asked: DescriptorFlags) -> DescriptorFlags {
    const READ: DescriptorFlags = DescriptorFlags::READ;
    const WRITE: DescriptorFlags = DescriptorFlags::WRITE;
    if kind == NodeKind::Folder {
        return (asked & !WRITE) | READ;
    }
    let mut flags = asked & !DescriptorFlags::MUTATE_DIRECTORY;
    if !asked.contains(WRITE) {
        flags |= READ;
    }
    if open.contains(OpenFlags::CREATE) { flags | WRITE } else { flags }
}

impl Opening {
    /// Folders are made by another function, and are not cut.
    fn check(&self, open: OpenFlags, at: &Resolved) -> Result<(), FsError> {
        let folder = open.contains(OpenFlags::DIRECTORY);
        if folder && (self.create || self.truncate) {
            return Err(FsError::Invalid);
        }
        if self.create && at.wants_folder() { Err(FsError::IsDirectory) } else { Ok(()) }
    }

    fn carry_out(
        &self,
        inside: &mut Inside,
        path: &Path,
        now: Timestamp,
    ) -> Result<(NodeId, NodeKind), FsError> {
        let workspace = &mut inside.workspace;
        let node = match workspace.lookup(path) {
            Err(FsError::NoEntry) if self.create => {
                return Ok((workspace.create(path, now)?, NodeKind::File));
            }
            found => found?,
        };
        let kind = workspace.stat(node)?.kind;
        if self.create && self.exclusive {
            return Err(FsError::Exist);
        }
        match kind {
            NodeKind::File if self.folder => return Err(FsError::NotDirectory),
            NodeKind::Folder if self.write || self.truncate || self.create => {
                return Err(FsError::IsDirectory);
            }
            NodeKind::File | NodeKind::Folder => {}
        }
        if self.truncate {
            workspace.set_size(node, 0, now)?;
        }
        Ok((node, kind))
    }
}

/// Flags as the journal's requests spell them.
trait BitsText {
    fn bits_text(&self) -> String;
}

impl BitsText for OpenFlags {
    fn bits_text(&self) -> String {
        format!("{self:?}")
    }
}

impl BitsText for DescriptorFlags {
    fn bits_text(&self) -> String {
        format!("{self:?}")
    }
}

impl From<wasmtime::component::ResourceTableError> for Failed {
    fn from(error: wasmtime::component::ResourceTableError) -> Self {
        Self::Over(error.into())
    }
}
