//! Every reason to say no, in one table.
//!
//! A denial is a value: it is recorded, replayed and shown to the guest. The table is the single
//! source for its stable code, its meaning, what to do next, its HTTP status and its WIT case.

use std::fmt::{self, Write as _};

/// What a guest is told in WIT: which kind of rule said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WitCase {
    /// The grant does not cover it.
    Grant,
    /// The grant was withdrawn or used elsewhere.
    Revoked,
    /// The destination is not allowed.
    Egress,
    /// It does not fit the budget.
    Budget,
    /// A human has to decide first.
    Approval,
    /// The operator or the Paper forbids it.
    Policy,
    /// A limit of the run was reached.
    Limit,
}

impl WitCase {
    /// The case's name in `envelope:host`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Revoked => "revoked",
            Self::Egress => "egress",
            Self::Budget => "budget",
            Self::Approval => "approval",
            Self::Policy => "policy",
            Self::Limit => "limit",
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The reason.
    pub code: Code,
    /// The stable spelling: once published it never changes its meaning.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What the caller can do next.
    pub next: &'static str,
    /// The HTTP status that carries it.
    pub status: u16,
    /// The WIT case that carries it.
    pub wit: WitCase,
    /// Whether `request_scope` can help.
    pub scope_helps: bool,
}

/// A refused call: the reason and what it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    code: Code,
    detail: String,
}

/// The longest detail kept, in characters: enough for a path, short enough for a log line.
pub const DETAIL_CHARS_MAX: usize = 512;

impl Code {
    /// The code whose name is `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|row| row.name == name).map(|row| row.code)
    }
}

impl Denial {
    /// A denial for `code` about `detail`, cut at [`DETAIL_CHARS_MAX`].
    ///
    /// Details repeat what guests wrote: control characters, which a log or a terminal would act
    /// on, become U+FFFD, and what does not fit is never copied.
    pub fn new(code: Code, detail: impl fmt::Display) -> Self {
        let mut kept = Detail { text: String::new(), room: DETAIL_CHARS_MAX };
        let _full = write!(kept, "{detail}");
        Self { code, detail: kept.text }
    }

    /// The reason.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What was refused, in a few words.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The table's row.
    pub fn row(&self) -> &'static Row {
        self.code.row()
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.row();
        write!(f, "{}: {}", row.name, row.meaning)?;
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Denial {}

/// A text that takes no more than there is room for.
struct Detail {
    text: String,
    room: usize,
}

impl fmt::Write for Detail {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.room = self.room.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(if c.is_control() { char::REPLACEMENT_CHARACTER } else { c });
        }
        Ok(())
    }
}

macro_rules! table {
    ($($code:ident = $name:literal $status:literal $wit:ident $scope:literal
        $meaning:literal => $next:literal;)*) => {
        /// The reasons. Each has exactly one [`Row`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $code,)*
        }

        impl Code {
            /// The whole table, in order.
            pub const TABLE: &'static [Row] = &[$(Row {
                code: Code::$code,
                name: $name,
                meaning: $meaning,
                next: $next,
                status: $status,
                wit: WitCase::$wit,
                scope_helps: $scope,
            },)*];

            /// The row of this code.
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Code::$code => &Row {
                        code: Code::$code,
                        name: $name,
                        meaning: $meaning,
                        next: $next,
                        status: $status,
                        wit: WitCase::$wit,
                        scope_helps: $scope,
                    },)*
                }
            }
        }
    };
}

