//! From JSON to a contract, with every flaw located.

use serde_json::Value;

use super::Contract;
use super::flaw::{Code, Flaw, Severity};

/// A contract without errors, and what is worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The contract.
    pub contract: Contract,
    /// Flaws that do not stop the compiler.
    pub warnings: Vec<Flaw>,
}

/// Reads a contract. On refusal there is at least one error, and warnings stand among them. A shape
/// that does not fit is told with its place; the rest is checked once the shape fits.
pub fn read(value: &Value) -> Result<Read, Vec<Flaw>> {
    let contract: Contract =
        serde_path_to_error::deserialize(value).map_err(|error| vec![shape(&error)])?;
    let flaws = contract.validate();
    if flaws.iter().any(|flaw| flaw.code.severity() == Severity::Error) {
        return Err(flaws);
    }
    Ok(Read { contract, warnings: flaws })
}

fn shape(error: &serde_path_to_error::Error<serde_json::Error>) -> Flaw {
    Flaw::new(Code::Shape, pointer(error.path()), error.inner())
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let token = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&token);
    }
    pointer
}
