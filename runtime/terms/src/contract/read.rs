//! From JSON to a contract, with every flaw located.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::flaw::{Code, Flaw, Severity};
use super::{
    Agent, Caps, Contract, Criterion, Deliverable, Dispute, Ip, Law, Liability, List, Milestone,
    Parties, Price, RemedyTable, Schedule, Scope, ServiceLevel, Stakes, Termination, Title,
};

/// A contract without errors, and what is worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The contract.
    pub contract: Contract,
    /// Flaws that do not stop the compiler.
    pub warnings: Vec<Flaw>,
}

/// Reads a contract. On refusal there is at least one error, and warnings stand among them. Where
/// the shape does not fit, the first misfit of each part is told; what only several fields together
/// can say is checked once the shape fits.
pub fn read(value: &Value) -> Result<Read, Vec<Flaw>> {
    let contract: Contract = located(value).map_err(|flaw| misfits(value, flaw))?;
    let flaws = contract.validate();
    if flaws.iter().any(|flaw| flaw.code.severity() == Severity::Error) {
        return Err(flaws);
    }
    Ok(Read { contract, warnings: flaws })
}

type Misfit = fn(&Value) -> Option<Flaw>;

/// Each part of a contract, tried by itself.
const PARTS: [(&str, Misfit); 18] = [
    ("agent", misfit::<Agent>),
    ("caps", misfit::<Caps>),
    ("criteria", misfit::<List<Criterion, 1, 20>>),
    ("deliverables", misfit::<List<Deliverable, 1, 32>>),
    ("dispute", misfit::<Dispute>),
    ("ip", misfit::<Ip>),
    ("law", misfit::<Law>),
    ("liability", misfit::<Liability>),
    ("milestones", misfit::<List<Milestone, 0, 20>>),
    ("parties", misfit::<Parties>),
    ("price", misfit::<Price>),
    ("remedy", misfit::<RemedyTable>),
    ("schedules", misfit::<List<Schedule, 0, 16>>),
    ("scope", misfit::<Scope>),
    ("service", misfit::<ServiceLevel>),
    ("stakes", misfit::<Stakes>),
    ("termination", misfit::<Termination>),
    ("title", misfit::<Title>),
];

/// The flaw of the whole, and the first of each part.
fn misfits(value: &Value, whole: Flaw) -> Vec<Flaw> {
    let parts = PARTS.into_iter().filter_map(|(name, misfit)| {
        let flaw = misfit(value.get(name)?)?;
        Some(flaw.under(&format!("/{name}")))
    });
    let mut flaws: Vec<_> = parts.chain([whole]).collect();
    flaws.sort();
    flaws.dedup();
    flaws
}

fn misfit<T: DeserializeOwned>(value: &Value) -> Option<Flaw> {
    located::<T>(value).err()
}

fn located<T: DeserializeOwned>(value: &Value) -> Result<T, Flaw> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| Flaw::new(Code::Shape, pointer(error.path()), error.inner()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::sample;
    use serde_json::json;

    #[test]
    fn each_part_is_tried() {
        let sample = sample::json();
        let names: Vec<_> = sample.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, PARTS.map(|(name, _)| name));
        for (name, misfit) in PARTS {
            assert_eq!(misfit(&sample[name]), None, "{name}");
            assert!(misfit(&json!(1.5)).is_some(), "{name}");
        }
    }

    #[test]
    fn misfits_of_several_parts_are_told_at_once() {
        let mut value = sample::json();
        value["price"]["amount"] = json!(0);
        value["caps"]["day"]["calls"] = json!(-1);
        value["agent"]["colour"] = json!("red");
        value.as_object_mut().unwrap().remove("law");
        let flaws = read(&value).unwrap_err();
        let places: Vec<_> = flaws.iter().map(|flaw| flaw.pointer.as_str()).collect();
        assert_eq!(places, ["/agent/colour", "/caps/day/calls", "/price/amount"]);
        value["price"]["amount"] = json!(240_000);
        value["caps"]["day"]["calls"] = json!(4000);
        value["agent"].as_object_mut().unwrap().remove("colour");
        let flaws = read(&value).unwrap_err();
        assert_eq!((flaws[0].pointer.as_str(), flaws.len()), ("", 1));
    }
}
