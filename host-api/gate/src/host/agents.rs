//! `envelope:host/agents`: other agents, each in a run of its own.

use envelope_evidence::journal::Outcome;
use envelope_evidence::usage::MAX_EXACT;
use envelope_evidence::{Digest, Dimension, Usage, canonical};
use envelope_rules::path::Prefix;
use envelope_rules::pattern::PatternSet;

use crate::airlock::Airlock;
use crate::bindings::envelope::host::{agents, types};
use crate::cost;
use crate::gate::Asked;
use crate::peers::Came;

/// Agents under way at once for one run: each holds a sandbox of its own.
pub const CALLEES_MAX: usize = 16;

/// Bytes of the arguments of one call: a document, not a file.
const ARGS_BYTES_MAX: usize = 1 << 20;

/// Bytes of all patterns of one delegation, which stand in the caller's journal.
const FILES_BYTES_MAX: usize = 2 << 10;

/// What a guest is told of one errand.
type Told = Result<String, agents::Failure>;

impl agents::Host for Airlock {
    async fn call(&mut self, errand: agents::Errand) -> wasmtime::Result<Told> {
        self.gate.charge(weight(&errand));
        let asked = match asked(errand) {
            Ok(asked) => asked,
            Err(what) => return Ok(Err(invalid(what))),
        };
        let came = self.gate.call_agents(&[asked]).await?.into_iter().next();
        Ok(came.map_or_else(|| Err(invalid("nothing came back".to_owned())), told))
    }

    async fn call_all(&mut self, errands: Vec<agents::Errand>) -> wasmtime::Result<Vec<Told>> {
        self.gate.charge(errands.iter().map(weight).fold(0, u64::saturating_add));
        if errands.len() > CALLEES_MAX {
            let what = format!("{} errands at once, at most {CALLEES_MAX}", errands.len());
            return Ok(errands.iter().map(|_| Err(invalid(what.clone()))).collect());
        }
        // One errand that makes no sense is no reason to leave the others undone.
        let (mut fine, mut places) = (Vec::new(), Vec::new());
        for errand in errands {
            places.push(asked(errand).map(|asked| fine.push(asked)));
        }
        let mut came = self.gate.call_agents(&fine).await?.into_iter();
        let missing = || Err(invalid("nothing came back".to_owned()));
        let place = |place: Result<(), String>| match place {
            Ok(()) => came.next().map_or_else(missing, told),
            Err(what) => Err(invalid(what)),
        };
        Ok(places.into_iter().map(place).collect())
    }
}

/// What reading an errand costs, whether or not it makes sense.
fn weight(errand: &agents::Errand) -> u64 {
    let files = errand.delegation.files.iter().map(String::len);
    let bytes = files.fold(errand.args.len(), usize::saturating_add);
    u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(cost::BYTE)
}

/// What a guest asks, if it makes sense.
fn asked(errand: agents::Errand) -> Result<Asked, String> {
    let agents::Errand { agent, skill, args, delegation } = errand;
    let agents::Delegation { files, outputs_prefix, ttl, budget } = delegation;
    if args.len() > ARGS_BYTES_MAX {
        return Err(format!("{} bytes of arguments, at most {ARGS_BYTES_MAX}", args.len()));
    }
    if files.iter().map(String::len).sum::<usize>() > FILES_BYTES_MAX {
        return Err(format!("patterns of more than {FILES_BYTES_MAX} bytes"));
    }
    if ttl == 0 {
        return Err("a callee needs a `ttl` above 0".to_owned());
    }
    let budget = usage(&budget);
    let body = ("call", &agent, &skill, Digest::of(args.as_bytes()), &files, &outputs_prefix, ttl);
    let digest = canonical::of(&(body, budget)).map_err(|why| why.to_string())?;
    let patterns: Vec<_> = files.iter().map(String::as_str).collect();
    let outputs = outputs_prefix.map(|text| Prefix::parse(&text)).transpose();
    Ok(Asked {
        digest: Digest::of(&digest),
        files: PatternSet::parse(&patterns).map_err(|why| format!("`files`: {why}"))?,
        outputs: outputs.map_err(|why| format!("`outputs-prefix`: {why}"))?,
        agent,
        skill,
        args,
        ttl,
        budget,
    })
}

/// Amounts beyond what anybody counts are as good as none: the meter refuses them.
fn usage(budget: &agents::Budget) -> Usage {
    let agents::Budget { nano_usd, tokens, bytes, calls, fuel } = *budget;
    let rows = [
        (Dimension::NanoUsd, nano_usd),
        (Dimension::Tokens, tokens),
        (Dimension::Bytes, bytes),
        (Dimension::Calls, calls),
        (Dimension::Fuel, fuel),
    ];
    rows.into_iter().fold(Usage::ZERO, |row, (dimension, amount)| {
        row.with(dimension, amount.min(MAX_EXACT)).unwrap_or(row)
    })
}

fn invalid(what: String) -> agents::Failure {
    agents::Failure::Fault(types::Fault::Invalid(what))
}

/// What a guest is told of what came.
fn told(came: Result<Came, envelope_rules::Denial>) -> Told {
    let came = came.map_err(|it| agents::Failure::Fault(types::Fault::Denied(super::told(&it))))?;
    let Came { outcome, reason, document, .. } = came;
    let ended = || agents::Failure::Ended(reason.to_string());
    match (outcome, document) {
        (Some(Outcome::Ok), document) => Ok(document.unwrap_or_default()),
        (Some(Outcome::Failed), Some(document)) => Err(agents::Failure::Failed(document)),
        (Some(_), _) => Err(ended()),
        (None, _) => Err(agents::Failure::Fault(types::Fault::Unavailable(reason.to_string()))),
    }
}
