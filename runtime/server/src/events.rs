//! What happens in a run, out of its record: as pages, or as a stream that can be taken up again.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use envelope_market::Turn;
use envelope_store::journal;
use envelope_store::noun::Noun;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::Problem;
use crate::call::Call;

/// How often the record is looked at for more.
const LOOK: Duration = Duration::from_millis(250);

/// After so many looks without anything new a comment says that somebody is still there.
const QUIET: u32 = 60;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// One line of the record.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Line {
    /// Which line, from 1: the first is what the run is pinned by.
    pub(crate) id: u64,
    /// What kind of event.
    pub(crate) kind: String,
    /// All of it.
    pub(crate) data: Value,
}

/// Whether a stream is asked for.
pub(crate) fn streams(call: &Call) -> bool {
    call.header(&header::ACCEPT).is_some_and(|accept| accept.contains("text/event-stream"))
}

/// The record of a run of whoever asks, as far as it is written.
pub(crate) async fn lines(call: &Call, run: &str) -> Result<Vec<Line>, Problem> {
    read(call, run).await.map(|(lines, _)| lines)
}

/// The same, and whether the run is over.
async fn read(call: &Call, run: &str) -> Result<(Vec<Line>, bool), Problem> {
    let who = call.who()?;
    let mut tx = call.tx().await?;
    let row = Turn { tx: &mut tx, who, at: call.at }.own(Noun::Run, run).await?;
    drop(tx);
    let (bytes, _) = journal::read(&call.app.market.house.store, &who.org, run).await?;
    let whole = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let lines = whole.zip(1..).map(|(line, id)| {
        let data: Value = serde_json::from_slice(line).unwrap_or_default();
        let event = data.get("event").and_then(Value::as_object);
        let kind = event.and_then(|event| event.keys().next().cloned());
        Line { id, kind: kind.unwrap_or_else(|| "begun".to_owned()), data }
    });
    Ok((lines.collect(), row.state == "ended"))
}

/// The record as it is written, from the line after `Last-Event-ID`.
pub(crate) async fn stream(call: Call) -> Result<Response, Problem> {
    let run = call.path("run").to_owned();
    let seen = call.header(&LAST_EVENT_ID).and_then(|id| id.parse().ok()).unwrap_or(0);
    // Whoever may not see it is told so before anything is sent.
    read(&call, &run).await?;
    let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes, Infallible>>(16);
    tokio::spawn(async move { tell(&call, &run, seen, send).await });
    let body = Body::from_stream(Received(receive));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

async fn tell(
    call: &Call,
    run: &str,
    mut seen: u64,
    send: tokio::sync::mpsc::Sender<Result<Bytes, Infallible>>,
) {
    let mut quiet = 0;
    loop {
        let Ok((lines, over)) = read(call, run).await else { return };
        let mut told = String::new();
        for line in lines.iter().filter(|line| line.id > seen) {
            told.push_str(&format!(
                "id: {}\nevent: {}\ndata: {}\n\n",
                line.id, line.kind, line.data
            ));
        }
        seen = lines.last().map_or(seen, |line| line.id.max(seen));
        quiet = if told.is_empty() { quiet + 1 } else { 0 };
        if quiet >= QUIET {
            told.push_str(": still there\n\n");
            quiet = 0;
        }
        if !told.is_empty() && send.send(Ok(told.into())).await.is_err() {
            return;
        }
        if over || call.app.is_leaving() {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What a task sends, as a stream.
struct Received(tokio::sync::mpsc::Receiver<Result<Bytes, Infallible>>);

impl futures_core::Stream for Received {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}
