//! The host that is dialled by nobody: `http://model.envelope`, where models answer in the formats
//! of their vendors. What is asked there passes the gate as a call of a model, not as a request.

use bytes::Bytes;
use envelope_rules::denial::{Code, Denial};
use envelope_rules::egress::host::Host;
use envelope_rules::egress::target::{Scheme, Target};
use envelope_rules::guard::Capability;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::lock;
use super::response::{IncomingResponse, SharedReply, Source};
use super::send::Answered;
use super::wish::Wish;
use crate::airlock::Airlock;
use crate::egress::problem;
use crate::gate::Wish as Wanted;
use crate::host::{Came, digest, unexpected};
use crate::model::Outcome;
use crate::model::front::{self, Asked, Mark, Place, Speech, Texts, Unread, Wire};
use crate::request::Request;
use crate::wasi::files::{Done, Failed};

/// The header by which clients of Anthropic's are known.
const VERSIONED: HeaderName = HeaderName::from_static("anthropic-version");

/// What the clients of both vendors heed: whether to try again is the operator's to say, who pays
/// for an attempt of which nobody knows how it ended.
const NO_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

/// Whether `target` is where models answer.
pub(super) fn is_virtual(target: &Target) -> bool {
    matches!(target.host(), Host::Name(name) if name.as_str() == front::HOST)
}

impl Airlock {
    /// What models answer to `wish`.
    pub(super) async fn ask_models(
        &mut self,
        wish: &Wish,
        target: &Target,
        body: &Bytes,
    ) -> Answered {
        if (target.scheme(), target.port()) != (Scheme::Http, Scheme::Http.port()) {
            let what = format!("models answer at `http://{}` and nowhere else", front::HOST);
            return self.refuse_model(wish, body, Code::EgressTarget, &what).await;
        }
        let versioned = wish.headers.entries().iter().any(|(name, _)| *name == VERSIONED);
        let place = Place::of(target.method().as_str(), target.origin_form(), versioned);
        self.charge_bytes(body.len());
        match place {
            Some(Place::Chat(wire)) => match wire.read(body) {
                Ok(asked) => self.chat_with(wish, wire, asked).await,
                Err(unread) => self.unread(wish, body, unread).await,
            },
            Some(Place::Vectors) => match front::texts(body) {
                Ok(texts) => self.vectors_of(wish, texts).await,
                Err(unread) => self.unread(wish, body, unread).await,
            },
            Some(Place::List(wire)) => self.list_models(wire).await,
            None => {
                let what = format!("ask at {}", front::PLACES);
                self.refuse_model(wish, body, Code::ModelUnbounded, &what).await
            }
        }
    }

    async fn chat_with(&mut self, wish: &Wish, wire: Wire, asked: Asked) -> Answered {
        let (ask, images, streamed) = (&asked.ask, &asked.images, asked.streamed);
        let wanted = Wanted::Answer { ask, images, streamed };
        Ok(Ok(match self.try_all(&ask.model, wanted, digest(ask)).await? {
            Err(denial) => self.denied_model(wish, &denial),
            Ok(Came::Over(Outcome::Done(reply))) => {
                let whole = wire.whole(&reply, &self.mark());
                self.told(&whole)
            }
            Ok(Came::Over(outcome)) => self.unanswered(&outcome),
            Ok(Came::Stream(call)) => {
                let speech = Speech::new(wire, call, &asked, self.mark());
                let headers = vec![(CONTENT_TYPE, HeaderValue::from_static(EVENTS))];
                self.response(200, headers, Source::Model(Some(Box::new(speech))))
            }
        }))
    }

    async fn vectors_of(&mut self, wish: &Wish, asked: Texts) -> Answered {
        let (model, texts) = (&asked.model, &asked.texts);
        let came = self.try_all(model, Wanted::Vectors(texts), digest(&(model, texts))).await?;
        Ok(Ok(match came {
            Err(denial) => self.denied_model(wish, &denial),
            Ok(Came::Over(Outcome::Embedded { vectors, usage, stub })) => {
                self.told(&front::embedded(&asked, &vectors, &usage, stub))
            }
            Ok(Came::Over(outcome)) => self.unanswered(&outcome),
            Ok(Came::Stream(_)) => return Err(unexpected()),
        }))
    }

