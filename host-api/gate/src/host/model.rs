//! `envelope:host/model`: what a guest asks of a model, and what it is told.

mod picture;
mod words;

use envelope_evidence::Digest;
use envelope_rules::denial::Denial;
use envelope_rules::model::{Ask, TEXT_BYTES_MAX, TEXTS_MAX};
use wasmtime::component::Resource;

use crate::airlock::Airlock;
use crate::bindings::envelope::host::{model, types};
use crate::gate::{Attempt, Paid, Wish};
use crate::model::{Chunk, Images, Outcome, Then};
use crate::stop::Stop;

/// An answer that is read as it comes: the number of the call that opened it.
#[derive(Debug)]
pub struct AnswerStream {
    call: usize,
}

/// What a call gives: an answer, or a fault that the guest can act on.
type Answered<T> = wasmtime::Result<Result<T, types::Fault>>;

/// The models tried for one wish, and how the last attempt came out.
pub(crate) enum Came {
    Over(Outcome),
    Stream(usize),
}

impl model::Host for Airlock {
    async fn complete(&mut self, request: model::Request) -> Answered<model::Reply> {
        let (ask, images) = match self.read(request).await? {
            Ok(read) => read,
            Err(fault) => return Ok(Err(fault)),
        };
        let wish = Wish::Answer { ask: &ask, images: &images, streamed: false };
        match self.try_all(&ask.model, wish, digest(&ask)).await? {
            Ok(Came::Over(Outcome::Done(reply))) => Ok(Ok(words::reply(reply))),
            Ok(Came::Over(outcome)) => Ok(Err(words::fault(outcome))),
            Ok(Came::Stream(_)) => Err(unexpected()),
            Err(denial) => Ok(Err(denied(&denial))),
        }
    }

    async fn stream(&mut self, request: model::Request) -> Answered<Resource<AnswerStream>> {
        let (ask, images) = match self.read(request).await? {
            Ok(read) => read,
            Err(fault) => return Ok(Err(fault)),
        };
        let wish = Wish::Answer { ask: &ask, images: &images, streamed: true };
        match self.try_all(&ask.model, wish, digest(&ask)).await? {
            Ok(Came::Stream(call)) => Ok(Ok(self.table.push(AnswerStream { call })?)),
            Ok(Came::Over(outcome)) => Ok(Err(words::fault(outcome))),
            Err(denial) => Ok(Err(denied(&denial))),
        }
    }

    async fn embed(&mut self, name: String, texts: Vec<String>) -> Answered<Vec<Vec<f32>>> {
        let bytes = texts.iter().map(String::len).fold(0, usize::saturating_add);
        let long = u64::try_from(bytes).unwrap_or(u64::MAX) > TEXT_BYTES_MAX;
        if texts.is_empty() || texts.len() > TEXTS_MAX || long {
            let what = format!(
                "{} texts of {bytes} bytes: 1 to {TEXTS_MAX} of at most {TEXT_BYTES_MAX} bytes fit",
                texts.len()
            );
            return Ok(Err(types::Fault::Invalid(what)));
        }
        let digest = digest(&(&name, &texts));
        match self.try_all(&name, Wish::Vectors(&texts), digest).await? {
            Ok(Came::Over(Outcome::Embedded { vectors, .. })) => Ok(Ok(vectors)),
            Ok(Came::Over(outcome)) => Ok(Err(words::fault(outcome))),
            Ok(Came::Stream(_)) => Err(unexpected()),
            Err(denial) => Ok(Err(denied(&denial))),
        }
    }
}

impl model::HostAnswerStream for Airlock {
    async fn next(&mut self, stream: Resource<AnswerStream>) -> Answered<Option<model::Chunk>> {
        let call = self.table.get(&stream)?.call;
        Ok(match self.gate.next_chunk(call).await? {
            Ok(Chunk::Text(text)) => Ok(Some(model::Chunk::Text(text))),
            Ok(Chunk::Call(call)) => Ok(Some(model::Chunk::Call(words::call(call)))),
            Ok(Chunk::Done(reply)) => Ok(Some(model::Chunk::Done(words::reply(*reply)))),
            Ok(Chunk::End) => Ok(None),
            Ok(Chunk::Failed { timed_out: true, .. }) => Err(types::Fault::TimedOut),
            Ok(Chunk::Failed { why, .. }) => Err(types::Fault::Unavailable(why)),
            Err(denial) => Err(denied(&denial)),
        })
    }

    async fn drop(&mut self, stream: Resource<AnswerStream>) -> wasmtime::Result<()> {
        let AnswerStream { call } = self.table.delete(stream)?;
        Ok(self.gate.drop_stream(call).await?)
    }
}

impl Airlock {
    /// The request in our own words, with its pictures.
    async fn read(&mut self, request: model::Request) -> Answered<(Ask, Images)> {
        let (mut ask, paths) = words::ask(request);
        let images = match self.pictures(&mut ask, &paths).await? {
            Ok(images) => images,
            Err(fault) => return Ok(Err(fault)),
        };
        Ok(match ask.check() {
            Ok(()) => Ok((ask, images)),
            Err(why) => Err(types::Fault::Invalid(why.to_string())),
        })
    }

    /// Attempts it until there is an answer or the operator's policy says to stop.
    pub(crate) async fn try_all(
        &mut self,
        model: &str,
        wish: Wish<'_>,
        digest: Digest,
    ) -> wasmtime::Result<Result<Came, Denial>> {
        let mut tried = vec![model.to_owned()];
        loop {
            let attempt = Attempt { wish, digest, tried: &tried };
            match self.gate.pay(attempt).await? {
                Err(denial) => return Ok(Err(denial)),
                Ok(Paid::Stream(call)) => return Ok(Ok(Came::Stream(call))),
                Ok(Paid::Over(outcome)) => match *outcome {
                    // The policy ends by itself: it counts the attempts.
                    Outcome::Failed { then: Then::Ask(next), .. } => tried.push(next),
                    outcome @ (Outcome::Done(_)
                    | Outcome::Embedded { .. }
                    | Outcome::Failed { .. }
                    | Outcome::Interrupted
                    | Outcome::Dropped) => return Ok(Ok(Came::Over(outcome))),
                },
            }
        }
    }
}

fn denied(denial: &Denial) -> types::Fault {
    types::Fault::Denied(super::told(denial))
}

/// The digest of a wish. Nothing in it is without JSON.
pub(crate) fn digest(wish: &impl serde::Serialize) -> Digest {
    Digest::of(&serde_json::to_vec(wish).unwrap_or_default())
}

/// Only a stream's call opens a stream: a journal that says otherwise is another one.
pub(crate) fn unexpected() -> wasmtime::Error {
    Stop::Misuse("a stream where an answer was asked for").into()
}
