//! What an operator sets once: in a file, in the environment, or with a flag, which goes first.
//!
//! A key of the file is the name of a flag, and its variable is that name with `ENVELOPE_` before
//! it. So there is one list of keys, and one check: what the flag takes, the file takes.
#![expect(clippy::disallowed_methods, reason = "settings may stand in the environment")]

mod file;
mod key;
pub(crate) mod schema;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command};

use crate::answer::Trouble;
use crate::{disk, home};

pub(crate) use key::{KEYS, Key, Kind, shown, shown_in_json};

/// The variable that names the file.
const CONFIG: &str = "ENVELOPE_CONFIG";

/// The file in the home folder. None is read from the folder in which somebody happens to stand:
/// that may be a stranger's, and a stranger must not say what runs may reach.
const NAME: &str = "envelope.toml";

/// Bytes of a file of settings: all keys with all their entries.
const BYTES_MAX: usize = 64 << 10;

/// Commands that take settings.
const COMMANDS: [&str; 4] = ["serve", "node", "init", "doctor"];

/// Which file.
#[derive(Args, Default, Clone)]
pub(crate) struct ConfigFlag {
    /// A file of settings, in TOML: its keys are the names of flags, as `envelope config schema`
    /// tells. A flag goes before its variable, `ENVELOPE_` and the name, and that before the file
    /// [default: `ENVELOPE_CONFIG`, or `envelope.toml` in the home folder if it is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    File { path: PathBuf, line: usize },
    Variable(String),
    Flag,
}

/// What somebody set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// One word, or those of a list.
    pub(crate) words: Vec<String>,
    pub(crate) source: Source,
}

/// What is wrong with a setting, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) source: Source,
    pub(crate) what: String,
    pub(crate) hint: String,
}

/// What is set beside the command line.
#[derive(Default)]
pub(crate) struct Settings {
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    said: BTreeMap<&'static str, Said>,
    pub(crate) flaws: Vec<Flaw>,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

impl Flaw {
    /// As a command tells it that cannot go on.
    pub(crate) fn trouble(&self) -> Trouble {
        Trouble::usage(format!("{}: {}", self.source, self.what), self.hint.clone())
    }
}

impl Settings {
    /// Reads the file that is named, and the environment.
    pub(crate) fn read(named: Option<&Path>) -> Result<Self, Trouble> {
        let mut settings = match file_to_read(named) {
            None => Self::default(),
            Some(path) => Self::of_file(path)?,
        };
        for key in KEYS {
            let name = key.variable();
            let Some(value) = std::env::var_os(&name).filter(|value| !value.is_empty()) else {
                continue;
            };
            let source = Source::Variable(name);
            match value.into_string() {
                Ok(text) => {
                    settings.said.insert(key.name, Said { words: key.words(&text), source });
                }
                Err(_) => settings.flaws.push(Flaw {
                    source,
                    what: "is not UTF-8".to_owned(),
                    hint: "write it in UTF-8".to_owned(),
                }),
            }
        }
        Ok(settings)
    }

    fn of_file(path: PathBuf) -> Result<Self, Trouble> {
        let hint = "give a file of settings with `--config`, or see `envelope config --help`";
        let bytes = disk::read(&path).map_err(|why| Trouble::usage(why, hint))?;
        let wrong = |what: &str| Trouble::usage(format!("`{}`: {what}", path.display()), hint);
        if bytes.len() > BYTES_MAX {
            return Err(wrong(&format!("it is larger than {BYTES_MAX} bytes")));
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))?;
        let (said, flaws) = file::read(&text, &path);
        Ok(Self { file: Some(path), said, flaws })
    }

    pub(crate) fn said(&self, key: &Key) -> Option<&Said> {
        self.said.get(key.name)
    }

    /// Adds what the first of `commands` that has the flag would refuse on its command line.
    pub(crate) fn check(&mut self, commands: &[&Command]) {
        let flaws = KEYS.iter().filter_map(|key| {
            let command = commands.iter().find(|command| key.of(command).is_some())?;
            let said = self.said(key)?;
            let why = said.words.iter().find_map(|word| key.refused(command, word))?;
            Some(Flaw {
                source: said.source.clone(),
                what: format!("`{}` {}: {why}", key.name, shown(key, &said.words)),
                hint: key.hint(),
            })
        });
        let found: Vec<_> = flaws.collect();
        self.flaws.extend(found);
        let (one, other) = ("trust", "trust-only");
        if let (true, Some(said)) = (self.said.contains_key(one), self.said.get(other)) {
            self.flaws.push(Flaw {
                source: said.source.clone(),
                what: format!("`{one}` and `{other}` contradict each other"),
                hint: format!("keep `{other}` to trust no public authority, or `{one}`"),
            });
        }
    }

    /// The words of a command line that say what `matches` of `command` leave unsaid.
    fn words(&self, command: &Command, matches: &ArgMatches) -> Vec<OsString> {
        let flags = KEYS.iter().filter(|key| !is_flag(key, command, matches));
        let flags = flags.filter(|key| key.of(command).is_some());
        let words = flags.filter_map(|key| Some((key, self.said(key)?)));
        let words = words.flat_map(|(key, said)| {
            said.words.iter().map(move |word| OsString::from(format!("--{}={word}", key.name)))
        });
        words.collect()
    }
}

/// Whether somebody wrote the flag of `key`.
pub(crate) fn is_flag(key: &Key, command: &Command, matches: &ArgMatches) -> bool {
    let id = key.of(command).map(|arg| arg.get_id().as_str());
    id.is_some_and(|id| matches.value_source(id) == Some(ValueSource::CommandLine))
}

/// The command line `line`, of which `matches` came, and what the file and the environment add to
/// it. Nothing is added to a command that takes no settings.
pub(crate) fn completed(
    all: &Command,
    matches: &ArgMatches,
    line: Vec<OsString>,
) -> Result<Vec<OsString>, Trouble> {
    let Some((name, inner)) = matches.subcommand() else { return Ok(line) };
    let command = all.find_subcommand(name).filter(|_| COMMANDS.contains(&name));
    let Some(command) = command else { return Ok(line) };
    let named = inner.get_one::<PathBuf>("config");
    let mut settings = Settings::read(named.map(PathBuf::as_path))?;
    settings.check(&[command]);
    // `doctor` tells of every flaw, and looks at the rest.
    if let Some(flaw) = settings.flaws.first() {
        return if name == "doctor" { Ok(line) } else { Err(flaw.trouble()) };
    }
    Ok(line.into_iter().chain(settings.words(command, inner)).collect())
}

/// The file that is named, or the one at home.
fn file_to_read(named: Option<&Path>) -> Option<PathBuf> {
    let variable = || std::env::var_os(CONFIG).filter(|it| !it.is_empty()).map(PathBuf::from);
    let at_home = || home::home().ok().map(|home| home.join(NAME)).filter(|it| disk::is_there(it));
    named.map(Path::to_owned).or_else(variable).or_else(at_home)
}

/// What clap says of a value that it refuses, without the value.
fn reason(error: &clap::Error) -> String {
    match error.source() {
        Some(why) => why.to_string(),
        None => "it is not of its form".to_owned(),
    }
}
