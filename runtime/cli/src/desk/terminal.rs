//! Asking whoever sits at the terminal.

use std::io::{BufRead as _, Read as _};

use envelope_evidence::Label;
use envelope_gate::schema::{self, Unfit};
use envelope_rules::approval::{Matter, Request, Verdict, answer_fits};

use crate::page::{self, STRONG, plain, styled};

/// Bytes of one answer: as long as a document may be that a human gives.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// Wrong answers before the question is put aside.
const TRIES_MAX: usize = 5;

/// Shows the request, byte for byte what the decision will be bound to, and reads the answer. None:
/// later.
pub(super) fn ask(request: &Request) -> Option<Verdict> {
    let shown = request.shown().ok()?;
    page::aside(styled(STRONG, format!("`{}` asks:", plain(&request.agent))));
    page::aside(&shown);
    for _ in 0..TRIES_MAX {
        page::aside(prompt(&request.matter));
        let mut line = String::new();
        let read = std::io::stdin().lock().take(LINE_BYTES_MAX).read_line(&mut line);
        if !read.is_ok_and(|bytes| bytes > 0) {
            return None;
        }
        match verdict(&request.matter, line.trim()) {
            Some(Said::Now(verdict)) => return Some(verdict),
            Some(Said::Later) => return None,
            Some(Said::Unfit(why)) => page::aside(format!("that does not fit {}", plain(why))),
            None => page::aside("that is no answer"),
        }
    }
    None
}

enum Said {
    Now(Verdict),
    Later,
    /// A document that is not what was asked for.
    Unfit(Unfit),
}

fn prompt(matter: &Matter) -> String {
    match matter {
        Matter::Scope { .. } => "allow it? [y]es, [n]o, [l]ater".to_owned(),
        Matter::Choice { choices, .. } => {
            let numbered = choices.iter().enumerate();
            let lines = numbered.map(|(at, choice)| format!("[{at}] {}", plain(choice)));
            format!("{}, [n]o answer, [l]ater", lines.collect::<Vec<_>>().join(", "))
        }
        Matter::Document { .. } => "a JSON document that fits, [n]o answer, [l]ater".to_owned(),
    }
}

fn verdict(matter: &Matter, line: &str) -> Option<Said> {
    match (line, matter) {
        ("l" | "later", _) => Some(Said::Later),
        ("n" | "no", _) => {
            Some(Said::Now(Verdict::Reject { reason: Label::cut("declined at the terminal") }))
        }
        ("y" | "yes", Matter::Scope { .. }) => Some(Said::Now(super::agreed(matter))),
        (number, Matter::Choice { choices, .. }) => {
            let choice = number.parse::<u32>().ok()?;
            let known = usize::try_from(choice).is_ok_and(|at| at < choices.len());
            known.then_some(Said::Now(Verdict::Choose { choice }))
        }
        (document, Matter::Document { schema, .. }) if answer_fits(document) => {
            Some(match schema::fits_text(schema, document) {
                Ok(()) => Said::Now(Verdict::Answer { document: document.to_owned() }),
                Err(unfit) => Said::Unfit(unfit),
            })
        }
        (_, Matter::Scope { .. } | Matter::Document { .. }) => None,
    }
}
