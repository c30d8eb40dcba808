//! What is said on the command line about people who are asked.

use std::io::IsTerminal as _;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use envelope_evidence::Label;
use envelope_rules::approval::{APPROVERS_MAX, CLASSES_MAX, Class, Labelled, Policy, Rules};
use envelope_rules::budget::NanoUsd;
use envelope_rules::egress::target::{Method, Target};
use envelope_rules::guard::Capability;
use envelope_rules::pattern::PatternSet;

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
    /// `http POST api.example.org`, `agents specialist@local`, `model >0.01`, `http data:medical`
    #[arg(long = "ask-before", value_name = "CALLS")]
    before: Vec<Before>,
    /// Files of `--dir` that hold data of a class, such as `medical=patients/**`: for calls that
    /// need leave once the run has had such a file in hand, `--ask-before 'http data:medical'`
    #[arg(long = "data", value_name = "CLASS=PATTERN")]
    data: Vec<Data>,
}

impl Default for DeskFlags {
    fn default() -> Self {
        let (mode, approvers) = (Some(Mode::Never), 1);
        let (before, data) = (Vec::new(), Vec::new());
        Self { mode, approvers, patience: PATIENCE_SECS, before, data }
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
        self.check_data()?;
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
        let data = self.data.iter().map(|data| data.0.clone()).collect();
        Ok(Some(Rules { policy, window: self.patience, most: None, calls, data }))
    }

    /// A class of data that nobody labels would hold no call back, and one that no call is held
    /// back for is a word without effect.
    fn check_data(&self) -> Result<(), Trouble> {
        let asked: Vec<_> = self.before.iter().filter_map(|it| it.0.data.as_ref()).collect();
        let labelled: Vec<_> = self.data.iter().map(|it| &it.0.class).collect();
        if let Some(class) = asked.iter().find(|class| !labelled.contains(class)) {
            let hint = format!("label its files: `--data '{class}=patients/**'`");
            return Err(Trouble::usage(format!("no files hold data of `{class}`"), hint));
        }
        if let Some(class) = labelled.iter().find(|class| !asked.contains(class)) {
            let hint = format!("say for which: `--ask-before 'http data:{class}'`");
            return Err(Trouble::usage(format!("no call is held back for `{class}`"), hint));
        }
        if labelled.len() > CLASSES_MAX {
            let what = format!("more than {CLASSES_MAX} times `--data`");
            return Err(Trouble::usage(what, "one class can have a wider pattern"));
        }
        Ok(())
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
        let mut class =
            Class { capability, method: None, to: None, above_nano_usd: None, data: None };
        for word in words {
            let label = || Label::new(word).map_err(|why| why.to_string());
            let taken = if let Some(dollars) = word.strip_prefix('>') {
                let dollars = dollars.parse::<NanoUsd>().map_err(|why| why.to_string())?;
                class.above_nano_usd.replace(dollars.get()).is_some()
            } else if let Some(name) = word.strip_prefix("data:") {
                class.data.replace(named(name)?).is_some()
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

/// Files with a class of data as it is written on the command line.
#[derive(Debug, Clone)]
pub(crate) struct Data(Labelled);

impl FromStr for Data {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (class, pattern) = text.split_once('=').ok_or("write `CLASS=PATTERN`")?;
        let files = PatternSet::parse(&[pattern]).map_err(|why| why.to_string())?;
        Ok(Self(Labelled { class: named(class)?, files }))
    }
}

/// The name of a class of data.
fn named(text: &str) -> Result<Label, String> {
    let good = |it: u8| it.is_ascii_alphanumeric() || b"-_".contains(&it);
    if text.is_empty() || !text.bytes().all(good) {
        return Err(format!("`{text}` is no class: name it in letters, digits, `-` and `_`"));
    }
    Label::new(text).map_err(|why| why.to_string())
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
