//! Links do not exist in a workspace: a path is what it says, so what is judged is what is opened.
//!
//! A wish for one is judged like the change it would be. Then it is refused: for the reason that
//! the standard has, if there is one, or else by design.

use envelope_rules::grant::{Access, FileOp};
use wasmtime::component::Resource;

use crate::airlock::Airlock;
use crate::gate::Answer;
use crate::inside::Inside;
use crate::request::Request;
use crate::wasi::files::{Done, answer, done};
use crate::wasi::filesystem::{Descriptor, stat};
use crate::workspace::{FsError, Resolved, Workspace};

impl Airlock {
    /// A hard link from one name to another, which is a change at both.
    pub(super) async fn no_link(
        &mut self,
        old: (&Resource<Descriptor>, &str),
        new: (&Resource<Descriptor>, &str),
    ) -> Done<()> {
        let (from, to) = (self.resolve(old.0, old.1)?, self.resolve(new.0, new.1)?);
        let source = FileOp { access: Access::Write, path: &from.path };
        let target = FileOp { access: Access::Write, path: &to.path };
        let link = |inside: &mut Inside, _| {
            let workspace = &inside.workspace;
            let refused = stat::find(workspace, &from).and_then(|_| refuse(workspace, &to));
            let answer = answer(&refused, |()| Answer::computed(b""));
            (refused, answer)
        };
        let request = Request::files("link", source, target, &());
        done(self.gate.inner(request, link).await)
    }
}

/// Why there will be no link at `at`.
pub(super) fn refuse(workspace: &Workspace, at: &Resolved) -> Result<(), FsError> {
    if let Some(folder) = at.path.parent() {
        workspace.folder(&folder)?;
    }
    match workspace.lookup(&at.path) {
        Ok(_) => Err(FsError::Exist),
        Err(_) => Err(FsError::NotPermitted),
    }
}
