//! Taking up every run that has nothing to wait for any more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use envelope_node::Asked;
use envelope_rules::approval::Request;

use crate::answer::Trouble;
use crate::desk::Book;
use crate::exit::Exit;
use crate::fresh::now;
use crate::stop;

/// Runs taken up at once: each is a sandbox with its own memory, and others work here too.
const AT_ONCE: usize = 4;

/// How often is looked: no human who decided sits and waits for less.
const LOOK: Duration = Duration::from_secs(1);

/// How often a run is taken up that then fails: what is wrong with it nobody here mends.
const TRIES_MAX: u32 = 3;

/// Takes up every run of this machine whose questions are decided or too late, or that was stopped,
/// a few at once. With `wait`, until somebody interrupts it.
///
/// `resume` says nothing of a run that another process is at work on: that is no failure.
pub(crate) fn all(
    wait: bool,
    resume: impl Fn(&Path) -> Option<Exit> + Sync,
) -> Result<Exit, Trouble> {
    let (mut tries, mut worst) = (BTreeMap::<PathBuf, u32>::new(), Exit::Done);
    thread::scope(|scope| {
        let mut running = BTreeMap::new();
        loop {
            let due = due()?;
            let fresh = |folder: &&PathBuf| tries.get(*folder).is_none_or(|it| *it < TRIES_MAX);
            let due: Vec<_> = due.iter().filter(fresh).cloned().collect();
            for folder in due {
                if running.len() >= AT_ONCE || running.contains_key(&folder) {
                    continue;
                }
                let (resume, of) = (&resume, folder.clone());
                running.insert(folder, scope.spawn(move || resume(&of)));
            }
            if running.is_empty() && !wait {
                return Ok(worst);
            }
            thread::sleep(if wait { LOOK } else { LOOK / 20 });
            let over = running.extract_if(.., |_, handle| handle.is_finished());
            for (folder, handle) in over.collect::<Vec<_>>() {
                let Some(exit) = handle.join().unwrap_or(Some(Exit::Failed)) else {
                    // Whoever is at work on it brings it to its end: nobody waits for that here.
                    if !wait {
                        tries.insert(folder, TRIES_MAX);
                    }
                    continue;
                };
                worst = if worst == Exit::Done { exit } else { worst };
                // Ended, or waiting for another answer: else it is still due.
                if matches!(exit, Exit::Done | Exit::Waiting) {
                    tries.remove(&folder);
                } else {
                    *tries.entry(folder).or_default() += 1;
                }
            }
        }
    })
}

/// The folders of the runs that have nothing to wait for.
fn due() -> Result<Vec<PathBuf>, Trouble> {
    let switches = stop::switches()?;
    let is_stopped = |run: &str, request: &Request| {
        let run = envelope_evidence::Label::cut(run);
        let named =
            [(&run, &request.agent), (&run, &request.caller), (&request.run, &request.agent)];
        named.iter().any(|(run, agent)| {
            stop::forbids(&switches, run, agent).is_ok_and(|denial| denial.is_some())
        })
    };
    let is_over = |run: &str, asked: &Asked| {
        asked.is_decided() || asked.is_late(now()) || is_stopped(run, &asked.request)
    };
    let runs = Book::runs().into_iter();
    let kept = runs.filter_map(|run| Book::of(&run).read().map(|kept| (run, kept)));
    let due = kept.filter(|(run, kept)| {
        !kept.asked.is_empty() && kept.asked.iter().all(|asked| is_over(run, asked))
    });
    Ok(due.map(|(_, kept)| kept.folder).collect())
}
