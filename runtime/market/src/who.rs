//! Who does something.

use std::collections::BTreeSet;
use std::fmt;

use envelope_store::Org;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Refused;

/// What a person may do in an organisation.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything within the organisation, its people and keys included.
    Owner,
    /// Buy, launch, accept, dispute.
    Buyer,
    /// Publish and list agents, deliver.
    Author,
    /// Decide what runs ask of humans.
    Approver,
    /// Read everything, change nothing.
    Auditor,
    /// Keep the house: badges, attestations, money that came in by hand, switches for all.
    Operator,
}

/// By what somebody was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// They are signed in with their password.
    Session,
    /// A key that they made while signed in, to decide with.
    DecidingKey,
    /// Any other key: a program, or whoever was handed it.
    Key,
    /// Nobody asked: the house does it by itself.
    House,
}

/// A person, or a program with a key of theirs, who was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// For whom they act.
    pub org: Org,
    /// The user's id.
    pub user: String,
    /// What they may do.
    pub roles: BTreeSet<Role>,
    /// By what they were recognised.
    pub means: Means,
}

impl Means {
    /// Whether it is surely the person who speaks.
    pub const fn is_human(self) -> bool {
        match self {
            Self::Session | Self::DecidingKey => true,
            Self::Key | Self::House => false,
        }
    }
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Owner, Self::Buyer, Self::Author, Self::Approver, Self::Auditor, Self::Operator];

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Buyer => "buyer",
            Self::Author => "author",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }

    /// Whether whoever has this role may do what `needed` may. An owner may do what anybody may
    /// within the organisation, and nothing for the house.
    pub fn covers(self, needed: Self) -> bool {
        self == needed || (self == Self::Owner && needed != Self::Operator)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Who {
    /// Nobody in particular: what the house does by itself in `org`.
    pub const fn house(org: Org) -> Self {
        Self { org, user: String::new(), roles: BTreeSet::new(), means: Means::House }
    }

    /// Whether they may do what `role` may.
    pub fn may(&self, role: Role) -> bool {
        self.roles.iter().any(|own| own.covers(role))
    }

    /// Refuses a program where a human has to decide.
    pub const fn needs_human(&self) -> Result<(), Refused> {
        if self.means.is_human() { Ok(()) } else { Err(Refused::NotHuman) }
    }

    /// Refuses whoever may not.
    pub fn needs(&self, role: Role) -> Result<(), Refused> {
        if self.may(role) { Ok(()) } else { Err(Refused::Role(role)) }
    }
}
