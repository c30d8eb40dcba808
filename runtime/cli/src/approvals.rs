//! `envelope approvals`: what agents asked, and what people say.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use envelope_engine::local::RunFolder;
use envelope_evidence::{Digest, Label};
use envelope_node::{Asked, now};
use envelope_rules::approval::{Matter, Verdict, Wanted};
use envelope_rules::budget::NanoUsd;
use envelope_rules::path::Prefix;
use envelope_rules::pattern::PatternSet;
use serde_json::{Value, json};

use crate::answer::{Answer, Trouble, give};
use crate::desk::{Book, Kept, SOMEBODY, decision};
use crate::disk;
use crate::exit::Exit;
use crate::page::plain;
use crate::store::{self, HouseFlags, wait};

/// See what agents asked, and decide it
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  envelope approvals list
  envelope approvals show .envelope/runs/run_01…
  envelope approvals approve .envelope/runs/run_01… --read 'rfp/*.pdf' --ttl 600
  envelope resume .envelope/runs/run_01…
  envelope approvals approve run_01… --db postgres://localhost/envelope

`envelope resume --all --wait`, left running, goes on with each run as soon as it is decided.")]
pub(crate) enum Approvals {
    /// List what waits for a decision: in one run, or in all of this machine
    List(List),
    /// Show a request, byte for byte what a decision is bound to
    Show(Show),
    /// Say yes: to all that is asked for, or to less
    Approve(Approve),
    /// Say no
    Deny(Deny),
}

#[derive(Args)]
pub(crate) struct List {
    /// The folder of one run, or its id where it is kept in a database
    folder: Option<PathBuf>,
    #[command(flatten)]
    house: HouseFlags,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// Which request.
#[derive(Args)]
struct Which {
    /// The folder of the run, or its id where it is kept in a database
    folder: PathBuf,
    #[command(flatten)]
    house: HouseFlags,
    /// The request by its id, where more than one waits
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

/// Who decides what.
#[derive(Args)]
struct Who {
    /// In whose name. It is taken at its word: whoever may use this machine's keys decides
    #[arg(long = "as", value_name = "NAME", default_value = SOMEBODY)]
    name: String,
    /// The digest of what was shown: another request is not decided
    #[arg(long, value_name = "DIGEST")]
    saw: Option<String>,
}

#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    which: Which,
}

#[derive(Args)]
pub(crate) struct Approve {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    who: Who,
    /// Let it read no more than this
    #[arg(long, value_name = "PATTERN")]
    read: Vec<String>,
    /// Let it write no further than this; empty for nowhere more
    #[arg(long, value_name = "PREFIX")]
    write: Option<String>,
    /// Let it reach no more hosts than these
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// Let it call no more models than these
    #[arg(long = "model", value_name = "NAME")]
    models: Vec<String>,
    /// Let it spend no more than so many US dollars
    #[arg(long, value_name = "USD")]
    budget: Option<NanoUsd>,
    /// For no longer than so many seconds
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
    /// The answer, by its number
    #[arg(long, value_name = "NUMBER")]
    choice: Option<u32>,
    /// The answer, a JSON document
    #[arg(long, value_name = "JSON")]
    answer: Option<String>,
}

#[derive(Args)]
pub(crate) struct Deny {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    who: Who,
    /// Why
    #[arg(long, default_value = "declined", value_name = "TEXT")]
    reason: String,
}

impl Approvals {
    pub(crate) fn run(&self) -> Exit {
        match self {
            Self::List(list) => give(list.answer(), list.json),
            Self::Show(show) => give(show.answer(), show.which.json),
            Self::Approve(approve) => give(approve.answer(), approve.which.json),
            Self::Deny(deny) => give(deny.answer(), deny.which.json),
        }
    }
}

impl List {
    fn answer(&self) -> Result<Answer, Trouble> {
        let stored = is_stored(&self.house, self.folder.as_deref());
        let all = match &self.folder {
            run if stored => from_store(&self.house, run.as_deref())?,
            Some(folder) => vec![(folder.clone(), kept(folder)?.asked)],
            None => Book::all().into_iter().map(|kept| (kept.folder, kept.asked)).collect(),
        };
        let (mut page, mut documents) = (String::new(), Vec::new());
        for (folder, asked) in &all {
            for asked in asked.iter().filter(|asked| !asked.is_decided()) {
                let (id, what) = (asked.id(), plain(words(&asked.request.matter)));
                let late = if asked.is_late(now()) { " (too late)" } else { "" };
                page += &format!("{id}  {what}{late}  {}\n", folder.display());
                documents.push(in_json(asked, folder));
            }
        }
        let note = if documents.is_empty() { "nothing waits for a decision\n" } else { "" };
        let data = json!({ "waiting": documents });
        Ok(Answer { note: note.to_owned(), ..Answer::page("approvals", page, data) })
    }
}

impl Show {
    fn answer(&self) -> Result<Answer, Trouble> {
        let (_, asked) = self.which.find()?;
        let shown = asked.request.shown().map_err(|why| Trouble::failed(why, "deny it"))?;
        let data = in_json(&asked, &self.which.folder);
        let digest = Digest::of(shown.as_bytes());
        let page = format!("{shown}\n");
        Ok(Answer { note: format!("digest {digest}\n"), ..Answer::page("approval", page, data) })
    }
}

impl Approve {
    fn answer(&self) -> Result<Answer, Trouble> {
        let (run, asked) = self.which.find()?;
        let verdict = match &asked.request.matter {
            Matter::Scope { wanted, .. } => Verdict::Allow { scope: self.less(wanted)? },
            Matter::Choice { choices, .. } => {
                let only = (choices.len() == 1).then_some(0);
                let choice = self.choice.or(only);
                let missing = || Trouble::usage("which answer?", "give its number: `--choice 0`");
                Verdict::Choose { choice: choice.ok_or_else(missing)? }
            }
            Matter::Document { .. } => {
                let missing = || Trouble::usage("which answer?", "give it: `--answer JSON`");
                Verdict::Answer { document: self.answer.clone().ok_or_else(missing)? }
            }
        };
        decide(&self.which, &self.who, &run, &asked, verdict)
    }

