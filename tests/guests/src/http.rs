//! Acts on `wasi:http`, by the raw interface: a request is `METHOD|SCHEME|AUTHORITY|PATH`, then
//! headers as `name: value`, then, after an empty field, the body.

use std::cell::RefCell;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody,
    OutgoingRequest, RequestOptions, Scheme, http_error_code,
};
use wasip2::io::streams::{InputStream, StreamError};

use crate::{Came, number, two};

/// Bytes of an answer that are said; of a longer one its length.
const SAID_BYTES_MAX: usize = 16_000;

thread_local! {
    static OPEN: RefCell<Vec<(InputStream, IncomingBody)>> = RefCell::default();
}

pub fn act(verb: &str, rest: &str) -> Option<Came> {
    Some(match verb {
        "send" => request(rest, None).and_then(|future| whole(&future)),
        "upload" => {
            let (size, rest) = two(rest);
            let size = usize::try_from(number(size)).unwrap_or(0);
            request(rest, Some(size)).and_then(|future| whole(&future))
        }
        "headers" => request(rest, None).and_then(|future| headers(&future)),
        "keep" => request(rest, None).and_then(|future| hold(&future)),
        "more" => next(number(rest)),
        "let-go" => {
            OPEN.take();
            Ok(String::new())
        }
        "unfinished" => unfinished(rest),
        "early" => early(rest),
        "patience" => patience(rest),
        "echo-headers" => echo_headers(rest),
        "header" => {
            let (name, value) = two(rest);
            coded(Fields::new().append(name, value.as_bytes()))
        }
        "pure-http" => pure(number(rest)),
        "fields" => fields(number(rest)),
        _ => return None,
    })
}

fn coded<E: std::fmt::Debug>(result: Result<(), E>) -> Came {
    result.map(|()| String::new()).map_err(|error| name(&error))
}

/// `ErrorCode::HttpResponseBodySize(None)` is `HttpResponseBodySize`.
pub fn name(error: &impl std::fmt::Debug) -> String {
    let said = format!("{error:?}");
    let said = said.rsplit("::").next().unwrap_or(&said);
    said.split(['(', ' ']).next().unwrap_or(said).to_owned()
}

pub fn write_down(rest: &str) -> Result<(OutgoingRequest, Vec<u8>), String> {
    let mut parts = rest.split('|');
    let mut part = || parts.next().unwrap_or_default();
    let (method, scheme, authority, path) = (part(), part(), part(), part());
    let fields = Fields::new();
    for header in parts.by_ref().take_while(|header| !header.is_empty()) {
        let (name, value) = header.split_once(": ").unwrap_or((header, ""));
        fields.append(name, value.as_bytes()).map_err(|error| self::name(&error))?;
    }
    let body = parts.collect::<Vec<_>>().join("|").into_bytes();
    let request = OutgoingRequest::new(fields);
    let not = |what: &'static str| move |()| format!("no {what}");
    request.set_method(&method_of(method)).map_err(not("method"))?;
    request.set_scheme(scheme_of(scheme).as_ref()).map_err(not("scheme"))?;
    let authority = Some(authority).filter(|it| !it.is_empty());
    request.set_authority(authority).map_err(not("authority"))?;
    request.set_path_with_query(Some(path)).map_err(not("path"))?;
    Ok((request, body))
}

/// Hands a request over, with the body it names or with `size` bytes.
pub fn request(rest: &str, size: Option<usize>) -> Result<FutureIncomingResponse, String> {
    let (request, mut body) = write_down(rest)?;
    if let Some(size) = size {
        body = (0..size).map(|at| (at % 251) as u8).collect();
    }
    if body.is_empty() {
        return outgoing_handler::handle(request, None).map_err(|code| name(&code));
    }
    let outgoing = request.body().map_err(|()| "no body")?;
    let future = outgoing_handler::handle(request, None).map_err(|code| name(&code))?;
    let stream = outgoing.write().map_err(|()| "no stream")?;
    for piece in body.chunks(4096) {
        stream.blocking_write_and_flush(piece).map_err(|error| broken(&error))?;
    }
    drop(stream);
    OutgoingBody::finish(outgoing, None).map_err(|code| name(&code))?;
    Ok(future)
}

fn answer(future: &FutureIncomingResponse) -> Result<IncomingResponse, String> {
    future.subscribe().block();
    let came = future.get().ok_or("nothing yet")?.map_err(|()| "taken")?;
    came.map_err(|code| name(&code))
}

/// The whole answer in a line. Of a refusal, the code.
pub fn whole(future: &FutureIncomingResponse) -> Came {
    let response = answer(future)?;
    let denied = response.headers().get("envelope-denied");
    if let Some(code) = denied.first() {
        return Err(format!("{} {}", response.status(), String::from_utf8_lossy(code)));
    }
    let body = response.consume().map_err(|()| "consumed")?;
    let stream = body.stream().map_err(|()| "streamed")?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(piece) => bytes.extend(piece),
            Err(StreamError::Closed) => break,
            Err(error) => return Err(format!("{} after {}", broken(&error), bytes.len())),
        }
    }
    let text = match bytes.len() {
        0..=SAID_BYTES_MAX => String::from_utf8_lossy(&bytes).into_owned(),
        size => format!("{size} bytes"),
    };
    Ok(format!("{} {text}", response.status()).trim_end().to_owned())
}

