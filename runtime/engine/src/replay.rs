//! Playing a record again: the same component on the same answers has to ask the same questions and
//! come to the same end.

use envelope_evidence::journal::Journal;
use envelope_gate::journal::InMemory;
use envelope_gate::stop::{Divergence, Stop};
use envelope_gate::workspace::Blobs;

use crate::offline::Nowhere;
use crate::run::{Course, Finished, Halted, Order, Surroundings, drive};

/// What a replay shows.
pub enum Verdict {
    /// Every call, every answer and the end are the recorded ones.
    Same(Box<Finished>),
    /// The first call that is not.
    Diverged(Box<Divergence>),
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum Unplayable {
    /// What the journal pins is not what is at hand.
    #[error("the evidence is not complete: {0}")]
    Incomplete(String),
    /// Another engine may compute something else, and nobody promises that it does not.
    #[error("recorded on {recorded}, this is {here}")]
    OtherEngine {
        /// What the journal says.
        recorded: String,
        /// What this build is.
        here: String,
    },
    /// The replay itself failed.
    #[error(transparent)]
    Halted(Halted),
}

/// Plays `journal` again. Nothing outside is touched: the world of a replay is nowhere.
pub async fn replay(order: Order, journal: Journal, blobs: Blobs) -> Result<Verdict, Unplayable> {
    pinned(&order, &journal)?;
    if journal.ended().is_none() {
        let why = "the journal has no end: resume the run first";
        return Err(Unplayable::Incomplete(why.to_owned()));
    }
    let surroundings = Surroundings {
        blobs,
        world: std::sync::Arc::new(Nowhere),
        writer: Box::new(InMemory::default()),
        watcher: None,
    };
    match drive(order, journal, surroundings, Course::Replay).await {
        Ok(finished) => Ok(Verdict::Same(Box::new(finished))),
        Err(Halted::Stopped(Stop::Diverged(divergence))) => Ok(Verdict::Diverged(divergence)),
        Err(Halted::Stopped(Stop::EndOfRecord)) => {
            Err(Unplayable::Incomplete("the journal ends before the run does".to_owned()))
        }
        Err(halted) => Err(Unplayable::Halted(halted)),
    }
}

/// Whether what is at hand is what the journal pins.
pub(crate) fn pinned(order: &Order, journal: &Journal) -> Result<(), Unplayable> {
    let header = journal.header();
    let missing = |what: String| Err(Unplayable::Incomplete(what));
    if header.agent.component != order.component.digest() {
        let (recorded, here) = (header.agent.component, order.component.digest());
        return missing(format!("the component is {here}, recorded is {recorded}"));
    }
    if header.inputs != order.manifest.digest() {
        return missing(format!("the files at the start are not {}", header.inputs));
    }
    if header.warrant != order.authorities.warrant.digest() {
        return missing(format!("the warrant is not {}", header.warrant));
    }
    let authorities = &order.authorities;
    let (skill, bought) = (&header.skill, &authorities.warrant.document().skill);
    if skill != bought {
        return missing(format!("the skill is `{bought}`, recorded is `{skill}`"));
    }
    // A run without models pays by no prices, and its header may leave them out.
    let unpriced = header.prices.is_none() && authorities.warrant.document().models.is_empty();
    let prices = (!unpriced).then(|| authorities.operator.prices.digest());
    if let Some(prices) = prices.filter(|prices| header.prices != Some(*prices)) {
        let recorded = header.prices.map_or("none".to_owned(), |it| it.to_string());
        return missing(format!("the prices are {prices}, recorded are {recorded}"));
    }
    let limits = order.limits.digest();
    if header.limits != Some(limits) {
        let recorded = header.limits.map_or("none".to_owned(), |it| it.to_string());
        return missing(format!("the limits are {limits}, recorded are {recorded}"));
    }
    let args = envelope_evidence::Digest::of(&order.args);
    if header.args.digest != args {
        return missing(format!("the arguments are {args}, recorded are {}", header.args.digest));
    }
    let here = order.component.fingerprint();
    if header.engine != *here {
        let words = |engine: &envelope_evidence::journal::Engine| {
            format!("{} {} {} {}", engine.name, engine.version, engine.platform, engine.settings)
        };
        return Err(Unplayable::OtherEngine { recorded: words(&header.engine), here: words(here) });
    }
    Ok(())
}