    /// What is allowed of what is wanted.
    fn less(&self, wanted: &Wanted) -> Result<Wanted, Trouble> {
        let bad = |what: String| Trouble::usage(what, "see what is asked: `approvals show`");
        let labels = |texts: &[String], all: &[Label]| match texts {
            [] => all.to_vec(),
            texts => texts.iter().map(|text| Label::cut(text)).collect(),
        };
        let read: Vec<_> = self.read.iter().map(String::as_str).collect();
        let read = match &read[..] {
            [] => wanted.read.clone(),
            read => PatternSet::parse(read).map_err(|why| bad(format!("`--read`: {why}")))?,
        };
        let write = match self.write.as_deref() {
            None => wanted.write.clone(),
            Some("") => None,
            Some(text) => {
                Some(Prefix::parse(text).map_err(|why| bad(format!("`--write`: {why}")))?)
            }
        };
        Ok(Wanted {
            read,
            write,
            hosts: labels(&self.hosts, &wanted.hosts),
            models: labels(&self.models, &wanted.models),
            nano_usd: self.budget.map_or(wanted.nano_usd, NanoUsd::get),
            ttl: self.ttl.unwrap_or(wanted.ttl),
        })
    }
}

impl Deny {
    fn answer(&self) -> Result<Answer, Trouble> {
        let (run, asked) = self.which.find()?;
        let verdict = Verdict::Reject { reason: Label::cut(&self.reason) };
        decide(&self.which, &self.who, &run, &asked, verdict)
    }
}

impl Which {
    /// The run, and the request in question.
    fn find(&self) -> Result<(String, Asked), Trouble> {
        let (run, asked) = if is_stored(&self.house, Some(&self.folder)) {
            let all = from_store(&self.house, Some(&self.folder))?;
            let asked = all.into_iter().flat_map(|(_, asked)| asked).collect();
            (self.folder.display().to_string(), asked)
        } else {
            (run_of(&self.folder)?, kept(&self.folder)?.asked)
        };
        let mut found: Vec<Asked> = match &self.id {
            Some(wanted) => asked.into_iter().filter(|it| it.id() == *wanted).collect(),
            None => asked.into_iter().filter(|it| !it.is_decided()).collect(),
        };
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok((run, one)),
            (Some(_), false) => {
                Err(Trouble::usage("more than one request waits", "name one with `--id`"))
            }
            (None, _) => {
                let what = "nothing of this run waits for a decision";
                Err(Trouble::usage(what, "see `envelope approvals list`"))
            }
        }
    }
}

