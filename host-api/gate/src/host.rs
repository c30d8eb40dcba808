//! `envelope:host`: what the host offers beside WASI.

mod agents;
mod approvals;
mod artifacts;
mod model;
mod run;
mod trace;

pub use agents::CALLEES_MAX;
pub use artifacts::{ARTIFACT_BYTES_MAX, ARTIFACTS_MAX};
pub use model::AnswerStream;
pub(crate) use model::{Came, digest, unexpected};

use envelope_rules::denial::{Denial, WitCase};

use crate::airlock::Airlock;
use crate::bindings::envelope::host::types;
use crate::gate::Passed;

impl types::Host for Airlock {}

/// A refusal as guests see it.
fn told(denial: &Denial) -> types::Denial {
    let row = denial.row();
    types::Denial {
        by: match row.wit {
            WitCase::Grant => types::DeniedBy::Grant,
            WitCase::Revoked => types::DeniedBy::Revoked,
            WitCase::Egress => types::DeniedBy::Egress,
            WitCase::Budget => types::DeniedBy::Budget,
            WitCase::Approval => types::DeniedBy::Approval,
            WitCase::Policy => types::DeniedBy::Policy,
            WitCase::Limit => types::DeniedBy::Limit,
        },
        code: row.name.to_owned(),
        detail: denial.detail().to_owned(),
        next: row.next.to_owned(),
        scope_helps: row.scope_helps,
    }
}

/// What a call gave, as an interface with faults says it.
fn answered<T>(passed: Passed<T>) -> wasmtime::Result<Result<T, types::Fault>> {
    Ok(passed?.map_err(|denial| types::Fault::Denied(told(&denial))))
}
