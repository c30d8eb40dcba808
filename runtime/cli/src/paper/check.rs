//! `envelope paper check`: everything that is wrong with a source, each flaw at its place.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::load;
use crate::answer::{Answer, Trouble, drawn, report_in_json};

/// Tell everything that is wrong with a source, each flaw at its place and with a stable code
///
/// Of a template without data of its own it tells the digest by which a Paper names it.
#[derive(Args)]
pub(crate) struct Check {
    /// The source of a contract, or a template
    file: PathBuf,

    /// Fill a template in for this Paper: a source, a compiled Paper or the folder of a chain
    #[arg(long = "for", value_name = "PAPER")]
    paper: Option<PathBuf>,

    /// A template whose words the source may name; can be given several times
    #[arg(long, value_name = "FILE")]
    template: Vec<PathBuf>,
}

impl Check {
    pub(crate) fn run(&self) -> Result<Answer, Trouble> {
        if self.paper.is_some() || load::is_template(&self.file) {
            return self.template();
        }
        let checked = load::source(&self.file, &self.template)?;
        let data = json!({ "report": report_in_json(checked.warnings()) });
        Ok(Answer::note("check", drawn(checked.warnings()), data))
    }

    fn template(&self) -> Result<Answer, Trouble> {
        let template = load::template(&self.file)?;
        if let Some(paper) = &self.paper {
            template.render(&load::paper(paper)?.contract).map_err(Trouble::flawed)?;
        }
        let (kind, digest) = (template.kind(), template.digest());
        let note = format!("a template of the kind `{}`\nits digest is {digest}\n", kind.name());
        let report = json!({ "v": 1, "diagnostics": [], "more": 0 });
        let data = json!({ "report": report, "kind": kind, "digest": digest });
        Ok(Answer::note("check", note, data))
    }
}
