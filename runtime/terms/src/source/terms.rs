//! The terms that a template carries as data: fields of a contract, as other documents set them.

use serde_json::Value;

use super::clause::Kind;
use super::field;
use super::prose::Path;
use crate::contract::{self, Code, Contract, Flaw};
use crate::document::Terms;

/// The terms in `data`, and what no contract could have among them.
pub(super) fn read(data: &Value, kind: Option<Kind>) -> (Terms, Vec<Flaw>) {
    let (terms, told) = match data.get("terms") {
        None => return (Terms::new(), Vec::new()),
        Some(_) if kind == Some(Kind::Paper) => {
            let message = "the data of a Paper are its terms: a template of one has none";
            return (Terms::new(), vec![Flaw::new(Code::Shape, POINTER, message)]);
        }
        Some(Value::Object(terms)) => (terms.clone(), None),
        Some(_) => (Terms::new(), Some(Flaw::new(Code::Shape, POINTER, "terms are a table"))),
    };
    let mut flaws: Vec<_> = told.into_iter().collect();
    fields(&terms, &mut Vec::new(), &mut flaws);
    (terms, flaws)
}

/// Why a contract whose data are `root` could not have these terms. Those of a side letter go
/// before all others, so that the contract has to be sound with them too.
pub(super) fn misfits(kind: Kind, terms: &Terms, root: &Value) -> Vec<Flaw> {
    if terms.is_empty() {
        return Vec::new();
    }
    let mut changed = root.clone();
    merge(&mut changed, terms);
    if kind != Kind::SideLetter && contract::located::<Contract>(&changed).is_ok() {
        return Vec::new();
    }
    let flaws = contract::read(&changed).err().unwrap_or_default();
    flaws.into_iter().map(|flaw| flaw.under(POINTER)).collect()
}

/// Where terms stand.
const POINTER: &str = "/terms";

/// Tells every term that is no field of a contract.
fn fields(terms: &Terms, above: &mut Vec<String>, flaws: &mut Vec<Flaw>) {
    for (name, value) in terms {
        above.push(name.clone());
        let path = Path { relative: false, steps: above.clone() };
        match (field::check(&[&path]), value) {
            (Err(why), _) => flaws.push(Flaw::new(Code::Shape, pointer(above), why)),
            (Ok(()), Value::Object(members)) => fields(members, above, flaws),
            (Ok(()), _) => {}
        }
        above.pop();
    }
}

fn pointer(steps: &[String]) -> String {
    let steps = steps.iter().map(|step| step.replace('~', "~0").replace('/', "~1"));
    steps.fold(POINTER.to_owned(), |pointer, step| pointer + "/" + &step)
}

/// Sets each term, and leaves what stands beside it.
fn merge(value: &mut Value, terms: &Terms) {
    let Value::Object(members) = value else {
        *value = Value::Object(terms.clone());
        return;
    };
    for (name, term) in terms {
        match (members.get_mut(name), term) {
            (Some(there), Value::Object(inner)) => merge(there, inner),
            (_, term) => drop(members.insert(name.clone(), term.clone())),
        }
    }
}