fn decide(
    which: &Which,
    who: &Who,
    run: &str,
    asked: &Asked,
    verdict: Verdict,
) -> Result<Answer, Trouble> {
    let failed = |why: String| Trouble::failed(why, "see it again with `envelope approvals show`");
    let digest = asked.request.digest().map_err(|why| failed(why.to_string()))?;
    if who.saw.as_ref().is_some_and(|saw| *saw != digest.to_string()) {
        return Err(failed(format!("the request is {digest}, not what was seen")));
    }
    let said = decision(&who.name, digest, verdict);
    let stored = is_stored(&which.house, Some(&which.folder));
    let after = if stored {
        wait(async {
            let (house, org) = (which.house.open().await?, which.house.org()?);
            let decided = envelope_node::decide(&house, &org, &asked.id(), digest, said).await;
            decided.map_err(|why| failed(why.to_string()))
        })?
    } else {
        Book::of(run).decide(digest, said).map_err(|why| failed(why.to_string()))?
    };
    let folder = which.folder.display();
    let note = if after.is_decided() && stored {
        format!("{}; a node goes on with it\n", after.state().name())
    } else if after.is_decided() {
        format!("{}; go on with `envelope resume {folder}`\n", after.state().name())
    } else {
        "noted; somebody else has to agree\n".to_owned()
    };
    Ok(Answer::note("decision", note, in_json(&after, &which.folder)))
}

fn run_of(folder: &Path) -> Result<String, Trouble> {
    let journal = RunFolder::open(folder).read_journal().map_err(Trouble::folder)?;
    Ok(journal.header().run.to_string())
}

fn kept(folder: &Path) -> Result<Kept, Trouble> {
    let unknown = || {
        let what = format!("`{}` asked nobody on this machine, or has ended", folder.display());
        Trouble::usage(what, "see `envelope approvals list`")
    };
    Book::of(&run_of(folder)?).read().ok_or_else(unknown)
}

/// Whether it is about a run that is kept in a database.
fn is_stored(house: &HouseFlags, folder: Option<&Path>) -> bool {
    house.is_named() && !folder.is_some_and(disk::is_folder)
}

/// What waits in a database, and of which run.
fn from_store(
    house: &HouseFlags,
    run: Option<&Path>,
) -> Result<Vec<(PathBuf, Vec<Asked>)>, Trouble> {
    wait(async {
        let (kept, org) = (house.open().await?, house.org()?);
        let run = run.map(|run| run.display().to_string());
        let all = envelope_node::waiting(&kept, &org, run.as_deref()).await;
        let all = all.map_err(store::kept)?;
        let named = |it: Asked| (PathBuf::from(it.request.run.as_str()), vec![it]);
        Ok(all.into_iter().map(named).collect())
    })
}

fn words(matter: &Matter) -> &str {
    match matter {
        Matter::Scope { reason, .. } => reason,
        Matter::Choice { text, .. } | Matter::Document { text, .. } => text,
    }
}

fn in_json(asked: &Asked, folder: &Path) -> Value {
    json!({
        "id": asked.id(),
        "folder": folder.display().to_string(),
        "request": asked.request,
        "digest": asked.request.digest().ok(),
        "state": asked.state().name(),
        "decided_by": asked.decisions.iter().map(|it| &it.by.id).collect::<Vec<_>>(),
    })
}
