//! `envelope paper check`: everything that is wrong with a source, each flaw at its place.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::load;
use crate::answer::{Answer, Trouble, drawn, report_in_json};

/// Tell everything that is wrong with a source, each flaw at its place and with a stable code
#[derive(Args)]
pub(crate) struct Check {
    /// The source
    file: PathBuf,

    /// A template whose words the source may name; can be given several times
    #[arg(long, value_name = "FILE")]
    template: Vec<PathBuf>,
}

impl Check {
    pub(crate) fn run(&self) -> Result<Answer, Trouble> {
        let checked = load::source(&self.file, &self.template)?;
        let data = json!({ "report": report_in_json(checked.warnings()) });
        Ok(Answer::note("check", drawn(checked.warnings()), data))
    }
}
