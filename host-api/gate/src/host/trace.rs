//! `envelope:host/trace`: notes for whoever watches. The journal is the trace.

use envelope_evidence::Digest;
use envelope_rules::guard::Capability;

use crate::airlock::Airlock;
use crate::bindings::envelope::host::{trace, types};
use crate::gate::Answer;
use crate::inside::Note;
use crate::request::Request;

/// Bytes of one note with its fields: a paragraph, not a document.
pub(super) const NOTE_BYTES_MAX: usize = 16 << 10;

type Noted = wasmtime::Result<Result<(), types::Fault>>;

impl trace::Host for Airlock {
    async fn log(&mut self, level: trace::Level, message: String, fields: String) -> Noted {
        let level = match level {
            trace::Level::Debug => "debug",
            trace::Level::Info => "info",
            trace::Level::Warn => "warn",
            trace::Level::Error => "error",
        };
        if !is_fields(&fields) {
            let what = "the fields of a note are a JSON object, or an empty text";
            return Ok(Err(types::Fault::Invalid(what.to_owned())));
        }
        self.note("log", level, message, fields).await
    }

    async fn progress(&mut self, done: u64, total: u64, note: String) -> Noted {
        self.note("progress", "progress", note, format!("{{\"done\":{done},\"total\":{total}}}"))
            .await
    }

    async fn emit(&mut self, chunk: String) -> Noted {
        self.note("emit", "emit", chunk, String::new()).await
    }
}

fn is_fields(fields: &str) -> bool {
    let object = || serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(fields);
    fields.is_empty() || (fields.len() <= NOTE_BYTES_MAX && object().is_ok())
}

impl Airlock {
    async fn note(
        &mut self,
        operation: &'static str,
        level: &'static str,
        text: String,
        fields: String,
    ) -> Noted {
        let len = text.len().saturating_add(fields.len());
        if len > NOTE_BYTES_MAX {
            let what = format!("a note of {len} bytes is longer than {NOTE_BYTES_MAX}");
            return Ok(Err(types::Fault::Invalid(what)));
        }
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        let body = (level, Digest::of(text.as_bytes()), Digest::of(fields.as_bytes()));
        let target = format!("{level}: {text}");
        let request = Request::plain(Capability::Trace, operation, target, &body).moving(len);
        let passed = self
            .gate
            .inner(request, |inside, at| {
                inside.watch(&Note { at, level, text, fields });
                ((), Answer::computed(b"").moved(len))
            })
            .await;
        super::answered(passed)
    }
}
