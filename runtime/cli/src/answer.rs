//! What a command answers: one document with `--json`; else data on stdout and the rest on stderr.

use std::fmt::Display;
use std::path::Path;

use envelope_terms::source::{Look, Report};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::page;

/// A command that did what it was asked, or found what it was asked to look for.
pub(crate) struct Answer {
    /// The `type` of the document.
    pub(crate) kind: &'static str,
    /// How the command ended.
    pub(crate) exit: Exit,
    /// The members of the document.
    pub(crate) data: Value,
    /// What people and pipes read on stdout.
    pub(crate) page: String,
    /// What people read on stderr.
    pub(crate) note: String,
}

/// A command that could not do what it was asked, and what to do about it.
pub(crate) struct Trouble {
    exit: Exit,
    what: String,
    hint: String,
    report: Option<Box<Report>>,
}

impl Answer {
    /// An answer whose page is for stdout.
    pub(crate) fn page(kind: &'static str, page: impl Into<String>, data: Value) -> Self {
        Self { kind, exit: Exit::Done, data, page: page.into(), note: String::new() }
    }

    /// An answer that people read on stderr: the command wrote files, or had nothing to hand out.
    pub(crate) fn note(kind: &'static str, note: impl Into<String>, data: Value) -> Self {
        Self { kind, exit: Exit::Done, data, page: String::new(), note: note.into() }
    }

    fn in_json(self) -> Value {
        joined(json!({ "type": self.kind, "exit": self.exit.code() }), self.data)
    }
}

impl Trouble {
    /// Input that cannot be used.
    pub(crate) fn usage(what: impl Display, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, what: what.to_string(), hint: hint.into(), report: None }
    }

    /// Input that was understood and turned down.
    pub(crate) fn failed(what: impl Display, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, ..Self::usage(what, hint) }
    }

    /// What somebody may not do.
    pub(crate) fn denied(what: impl Display, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Denied, ..Self::usage(what, hint) }
    }

    /// A source that does not compile.
    pub(crate) fn flawed(report: Report) -> Self {
        let what = format!("`{}` does not compile", report.file());
        let hint = "each flaw says what would mend it; `envelope paper check` tells them again";
        Self { report: Some(Box::new(report)), ..Self::failed(what, hint) }
    }

    /// The folder of a run that cannot be used.
    pub(crate) fn folder(why: envelope_engine::local::BadFolder) -> Self {
        Self::usage(why, "give the folder of a run, as `envelope run` left it")
    }

    /// A run that a human keeps waiting.
    pub(crate) fn waiting(folder: &Path) -> Self {
        let folder = folder.display();
        let hint = format!(
            "see `envelope approvals list {folder}`, decide, then `envelope resume {folder}`"
        );
        Self { exit: Exit::Waiting, ..Self::usage("the run waits for a human", hint) }
    }

    /// The same of one that is kept in a database.
    pub(crate) fn waiting_in_store(run: &str, flags: &str) -> Self {
        let hint = format!(
            "see `envelope approvals list {run}{flags}` and decide: a node then goes on with it"
        );
        Self { exit: Exit::Waiting, ..Self::usage("the run waits for a human", hint) }
    }

    /// What is wrong.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> &str {
        &self.hint
    }

    /// Says so.
    pub(crate) fn tell(self, json: bool) -> Exit {
        give(Err(self), json)
    }

    fn in_json(self) -> Value {
        let data = json!({ "error": self.what, "hint": self.hint });
        let report = self.report.map(|report| json!({ "report": report_in_json(&report) }));
        let data = report.into_iter().fold(data, joined);
        Answer { exit: self.exit, ..Answer::page("error", "", data) }.in_json()
    }
}

/// The members of both objects.
pub(crate) fn joined(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => one.into_iter().chain(other).collect(),
        (one, _) => one,
    }
}

/// Prints what came of a command.
pub(crate) fn give(answer: Result<Answer, Trouble>, json: bool) -> Exit {
    let exit = match &answer {
        Ok(answer) => answer.exit,
        Err(trouble) => trouble.exit,
    };
    match answer {
        Ok(answer) if json => page::line(answer.in_json()),
        Err(trouble) if json => page::line(trouble.in_json()),
        Ok(answer) => {
            page::text(&answer.page);
            page::note(&answer.note);
        }
        Err(trouble) => {
            if let Some(report) = &trouble.report {
                page::note(&drawn(report));
            }
            page::error(&trouble.what, &trouble.hint);
        }
    }
    exit
}

/// Diagnostics for people. Colour is taken out again where it is not welcome.
pub(crate) fn drawn(report: &Report) -> String {
    report.draw(Look { unicode: true, colour: true })
}

/// Diagnostics for programs.
pub(crate) fn report_in_json(report: &Report) -> Value {
    let bytes = report.to_json().unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}
