//! What is wrong with a contract, and where.

use std::fmt;

use serde::Serialize;

/// One thing wrong with a contract: a stable code, the place as a JSON pointer, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Flaw {
    /// Where: an RFC 6901 pointer into the contract, empty for the whole of it.
    pub pointer: String,
    /// The stable code.
    pub code: Code,
    /// What is wrong there and what would be right.
    pub message: String,
}

/// Whether a flaw stops the compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// No Paper is made.
    Error,
    /// The Paper is made and the flaw is shown.
    Warning,
}

impl Flaw {
    /// A flaw at `pointer`.
    pub fn new(code: Code, pointer: impl Into<String>, message: impl fmt::Display) -> Self {
        Self { pointer: pointer.into(), code, message: message.to_string() }
    }

    /// The same flaw, seen from the document that holds this part at `prefix`.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at `{}`: {}", self.code.name(), self.pointer, self.message)
    }
}

/// Moves the flaws of a part below `prefix`.
pub(super) fn under(prefix: &str, flaws: Vec<Flaw>) -> impl Iterator<Item = Flaw> {
    flaws.into_iter().map(move |flaw| flaw.under(prefix))
}

macro_rules! table {
    ($($code:ident = $severity:ident $name:literal $meaning:literal $help:literal;)*) => {
        /// Every kind of flaw. The name is stable: once published it never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Code {
            $(#[doc = $meaning] #[serde(rename = $name)] $code,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// The stable spelling.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// What it means.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$code => $meaning,)* }
            }

            /// What to do about it.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$code => $help,)* }
            }

            /// Whether it stops the compiler.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$code => Severity::$severity,)* }
            }
        }
    };
}

table! {
    Source       = Error   "COMPILE_ERROR_SOURCE"
        "the file is not a source"
        "a source is UTF-8: data between two lines `+++`, then prose in Markdown";
    Syntax       = Error   "COMPILE_ERROR_SYNTAX"
        "the data are not TOML"
        "see toml.io for the spelling of tables, lists and texts";
    Shape        = Error   "COMPILE_ERROR_SHAPE"
        "a field is missing, unknown, of the wrong type or outside its bounds"
        "the JSON Schema of a contract lists every field with its bounds";
    Duplicate    = Error   "COMPILE_ERROR_DUPLICATE"
        "two entries of one list have the same name"
        "rename one of them or remove it";
    Reference    = Error   "COMPILE_ERROR_REFERENCE"
        "a name refers to nothing"
        "spell it as the `id` of an entry of this contract";
    Weights      = Error   "COMPILE_ERROR_WEIGHTS"
        "weights do not add up to 10000 basis points"
        "a basis point is a hundredth of a percent: 2500 is a quarter";
    Milestones   = Error   "COMPILE_ERROR_MILESTONES"
        "a criterion is not due in exactly one milestone"
        "name each criterion in the `criteria` of one milestone";
    Price        = Error   "COMPILE_ERROR_PRICE"
        "the amounts of the price do not agree"
        "amounts are whole numbers of the currency's smallest unit";
    Caps         = Error   "COMPILE_ERROR_CAPS"
        "an outer spending cap is below an inner one"
        "a day holds at least one task, and the agent's life at least one day";
    Scope        = Error   "COMPILE_ERROR_SCOPE"
        "a path, pattern or egress rule is not one the runtime can enforce"
        "paths are relative, without `..`; hosts are exact or `*.` and a domain";
    Outputs      = Error   "COMPILE_ERROR_OUTPUTS"
        "a deliverable lies outside the folder the agent may write to"
        "move it below `scope.outputs`";
    Check        = Error   "COMPILE_ERROR_CHECK"
        "a criterion cannot be checked as written"
        "choose a check that fits the form of the deliverable";
    Evidence     = Error   "COMPILE_ERROR_EVIDENCE"
        "a criterion does not name the evidence that its check reads"
        "add it to `evidence`, so that the check can be repeated";
    Model        = Error   "COMPILE_ERROR_MODEL"
        "a model of the release is not allowed by the contract"
        "add it to `scope.models`";
    Fingerprint  = Error   "COMPILE_ERROR_FINGERPRINT"
        "a dependency is pinned less firmly than its class claims"
        "give the missing field or claim a weaker class";
    Panel        = Error   "COMPILE_ERROR_PANEL"
        "the dispute panel cannot decide as written"
        "at least two judges of different providers, and answers that cover every belief";
    Neutrality   = Error   "COMPILE_ERROR_NEUTRALITY"
        "who measures is who is measured"
        "choose a judge that neither party and not the agent's provider stands behind";
    Clearance    = Error   "COMPILE_ERROR_CLEARANCE"
        "something is given data more sensitive than it is cleared for"
        "raise its clearance or lower `scope.data_classification`";
    Service      = Error   "COMPILE_ERROR_SERVICE"
        "the service level contradicts itself"
        "nothing is mended before it is answered";
    Remedy       = Error   "COMPILE_ERROR_REMEDY"
        "the remedy gets weaker as the breach or the stakes get worse"
        "each class of stakes is at least as strict as the one before";
    Parties      = Error   "COMPILE_ERROR_PARTIES"
        "the parties cannot contract with each other as written"
        "two parties have different identifiers and different signatories";
    Slot         = Error   "COMPILE_ERROR_SLOT"
        "a slot of the prose cannot be filled"
        "a slot is `{{ price.amount }}`: the path of one value of the data";
    Clause       = Error   "COMPILE_ERROR_CLAUSE"
        "a clause is missing or its heading cannot be read"
        "a clause begins with a heading like `## Liability {#liability kind=liability}`";
    Fidelity     = Error   "COMPILE_ERROR_FIDELITY"
        "the prose does not say what the data say"
        "change the data and let the slots render it, or restore the text";
    Schedules    = Error   "COMPILE_ERROR_SCHEDULE_CONFLICT"
        "schedules contradict each other or the contract"
        "meet what the schedule asks for or take it out";
    Prohibited   = Error   "COMPILE_ERROR_PROHIBITED"
        "something that no contract may contain"
        "take it out: it is refused whatever the parties agree";
    TooMany      = Error   "COMPILE_ERROR_TOO_MANY"
        "more than the compiler takes"
        "split the contract or shorten it";
    HumanReview  = Warning "COMPILE_WARNING_HITL_REQUIRED"
        "the work calls for a human, and nobody is asked"
        "add a criterion of the kind `human-review`, or let a human always decide";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_say_their_severity() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            let prefix = match code.severity() {
                Severity::Error => "COMPILE_ERROR_",
                Severity::Warning => "COMPILE_WARNING_",
            };
            assert!(code.name().starts_with(prefix), "{}", code.name());
            let written = serde_json::to_value(code).unwrap();
            assert_eq!(written, code.name());
        }
    }
}
