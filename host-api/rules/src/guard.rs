//! The guard: the one place where a call becomes a [`Permit`] or a [`Denial`].
//!
//! [`admit`] judges a new call, [`readmit`] one that began before a crash. There is no third way to
//! a permit: its fields are private, it cannot be cloned, and using it consumes it.
//!
//! ```compile_fail
//! use envelope_rules::guard::Permit;
//! fn forge(permit: &Permit) -> Permit {
//!     permit.clone()
//! }
//! ```
//!
//! ```compile_fail
//! use envelope_evidence::{Digest, journal::Recovery};
//! use envelope_rules::{budget::Hold, guard::Permit};
//! fn forge(hold: Hold) -> Permit {
//!     Permit { request: Digest::of(b""), recovery: Recovery::Again, hold }
//! }
//! ```
//!
//! ```compile_fail
//! fn forge() -> envelope_rules::guard::Permit {
//!     Default::default()
//! }
//! ```
//!
//! What is allowed is the intersection of the operator's policy, the warrant and the grant: none
//! widens another. All of it is judged before the meter moves, so that a denial costs nothing.

mod call;
mod clamp;
mod warrant;

pub use call::{Act, Begun, Call, Capability, CapabilitySet};
pub use clamp::{Clamped, clamp, within};
pub use warrant::{
    AGENTS_MAX, BadWarrant, MODELS_MAX, ModelRule, Operator, Warrant, WarrantDocument, tokens_with,
};

use envelope_evidence::journal::Recovery;
use envelope_evidence::{Digest, Dimension, Timestamp, Usage};

use crate::budget::{Cap, Hold, HoldId, Meter};
use crate::content::Both;
use crate::denial::{Code, Denial};
use crate::grant::{FileOp, Grant, GrantKeys, Holder, Standing};

/// Everything that decides about a call, gathered for that one call.
#[derive(Clone, Copy)]
pub struct Authority<'a> {
    /// What the operator allows anybody.
    pub operator: &'a Operator,
    /// What was bought.
    pub warrant: &'a Warrant,
    /// The grant the run holds now. A scope expansion puts another in its place.
    pub grant: Option<&'a Grant>,
    /// The keys that verify grants.
    pub keys: &'a GrantKeys,
    /// What the store says about this grant at this moment: read for every call, and after a scope
    /// expansion about the new grant.
    pub standing: Standing<'a>,
}

impl<'a> Authority<'a> {
    /// What the run may use in all: the lower of the warrant's budget and of the grant's. The guard
    /// holds the meter's leaf under it at every call, whatever cap the leaf was opened with. To
    /// [clamp](crate::budget::Price::clamp), ask [`Meter::headroom_within`] it.
    pub fn ceiling(&self) -> Cap {
        let granted = self.grant.and_then(|grant| grant.claims().budget);
        let granted = granted.map_or(Cap::NONE, |budget| budget.cap());
        self.warrant.document().budget.tightest(&granted)
    }

    /// What must not leave, by the word of either.
    pub fn content(&self) -> Both<'a> {
        Both { operator: &self.operator.content, warrant: &self.warrant.document().content }
    }
}

/// Leave to perform one call, with its worst case set aside.
#[derive(Debug)]
#[must_use = "a permit that is not used leaves its reservation held"]
pub struct Permit {
    request: Digest,
    recovery: Recovery,
    hold: Hold,
}

impl Permit {
    /// The call it was given for.
    pub const fn request(&self) -> Digest {
        self.request
    }

    /// What to do if no answer follows: written down before the effect.
    pub const fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// The name of the reservation: written down before the effect, and the idempotency key of its
    /// settlement.
    pub const fn hold_id(&self) -> HoldId {
        self.hold.id()
    }

    /// The worst case that is set aside.
    pub const fn worst(&self) -> &Usage {
        self.hold.worst()
    }

    /// Uses the permit up. The effect takes it by value, calls this once, and hands the hold on to
    /// be settled with what was really used.
    pub fn spend(self) -> Hold {
        self.hold
    }
}

/// Judges a new call and sets its worst case aside.
pub fn admit(
    call: &Call<'_>,
    authority: &Authority<'_>,
    meter: &mut Meter,
    now: Timestamp,
) -> Result<Permit, Denial> {
    let worst = judge(call, authority, now)?;
    let hold = meter.reserve_within(worst, &authority.ceiling())?;
    Ok(Permit { request: call.request, recovery: call.act.recovery(), hold })
}

