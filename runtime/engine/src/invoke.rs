//! Calling a component by its shape.

use bytes::Bytes;
use envelope_evidence::journal::Outcome;
use envelope_gate::stop::Stop;
use wasmtime::Store;

use crate::bindings::Failure;
use crate::cell::Cell;
use crate::prepared::{Entry, Prepared};

/// What a guest that came back by itself gave.
#[derive(Debug)]
pub(crate) struct Returned {
    pub(crate) outcome: Outcome,
    pub(crate) reason: String,
    pub(crate) result: Option<Bytes>,
}

/// The command line of a program: its own name, the skill, and the arguments as they are. Agents
/// get theirs by their own interface.
pub(crate) fn arguments(component: &Prepared, skill: &str, args: &Bytes) -> Vec<String> {
    match component.entry() {
        Entry::Agent(_) => Vec::new(),
        Entry::Command(_) => command_line(skill, args),
    }
}

/// A list of texts is a command line; any other document is given whole.
fn command_line(skill: &str, args: &Bytes) -> Vec<String> {
    let name = std::iter::once(skill.to_owned());
    match serde_json::from_slice::<Vec<String>>(args) {
        Ok(list) => name.chain(list).collect(),
        Err(_) => name.chain([String::from_utf8_lossy(args).into_owned()]).collect(),
    }
}

/// Runs the guest to its end.
pub(crate) async fn invoke(
    component: &Prepared,
    store: &mut Store<Cell>,
    skill: &str,
    args: &Bytes,
) -> wasmtime::Result<Returned> {
    match component.entry() {
        Entry::Agent(agent) => {
            let agent = agent.instantiate_async(&mut *store).await?;
            let text = String::from_utf8_lossy(args).into_owned();
            let skills = agent.envelope_host_skills();
            let answer = skills.call_invoke(&mut *store, skill, &text).await?;
            Ok(held_to_schema(component, skill, of_agent(answer)))
        }
        Entry::Command(command) => {
            let command = command.instantiate_async(&mut *store).await?;
            let status = match command.wasi_cli_run().call_run(&mut *store).await {
                Ok(Ok(())) => 0,
                Ok(Err(())) => 1,
                Err(error) => left_with(error)?,
            };
            Ok(of_command(status, store.data_mut()))
        }
    }
}

fn of_agent(answer: Result<String, Failure>) -> Returned {
    let failed = |reason: &str, document: String| Returned {
        outcome: Outcome::Failed,
        reason: reason.to_owned(),
        result: Some(document.into()),
    };
    match answer {
        Ok(document) => Returned {
            outcome: Outcome::Ok,
            reason: "returned".to_owned(),
            result: Some(document.into()),
        },
        Err(Failure::UnknownSkill(skill)) => failed("unknown skill", skill),
        Err(Failure::InvalidArgs(why)) => failed("invalid arguments", why),
        Err(Failure::Failed(document)) => failed("the skill failed", document),
    }
}

/// A result that its own schema does not allow is no result.
fn held_to_schema(component: &Prepared, skill: &str, returned: Returned) -> Returned {
    let Returned { outcome: Outcome::Ok, result: Some(result), .. } = &returned else {
        return returned;
    };
    let unfit = component.card().skill(skill).and_then(|it| it.fits_output(result).err());
    match unfit {
        Some(unfit) => Returned {
            outcome: Outcome::Failed,
            reason: format!("the result does not fit its schema {unfit}"),
            ..returned
        },
        None => returned,
    }
}

/// The status with which a program left, if that is what it did.
fn left_with(error: wasmtime::Error) -> wasmtime::Result<u8> {
    match error.downcast_ref::<Stop>() {
        Some(Stop::Exit(status)) => Ok(*status),
        Some(_) | None => Err(error),
    }
}

fn of_command(status: u8, cell: &mut Cell) -> Returned {
    let stdout = Bytes::copy_from_slice(cell.airlock.gate.inside().stdout.bytes());
    let outcome = if status == 0 { Outcome::Ok } else { Outcome::Failed };
    Returned { outcome, reason: format!("exit {status}"), result: Some(stdout) }
}
