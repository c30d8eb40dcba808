//! `envelope replay`: run it again, from the record alone.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use envelope_engine::config::Machine;
use envelope_engine::local::{Keys, RunFolder};
use envelope_engine::replay::{Verdict, replay};
use serde_json::json;

use crate::answer::Trouble;
use crate::exit::Exit;
use crate::guest;
use crate::page::{self, BAD, GOOD, STRONG, plain, styled};
use crate::run::runtime;

/// Replay a run from its folder.
///
/// The component runs again on the recorded answers, without any world around it. Every call it
/// makes, every answer it computes and the end it comes to have to be the recorded ones; the first
/// that is not is named.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  the same run
  8  another run: the first divergent call is named
  2  the evidence is not complete, or was made by another engine

Example:
  envelope replay .envelope/runs/run_01…")]
pub(crate) struct Replay {
    /// The folder of the run
    folder: PathBuf,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub(crate) fn run(&self) -> Exit {
        match self.carry_out() {
            Ok(Verdict::Same(finished)) => {
                let receipt = envelope_evidence::receipt::fold(&finished.journal).receipt;
                let id = envelope_evidence::Digest::of(&receipt);
                let calls = finished.journal.calls().len();
                if self.json {
                    page::line(json!({"type": "replay", "exit": 0, "verdict": "same",
                        "calls": calls, "receipt": id}));
                } else {
                    let same = styled(GOOD, "the same run");
                    page::line(format!("{same}: {calls} calls, receipt {}", styled(STRONG, id)));
                }
                Exit::Done
            }
            Ok(Verdict::Diverged(divergence)) => {
                if self.json {
                    page::line(json!({"type": "replay", "exit": 8, "verdict": "diverged",
                        "call": divergence.n, "recorded": divergence.recorded,
                        "asked": divergence.asked}));
                } else {
                    page::line(format!("{} at call {}", styled(BAD, "another run"), divergence.n));
                    page::line(format!("recorded  {}", plain(&divergence.recorded)));
                    page::line(format!("asked     {}", plain(&divergence.asked)));
                }
                Exit::Refused
            }
            Err(trouble) => trouble.tell(self.json),
        }
    }

    /// What the command does with `folder`.
    pub(crate) fn of(folder: &std::path::Path) -> Self {
        Self { folder: folder.to_owned(), json: false }
    }

    pub(crate) fn carry_out(&self) -> Result<Verdict, Trouble> {
        let folder = RunFolder::open(&self.folder);
        let journal = folder.read_journal().map_err(Trouble::folder)?;
        let bytes = folder.component().map_err(Trouble::folder)?;
        let name = journal.header().agent.name.to_string();
        runtime()?.block_on(async {
            let machine = Machine::new().map_err(|why| Trouble::failed(why, "update Envelope"))?;
            let prepared = Arc::new(guest::prepare(&machine, &bytes, &name).await?);
            // A replay judges nothing, so it needs no secret: any key will do.
            let keys = Keys { grants: zeroize::Zeroizing::new([1; 32]) };
            let order = folder.order(prepared, &keys).map_err(Trouble::folder)?;
            let blobs = RunFolder::blobs(folder.path()).map_err(Trouble::folder)?;
            let verdict = replay(order, journal, blobs).await;
            verdict.map_err(|why| Trouble::usage(why, "replay needs the whole folder of the run"))
        })
    }
}
