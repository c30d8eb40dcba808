//! `envelope demo`: the main job, end to end, in a fresh folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use envelope_engine::replay::Verdict;
use envelope_evidence::Dimension;
use envelope_evidence::journal::Event;
use envelope_rules::budget::NanoUsd;
use serde_json::{Value, json};

use crate::answer::Trouble;
use crate::callees::CalleeFlags;
use crate::desk::{DeskFlags, Mode};
use crate::disk;
use crate::exit::Exit;
use crate::models::ModelFlags;
use crate::net::Net;
use crate::page::{self, BAD, FAINT, GOOD, STRONG, plain, styled};
use crate::replay::Replay;
use crate::run::{Ran, Run};
use crate::verify::Verify;

/// The examples, from the root of the repository.
const EXAMPLES: &str = "guest-examples";

/// What the hostile agent may send, so that there is a network it could abuse.
const RULE: &str = "GET https://api.example.org/v1/**";

/// The model that is asked, and what may be spent on it.
const MODEL: &str = "stub/any";
const BUDGET: &str = "0.0014";

/// Build the example agents and see what Envelope is for.
///
/// One agent summarises documents under a real grant. A hostile one gets the same grant, tries
/// everything it should not, sending documents away too, and every refusal is recorded. A third
/// asks a model, as far as a budget goes. A planner hands a part of its files to a specialist and
/// asks you for more. Then the receipts are verified, and the runs are replayed to the same hash.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  all of it worked        1  something did not        2  this is not the root of the repository

Example, in the root of the repository:
  envelope demo --out my-demo")]
pub(crate) struct Demo {
    /// Where everything is kept; a new folder below `.envelope` by default
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// What becomes of the planner's wish: `ask` on this terminal, `yes` or `no`. Where there is no
    /// terminal it is `yes`
    #[arg(long = "approvals", value_name = "HOW")]
    approvals: Option<Mode>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(crate) fn run(&self) -> Exit {
        match self.carry_out() {
            Ok(story) => {
                if self.json {
                    page::line(story);
                }
                Exit::Done
            }
            Err(trouble) => trouble.tell(self.json),
        }
    }

    fn carry_out(&self) -> Result<Value, Trouble> {
        let examples = Path::new(EXAMPLES);
        if !disk::is_folder(examples) {
            let what = format!("there is no `{EXAMPLES}` here");
            return Err(Trouble::usage(what, "run the demo in the root of the repository"));
        }
        let out = self.folder()?;
        let data = out.join("workspace");
        disk::copy_folder(&examples.join("data"), &data)
            .map_err(|why| Trouble::failed(why, "give a fresh folder with `--out`"))?;

        self.step(1, "an agent summarises documents: it reads `docs/**`, it writes below `out/`");
        let args = r#"{"folder":"docs"}"#;
        let summary = examples.join("summary");
        let summary = self.agent(&summary, "summary", args, &data, &out.join("summary"))?;
        self.say(format!("{} {}", styled(GOOD, "wrote"), data.join("out/summary.md").display()));

        self.step(2, "a hostile agent gets the same grant, and a network, and tries everything");
        let hostile = self.attack(&examples.join("hostile"), &data, &out.join("hostile"))?;
        let denied = self.show_denials(&hostile);

        self.step(3, "a model answers (played by a stub) as far as a budget goes");
        let briefing = self.brief(&examples.join("briefing"), &data, &out.join("briefing"))?;

        self.step(4, "a planner hands a part of it to a specialist, and asks you for more");
        let planner = self.plan(examples, &data, &out.join("planner"))?;

        self.step(5, "a stranger verifies the receipts, offline");
        let receipt = self.verify(&summary)?;
        self.verify(&planner)?;

        self.step(6, "and replays all four runs from their records alone");
        for ran in [&summary, &hostile, &briefing, &planner] {
            self.replay(ran)?;
        }
        self.say(format!("\neverything lies in {}", styled(STRONG, out.display())));
        Ok(json!({"type": "demo", "exit": 0, "folder": out, "denied": denied,
            "receipt": receipt, "replayed": 4}))
    }

    fn folder(&self) -> Result<PathBuf, Trouble> {
        let fresh = || crate::fresh::fresh(None).map(|fresh| fresh.run.replace("run_", "demo-"));
        match &self.out {
            Some(out) => Ok(out.clone()),
            None => Ok(Path::new(".envelope")
                .join(fresh().map_err(|why| Trouble::failed(why, "try again"))?)),
        }
    }

    fn agent(
        &self,
        agent: &Path,
        skill: &str,
        args: &str,
        data: &Path,
        out: &Path,
    ) -> Result<Ran, Trouble> {
        Run::of(agent, skill, args, data, ["docs/**"], "out/", out).carry_out()
    }

