//! `envelope stop`: kill switches. Whoever is named by one stops at its next step, and nobody whom
//! it names begins, until a human lifts it.

mod book;

use std::path::Path;
use std::sync::Arc;

use clap::{Args, Subcommand};
use envelope_engine::local::RunFolder;
use envelope_evidence::Label;
use envelope_gate::kill::{Obeyed, Switches};
use envelope_rules::Denial;
use envelope_rules::kill::{Event, Standing, Target, Thrown};
use serde_json::json;

use crate::answer::{Answer, Trouble, give};
use crate::desk::SOMEBODY;
use crate::exit::Exit;
use crate::fresh::now;
use crate::page::plain;
use crate::{disk, store};

use book::{Book, LocalSwitches};

/// Stop runs, agents, organisations or everybody
///
/// Whoever is stopped makes no further call and computes for no more than a few hundredths of a
/// second; its run ends with a receipt that says who stopped it, when and why. A node whose
/// database does not answer lets its runs go on for at most five seconds, and then none of them.
/// Nobody whom a switch names begins or goes on, until it is lifted. A run that waits for a human
/// ends when it is resumed.
#[derive(Subcommand)]
#[command(after_help = "\
Exit codes:
  0  done        1  the switches cannot be kept
  2  the input cannot be used, or it is so already

Examples:
  envelope stop run .envelope/runs/run_01… --reason 'it loops'
  envelope stop agent specialist@local --reason 'it was tampered with'
  envelope stop organisation acme --reason 'unpaid' --db postgres://…
  envelope stop all --reason 'fire'
  envelope stop list
  envelope stop lift agent specialist@local --reason 'it was replaced'")]
pub(crate) enum Stop {
    /// One run, by its folder or its id
    Run(Named),
    /// All runs of an agent, by the service identity that receipts tell: `specialist@local`. On
    /// this machine that is the name on the agent's own card: one that calls itself otherwise is
    /// another
    Agent(Named),
    /// All runs under a Paper, by its digest; needs a database, because runs of this machine are
    /// under none
    Paper(Named),
    /// All runs of an organisation; needs a database, because runs of this machine are of none
    Organisation(Named),
    /// Everybody
    All(Word),
    /// List who is stopped, by whom, since when and why
    List(List),
    /// Let those begin and go on again who were stopped
    #[command(subcommand)]
    Lift(Lift),
}

/// Take a switch back
#[derive(Subcommand)]
pub(crate) enum Lift {
    /// That of one run, by its folder or its id
    Run(Named),
    /// That of an agent
    Agent(Named),
    /// That of a Paper
    Paper(Named),
    /// That of an organisation
    Organisation(Named),
    /// That of everybody
    All(Word),
}

#[derive(Args)]
pub(crate) struct Named {
    /// Whom
    name: String,
    #[command(flatten)]
    word: Word,
}

#[derive(Args)]
pub(crate) struct Word {
    /// Why: receipts and the list tell it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// In whose name. It is taken at its word: whoever may use this machine's keys stops its runs
    #[arg(long = "as", value_name = "NAME", default_value = SOMEBODY)]
    by: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
}

/// Where the switches are.
#[derive(Args)]
struct Place {
    /// The switches of this database: `sqlite:<file>` or `postgres://…` [default: `ENVELOPE_DB`, or
    /// those of the runs of this machine, in the home folder]
    #[arg(long, value_name = "URL")]
    db: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Place {
    fn url(&self) -> Option<String> {
        self.db.clone().or_else(store::named_db)
    }
}

impl Stop {
    pub(crate) fn run(&self) -> Exit {
        match self {
            Self::List(list) => give(list.answer(), list.place.json),
            Self::Run(named) => named.throw(run_of),
            Self::Agent(named) => named.throw(agent_of),
            Self::Paper(named) => named.throw(paper_of),
            Self::Organisation(named) => named.throw(organisation_of),
            Self::All(word) => give(word.throw(Target::All), word.place.json),
            Self::Lift(lift) => lift.run(),
        }
    }
}

impl Lift {
    fn run(&self) -> Exit {
        match self {
            Self::Run(named) => named.lift(run_of),
            Self::Agent(named) => named.lift(agent_of),
            Self::Paper(named) => named.lift(paper_of),
            Self::Organisation(named) => named.lift(organisation_of),
            Self::All(word) => give(word.lift(Target::All), word.place.json),
        }
    }
}

/// Whom a name on the command line names.
type Read = fn(&str) -> Result<Target, Trouble>;

impl Named {
    fn throw(&self, read: Read) -> Exit {
        let answer = self.target(read).and_then(|target| self.word.throw(target));
        give(answer, self.word.place.json)
    }

    fn lift(&self, read: Read) -> Exit {
        let answer = self.target(read).and_then(|target| self.word.lift(target));
        give(answer, self.word.place.json)
    }

    fn target(&self, read: Read) -> Result<Target, Trouble> {
        let target = read(&self.name)?;
        let nobodys = match &target {
            Target::Organisation(_) => Some("of no organisation"),
            Target::Paper(_) => Some("under no Paper"),
            Target::All | Target::Agent(_) | Target::Run(_) => None,
        };
        if let Some(nobodys) = nobodys.filter(|_| self.word.place.url().is_none()) {
            let what = format!("the runs of this machine are {nobodys}");
            return Err(Trouble::usage(what, "name the database of its runs with `--db`"));
        }
        Ok(target)
    }
}

impl Word {
    fn throw(&self, target: Target) -> Result<Answer, Trouble> {
        let data = json!({ "target": target, "by": self.by, "reason": self.reason });
        let whom = plain(target.to_string());
        let event = Event::Thrown { target, word: self.word()? };
        if !self.note(event)? {
            let what = format!("{whom} is stopped already");
            return Err(Trouble::usage(what, "see `envelope stop list`"));
        }
        let note = format!("{whom} is stopped, until `envelope stop lift`\n");
        Ok(Answer::note("stop", note, data))
    }