//    code              name                   HTTP wit      scope  meaning => what to do next
table! {
    GrantMalformed    = "grant.malformed"      401 Grant    false
        "the grant is not a token of the one accepted shape"
        => "use the grant exactly as it was issued";
    GrantKey          = "grant.key"            401 Grant    false
        "no live grant key has this kid and algorithm" => "ask the issuer for a fresh grant";
    GrantSignature    = "grant.signature"      401 Grant    false
        "the grant's signature is wrong" => "use the grant exactly as it was issued";
    GrantAudience     = "grant.audience"       401 Grant    false
        "the grant was issued to another agent" => "present a grant whose `aud` is this agent";
    GrantExpired      = "grant.expired"        401 Grant    true
        "the grant has expired" => "ask for a fresh grant with `request_scope`";
    GrantEarly        = "grant.early"          401 Grant    false
        "the grant was issued in the future" => "check the issuer's clock";
    GrantLifetime     = "grant.lifetime"       401 Grant    false
        "the grant lives longer than grants may" => "issue a grant of at most 24 hours";
    GrantRevoked      = "grant.revoked"        401 Revoked  false
        "the grant was revoked" => "stop: whoever withdrew it has to issue another";
    GrantUsed         = "grant.used"           401 Revoked  false
        "the grant is bound to another run" => "present a grant of this run: one grant, one run";
    GrantUnredeemed   = "grant.unredeemed"     401 Grant    false
        "the grant was never redeemed by this run" => "redeem the grant before the first operation";
    GrantPaper        = "grant.paper"          401 Grant    false
        "the grant was issued under another contract" => "present a grant of this run's Paper";
    PathMalformed     = "path.malformed"       403 Grant    false
        "the path is not in normal form"
        => "use a relative path without `.`, `..` or empty segments";
    PathOutside       = "path.outside"         403 Grant    true
        "no pattern of the grant matches the path" => "ask for the path with `request_scope`";
    OutputsOutside    = "outputs.outside"      403 Grant    true
        "writes must stay under the grant's outputs prefix"
        => "write below the prefix, or ask with `request_scope`";
    DelegationWider   = "delegation.wider"     403 Grant    true
        "the child grant would reach further than its parent" => "delegate a part of what you hold";
    DelegationDepth   = "delegation.depth"     403 Limit    false
        "the chain of delegated grants is at its deepest"
        => "do the work here instead of delegating it";
    DelegationMany    = "delegation.many"      429 Limit    false
        "the run called as many agents as one run may" => "do the rest here";
    DelegationFiles   = "delegation.files"     413 Limit    true
        "more files would be handed on than one run can hold" => "hand on fewer files";
    EgressTarget      = "egress.target"        403 Egress   false
        "the address of the request is ambiguous or malformed"
        => "use a plain URL with an ordinary host name";
    EgressScheme      = "egress.scheme"        403 Egress   true
        "the scheme is not allowed" => "use https, or ask for the scheme";
    EgressHost        = "egress.host"          403 Egress   true
        "the host is not on the allow-list" => "ask for the host with `request_scope`";
    EgressPort        = "egress.port"          403 Egress   true
        "the port is not allowed for this host" => "ask for the port with `request_scope`";
    EgressMethod      = "egress.method"        403 Egress   true
        "the method is not allowed for this host" => "ask for the method with `request_scope`";
    EgressPath        = "egress.path"          403 Egress   true
        "the path is not allowed for this host" => "ask for the path with `request_scope`";
    EgressQuery       = "egress.query"         403 Egress   true
        "the query is not allowed for this host"
        => "leave the query out, or ask with `request_scope`";
    EgressAddress     = "egress.address"       403 Egress   false
        "the name resolves to an address no agent may reach" => "use a public destination";
    EgressSize        = "egress.size"          413 Egress   false
        "the body is larger than that of a request may be" => "send less at once";
    EgressContent     = "egress.content"       403 Egress   false
        "the request carries what must not leave"
        => "take the secret, the key or the card number out";
    BudgetExhausted   = "budget.exhausted"     402 Budget   true
        "the worst case does not fit what remains"
        => "ask for less, or for more budget with `request_scope`";
    BudgetLatched     = "budget.latched"       402 Budget   false
        "the breaker is open because a charge passed its reservation"
        => "a human has to reset the breaker";
    BudgetUnpriced    = "budget.unpriced"      402 Budget   false
        "there is no price for this" => "use a priced model, or have the operator price it";
    BudgetOverflow    = "budget.overflow"      402 Budget   false
        "the amount is too large to compute with" => "ask for less";
    BudgetFrozen      = "budget.frozen"        402 Budget   false
        "the provider charged more than its reservation, and nothing more is sent to it"
        => "use another model, or have a human thaw this one";
    BudgetBusy        = "budget.busy"          429 Limit    false
        "too many calls hold budget at once" => "wait for an open call to end";
    NotGranted        = "policy.not-granted"   403 Policy   true
        "the warrant does not grant this capability" => "ask for it with `request_scope`";
    Forbidden         = "policy.forbidden"     403 Policy   false
        "the operator's policy or the Paper forbids this" => "amend the Paper or the policy";
    ModelOutside      = "model.outside"        403 Policy   true
        "the warrant does not let this model be called"
        => "use a model of the warrant, or ask with `request_scope`";
    ModelUnbounded    = "model.unbounded"      403 Policy   false
        "the request holds what can neither be priced nor bounded"
        => "leave the field out: what is understood is listed in the interface";
    CriteriaUnlocked  = "paper.unlocked"       403 Policy   false
        "no criteria are locked by which the work is judged"
        => "lock the criteria of the Paper before the run starts";
    AgentOutside      = "agent.outside"        403 Policy   true
        "the warrant does not let this agent be called"
        => "call an agent of the warrant, or ask with `request_scope`";
    DeadlinePassed    = "run.deadline"         403 Limit    false
        "the run's deadline has passed" => "start a run with a longer deadline";
    Stopped           = "run.stopped"          403 Revoked  false
        "a kill switch names the run, its agent or whoever pays for it"
        => "stop: a human has to lift the switch";
    OtherCall         = "recovery.other"       409 Limit    false
        "it is not the call that began, or that call is settled"
        => "replay the run from its journal";
    HumanDecides      = "recovery.human"       409 Approval false
        "it may have happened already and must not happen twice"
        => "a human has to say whether it happened";
    ApprovalRejected  = "approval.rejected"    403 Approval false
        "a human said no" => "go on without it";
    ApprovalExpired   = "approval.expired"     403 Approval false
        "no human decided in time" => "go on without it, or ask again";
    ApprovalMany      = "approval.many"        429 Limit    false
        "the run asked humans as often as one run may" => "go on without it";
    ApprovalCallee    = "approval.callee"      403 Approval false
        "a called agent has no more than its caller" => "have the caller ask, and call again";
    ApprovalWithdrawn = "approval.withdrawn"   403 Approval false
        "the request was withdrawn" => "go on without it";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn one_row_per_code_and_one_name_per_row() {
        let names: BTreeSet<_> = Code::TABLE.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), Code::TABLE.len());
        for row in Code::TABLE {
            assert_eq!(row.code.row(), row);
            assert!((400..500).contains(&row.status));
            assert!(row.name.chars().all(|c| matches!(c, 'a'..='z' | '.' | '-')));
        }
    }

    #[test]
    fn details_are_bounded() {
        let denial = Denial::new(Code::PathOutside, "é".repeat(2 * DETAIL_CHARS_MAX));
        assert_eq!(denial.detail().chars().count(), DETAIL_CHARS_MAX);
        assert_eq!(Denial::new(Code::AgentOutside, "`a\n\u{1b}[2J`").detail(), "`a��[2J`");
    }
}
