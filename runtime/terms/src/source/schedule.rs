//! What schedules ask of a contract, and when a human has to be asked.
//!
//! A schedule's prose is a document of its own. What a machine can hold a contract to stands here,
//! one line each.

use crate::contract::{
    Check, Classification, Code, Contract, EgressScheme, FingerprintClass, Flaw, HumanDecides,
    Stakes, TieBreaker,
};

/// Where a rule is broken, and what it says.
type Broken = Vec<(String, &'static str)>;

/// One schedule.
struct Known {
    letters: &'static str,
    /// The schedules it builds on.
    needs: &'static [&'static str],
    rules: &'static [fn(&Contract) -> Broken],
}

/// Every schedule that the compiler knows.
const KNOWN: [Known; 5] = [
    // Technology.
    Known { letters: "T", needs: &[], rules: &[dependencies_are_pinned] },
    // Cyber security.
    Known { letters: "CY", needs: &["T"], rules: &[no_plain_http, faults_within_a_day] },
    // Data protection.
    Known { letters: "DP", needs: &[], rules: &[no_training, at_least_confidential] },
    // Health care.
    Known {
        letters: "H",
        needs: &["CY"],
        rules: &[no_training, at_least_confidential, faults_within_a_day, at_least_elevated],
    },
    // Finance.
    Known { letters: "F", needs: &["CY"], rules: &[at_least_elevated, a_person_breaks_ties] },
];

/// The words of an action that cannot be taken back.
const GRAVE: [&str; 12] = [
    "delete",
    "deploy",
    "execute",
    "hire",
    "pay",
    "prescribe",
    "publish",
    "purchase",
    "send",
    "sign",
    "trade",
    "transfer",
];

/// Where the schedules contradict each other or the contract.
pub(super) fn conflicts(contract: &Contract) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let named =
        |letters: &str| contract.schedules.iter().any(|one| one.letters.as_str() == letters);
    for (at, schedule) in contract.schedules.iter().enumerate() {
        let pointer = format!("/schedules/{at}/letters");
        let letters = schedule.letters.as_str();
        let Some(known) = KNOWN.iter().find(|known| known.letters == letters) else {
            let message = format!("no schedule is called `{letters}`");
            flaws.push(Flaw::new(Code::Schedules, pointer, message));
            continue;
        };
        for needed in known.needs.iter().filter(|needed| !named(needed)) {
            let message = format!("schedule `{letters}` builds on `{needed}`, which is not named");
            flaws.push(Flaw::new(Code::Schedules, pointer.clone(), message));
        }
        for (pointer, asks) in known.rules.iter().flat_map(|rule| rule(contract)) {
            let message = format!("schedule `{letters}` asks that {asks}");
            flaws.push(Flaw::new(Code::Schedules, pointer, message));
        }
    }
    flaws
}

/// Where a human has to be asked, and nobody is.
pub(super) fn unattended(contract: &Contract) -> Vec<Flaw> {
    let reviewed =
        contract.criteria.iter().any(|one| matches!(one.check, Check::HumanReview { .. }));
    if reviewed || contract.agreed_remedy().human == HumanDecides::Always {
        return Vec::new();
    }
    let actions = contract.scope.actions.iter().enumerate();
    let grave = actions.filter_map(|(at, action)| {
        let words = action.name.split(['.', ':', '/', '_', '-']);
        let word =
            words.map(str::to_ascii_lowercase).find(|word| GRAVE.contains(&word.as_str()))?;
        let message = format!("what `{word}` does cannot be taken back, and nobody is asked");
        Some(Flaw::new(Code::HumanReview, format!("/scope/actions/{at}/name"), message))
    });
    grave.collect()
}

fn broken(is: bool, pointer: &str, asks: &'static str) -> Broken {
    if is { vec![(pointer.to_owned(), asks)] } else { Vec::new() }
}

fn dependencies_are_pinned(contract: &Contract) -> Broken {
    let dependencies = contract.agent.release.fingerprint.dependencies.iter().enumerate();
    let loose = dependencies.filter(|(_, one)| one.class == FingerprintClass::Declared);
    let pointer = |at| format!("/agent/release/fingerprint/dependencies/{at}/class");
    loose.map(|(at, _)| (pointer(at), "each dependency is pinned at least by version")).collect()
}

fn no_plain_http(contract: &Contract) -> Broken {
    let rules = contract.scope.egress.iter().enumerate();
    let plain = rules.filter(|(_, rule)| rule.schemes.contains(&EgressScheme::Http));
    let pointer = |at| format!("/scope/egress/{at}/schemes");
    plain.map(|(at, _)| (pointer(at), "nothing leaves in clear")).collect()
}

fn faults_within_a_day(contract: &Contract) -> Broken {
    let late = contract.service.response_hours.get() > 24;
    broken(late, "/service/response_hours", "a fault is answered within 24 hours")
}

fn no_training(contract: &Contract) -> Broken {
    broken(contract.ip.training, "/ip/training", "nobody learns from what is handed over")
}

fn at_least_confidential(contract: &Contract) -> Broken {
    let low = contract.scope.data_classification < Classification::Confidential;
    broken(low, "/scope/data_classification", "data are at least confidential")
}

fn at_least_elevated(contract: &Contract) -> Broken {
    broken(contract.stakes < Stakes::Elevated, "/stakes", "the stakes are at least elevated")
}

fn a_person_breaks_ties(contract: &Contract) -> Broken {
    let person = matches!(contract.dispute.tie_breaker, TieBreaker::Human { .. });
    broken(!person, "/dispute/tie_breaker", "a person breaks ties")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::sample;

    #[test]
    fn the_sample_keeps_its_schedules() {
        let mut contract = sample::contract();
        assert_eq!(conflicts(&contract), []);
        contract.ip.training = true;
        let mut schedules: Vec<_> = contract.schedules.clone().into();
        schedules.remove(0);
        schedules[0].letters = crate::contract::Letters::new("H").unwrap();
        contract.schedules = crate::contract::List::new(schedules).unwrap();
        let places: Vec<_> = conflicts(&contract).into_iter().map(|flaw| flaw.pointer).collect();
        assert_eq!(places, ["/schedules/0/letters", "/ip/training"]);
    }
}
