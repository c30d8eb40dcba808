//! Exit codes: the same numbers for every command, and `exit` in `--json` answers.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Understood and turned down, or gone wrong: a contract with flaws, a build that fails.
    Failed,
    /// The input cannot be used: a missing file, a wrong option.
    Usage,
    /// The agent failed or crashed.
    Agent,
    /// A human has to decide before it goes on.
    Waiting,
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
            Self::Waiting => 4,
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
