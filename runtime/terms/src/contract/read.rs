//! From JSON to a contract, with every flaw located.

use serde::Serialize;
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

fn misfit<T: DeserializeOwned + Serialize>(value: &Value) -> Option<Flaw> {
    located::<T>(value).err()
}

/// Reads a `T` whose shape fits, and says where it does not. Readers made by a derive take more
/// than the schema offers: a list of values for an object, `{"name": null}` for a name, members
/// that a variant does not have. What is written back tells: each value has one spelling.
pub(crate) fn located<T: DeserializeOwned + Serialize>(value: &Value) -> Result<T, Flaw> {
    let read: T = serde_path_to_error::deserialize(value)
        .map_err(|error| Flaw::new(Code::Shape, pointer(error.path()), error.inner()))?;
    let written = serde_json::to_value(&read).map_err(|why| Flaw::new(Code::Shape, "", why))?;
    match second_spelling(value, &written) {
        None => Ok(read),
        Some(pointer) => {
            let message = "unknown, or a second spelling of what the schema describes";
            Err(Flaw::new(Code::Shape, pointer, message))
        }
    }
}

/// Where `given` is not what was understood. Members with a default may be absent.
fn second_spelling(given: &Value, written: &Value) -> Option<String> {
    let below = |token: &str, given, written: Option<&Value>| {
        let inner = written.map_or_else(|| Some(String::new()), |it| second_spelling(given, it));
        inner.map(|inner| format!("/{}{inner}", escaped(token)))
    };
    match (given, written) {
        (Value::Object(given), Value::Object(written)) => {
            given.iter().find_map(|(key, value)| below(key, value, written.get(key)))
        }
        (Value::Array(given), Value::Array(written)) if given.len() == written.len() => {
            let mut pairs = given.iter().zip(written).enumerate();
            pairs.find_map(|(at, (given, written))| below(&at.to_string(), given, Some(written)))
        }
        (given, written) => (given != written).then(String::new),
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let token = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => escaped(key),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&token);
    }
    pointer
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
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

    #[test]
    fn a_second_spelling_is_a_misfit() {
        let spellings = [
            ("/price", json!(["CHF", 240_000, 12_000, 252_000]), "/price"),
            ("/stakes", json!({ "elevated": null }), "/stakes"),
            ("/criteria/1/check", json!(["file-exists", 1]), "/criteria/1/check"),
        ];
        for (place, spelling, pointer) in spellings {
            let mut value = sample::json();
            *value.pointer_mut(place).unwrap() = spelling;
            let flaws = read(&value).unwrap_err();
            assert!(flaws.iter().any(|flaw| flaw.pointer == pointer), "{place}: {flaws:?}");
        }
    }
}
