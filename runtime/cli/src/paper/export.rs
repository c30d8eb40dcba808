//! `envelope paper export`: the Paper's rules for other policy engines.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use envelope_terms::export::{AcsVersion, Format, export};
use serde_json::{Value, json};

use super::load;
use crate::answer::{Answer, Trouble};
use crate::disk;

/// Write the Paper's rules for another policy engine: what they do not list, they deny
#[derive(Args)]
#[command(after_help = "\
Examples:
  envelope paper export work.paper.md --to cedar --out policies/
  envelope paper export deal/ --to acs --acs-version 0.3.0-alpha --out policies/")]
pub(crate) struct Export {
    /// A source, a compiled Paper or the folder of a chain
    paper: PathBuf,

    /// The policy language
    #[arg(long, value_enum)]
    to: Language,

    /// The version of the Agent Control Specification
    #[arg(long, value_name = "VERSION", default_value_t, value_parser = super::compile::version)]
    acs_version: AcsVersion,

    /// The folder to write to; without it only the names are told
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,

    /// Replace files that are there
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    /// An Agent Control Specification manifest with Rego
    Acs,
    /// Cedar policies with their schema
    Cedar,
    /// A YAML policy of `governance.toolkit/v1`
    AgtYaml,
}

impl Export {
    pub(crate) fn run(&self) -> Result<Answer, Trouble> {
        let paper = load::paper(&self.paper)?;
        let format = match self.to {
            Language::Acs => Format::Acs(self.acs_version),
            Language::Cedar => Format::Cedar,
            Language::AgtYaml => Format::AgtYaml,
        };
        let files = export(&paper.contract, format)
            .map_err(|why| Trouble::failed(why, "`envelope paper check` tells more"))?;
        let mut page = String::new();
        let mut told = Vec::new();
        for file in &files {
            let mut path = PathBuf::from(file.path);
            if let Some(out) = &self.out {
                path = out.join(path);
                let hint = "give another folder, or `--force` to replace files";
                disk::write(&path, file.text.as_bytes(), load::existing(self.force))
                    .map_err(|why| Trouble::usage(why, hint))?;
            }
            page.push_str(&format!("{}\n", path.display()));
            told.push(json!({ "path": path.display().to_string(), "text": file.text }));
        }
        let gaps = format.gaps();
        let data = json!({ "format": format.name(), "files": told, "gaps": gaps });
        let mut answer = Answer::page("export", page, data);
        answer.note = note(gaps);
        Ok(answer)
    }
}

fn note(gaps: &[&str]) -> String {
    let gaps: Vec<_> = gaps.iter().map(|gap| Value::from(*gap)).collect();
    let gaps = gaps.iter().filter_map(Value::as_str).map(|gap| format!("  {gap}\n"));
    format!("what the runtime enforces and these files do not say:\n{}", gaps.collect::<String>())
}
