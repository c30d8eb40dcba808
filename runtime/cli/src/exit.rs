//! Exit codes: the same numbers for every command, and `exit` in `--json` answers.

use std::fmt;
use std::process::ExitCode;

use serde_json::json;

use crate::page;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// It could not be done.
    Failed,
    /// The input cannot be used: a missing file, a wrong option.
    Usage,
    /// The agent failed or crashed.
    Agent,
    /// Denied by grant or policy.
    Denied,
    /// A limit was reached.
    Budget,
    /// Verification failed.
    Refused,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Agent => 3,
            Self::Denied => 5,
            Self::Budget => 6,
            Self::Refused => 8,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command cannot be carried out, and what to do about it.
#[derive(Debug)]
pub(crate) struct Trouble {
    exit: Exit,
    what: String,
    hint: &'static str,
}

impl Trouble {
    /// What was given cannot be used.
    pub(crate) fn usage(what: impl fmt::Display, hint: &'static str) -> Self {
        Self { exit: Exit::Usage, what: what.to_string(), hint }
    }

    /// It went wrong.
    pub(crate) fn failed(what: impl fmt::Display, hint: &'static str) -> Self {
        Self { exit: Exit::Failed, what: what.to_string(), hint }
    }

    /// The folder of a run cannot be used.
    pub(crate) fn folder(why: envelope_engine::local::BadFolder) -> Self {
        Self::usage(why, "give the folder of a run, as `envelope run` left it")
    }

    /// Says so.
    pub(crate) fn tell(&self, in_json: bool) -> Exit {
        if in_json {
            let (exit, what, hint) = (self.exit.code(), &self.what, self.hint);
            page::line(json!({"type": "error", "exit": exit, "error": what, "hint": hint}));
        } else {
            page::error(&self.what, self.hint);
        }
        self.exit
    }
}