pub fn broken(error: &StreamError) -> String {
    match error {
        StreamError::Closed => "closed".to_owned(),
        StreamError::LastOperationFailed(error) => {
            http_error_code(error).map_or_else(|| error.to_debug_string(), |code| name(&code))
        }
    }
}

/// The answer's headers, and the body of a refusal.
fn headers(future: &FutureIncomingResponse) -> Came {
    let response = answer(future)?;
    let headers = response.headers().entries();
    let headers =
        headers.iter().map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)));
    let headers = headers.collect::<Vec<_>>().join(",");
    let body = response.consume().map_err(|()| "consumed")?;
    let stream = body.stream().map_err(|()| "streamed")?;
    let text = stream.blocking_read(1 << 16).unwrap_or_default();
    Ok(format!("{} {headers} {}", response.status(), String::from_utf8_lossy(&text)))
}

/// Keeps an answer open.
fn hold(future: &FutureIncomingResponse) -> Came {
    let response = answer(future)?;
    let body = response.consume().map_err(|()| "consumed")?;
    let stream = body.stream().map_err(|()| "streamed")?;
    OPEN.with_borrow_mut(|open| open.push((stream, body)));
    Ok(response.status().to_string())
}

/// So many bytes of the latest open answer.
fn next(len: u64) -> Came {
    OPEN.with_borrow(|open| {
        let (stream, _) = open.last().ok_or("nothing is open")?;
        let piece = stream.blocking_read(len).map_err(|error| broken(&error))?;
        Ok(String::from_utf8_lossy(&piece).into_owned())
    })
}

/// Lets go of a body before it is finished.
fn unfinished(rest: &str) -> Came {
    let (request, _) = write_down(rest)?;
    let body = request.body().map_err(|()| "no body")?;
    let future = outgoing_handler::handle(request, None).map_err(|code| name(&code))?;
    drop(body);
    whole(&future)
}

/// Asks for the answer before the body is finished: there is none, and then there is one.
fn early(rest: &str) -> Came {
    let (request, _) = write_down(rest)?;
    let body = request.body().map_err(|()| "no body")?;
    let future = outgoing_handler::handle(request, None).map_err(|code| name(&code))?;
    let pollable = future.subscribe();
    let before = (future.get().is_some(), pollable.ready());
    OutgoingBody::finish(body, None).map_err(|code| name(&code))?;
    pollable.block();
    Ok(format!("{before:?} {}", whole(&future)?))
}

/// `patience MILLISECONDS REQUEST`: with the guest's own limits.
fn patience(rest: &str) -> Came {
    let (millis, rest) = two(rest);
    let (request, _) = write_down(rest)?;
    let options = RequestOptions::new();
    let nanos = Some(number(millis) * 1_000_000);
    options.set_first_byte_timeout(nanos).map_err(|()| "no first byte")?;
    options.set_between_bytes_timeout(nanos).map_err(|()| "no between bytes")?;
    let future = outgoing_handler::handle(request, Some(options)).map_err(|code| name(&code))?;
    whole(&future)
}

/// Sends the headers of an answer on as they came.
fn echo_headers(rest: &str) -> Came {
    let (first, _) = write_down(rest)?;
    let future = outgoing_handler::handle(first, None).map_err(|code| name(&code))?;
    let headers = answer(&future)?.headers().clone();
    let second = OutgoingRequest::new(headers);
    let (like, _) = write_down(rest)?;
    second.set_scheme(like.scheme().as_ref()).map_err(|()| "no scheme")?;
    second.set_authority(like.authority().as_deref()).map_err(|()| "no authority")?;
    second.set_path_with_query(like.path_with_query().as_deref()).map_err(|()| "no path")?;
    let future = outgoing_handler::handle(second, None).map_err(|code| name(&code))?;
    whole(&future)
}

/// What a guest does with requests for itself, again and again.
fn pure(times: u64) -> Came {
    for _ in 0..times {
        let fields = Fields::from_list(&[("a".to_owned(), b"b".to_vec())]);
        let fields = fields.map_err(|error| name(&error))?;
        fields.set("a", &[b"c".to_vec()]).map_err(|error| name(&error))?;
        let _ = (fields.get("a"), fields.has("a"), fields.entries(), fields.clone());
        fields.delete("a").map_err(|error| name(&error))?;
        let request = OutgoingRequest::new(fields);
        let _ = (request.method(), request.headers(), request.body());
        let options = RequestOptions::new();
        let _ = options.set_connect_timeout(None);
        let _ = (options.connect_timeout(), options.first_byte_timeout());
    }
    Ok(String::new())
}

/// A list of so many headers.
fn fields(count: u64) -> Came {
    let fields = Fields::new();
    for at in 0..count {
        fields.append("x", at.to_string().as_bytes()).map_err(|error| name(&error))?;
    }
    Ok(fields.entries().len().to_string())
}

fn method_of(text: &str) -> Method {
    match text {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn scheme_of(text: &str) -> Option<Scheme> {
    match text {
        "" => None,
        "http" => Some(Scheme::Http),
        "https" => Some(Scheme::Https),
        other => Some(Scheme::Other(other.to_owned())),
    }
}
