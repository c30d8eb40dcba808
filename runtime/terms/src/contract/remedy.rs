//! What happens when criteria stay unmet: the graduated remedy, frozen before the work begins.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::flaw::{self, Code, Flaw};
use super::list::List;
use super::number::{Exact, Share, Weight};

/// How much depends on the work. The order is the weight of a failure.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Stakes {
    /// A failure costs the price.
    Standard,
    /// A failure costs more than the price.
    Elevated,
    /// A failure harms people or the business.
    Critical,
}

impl Stakes {
    /// Every class, the least first.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Elevated, Self::Critical];

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Elevated => "elevated",
            Self::Critical => "critical",
        }
    }
}

/// The remedy for each class of stakes. The whole table is agreed, so that it can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemedyTable {
    /// When little depends on the work.
    pub standard: Remedy,
    /// When more does.
    pub elevated: Remedy,
    /// When much does.
    pub critical: Remedy,
}

/// The remedy for one class of stakes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// Days in which the developer may still cure; zero for none.
    pub cure_days: Exact<0, 90>,
    /// Whether the agent is suspended while the dispute lasts.
    pub suspend: bool,
    /// How much of the escrow is held while the dispute lasts.
    pub hold: Hold,
    /// When a human decides.
    pub human: HumanDecides,
    /// The least refund from an unmet weight on. Without a step the refund is the unmet weight.
    #[serde(default)]
    pub steps: List<Step, 0, 16>,
}

/// From this unmet weight on, at least this refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The unmet weight, in basis points.
    pub unmet: Weight,
    /// The least refund, in basis points of what is held.
    pub refund: Share,
}

/// How much of the escrow is held. The order is the strength.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// The share that the unmet criteria weigh.
    Disputed,
    /// All of it.
    Full,
}

/// When a human decides. The order is the strength.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum HumanDecides {
    /// When the panel has no tie-breaker left.
    LastResort,
    /// When the panel is split.
    OnSplit,
    /// Always; the panel advises.
    Always,
}

impl RemedyTable {
    /// The remedy for `stakes`.
    pub const fn of(&self, stakes: Stakes) -> &Remedy {
        match stakes {
            Stakes::Standard => &self.standard,
            Stakes::Elevated => &self.elevated,
            Stakes::Critical => &self.critical,
        }
    }

    /// What types cannot say: the remedy never weakens, neither with the unmet weight nor with the
    /// stakes.
    pub fn validate(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        for stakes in Stakes::ALL {
            let remedy = self.of(stakes);
            flaws.extend(flaw::under(&format!("/{}", stakes.name()), remedy.validate()));
        }
        for (low, high) in
            [(Stakes::Standard, Stakes::Elevated), (Stakes::Elevated, Stakes::Critical)]
        {
            if let Some(field) = self.of(high).weaker_than(self.of(low)) {
                let message = format!("weaker than for `{}` stakes", low.name());
                let pointer = format!("/{}/{field}", high.name());
                flaws.push(Flaw::new(Code::Remedy, pointer, message));
            }
        }
        flaws
    }
}

impl Remedy {
    /// The share of what is held that goes back when this much weight is unmet: the weight itself,
    /// or more where a step says so. Both in basis points.
    pub fn refund(&self, unmet: Share) -> Share {
        let reached = self.steps.iter().filter(|step| step.unmet.get() <= unmet.get());
        reached.map(|step| step.refund).fold(unmet, Share::max)
    }

    fn validate(&self) -> Vec<Flaw> {
        let pairs = self.steps.iter().zip(self.steps.iter().skip(1)).enumerate();
        let falls =
            pairs.filter(|(_, (low, high))| low.unmet >= high.unmet || low.refund > high.refund);
        let message = "a step has a larger unmet weight than the one before and no smaller refund";
        let flaw = |(at, _)| Flaw::new(Code::Remedy, format!("/steps/{}", at + 1), message);
        falls.map(flaw).collect()
    }

    /// The first field in which this remedy is weaker than `other`.
    fn weaker_than(&self, other: &Self) -> Option<&'static str> {
        // Refunds change at steps alone, and between two of them both grow alike.
        let corners = self.steps.iter().chain(&other.steps).map(|step| step.unmet.get());
        let refunds_less = corners
            .filter_map(|unmet| Share::new(unmet).ok())
            .any(|unmet| self.refund(unmet) < other.refund(unmet));
        let weaker = [
            ("cure_days", self.cure_days > other.cure_days),
            ("suspend", !self.suspend && other.suspend),
            ("hold", self.hold < other.hold),
            ("human", self.human < other.human),
            ("steps", refunds_less),
        ];
        weaker.into_iter().find_map(|(field, weaker)| weaker.then_some(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{WHOLE, sample};

    #[test]
    fn refunds_grow_with_the_unmet_weight_and_the_stakes() {
        let table = sample::contract().remedy;
        let refund = |stakes, unmet| table.of(stakes).refund(Share::new(unmet).unwrap()).get();
        assert_eq!(refund(Stakes::Standard, 4999), 4999);
        assert_eq!(refund(Stakes::Standard, 5000), 7500);
        assert_eq!(refund(Stakes::Standard, 8000), 8000);
        for unmet in 0..WHOLE {
            for stakes in Stakes::ALL {
                assert!(refund(stakes, unmet) <= refund(stakes, unmet + 1));
            }
            assert!(refund(Stakes::Standard, unmet) <= refund(Stakes::Elevated, unmet));
            assert!(refund(Stakes::Elevated, unmet) <= refund(Stakes::Critical, unmet));
        }
    }
}
