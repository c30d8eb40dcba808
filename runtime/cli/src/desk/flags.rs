//! What is said on the command line about people who are asked.

use std::io::IsTerminal as _;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use envelope_evidence::Label;
use envelope_rules::approval::{APPROVERS_MAX, CLASSES_MAX, Class, Policy, Rules};
use envelope_rules::budget::NanoUsd;
use envelope_rules::egress::target::{Method, Target};
use envelope_rules::guard::Capability;

use super::ROLE;
use crate::answer::Trouble;

/// Seconds that people may take: a week, with a weekend in it.
const PATIENCE_SECS: u64 = 7 * 24 * 3600;

/// What becomes of an agent's questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// They are asked on this terminal
    Ask,
    /// Whatever is asked for is given
    Yes,
    /// Nothing is given
    No,
    /// The run is put aside until `envelope approvals` decides
    Wait,
    /// The agent may not ask
    Never,
}

impl Mode {
    /// What is done where nobody says what: a terminal is there to be asked at.
    pub(crate) fn or_terminal(given: Option<Self>, otherwise: Self) -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        given.unwrap_or(if terminal { Self::Ask } else { otherwise })
    }
}

/// Flags about people who are asked.
#[derive(Args)]
pub(crate) struct DeskFlags {
    /// What becomes of the agent's questions and its wishes for more authority. On a terminal they
    /// are asked there; elsewhere it may not ask, or waits where `--ask-before` or `--approvers 2`
    /// says that somebody has to agree
    #[arg(long = "approvals", value_name = "HOW")]
    mode: Option<Mode>,
    /// How many people have to agree: 1 or 2
    #[arg(long, value_name = "COUNT", default_value_t = 1,
        value_parser = clap::value_parser!(u8).range(1..=i64::from(APPROVERS_MAX)))]
    approvers: u8,
    /// How long they may take, in seconds: it is added to `--timeout`
    #[arg(long, value_name = "SECONDS", default_value_t = PATIENCE_SECS)]
    patience: u64,
    /// Calls that somebody has to allow one by one, though the agent asks nobody: `http POST`,
    /// `http POST api.example.org`, `agents specialist@local`, `model >0.01`
    #[arg(long = "ask-before", value_name = "CALLS")]
    before: Vec<Before>,
}

impl Default for DeskFlags {
    fn default() -> Self {
        let (mode, approvers) = (Some(Mode::Never), 1);
        Self { mode, approvers, patience: PATIENCE_SECS, before: Vec::new() }
    }
}

impl DeskFlags {
    /// Flags that say no more than this.
    pub(crate) fn of(mode: Mode) -> Self {
        Self { mode: Some(mode), ..Self::default() }
    }

    /// Whether somebody asks for an answer at once, which only a run of this process gets.
    pub(crate) const fn answers_here(&self) -> bool {
        matches!(self.mode, Some(Mode::Ask | Mode::Yes | Mode::No))
    }

    /// What becomes of questions.
    pub(crate) fn mode(&self) -> Mode {
        let asks = !self.before.is_empty() || self.approvers > 1;
        Mode::or_terminal(self.mode, if asks { Mode::Wait } else { Mode::Never })
    }

    /// How people are asked. None, if nobody is.
    pub(crate) fn rules(&self) -> Result<Option<Rules>, Trouble> {
        if self.mode() == Mode::Never {
            if self.before.is_empty() {
                return Ok(None);
            }
            let what = "`--ask-before` asks, and `--approvals never` asks nobody";
            return Err(Trouble::usage(what, "leave one of them out"));
        }
        if self.before.len() > CLASSES_MAX {
            let what = format!("more than {CLASSES_MAX} times `--ask-before`");
            return Err(Trouble::usage(what, "`--ask-before http` is every request"));
        }
        let policy = Policy { role: Label::cut(ROLE), approvers: self.approvers, caller: true };
        let calls = self.before.iter().map(|before| before.0.clone()).collect();
        Ok(Some(Rules { policy, window: self.patience, most: None, calls }))
    }

    /// Seconds that a run may take more because people are asked.
    pub(crate) fn patience(&self) -> u64 {
        match self.mode() {
            Mode::Ask | Mode::Wait => self.patience,
            Mode::Yes | Mode::No | Mode::Never => 0,
        }
    }
}

/// The same for a run that goes on.
pub(crate) fn resumed(given: Option<Mode>) -> Mode {
    Mode::or_terminal(given, Mode::Wait)
}

/// A class of calls as it is written on the command line.
#[derive(Debug, Clone)]
pub(crate) struct Before(Class);

impl FromStr for Before {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let capability = match words.next() {
            Some("http") => Capability::Http,
            Some("model") => Capability::Model,
            Some("agents") => Capability::Agents,
            Some(_) | None => return Err("begin with `http`, `model` or `agents`".to_owned()),
        };
        let mut class = Class { capability, method: None, to: None, above_nano_usd: None };
        for word in words {
            let label = || Label::new(word).map_err(|why| why.to_string());
            let taken = if let Some(dollars) = word.strip_prefix('>') {
                let dollars = dollars.parse::<NanoUsd>().map_err(|why| why.to_string())?;
                class.above_nano_usd.replace(dollars.get()).is_some()
            } else if capability == Capability::Http && Method::parse(word).is_ok() {
                class.method.replace(label()?).is_some()
            } else {
                check_to(capability, word)?;
                class.to.replace(label()?).is_some()
            };
            if taken {
                return Err(format!("`{word}` is one too many: repeat the flag for it"));
            }
        }
        Ok(Self(class))
    }
}

/// A name that no call can have would hold no call back.
fn check_to(capability: Capability, word: &str) -> Result<(), String> {
    // `post` is a method that somebody misspelled, long before it is a host.
    let is_host = || {
        let target = Target::parse("GET", &format!("http://{word}/"));
        let named = word == "localhost" || word.contains(['.', ':']);
        named && target.is_ok_and(|target| target.host().to_string() == word)
    };
    if capability == Capability::Http && !is_host() {
        return Err(format!("`{word}` is no method, and no host as requests name it"));
    }
    if capability == Capability::Agents && !word.contains('@') {
        return Err(format!("`{word}` is no agent: write `{word}@local`"));
    }
    Ok(())
}
