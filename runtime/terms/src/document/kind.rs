//! What a document is, where it may stand in the chain and what it overrides.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds of documents. The order is that of the chain and of precedence: the more special
/// document stands later and wins over the more general one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The platform's terms of service.
    Tos,
    /// Terms common to all its contracts.
    BaseTerms,
    /// An addendum for an industry or a service. There may be several.
    Schedule,
    /// The master agreement of buyer and developer.
    Msa,
    /// One engagement. A chain has exactly one.
    Paper,
    /// A change of the Paper by mutual consent.
    Amendment,
    /// An agreement that only its named readers can read.
    SideLetter,
}

impl Kind {
    /// Every kind, the most general first.
    pub const ALL: [Self; 7] = [
        Self::Tos,
        Self::BaseTerms,
        Self::Schedule,
        Self::Msa,
        Self::Paper,
        Self::Amendment,
        Self::SideLetter,
    ];

    /// The name in documents and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tos => "tos",
            Self::BaseTerms => "base-terms",
            Self::Schedule => "schedule",
            Self::Msa => "msa",
            Self::Paper => "paper",
            Self::Amendment => "amendment",
            Self::SideLetter => "side-letter",
        }
    }

    /// Whether a document of this kind may come directly after `before`, nothing for the first.
    /// The MSA is the root unless it has ancestors, and the Paper is never without it; amendments
    /// and side letters mix in the order in which they were agreed.
    pub const fn follows(self, before: Option<Self>) -> bool {
        use Kind::{Amendment, BaseTerms, Msa, Paper, Schedule, SideLetter, Tos};
        match self {
            Tos => before.is_none(),
            BaseTerms => matches!(before, None | Some(Tos)),
            Schedule | Msa => matches!(before, None | Some(Tos | BaseTerms | Schedule)),
            Paper => matches!(before, Some(Msa)),
            Amendment | SideLetter => matches!(before, Some(Paper | Amendment | SideLetter)),
        }
    }

    /// Whether both parties have to sign it. What stands above the Paper is agreed with the Paper,
    /// whose signed bytes name it.
    pub const fn is_signed(self) -> bool {
        match self {
            Self::Tos | Self::BaseTerms | Self::Schedule | Self::Msa => false,
            Self::Paper | Self::Amendment | Self::SideLetter => true,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