    /// The models that the run may call.
    async fn list_models(&mut self, wire: Wire) -> Answered {
        self.gate.take_back()?;
        let warrant = self.gate.warrant().document();
        let names: Vec<_> = warrant.models.iter().map(|rule| rule.model.as_str()).collect();
        let listed = wire.list(&names);
        let request = Request::plain(Capability::Run, "models", "", &());
        // What a human lent is in it, which a replay does not hold: it is recorded.
        let passed = self.gate.noted(request, listed.to_string().into_bytes()).await?;
        Ok(Ok(match passed {
            Ok(listed) => self.response(200, json_headers(), Source::Held(listed.into())),
            Err(denial) => self.model_problem(&denial, &asked_at("GET", "/v1/models")),
        }))
    }

    /// What was read wrongly was not asked; what cannot be bounded is refused on record.
    async fn unread(&mut self, wish: &Wish, body: &Bytes, unread: Unread) -> Answered {
        match unread {
            Unread::Unbounded(what) => {
                self.refuse_model(wish, body, Code::ModelUnbounded, &what).await
            }
            Unread::Wrong(what) => {
                let why = front::fault("invalid_request_error", &what);
                Ok(Ok(self.response(400, json_headers(), Source::Held(why.to_string().into()))))
            }
        }
    }

    async fn refuse_model(
        &mut self,
        wish: &Wish,
        body: &Bytes,
        code: Code,
        what: &str,
    ) -> Answered {
        let written = wish.written(body);
        let request = Request::plain(Capability::Model, "request", wish.shown(), &written);
        let denial = self.gate.refuse(request, Denial::new(code, what)).await?;
        Ok(Ok(self.denied_model(wish, &denial)))
    }

    /// A refusal, in words that vendors' clients show.
    fn denied_model(&self, wish: &Wish, denial: &Denial) -> IncomingResponse {
        self.model_problem(denial, &asked_at(&wish.method, &wish.path))
    }

    fn model_problem(&self, denial: &Denial, asked: &problem::Asked<'_>) -> IncomingResponse {
        let (status, headers, mut problem) = problem::document(denial, asked);
        if let Some(problem) = problem.as_object_mut() {
            // No rule of the network would help.
            problem.insert("rule_missing".to_owned(), Value::Null);
            let (name, text) = (denial.row().name, denial.to_string());
            let error = json!({ "type": name, "code": name, "message": text, "param": null });
            problem.insert("error".to_owned(), error);
        }
        self.response(status, headers, Source::Held(problem.to_string().into()))
    }

    fn told(&self, document: &Value) -> IncomingResponse {
        self.response(200, json_headers(), Source::Held(document.to_string().into()))
    }

    fn unanswered(&self, outcome: &Outcome) -> IncomingResponse {
        let (status, why) = front::failed(outcome);
        let mut headers = json_headers();
        headers.push((NO_RETRY, HeaderValue::from_static("false")));
        self.response(status, headers, Source::Held(why))
    }

    fn mark(&mut self) -> Mark {
        self.http.models = self.http.models.saturating_add(1);
        Mark { number: self.http.models, created: self.gate.journal().header().started.secs() }
    }

    /// The next bytes of what a model says. None is its end.
    pub(super) async fn hear(
        &mut self,
        shared: &SharedReply,
        mut speech: Box<Speech>,
        most: usize,
    ) -> Done<Option<Vec<u8>>> {
        while speech.pending.is_empty() && !speech.over {
            match self.gate.next_chunk(speech.call).await {
                Ok(Ok(chunk)) => speech.say(&chunk),
                Ok(Err(denial)) => speech.refuse(denial.row().name, &denial.to_string()),
                Err(stop) => return Err(Failed::Over(stop.into())),
            }
        }
        let piece = speech.pending.split_to(most.min(speech.pending.len()));
        lock(shared).source = Source::Model(Some(speech));
        Ok((!piece.is_empty()).then(|| piece.to_vec()))
    }

    /// The guest lets go of an answer. That of a model is settled.
    pub(super) async fn let_go(&mut self, shared: &SharedReply) -> wasmtime::Result<()> {
        match taken(shared) {
            Some(speech) => Ok(self.gate.drop_stream(speech.call).await?),
            None => Ok(()),
        }
    }
}

/// What a model says, out of the hands that share it.
pub(super) fn taken(shared: &SharedReply) -> Option<Box<Speech>> {
    match &mut lock(shared).source {
        Source::Model(speech) => speech.take(),
        Source::Held(_) | Source::Peer(..) => None,
    }
}

const fn asked_at<'a>(method: &'a str, path: &'a str) -> problem::Asked<'a> {
    problem::Asked { method, scheme: "http", authority: front::HOST, path }
}

fn json_headers() -> Vec<(HeaderName, HeaderValue)> {
    vec![(CONTENT_TYPE, HeaderValue::from_static(JSON))]
}
