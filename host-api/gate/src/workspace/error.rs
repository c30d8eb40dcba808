//! What a file operation can fail with: the cases of WASI's `error-code` that can occur here.

use envelope_rules::path::{BadPath, Flaw};

/// Why an operation on the workspace fails. It failed as a whole: nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FsError {
    /// A node that is gone, or never was.
    #[error("the descriptor names nothing")]
    BadDescriptor,
    /// The root, where something is to be moved or removed.
    #[error("the root is neither moved nor removed")]
    Busy,
    /// Something of that name is there.
    #[error("it exists already")]
    Exist,
    /// Beyond what one file may hold.
    #[error("the file would be larger than a file may be")]
    FileTooLarge,
    /// A name that the rules refuse.
    #[error("no file can have this name: {0}")]
    IllegalByteSequence(BadPath),
    /// An argument that makes no sense: a NUL in a path, a folder moved into itself.
    #[error("an argument makes no sense")]
    Invalid,
    /// The bytes that the store promised are not there.
    #[error("the content of the file is not loaded")]
    Io,
    /// A folder, where a file is wanted.
    #[error("it is a folder")]
    IsDirectory,
    /// Too many bytes or segments.
    #[error("the path is too long")]
    NameTooLong,
    /// Nothing of that name is there.
    #[error("there is no such file or folder")]
    NoEntry,
    /// A file, where a folder is wanted.
    #[error("it is not a folder")]
    NotDirectory,
    /// A folder that holds something.
    #[error("the folder is not empty")]
    NotEmpty,
    /// A path that leaves the folder it starts from.
    #[error("the path leaves its folder")]
    NotPermitted,
    /// More bytes or files than the run may have.
    #[error("the run may hold no more files or bytes")]
    Quota,
}

impl FsError {
    /// The name of the case in WASI.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadDescriptor => "bad-descriptor",
            Self::Busy => "busy",
            Self::Exist => "exist",
            Self::FileTooLarge => "file-too-large",
            Self::IllegalByteSequence(_) => "illegal-byte-sequence",
            Self::Invalid => "invalid",
            Self::Io => "io",
            Self::IsDirectory => "is-directory",
            Self::NameTooLong => "name-too-long",
            Self::NoEntry => "no-entry",
            Self::NotDirectory => "not-directory",
            Self::NotEmpty => "not-empty",
            Self::NotPermitted => "not-permitted",
            Self::Quota => "quota",
        }
    }
}

impl From<BadPath> for FsError {
    fn from(bad: BadPath) -> Self {
        match bad.flaw {
            Flaw::TooLong | Flaw::SegmentTooLong | Flaw::TooDeep => Self::NameTooLong,
            Flaw::Absolute => Self::NotPermitted,
            Flaw::Nothing => Self::NoEntry,
            Flaw::EmptySegment
            | Flaw::Slash
            | Flaw::Dots
            | Flaw::Backslash
            | Flaw::Invisible
            | Flaw::NotNfc
            | Flaw::Star
            | Flaw::DoubleStar
            | Flaw::NoFinalSlash => Self::IllegalByteSequence(bad),
        }
    }
}
