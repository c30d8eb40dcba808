//! The path of a request.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use envelope_evidence::Timestamp;
use envelope_market::identity::{key, session};
use envelope_market::{Act, Market, Once, Refused, Told, Turn, Who, id};
use envelope_node::now;
use envelope_store::Tx;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::{Answer, REPLAYED};
use crate::ask::{self, KEY_CHARS_MAX, PAGE, PAGE_MAX};
use crate::rate::Let;
use crate::route::{Needs, Route, Takes};
use crate::{App, Problem, cookie};

/// How long an operation may take. A component is compiled within this.
const TIME_MAX: Duration = Duration::from_secs(120);

/// How long a body may take to come.
const BODY_TIME: Duration = Duration::from_secs(60);

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A request that was let in.
pub struct Call {
    /// The house.
    pub app: Arc<App>,
    /// When it came.
    pub at: Timestamp,
    route: &'static Route,
    who: Option<Who>,
    path: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
    headers: HeaderMap,
    body: Bytes,
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The id after which it begins.
    pub after: String,
    /// How many at most.
    pub limit: usize,
}

impl Page {
    /// The same as databases count.
    pub fn count(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX)
    }
}

/// Lets a request in or not, and answers it.
pub(crate) async fn enter(
    app: Arc<App>,
    route: &'static Route,
    path: Result<BTreeMap<String, String>, PathRejection>,
    request: Request,
) -> Response {
    let at = now();
    let name = id("req", at).unwrap_or_default();
    let (mut response, left) = match admit(&app, route, path, request, at).await {
        Ok((call, left)) => (carry_out(&app, route, call, &name).await, Some(left)),
        Err(problem) => (failed(&app, problem, &name), None),
    };
    app.count(route.operation, response.status().as_u16());
    let mut put = |header, value: String| {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(header, value);
        }
    };
    put(REQUEST_ID, name);
    let (class, most) = (route.rate.name(), route.rate.a_minute());
    put(RATE_POLICY, format!("\"{class}\";q={most};w=60"));
    if let Some(left) = left {
        put(RATE_LIMIT, format!("\"{class}\";r={left}"));
    }
    response
}

async fn carry_out(app: &App, route: &'static Route, call: Call, name: &str) -> Response {
    match tokio::time::timeout(TIME_MAX, (route.handle)(call)).await {
        Ok(Ok(response)) => response,
        Ok(Err(problem)) => failed(app, problem, name),
        Err(_) => Problem::new("TIMEOUT", "it took longer than it may").response(name),
    }
}

/// A problem on its way. What is wrong inside is told to whoever keeps the house, and to nobody
/// else.
fn failed(app: &App, problem: Problem, name: &str) -> Response {
    if problem.code() == "INTERNAL" {
        app.trouble(&format!("{name}: {}", problem.detail()));
    }
    problem.response(name)
}

/// Who it is, whether they may, how often, and what they say.
async fn admit(
    app: &Arc<App>,
    route: &'static Route,
    path: Result<BTreeMap<String, String>, PathRejection>,
    request: Request,
    at: Timestamp,
) -> Result<(Call, u64), Problem> {
    let (parts, body) = request.into_parts();
    let who = match route.needs {
        Needs::Nobody => None,
        Needs::Anybody | Needs::Role(_) => Some(recognised(app, &parts, at).await?),
    };
    if let (Needs::Role(role), Some(who)) = (route.needs, &who) {
        who.needs(role)?;
    }
    let asker = who.as_ref().map_or_else(|| peer(&parts), |who| who.user.clone());
    let left = match app.buckets.one(&asker, route.rate, at) {
        Let::Through(left) => left,
        Let::After(seconds) => {
            let most = route.rate.a_minute();
            let told = format!("{most} a minute, and no more");
            return Err(Problem::new("RATE", told).with("retry_after", seconds));
        }
    };
    let body = tokio::time::timeout(BODY_TIME, read(route, &parts.headers, body)).await;
    let body = body.map_err(|_| Problem::new("TIMEOUT", "the body did not come in time"))??;
    // Whoever was let in when they began may be so no longer, and it is later now.
    let (at, who) = match who {
        Some(_) if !matches!(route.takes, Takes::Nothing) => {
            let (at, who) = (now(), recognised(app, &parts, now()).await?);
            if let Needs::Role(role) = route.needs {
                who.needs(role)?;
            }
            (at, Some(who))
        }
        who => (at, who),
    };
    let path = path.map_err(|why| Problem::new("MALFORMED", format!("the path: {why}")))?;
    let (path, query) = (ask::parts(path)?, ask::query(route, &parts.uri)?);
    let (app, headers) = (Arc::clone(app), parts.headers);
    let call = Call { app, at, route, who, path, query, headers, body };
    if route.once {
        call.key()?.ok_or_else(|| Problem::new("KEY_MISSING", "send an `Idempotency-Key`"))?;
    }
    Ok((call, left))
}

/// Where a request comes from that says nothing else of who asks.
fn peer(parts: &Parts) -> String {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or_else(String::new, |ConnectInfo(address)| address.ip().to_string())
}

