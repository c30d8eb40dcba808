//! `envelope:host/run`: who am I, and what is left.

use envelope_evidence::Dimension;
use envelope_evidence::canonical;
use envelope_rules::guard::Capability;
use serde::{Deserialize, Serialize};

use crate::airlock::{Airlock, insist};
use crate::bindings::envelope::host::{run, types};
use crate::gate::Answer;
use crate::request::Request;

impl run::Host for Airlock {
    async fn about(&mut self) -> wasmtime::Result<run::Identity> {
        self.ask("about").await?;
        let header = self.gate.journal().header();
        let outputs = self.gate.claims().and_then(|claims| claims.outputs.as_ref());
        Ok(run::Identity {
            run: header.run.to_string(),
            agent: header.agent.name.to_string(),
            version: header.agent.version.to_string(),
            skill: header.skill.to_string(),
            caller: header.caller.id.to_string(),
            paper: header.paper.as_ref().map(|paper| paper.digest.to_string()),
            outputs: outputs.map(|prefix| prefix.as_str().to_owned()),
            deadline: self.gate.warrant().deadline().millis(),
        })
    }

    async fn left(&mut self) -> wasmtime::Result<run::Remaining> {
        let left = self.measure();
        let request = Request::plain(Capability::Run, "left", "", &());
        // What is left depends on the books, which a replay does not keep: it is recorded.
        let bytes = insist(self.gate.noted(request, left).await)?;
        let left: Left = serde_json::from_slice(&bytes)?;
        Ok(run::Remaining {
            nano_usd: left.nano_usd,
            tokens: left.tokens,
            bytes: left.bytes,
            fuel: left.fuel,
            calls: left.calls,
            wall_ms: left.wall_ms,
        })
    }

    async fn last_denial(&mut self) -> wasmtime::Result<Option<types::Denial>> {
        let denial = self.gate.last_denial().map(super::told);
        self.ask("last-denial").await?;
        Ok(denial)
    }
}

#[derive(Serialize, Deserialize)]
struct Left {
    nano_usd: Option<u64>,
    tokens: Option<u64>,
    bytes: Option<u64>,
    fuel: Option<u64>,
    calls: Option<u64>,
    wall_ms: Option<u64>,
}

impl Airlock {
    async fn ask(&mut self, operation: &'static str) -> wasmtime::Result<()> {
        let request = Request::plain(Capability::Run, operation, "", &());
        insist(self.gate.inner(request, |_, _| ((), Answer::computed(b""))).await)
    }

    fn measure(&self) -> Vec<u8> {
        let (cap, left) = (self.gate.warrant().document().budget, self.gate.headroom());
        let limited = |dimension| cap.get(dimension).map(|_| left.get(dimension));
        let left = Left {
            nano_usd: limited(Dimension::NanoUsd),
            tokens: limited(Dimension::Tokens),
            bytes: limited(Dimension::Bytes),
            fuel: limited(Dimension::Fuel),
            calls: limited(Dimension::Calls),
            wall_ms: limited(Dimension::WallMs),
        };
        canonical::of(&left).unwrap_or_default()
    }
}
