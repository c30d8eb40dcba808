//! Who agrees: two parties, the people who act for them, and the person each chain ends at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use envelope_evidence::Digest;

use super::flaw::{Code, Flaw};
use super::list::List;
use super::shape::DigestShape;
use super::words::{Did, Email, Title};

/// The two sides of the contract. The marketplace is not one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parties {
    /// Who pays and authorises.
    pub buyer: Party,
    /// Who answers for the agent's logic.
    pub developer: Party,
}

/// One side of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The full legal name.
    pub name: Title,
    /// The identifier whose keys sign for this party.
    pub did: Did,
    /// Who may act for the party.
    pub principals: List<Principal, 1, 16>,
    /// The person at the end of every delegation.
    pub human_root: HumanRoot,
    /// Where notices reach the party.
    pub notice: Notice,
}

/// Someone who acts for a party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// The name.
    pub name: Title,
    /// The identifier whose keys sign.
    pub did: Did,
    /// The office held: director, head of procurement.
    pub role: Title,
}

/// The verified person at which a party's delegations end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HumanRoot {
    /// The name.
    pub name: Title,
    /// A human being or an organisation that the law treats as a person.
    pub kind: PersonKind,
    /// The identifier.
    pub did: Did,
    /// The digest of the record of how the identity was verified.
    #[schemars(with = "DigestShape")]
    pub verification: Digest,
}

/// What kind of person the law sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PersonKind {
    /// A human being.
    Natural,
    /// An organisation.
    Legal,
}

/// Where notices reach a party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// By electronic mail.
    pub email: Email,
    /// By post, line by line.
    pub address: List<Title, 1, 8>,
}

impl Parties {
    /// What types cannot say: two different parties with different keys and roots.
    pub fn validate(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        if self.buyer.did == self.developer.did {
            let message = "nobody contracts with themselves: the buyer has the same identifier";
            flaws.push(Flaw::new(Code::Parties, "/developer/did", message));
        }
        for (side, party, other) in
            [("buyer", &self.buyer, &self.developer), ("developer", &self.developer, &self.buyer)]
        {
            for (at, principal) in party.principals.iter().enumerate() {
                if other.principals.iter().any(|theirs| theirs.did == principal.did) {
                    let message = "one person cannot sign for both parties";
                    let pointer = format!("/{side}/principals/{at}/did");
                    flaws.push(Flaw::new(Code::Parties, pointer, message));
                }
                let earlier = party.principals.iter().take(at);
                if earlier.clone().any(|earlier| earlier.did == principal.did) {
                    let message = format!("`{}` is listed twice", principal.did);
                    let pointer = format!("/{side}/principals/{at}/did");
                    flaws.push(Flaw::new(Code::Duplicate, pointer, message));
                }
            }
        }
        flaws
    }
}