    fn lift(&self, target: Target) -> Result<Answer, Trouble> {
        let data = json!({ "target": target, "by": self.by, "reason": self.reason });
        let whom = plain(target.to_string());
        let event = Event::Lifted { target, word: self.word()? };
        if !self.note(event)? {
            let what = format!("{whom} is not stopped");
            return Err(Trouble::usage(what, "see `envelope stop list`"));
        }
        Ok(Answer::note("lift", format!("{whom} may begin and go on\n"), data))
    }

    fn word(&self) -> Result<Thrown, Trouble> {
        let bad = |what: &str, why| Trouble::usage(format!("`--{what}`: {why}"), "say it shorter");
        let reason = Label::new(&self.reason).map_err(|why| bad("reason", why))?;
        if reason.trim().is_empty() {
            return Err(Trouble::usage("a stop has a reason", "say it: `--reason TEXT`"));
        }
        let by = Label::new(&self.by).map_err(|why| bad("as", why))?;
        Ok(Thrown { by, reason, at: now() })
    }

    /// True, if it changed anything.
    fn note(&self, event: Event) -> Result<bool, Trouble> {
        match self.place.url() {
            None => Book::at_home()?.note(event).map_err(unusable),
            Some(url) => store::wait(async {
                let store = store::open(&url).await?;
                envelope_store::stops::note(&store, None, event).await.map_err(store::trouble)
            }),
        }
    }
}

impl List {
    fn answer(&self) -> Result<Answer, Trouble> {
        let thrown: Vec<(Target, Thrown)> = match self.place.url() {
            None => {
                let switches = Book::at_home()?.switches().map_err(unusable)?;
                switches.thrown().map(|it| (it.target.clone(), it.thrown.clone())).collect()
            }
            Some(url) => store::wait(async {
                let store = store::open(&url).await?;
                envelope_store::stops::thrown(&store, None).await.map_err(store::trouble)
            })?,
        };
        let line = |(target, thrown): &(Target, Thrown)| {
            plain(Standing { target, thrown }.words().as_str()) + "\n"
        };
        let page: String = thrown.iter().map(line).collect();
        let note = if thrown.is_empty() { "nobody is stopped\n" } else { "" };
        let row = |(target, word): &(Target, Thrown)| json!({ "target": target, "word": word });
        let data = json!({ "stopped": thrown.iter().map(row).collect::<Vec<_>>() });
        Ok(Answer { note: note.to_owned(), ..Answer::page("stops", page, data) })
    }
}

/// The switches that a run of this machine obeys.
pub(crate) fn switches() -> Result<Arc<dyn Switches>, Trouble> {
    Ok(LocalSwitches::at_home()?)
}

/// Why `run` may not begin or go on, if it may not.
pub(crate) fn forbids(
    switches: &Arc<dyn Switches>,
    run: &Label,
    agent: &Label,
) -> Result<Option<Denial>, Trouble> {
    let obeyed = Obeyed { switches: switches.clone(), organisation: None };
    obeyed.forbids((run, agent), None).map_err(|why| unusable(why.to_string()))
}

/// Refuses what may not begin.
pub(crate) fn check(
    switches: &Arc<dyn Switches>,
    run: &Label,
    agent: &Label,
) -> Result<(), Trouble> {
    forbids(switches, run, agent)?.map_or(Ok(()), |denial| {
        Err(Trouble::denied(plain(denial.to_string()), "see `envelope stop list`"))
    })
}

fn run_of(name: &str) -> Result<Target, Trouble> {
    if disk::is_folder(Path::new(name)) {
        let journal = RunFolder::open(Path::new(name)).read_journal().map_err(Trouble::folder)?;
        return Ok(Target::Run(journal.header().run.clone()));
    }
    // A word that no run can be called would stop none.
    if !name.starts_with("run_") {
        let what = format!("`{}` is neither the folder of a run nor the id of one", plain(name));
        return Err(Trouble::usage(what, "a run's id begins with `run_`"));
    }
    label(name).map(Target::Run)
}

fn paper_of(name: &str) -> Result<Target, Trouble> {
    let digest = name.parse().map_err(|why| {
        Trouble::usage(format!("`{name}`: {why}"), "a Paper is named by its digest: `sha256:…`")
    });
    digest.map(Target::Paper)
}

fn agent_of(name: &str) -> Result<Target, Trouble> {
    if !name.contains('@') {
        let what = format!("`{}` is no agent", plain(name));
        return Err(Trouble::usage(what, format!("write `{}@local`", plain(name))));
    }
    label(name).map(Target::Agent)
}

fn organisation_of(name: &str) -> Result<Target, Trouble> {
    let known =
        envelope_store::Org::new(name).map_err(|why| Trouble::usage(why, "see its name"))?;
    label(known.as_str()).map(Target::Organisation)
}

fn label(name: &str) -> Result<Label, Trouble> {
    Label::new(name)
        .map_err(|why| Trouble::usage(format!("`{}`: {why}", plain(name)), "see its name"))
}

fn unusable(why: String) -> Trouble {
    Trouble::failed(why, "see `stops.jsonl` in `ENVELOPE_HOME`")
}
