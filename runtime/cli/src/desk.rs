//! Where the agents of this machine ask: what was asked and decided is kept at home, because the
//! folder of a run is shown to strangers, and one from a stranger must not say who decided what.

mod book;
mod flags;
pub(crate) mod life;
mod terminal;

pub(crate) use book::{Book, Kept};
pub(crate) use flags::{DeskFlags, Mode, resumed};

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use envelope_engine::local::LifeLog;
use envelope_evidence::journal::CallerKind;
use envelope_evidence::{Digest, Label};
use envelope_gate::desk::{Asking, Decision, Desk};
use envelope_gate::net::{Network, Settings};
use envelope_gate::stop::Fault;
use envelope_rules::approval::{Matter, Principal, Request, Rules, Verdict};

use crate::answer::Trouble;
use crate::fresh::now;

/// What lets somebody decide here: to hold the keys of this machine.
pub(crate) const ROLE: &str = "keyholder";

/// Who decides, if nobody says another name.
pub(crate) const SOMEBODY: &str = "local";

/// How long a run waits at a terminal: longer than anybody sits there.
const GRACE: Duration = Duration::from_secs(24 * 3600);

/// The desk of one run and of those that it calls.
struct LocalDesk {
    run: String,
    rules: Rules,
    mode: Mode,
    life: LifeLog,
}

/// The desk of `run`, where people are asked by `rules`.
pub(crate) fn desk_of(
    run: &str,
    rules: Option<Rules>,
    mode: Mode,
    life: &LifeLog,
) -> Option<Arc<dyn Desk>> {
    let (rules, life) = (rules?, life.clone());
    Some(Arc::new(LocalDesk { run: run.to_owned(), rules, mode, life }))
}

impl Desk for LocalDesk {
    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn grace(&self) -> Duration {
        GRACE
    }

    fn ask<'a>(&'a self, request: &'a Request) -> Asking<'a> {
        let (run, request, mode) = (self.run.clone(), request.clone(), self.mode);
        let life = self.life.clone();
        Box::pin(async move {
            let answer = tokio::task::spawn_blocking(move || answer(&run, &request, mode, &life));
            answer.await.map_err(|why| Fault::Desk(why.to_string()))?
        })
    }
}

/// Keeps a book for a run whose agent may ask.
pub(crate) fn open(run: &str, folder: &Path, rules: Option<&Rules>) -> Result<(), Trouble> {
    let Some(rules) = rules else { return Ok(()) };
    let failed = |why: String| Trouble::failed(why, "see `ENVELOPE_HOME`");
    let folder = crate::disk::real(folder).map_err(|why| failed(why.to_string()))?;
    Book::of(run).open(folder, rules.clone()).map_err(|why| failed(why.to_string()))
}

/// A network too for a run that may be let out later.
pub(crate) fn open_network(
    network: Option<Network>,
    asks: bool,
) -> Result<Option<Network>, Trouble> {
    if network.is_some() || !asks {
        return Ok(network);
    }
    let network = Network::new(Settings::default());
    network.map(Some).map_err(|why| Trouble::failed(why, "tell us"))
}

/// What was decided, if anything was, or is now.
fn answer(
    run: &str,
    request: &Request,
    mode: Mode,
    life: &LifeLog,
) -> Result<Vec<Decision>, Fault> {
    let failed = |why: book::Unkept| Fault::Desk(why.to_string());
    let digest = request.digest().map_err(|why| Fault::Desk(why.to_string()))?;
    let before = Book::of(run).take_in(request).map_err(failed)?;
    life::asked(life, digest, before.is_decided());
    if before.is_decided() {
        return Ok(before.decisions);
    }
    let verdict = match mode {
        Mode::Ask => terminal::ask(request),
        Mode::Yes => Some(agreed(&request.matter)),
        Mode::No => Some(declined()),
        Mode::Wait | Mode::Never => None,
    };
    let Some(verdict) = verdict else { return Ok(Vec::new()) };
    let after =
        Book::of(run).decide(digest, decision(SOMEBODY, digest, verdict)).map_err(failed)?;
    if !after.is_decided() {
        return Ok(Vec::new());
    }
    life::decided(life, digest);
    Ok(after.decisions)
}

/// What `who` says now.
pub(crate) fn decision(who: &str, saw: Digest, verdict: Verdict) -> Decision {
    let roles = vec![Label::cut(ROLE)];
    let by = Principal { id: Label::cut(who), kind: CallerKind::User, roles };
    Decision { by, at: now(), saw, verdict }
}

/// Yes to whatever it is, as far as a yes answers it.
pub(crate) fn agreed(matter: &Matter) -> Verdict {
    match matter {
        Matter::Scope { wanted, .. } => Verdict::Allow { scope: wanted.clone() },
        Matter::Choice { .. } => Verdict::Choose { choice: 0 },
        Matter::Document { .. } => {
            Verdict::Reject { reason: Label::cut("nobody is here to write an answer") }
        }
    }
}

fn declined() -> Verdict {
    Verdict::Reject { reason: Label::cut("nobody is asked") }
}

/// Forgets what a run that has ended asked: its journal has it all.
pub(crate) fn forget(run: &str) {
    Book::of(run).forget();
}
