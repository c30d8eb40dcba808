//! `envelope explain`: what a code means, and what to do.

use clap::Args;
use envelope_rules::Code as Denial;
use envelope_server::problem::CODES;
use serde_json::json;

use crate::answer::{Answer, Trouble, give};
use crate::exit::Exit;

/// Explain the code of a problem or a denial
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  explained
  2  nobody uses that code

Examples:
  envelope explain LISTING_MODIFIED
  envelope explain grant.expired")]
pub(crate) struct Explain {
    /// The code, as an answer or a receipt tells it
    code: String,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(crate) fn run(&self) -> Exit {
        give(self.explained(), self.json)
    }

    fn explained(&self) -> Result<Answer, Trouble> {
        let problem = CODES.iter().find(|row| row.code == self.code);
        let problem = problem.map(|row| (row.title, row.help, row.status));
        let denial = Denial::TABLE.iter().find(|row| row.name == self.code);
        let found = problem.or_else(|| denial.map(|row| (row.meaning, row.next, row.status)));
        let hint = "codes are told by problems (`code`), denials and receipts";
        let what = || format!("nobody uses the code `{}`", self.code);
        let (means, next, status) = found.ok_or_else(|| Trouble::usage(what(), hint))?;
        let page = format!("{}: {means}\n\n{next}\n\nHTTP {status}\n", self.code);
        let data = json!({ "code": self.code, "means": means, "next": next, "status": status });
        Ok(Answer::page("explain", page, data))
    }
}