    /// What it read it sends to a stranger; no name is asked for, and nothing leaves.
    fn attack(&self, agent: &Path, data: &Path, out: &Path) -> Result<Ran, Trouble> {
        let run = Run::of(agent, "try-all", "{}", data, ["docs/**"], "out/", out);
        run.with_net(Net::allowing(RULE)).carry_out()
    }

    /// Some documents are affordable, the others are not: what is denied is not even asked.
    fn brief(&self, agent: &Path, data: &Path, out: &Path) -> Result<Ran, Trouble> {
        let budget = BUDGET.parse().map_err(|why| Trouble::failed(why, "tell us"))?;
        let args = format!(r#"{{"folder":"docs","model":"{MODEL}"}}"#);
        let run = Run::of(agent, "brief", &args, data, ["docs/**"], "out/", out);
        let ran = run.with_models(ModelFlags::stub(MODEL, budget)).carry_out()?;
        let paid = ran.finished.journal.used().get(Dimension::NanoUsd);
        let paid = NanoUsd::new(paid).unwrap_or_default();
        self.say(format!("{} {paid} of {budget}", styled(GOOD, "paid")));
        self.show_denials(&ran);
        Ok(ran)
    }

    /// The specialist sees the PDFs and writes below the draft; the prices only a human can allow.
    fn plan(&self, examples: &Path, data: &Path, out: &Path) -> Result<Ran, Trouble> {
        let (planner, args) = (examples.join("planner"), r#"{"specialist":"specialist@local"}"#);
        let run = Run::of(&planner, "offer", args, data, ["rfp/*.pdf"], "rfp/draft/", out);
        let callees = CalleeFlags::of("specialist", &examples.join("specialist"));
        let mode = Mode::or_terminal(self.approvals, Mode::Yes);
        let ran = run.with_others(callees, DeskFlags::of(mode)).carry_out()?;
        let journal = &ran.finished.journal;
        for entry in journal.entries() {
            if let Event::Reviewed(review) = &entry.event {
                let (decision, who) = (review.decision.name(), plain(&review.reviewer));
                self.say(format!("{} by {who}: {}", styled(GOOD, decision), review.saw));
            }
        }
        let scope = |scope: &envelope_evidence::journal::Scope| {
            let paths: Vec<_> = scope.paths.iter().map(|path| path.as_str()).collect();
            format!("{} reads {}", scope.jti, paths.join(", "))
        };
        let held = [journal.header().scope.as_ref(), journal.scope()];
        held.into_iter().flatten().for_each(|held| self.say(plain(scope(held))));
        let offer = data.join("rfp/draft/offer.md");
        self.say(format!("{} {}", styled(GOOD, "wrote"), offer.display()));
        Ok(ran)
    }

    fn show_denials(&self, ran: &Ran) -> usize {
        let entries = ran.finished.journal.entries().iter();
        let denied: Vec<_> = entries
            .filter_map(|entry| match &entry.event {
                Event::Denied(denied) => Some(denied),
                Event::Begun(_)
                | Event::Answered(_)
                | Event::Reviewed(_)
                | Event::Evaluated(_)
                | Event::Ended(_) => None,
            })
            .collect();
        let mut codes = BTreeSet::new();
        for denied in denied.iter().filter(|denied| codes.insert(denied.code.as_str())) {
            let what = format!("{} {}", denied.call.operation, denied.call.target.as_str());
            let (what, code) = (plain(what), styled(FAINT, &denied.code));
            self.say(format!("{} {what}  {code}", styled(BAD, "denied")));
        }
        self.say(format!("{} refusals in all, each in the journal; nothing changed", denied.len()));
        denied.len()
    }

    fn verify(&self, ran: &Ran) -> Result<Value, Trouble> {
        let folder = ran.folder()?;
        let verify = Verify::of(folder.receipt_path(), folder.keys_path());
        let report = verify.report()?;
        if let Some(failed) = report.first_failure() {
            return Err(Trouble::failed(
                format!("the receipt fails at {}", failed.name),
                "tell us",
            ));
        }
        let id = report.said.as_ref().map(|said| said.id);
        self.say(format!("{} {} checks", styled(GOOD, "verified"), report.checks.len()));
        Ok(json!(id))
    }

    fn replay(&self, ran: &Ran) -> Result<(), Trouble> {
        match Replay::of(ran.folder()?.path()).carry_out()? {
            Verdict::Same(again) => {
                let (calls, head) = (again.journal.calls().len(), again.journal.head());
                self.say(format!("{} {calls} calls, head {head}", styled(GOOD, "the same run")));
                Ok(())
            }
            Verdict::Diverged(divergence) => Err(Trouble::failed(divergence, "tell us")),
        }
    }

    fn step(&self, number: u8, what: &str) {
        self.say(format!("\n{} {what}", styled(STRONG, format!("{number}/6"))));
    }

    fn say(&self, text: String) {
        if self.json {
            page::aside(text);
        } else {
            page::line(text);
        }
    }
}
