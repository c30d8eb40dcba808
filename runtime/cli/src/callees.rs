//! Agents that a run may call: what is said about them on the command line.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use clap::Args;
use envelope_engine::config::Machine;
use envelope_engine::local::{Hand, RunFolder};
use envelope_evidence::Label;
use envelope_rules::guard::Warrant;

use crate::answer::Trouble;
use crate::guest;

/// Where the agents of this machine live.
const HERE: &str = "@local";

/// Flags about agents that may be called.
#[derive(Args, Default)]
pub(crate) struct CalleeFlags {
    /// An agent that it may call as `NAME@local`: a component, or the folder of its source. Without
    /// a name it is called what its file is called
    #[arg(long = "callee", value_name = "[NAME=]AGENT")]
    callees: Vec<String>,
}

/// An agent as it came.
pub(crate) struct Named {
    pub(crate) service: String,
    name: String,
    component: Bytes,
}

impl CalleeFlags {
    /// One agent, for the demonstration.
    pub(crate) fn of(name: &str, agent: &std::path::Path) -> Self {
        Self { callees: vec![format!("{name}={}", agent.display())] }
    }

    /// Whether none is named.
    pub(crate) const fn is_empty(&self) -> bool {
        self.callees.is_empty()
    }

    /// Their components, those built that are sources.
    pub(crate) fn read(&self) -> Result<Vec<Named>, Trouble> {
        let mut named: Vec<Named> = Vec::new();
        for text in &self.callees {
            let (name, path) = match text.split_once('=') {
                Some((name, path)) => (Some(name), path),
                None => (None, text.as_str()),
            };
            let (component, own) = guest::component(&PathBuf::from(path))?;
            let service = format!("{}{HERE}", name.unwrap_or(&own));
            let good = service.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_@".contains(&it));
            if !good || named.iter().any(|known| known.service == service) {
                let what = format!("`{service}` is no name for one more agent");
                return Err(Trouble::usage(what, "name it in letters, digits, `-` and `_`"));
            }
            named.push(Named { service, name: own, component });
        }
        Ok(named)
    }
}

/// Has all of them ready to run, and keeps them in `folder`.
pub(crate) async fn at_hand(
    machine: &Machine,
    named: Vec<Named>,
    folder: &RunFolder,
) -> Result<Vec<Hand>, Trouble> {
    for Named { service, component, .. } in &named {
        folder.keep_agent(service, component).map_err(Trouble::folder)?;
    }
    ready(machine, named).await
}

/// Those that a run which goes on may call, from its folder.
pub(crate) async fn again(
    machine: &Machine,
    warrant: &Warrant,
    folder: &RunFolder,
) -> Result<Vec<Hand>, Trouble> {
    let agents = warrant.document().agents.iter();
    let named = agents.map(|service| {
        let component = folder.agent(service).map_err(Trouble::folder)?;
        let name = service.strip_suffix(HERE).unwrap_or(service).to_owned();
        Ok(Named { service: service.to_string(), name, component })
    });
    ready(machine, named.collect::<Result<_, Trouble>>()?).await
}

async fn ready(machine: &Machine, named: Vec<Named>) -> Result<Vec<Hand>, Trouble> {
    let mut hands = Vec::new();
    for Named { service, name, component } in named {
        let prepared = Arc::new(guest::prepare(machine, &component, &name).await?);
        hands.push(Hand { service: Label::cut(&service), prepared, component });
    }
    Ok(hands)
}