/// Judges a call that began and has no recorded answer, by the class under which it began.
///
/// What may happen again is judged like a new call, after its old reservation was booked in full,
/// because nobody knows whether it was charged. What may be repeated under its key keeps its
/// reservation. What must not happen twice waits for a human, and so does a call of which another
/// build said that it may: it was not performed with the care that its class needs now. Authority
/// that ended in the meantime is not what it was: the call is denied.
pub fn readmit(
    begun: &Begun,
    call: &Call<'_>,
    authority: &Authority<'_>,
    meter: &mut Meter,
    now: Timestamp,
) -> Result<Permit, Denial> {
    if begun.request != call.request {
        return Err(Denial::new(Code::OtherCall, begun.request));
    }
    if begun.recovery != call.act.recovery() {
        return Err(Denial::new(Code::HumanDecides, "it began under another class of recovery"));
    }
    match begun.recovery {
        Recovery::Once => Err(Denial::new(Code::HumanDecides, call.act.capability().name())),
        Recovery::Again => {
            if let Some(hold) = meter.recover(begun.hold) {
                let _ = meter.forfeit(hold);
            }
            admit(call, authority, meter, now)
        }
        Recovery::SameKey => {
            let worst = judge(call, authority, now)?;
            let settled = || Denial::new(Code::OtherCall, "its hold is settled");
            check_held(&worst, meter.orphan(begun.hold).ok_or_else(settled)?)?;
            let hold = meter.recover(begun.hold).ok_or_else(settled)?;
            Ok(Permit { request: call.request, recovery: begun.recovery, hold })
        }
    }
}

/// Prices may have risen since: a call is never repeated under less than it can cost now.
fn check_held(worst: &Usage, held: &Usage) -> Result<(), Denial> {
    let Some(dimension) = worst.first_above(held) else { return Ok(()) };
    let (of, wanted, held) = (dimension.name(), worst.get(dimension), held.get(dimension));
    Err(Denial::new(Code::BudgetExhausted, format_args!("{of} wanted {wanted}, held {held}")))
}

/// May it happen, money aside? The answer is the worst case to set aside.
fn judge(call: &Call<'_>, authority: &Authority<'_>, now: Timestamp) -> Result<Usage, Denial> {
    let Authority { operator, warrant, .. } = *authority;
    check_capability(call.act.capability(), authority, now)?;
    let worst = match &call.act {
        Act::File { op, also } => {
            check_file(op, authority, now)?;
            also.as_ref().map_or(Ok(()), |op| check_file(op, authority, now))?;
            call.worst
        }
        Act::Http(target) | Act::Reply(target) => {
            operator.egress.admit(warrant.egress(), target)?;
            call.found.judge(&authority.content())?;
            check_live(authority, now)?;
            call.worst
        }
        Act::Model { model, bounds } => {
            let rule = warrant.admit_model(model, bounds.max_output)?;
            call.found.judge(&authority.content())?;
            let worst = operator.prices.price(model)?.reservation(bounds)?;
            clamp::admit_one(rule, &worst)?;
            sum(worst, call.worst)?
        }
        Act::Answer(model) => {
            warrant.model(model)?;
            call.worst
        }
        Act::Agent(agent) => {
            warrant.admit_agent(agent)?;
            call.worst
        }
        Act::Plain(capability) if capability.has_own_act() => {
            let what = format_args!("`{}` is judged by more than its name", capability.name());
            return Err(Denial::new(Code::Forbidden, what));
        }
        Act::Plain(_) => call.worst,
    };
    sum(worst, ONE_CALL)
}

/// Whether it is time, and whether both keys know the capability at all.
fn check_capability(
    capability: Capability,
    authority: &Authority<'_>,
    now: Timestamp,
) -> Result<(), Denial> {
    let Authority { operator, warrant, .. } = *authority;
    if now >= warrant.deadline() {
        return Err(Denial::new(Code::DeadlinePassed, warrant.deadline()));
    }
    if !operator.capabilities.contains(capability) {
        return Err(Denial::new(Code::Forbidden, capability.name()));
    }
    if !warrant.capabilities().contains(capability) {
        return Err(Denial::new(Code::NotGranted, capability.name()));
    }
    Ok(())
}

/// Every call counts as one, so that a flood of free ones ends too.
const ONE_CALL: Usage = match Usage::ZERO.with(Dimension::Calls, 1) {
    Some(one) => one,
    None => Usage::ZERO,
};

fn sum(left: Usage, right: Usage) -> Result<Usage, Denial> {
    let too_large = |dimension: Dimension| Denial::new(Code::BudgetOverflow, dimension.name());
    left.checked_add(right).map_err(too_large)
}

/// What may be sent rests on the warrant; but a run whose grant has ended sends nothing more.
fn check_live(authority: &Authority<'_>, now: Timestamp) -> Result<(), Denial> {
    let Authority { warrant, grant, keys, standing, .. } = *authority;
    let Some(grant) = grant else { return Ok(()) };
    grant.check_live(keys, &Holder { agent: warrant.agent(), run: warrant.run(), standing }, now)
}

/// The six checks, under the grant that the run holds now, and that it is of the run's contract.
fn check_file(op: &FileOp<'_>, authority: &Authority<'_>, now: Timestamp) -> Result<(), Denial> {
    let Authority { warrant, grant, keys, standing, .. } = *authority;
    let Some(grant) = grant else {
        return Err(Denial::new(Code::NotGranted, format_args!("no grant for `{}`", op.path)));
    };
    grant.check(keys, op, &Holder { agent: warrant.agent(), run: warrant.run(), standing }, now)?;
    match grant.claims().paper {
        Some(paper) if warrant.document().paper != Some(paper) => {
            Err(Denial::new(Code::GrantPaper, paper))
        }
        Some(_) | None => Ok(()),
    }
}
