//! Exit codes: the same numbers for every command, and `exit` in `--json` answers.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Understood and turned down: a contract with flaws, a key that signs for nobody.
    Failed,
    /// The input cannot be used: a missing file, a wrong option.
    Usage,
    /// Verification failed.
    Refused,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 8,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
