//! `envelope inspect`: what a component is, and what it would need.

use std::path::PathBuf;

use clap::Args;
use envelope_engine::card::Needs;
use envelope_engine::config::Machine;
use serde_json::json;

use crate::answer::Trouble;
use crate::exit::Exit;
use crate::guest;
use crate::page::{self, FAINT, STRONG, plain, styled};
use crate::run::runtime;

/// What a component imports that wants to send requests.
const OUTGOING: &str = "wasi:http/outgoing-handler@";

/// Show what a component is: its card, its skills, its imports.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  shown        2  it is no component, or cannot be run here

Examples:
  envelope inspect guest-examples/summary
  envelope inspect agent.wasm --json")]
pub(crate) struct Inspect {
    /// The component, or the folder of its source
    agent: PathBuf,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(crate) fn run(&self) -> Exit {
        self.carry_out().unwrap_or_else(|trouble| trouble.tell(self.json))
    }

    fn carry_out(&self) -> Result<Exit, Trouble> {
        let (bytes, name) = guest::component(&self.agent)?;
        let prepared = runtime()?.block_on(async {
            let machine = Machine::new().map_err(|why| Trouble::failed(why, "update Envelope"))?;
            guest::prepare(&machine, &bytes, &name).await
        })?;
        let card = prepared.card();
        let network = prepared.imports().iter().any(|it| it.starts_with(OUTGOING));
        if self.json {
            page::line(json!({"type": "inspection", "exit": 0, "component": prepared.digest(),
                "bytes": bytes.len(), "card": card, "card_digest": prepared.card_digest(),
                "imports": prepared.imports(), "network": network}));
            return Ok(Exit::Done);
        }
        let title = format!("{} {}", plain(&card.name), plain(&card.version));
        page::line(format!("{}  {}", styled(STRONG, title), plain(&card.description)));
        page::line(format!("component  {} ({} bytes)", prepared.digest(), bytes.len()));
        page::line(format!("card       {}", prepared.card_digest()));
        for skill in &card.skills {
            let name = styled(STRONG, plain(&skill.name));
            page::line(format!("\nskill {name}  {}", plain(&skill.description)));
            page::line(format!("  in   {}", styled(FAINT, &skill.input)));
            page::line(format!("  out  {}", styled(FAINT, &skill.output)));
        }
        page::line("\nimports");
        for import in prepared.imports() {
            page::line(format!("  {import}"));
        }
        if network {
            page::line("\nIt can send HTTP requests: allow single ones with `--allow-net RULE`.");
        }
        show_needs(&card.needs);
        Ok(Exit::Done)
    }
}

/// What it says that it needs, in the words that would allow it.
fn show_needs(needs: &Needs) {
    if needs.is_empty() {
        return;
    }
    page::line("\nIt says that it needs");
    for rule in &needs.net {
        page::line(format!("  --allow-net '{}'", plain(rule)));
    }
    for model in &needs.models {
        page::line(format!("  --model '{}'", plain(model)));
    }
    for pattern in &needs.read {
        page::line(format!("  --allow-read '{}'", plain(pattern)));
    }
    if let Some(prefix) = &needs.outputs {
        page::line(format!("  --outputs '{}'", plain(prefix)));
    }
}
