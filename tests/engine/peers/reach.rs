//! What somebody may reach and ask beside files: drawn by chance, and compared.

use std::sync::Arc;

use envelope_evidence::journal::Rotation;
use envelope_rules::egress::target::Target;
use envelope_rules::guard::{Capability, ModelRule, Warrant};

use super::town::Means;
use crate::chance::Chance;
use crate::engine::world::label;

/// All that a human's word may open of `api.example.org`, as it stands in a warrant.
const WHOLE: &str = "DELETE,GET,HEAD,PATCH,POST,PUT https://api.example.org/**?*";

/// Who may reach and ask what: each a part of all there is.
pub fn means(chance: &mut Chance, authority: &str) -> Means {
    let rules = [
        format!("GET http://{authority}/v1/**"),
        format!("GET http://{authority}/v1/x"),
        format!("GET,POST http://{authority}/v2/**"),
        "GET https://api.example.org/**".to_owned(),
        WHOLE.to_owned(),
    ];
    let rules = rules.into_iter().filter(|_| chance.index(5) > 0).collect();
    let models = ["stub/a", "stub/b"].into_iter().filter_map(|model| {
        let max_output = [100, 300, 500, 1_000][chance.index(4)];
        let nano_usd = [None, Some(650_000), Some(5_000_000), None][chance.index(4)];
        let rule = ModelRule { model: label(model), max_output, nano_usd };
        (chance.index(6) > 0).then_some(rule)
    });
    Means { rules, models: models.collect() }
}

/// A request that one at `authority` may hear. `^` stands between its parts.
pub fn request(chance: &mut Chance, authority: &str) -> String {
    let method = ["GET", "POST"][chance.index(2)];
    let path = ["/v1/x", "/v1/y", "/v2/x"][chance.index(3)];
    format!("send {method}^http^{authority}^{path}")
}

/// What a warrant lets be reached, of everything that is tried.
fn reached(warrant: &Warrant, authority: &str) -> Vec<String> {
    let local = format!("http://{authority}");
    let mut reached = Vec::new();
    for origin in [&*local, "https://api.example.org", "https://example.org"] {
        for path in ["/", "/v1/x", "/v1/y", "/v1/x/y", "/v2/x", "/v1/x?a=1"] {
            for method in ["GET", "POST", "DELETE"] {
                let target = Target::parse(method, &format!("{origin}{path}")).unwrap();
                let open = warrant.document().capabilities.contains(Capability::Http);
                if open && warrant.egress().admit(&target).is_ok() {
                    reached.push(format!("{method} {origin}{path}"));
                }
            }
        }
    }
    reached
}

/// What a caller may reach and ask at one place of its record.
pub struct Reach {
    first: Arc<Warrant>,
    now: Arc<Warrant>,
}

impl Reach {
    pub fn of(warrant: Arc<Warrant>) -> Self {
        Self { first: Arc::clone(&warrant), now: warrant }
    }

    /// The same after a human's word.
    pub fn grown(&self, rotation: &Rotation) -> Self {
        let first = Arc::clone(&self.first);
        let beside = rotation.beside.as_ref();
        let now = beside.map(|beside| Arc::new(first.widened(beside).unwrap()));
        Self { now: now.unwrap_or_else(|| Arc::clone(&first)), first }
    }

    /// A callee may reach, ask and call no more. How much of what it tried is open to it, and how
    /// much more is to its caller.
    pub fn holds(&self, theirs: &Warrant, authority: &str) -> (usize, usize) {
        let (most, less) = (reached(&self.now, authority), reached(theirs, authority));
        assert!(less.iter().all(|one| most.contains(one)), "{less:?} of {most:?}");
        let (own, mine) = (theirs.document(), self.now.document());
        for rule in &own.models {
            let theirs = mine.models.iter().find(|other| other.model == rule.model).unwrap();
            assert!(rule.max_output <= theirs.max_output, "{rule:?} of {theirs:?}");
            let most = theirs.nano_usd.unwrap_or(u64::MAX);
            assert!(rule.nano_usd.unwrap_or(u64::MAX) <= most, "{rule:?} of {theirs:?}");
        }
        assert!(own.agents.iter().all(|agent| mine.agents.contains(agent)));
        assert!(own.deadline <= mine.deadline);
        for capability in Capability::ALL {
            let within = !own.capabilities.contains(capability);
            assert!(within || mine.capabilities.contains(capability), "{capability:?}");
        }
        (less.len(), most.len() - less.len())
    }
}