/// Whoever shows a key, or is signed in. All who show nothing that counts are told the same.
async fn recognised(app: &App, parts: &Parts, at: Timestamp) -> Result<Who, Problem> {
    let unknown = || Problem::new("SIGN_IN", "no key came with the request, or none that counts");
    let mut tx = app.market.house.store.read().await?;
    let Some(shown) = parts.headers.get(header::AUTHORIZATION) else {
        let token = cookie::shown(&parts.headers).ok_or_else(unknown)?;
        let who = session::who(&mut tx, token, at).await?.ok_or_else(unknown)?;
        cookie::at_home(&parts.method, &parts.headers)?;
        return Ok(who);
    };
    // The name of the scheme is written in any case (RFC 9110, 11.1).
    let shown = shown.to_str().ok().and_then(|shown| shown.split_once(' '));
    let token = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"));
    let (_, token) = token.ok_or_else(unknown)?;
    key::who(&mut tx, token.trim()).await?.ok_or_else(unknown)
}

async fn read(route: &Route, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let (kind, most) = match route.takes {
        Takes::Nothing => return Ok(Bytes::new()),
        Takes::Json(_) => ("application/json", crate::route::JSON_BYTES_MAX),
        Takes::Wasm => ("application/wasm", crate::route::WASM_BYTES_MAX),
    };
    let sent = headers.get(header::CONTENT_TYPE).and_then(|sent| sent.to_str().ok());
    let sent = sent.and_then(|sent| sent.split(';').next()).unwrap_or_default().trim();
    if !sent.eq_ignore_ascii_case(kind) {
        return Err(Problem::new("MEDIA_TYPE", format!("want `{kind}`, not `{sent}`")));
    }
    let told = format!("a body has at most {most} bytes here");
    axum::body::to_bytes(body, most).await.map_err(|_| Problem::new("TOO_LARGE", told))
}

impl Call {
    /// Who asks.
    pub fn who(&self) -> Result<&Who, Problem> {
        self.who.as_ref().ok_or_else(|| Problem::new("SIGN_IN", "nobody is signed in"))
    }

    /// A part of the path.
    pub fn path(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// What the query says.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// What whoever is signed in shows.
    pub fn cookie(&self) -> Option<&str> {
        cookie::shown(&self.headers)
    }

    /// A header, if it is text.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as it came.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// What the body says.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let mut read = serde_json::Deserializer::from_slice(&self.body);
        let input = serde_path_to_error::deserialize(&mut read).map_err(|why| {
            let param = why.path().to_string();
            let why = why.into_inner();
            let code = if why.is_data() { "INVALID" } else { "MALFORMED" };
            Problem::new(code, why.to_string()).with("param", param)
        })?;
        read.end().map_err(|why| Problem::new("MALFORMED", why.to_string()))?;
        Ok(input)
    }

    /// Which part of a list is asked for.
    pub fn page(&self) -> Result<Page, Problem> {
        let limit = match self.query("limit") {
            None => PAGE,
            Some(text) => {
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                let limit = text.parse().ok().filter(|_| digits);
                let limit = limit.filter(|limit| (1..=PAGE_MAX).contains(limit));
                let told = format!("`limit` is a number from 1 to {PAGE_MAX}");
                limit.ok_or_else(|| Problem::new("INVALID", told).with("param", "limit"))?
            }
        };
        let after = self.query("after").unwrap_or_default().to_owned();
        Ok(Page { after, limit })
    }

    /// The version that a change is based on, if it says so.
    pub fn version(&self) -> Result<Option<i64>, Problem> {
        let Some(value) = self.headers.get(header::IF_MATCH) else { return Ok(None) };
        let text = value.to_str().unwrap_or_default();
        if text == "*" {
            return Ok(None);
        }
        let digits = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let version = digits.and_then(|digits| digits.parse().ok());
        let told = "`If-Match` is one `ETag` of ours, in its quotes, or `*`";
        version.map(Some).ok_or_else(|| Problem::new("MALFORMED", told))
    }

    /// A transaction that reads.
    pub async fn tx(&self) -> Result<Tx, Problem> {
        Ok(self.app.market.house.store.read().await?)
    }

    /// What whoever asks does with `input`, in one transaction, once for each key.
    pub async fn act<I: Sync, T: Serialize + Send>(
        &self,
        input: &I,
        act: impl for<'t, 'u> Fn(&'t Market, &'t mut Turn<'u>, &'t I) -> Act<'t, T> + Sync,
    ) -> Result<Answer, Problem> {
        let who = self.who()?;
        let once = self.key()?.map(|key| Once::new(who, key, &self.said()));
        let told = self.app.market.act_once((who, self.at), once.as_ref(), input, act).await;
        match told.map_err(|refused: Refused| Problem::from(refused))? {
            Told::Now(told) => Answer::kept(&told, self.route.status),
            Told::Before(told) => {
                Ok(Answer::kept(&told, self.route.status)?.with(REPLAYED, "true"))
            }
        }
    }

    /// All that makes two requests the same.
    fn said(&self) -> Vec<u8> {
        let path = Vec::from_iter(self.path.values().map(String::as_str)).join("/");
        [self.route.operation.as_bytes(), path.as_bytes(), &self.body].join(&b'\n')
    }

    fn key(&self) -> Result<Option<&str>, Problem> {
        let Some(value) = self.headers.get(IDEMPOTENCY_KEY).filter(|_| self.route.once) else {
            return Ok(None);
        };
        let key = value.to_str().unwrap_or_default();
        let seen = key.bytes().all(|byte| byte.is_ascii_graphic());
        if seen && (1..=KEY_CHARS_MAX).contains(&key.len()) {
            return Ok(Some(key));
        }
        let told = format!("`Idempotency-Key` has 1 to {KEY_CHARS_MAX} characters, none a space");
        Err(Problem::new("MALFORMED", told))
    }
}

/// An answer on its way.
pub(crate) fn sent(answer: Result<Answer, Problem>) -> Result<Response, Problem> {
    answer.map(|answer| answer.into_response())
}
