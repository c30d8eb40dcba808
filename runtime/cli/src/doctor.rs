//! `envelope doctor`: what is well with a house, what is not, and what to do about it.

mod checks;

use std::fmt::Display;
use std::net::SocketAddr;

use clap::Args;
use serde_json::{Value, json};

use crate::answer::{Answer, Trouble, give};
use crate::exit::Exit;
use crate::page::{BAD, FAINT, GOOD, STRONG, plain, styled};
use crate::settings::ConfigFlag;
use crate::store::{HouseFlags, wait};

/// Look over a house: settings, database, blobs, keys, clock, address, engine, and its walls
///
/// Each finding comes with what to do about it. The walls are tried by a guest on the real engine:
/// it opens a file that it was given and one that it was not, asks a host that nobody allowed, and
/// then never ends. One file is written into the folder of the blobs and removed; nothing else is
/// changed.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  nothing fails; there may be warnings
  8  something fails: each finding is told
  2  the input cannot be used

Examples:
  envelope doctor
  envelope doctor --config house.toml --json")]
pub(crate) struct Doctor {
    #[command(flatten)]
    from: ConfigFlag,
    #[command(flatten)]
    house: HouseFlags,
    /// Where the house will be reached
    #[arg(long, value_name = "ADDRESS", default_value = crate::serve::ADDRESS)]
    address: SocketAddr,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Well,
    Warning,
    Failing,
}

/// What was found, and what to do about it.
struct Finding {
    /// What was looked at.
    name: &'static str,
    state: State,
    what: String,
    /// Empty where all is well.
    treatment: String,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Warning => "warning",
            Self::Failing => "failing",
        }
    }
}

impl Finding {
    fn well(name: &'static str, what: impl Display) -> Self {
        Self { name, state: State::Well, what: what.to_string(), treatment: String::new() }
    }

    fn failing(name: &'static str, what: impl Display, treatment: impl Into<String>) -> Self {
        let treatment = treatment.into();
        Self { name, state: State::Failing, what: what.to_string(), treatment }
    }

    fn warning(name: &'static str, what: impl Display, treatment: impl Into<String>) -> Self {
        Self { state: State::Warning, ..Self::failing(name, what, treatment) }
    }

    fn of(name: &'static str, why: &Trouble) -> Self {
        Self::failing(name, why.what(), why.hint())
    }

    fn page(&self) -> String {
        let (mark, style) = match self.state {
            State::Well => ("✓", GOOD),
            State::Warning => ("!", STRONG),
            State::Failing => ("✗", BAD),
        };
        let line =
            format!("{} {:<16} {}\n", styled(style, mark), plain(self.name), plain(&self.what));
        if self.treatment.is_empty() {
            return line;
        }
        format!("{line}  {}\n", styled(FAINT, plain(format!("→ {}", self.treatment))))
    }

    fn in_json(&self) -> Value {
        let treatment = Some(&self.treatment).filter(|it| !it.is_empty());
        json!({ "name": self.name, "state": self.state.name(), "what": self.what,
            "treatment": treatment })
    }
}

impl Doctor {
    pub(crate) fn run(&self) -> Exit {
        give(wait(self.look()), self.json)
    }

    async fn look(&self) -> Result<Answer, Trouble> {
        let findings = self.findings().await;
        let fails = findings.iter().any(|it| it.state == State::Failing);
        let exit = if fails { Exit::Refused } else { Exit::Done };
        let page = findings.iter().map(Finding::page).collect::<String>();
        let data: Vec<_> = findings.iter().map(Finding::in_json).collect();
        Ok(Answer { exit, ..Answer::page("doctor", page, json!({ "findings": data })) })
    }

    async fn findings(&self) -> Vec<Finding> {
        let mut all = checks::settings(&self.from);
        let (store, found) = checks::database(&self.house).await;
        all.push(found);
        all.push(checks::blobs(&self.house));
        all.push(checks::keys(store.as_ref()).await);
        all.extend(match &store {
            Some(store) => Some(checks::clock(store).await),
            None => None,
        });
        all.push(checks::address(self.address).await);
        all.extend(checks::engine().await);
        all
    }
}
