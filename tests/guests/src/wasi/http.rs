//! Requests that are sent, and their answers. The peer says `hello`, and `short` where it breaks
//! off.

use std::cell::RefCell;

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method,
    OutgoingBody, OutgoingRequest, Scheme, http_error_code,
};
use wasip2::io::streams::StreamError;

use super::{Check, NONE, READ, Wrong, same};

thread_local! {
    static PEER: RefCell<String> = RefCell::default();
}

/// Where the peer listens.
pub fn at(peer: &str) {
    PEER.set(peer.to_owned());
}

pub fn check(function: &str) -> Option<fn() -> Check> {
    Some(match function {
        "http/outgoing-handler handle" => handle_over,
        "http/types future-incoming-response.subscribe" => future_subscribe,
        "http/types future-incoming-response.get" => future_get,
        "http/types incoming-response.status" => status,
        "http/types incoming-response.headers" => headers,
        "http/types incoming-response.consume" => consume,
        "http/types incoming-body.stream" => stream,
        "http/types [static]incoming-body.finish" => finish_incoming,
        "http/types [static]incoming-body.finish, its stream open" => || {
            let body = body_of("/v1/x")?;
            let stream = body.stream()?;
            drop(IncomingBody::finish(body));
            drop(stream);
            Ok(())
        },
        "http/types future-trailers.subscribe" => trailers_subscribe,
        "http/types future-trailers.get" => trailers_get,
        "http/types outgoing-body.write" => write,
        "http/types [static]outgoing-body.finish" => finish_outgoing,
        "http/types [static]outgoing-body.finish, its stream open" => || {
            let body = get("/v1/x")?.body()?;
            let stream = body.write()?;
            OutgoingBody::finish(body, None)?;
            drop(stream);
            Ok(())
        },
        "http/types http-error-code" => error_code,
        _ => return None,
    })
}

impl From<ErrorCode> for Wrong {
    fn from(code: ErrorCode) -> Self {
        Self(format!("failed: {code:?}"))
    }
}

fn get(path: &str) -> Result<OutgoingRequest, Wrong> {
    request(path, Fields::new())
}

fn request(path: &str, headers: Fields) -> Result<OutgoingRequest, Wrong> {
    let request = OutgoingRequest::new(headers);
    request.set_scheme(Some(&Scheme::Http))?;
    PEER.with_borrow(|peer| request.set_authority(Some(peer)))?;
    request.set_path_with_query(Some(path))?;
    Ok(request)
}

fn sent(path: &str) -> Result<FutureIncomingResponse, Wrong> {
    Ok(handle(get(path)?, None)?)
}

fn answered(future: &FutureIncomingResponse) -> Result<IncomingResponse, Wrong> {
    future.subscribe().block();
    let Some(Ok(came)) = future.get() else { return Err(Wrong("no answer".to_owned())) };
    Ok(came?)
}

fn body_of(path: &str) -> Result<IncomingBody, Wrong> {
    Ok(answered(&sent(path)?)?.consume()?)
}

fn handle_over() -> Check {
    let allowed = answered(&handle(get("/v1/x")?, None)?)?;
    same!(allowed.status(), 200);
    let denied = answered(&handle(get("/elsewhere")?, None)?)?;
    same!(denied.status(), 403);
    same!(denied.headers().get("envelope-denied"), [b"policy.forbidden".to_vec()]);
    // Nobody is named, so nobody is asked.
    let nowhere = answered(&handle(OutgoingRequest::new(Fields::new()), None)?)?;
    same!(nowhere.status(), 403);
    Ok(())
}

/// Before its body is whole, a request has no answer and nobody need wait for one.
fn future_subscribe() -> Check {
    let request = get("/v1/x")?;
    request.set_method(&Method::Post)?;
    let body = request.body()?;
    let future = handle(request, None)?;
    let pollable = future.subscribe();
    same!((pollable.ready(), future.get().is_none()), (false, true));
    OutgoingBody::finish(body, None)?;
    pollable.block();
    same!((pollable.ready(), future.subscribe().ready()), (true, true));
    same!(answered(&future)?.status(), 200);
    Ok(())
}

fn future_get() -> Check {
    let future = sent("/v1/x")?;
    same!(answered(&future)?.status(), 200);
    same!(matches!(future.get(), Some(Err(()))), true);
    same!(matches!(future.get(), Some(Err(()))), true);
    let silent = sent("/v1/raw/junk")?;
    silent.subscribe().block();
    same!(matches!(silent.get(), Some(Ok(Err(ErrorCode::HttpProtocolError)))), true);
    Ok(())
}

fn status() -> Check {
    same!(answered(&sent("/v1/x")?)?.status(), 200);
    same!(answered(&sent("/v1/redirect")?)?.status(), 302);
    Ok(())
}

fn headers() -> Check {
    let response = answered(&sent("/v1/redirect")?)?;
    let headers = response.headers();
    same!(headers.get("Location"), [b"http://evil.test/".to_vec()]);
    same!(headers.append("a", b"1").is_err(), true);
    same!(headers.set("location", &[]).is_err(), true);
    same!(headers.delete("location").is_err(), true);
    same!(headers.has("location"), true);
    Ok(())
}

fn consume() -> Check {
    let response = answered(&sent("/v1/x")?)?;
    let body = response.consume()?;
    same!(response.consume().is_err(), true);
    drop(body);
    same!(response.consume().is_err(), true);
    Ok(())
}

fn stream() -> Check {
    let body = body_of("/v1/x")?;
    let stream = body.stream()?;
    same!(body.stream().is_err(), true);
    same!(stream.blocking_read(2)?, b"he".to_vec());
    same!(stream.blocking_read(9)?, b"llo".to_vec());
    same!(matches!(stream.blocking_read(1), Err(StreamError::Closed)), true);
    drop(stream);
    same!(body.stream().is_err(), true);
    Ok(())
}

fn finish_incoming() -> Check {
    let body = body_of("/v1/x")?;
    let stream = body.stream()?;
    same!(stream.blocking_read(9)?, b"hello".to_vec());
    drop(stream);
    let trailers = IncomingBody::finish(body);
    same!(matches!(trailers.get(), Some(Ok(Ok(None)))), true);
    // Also of a body that nobody read.
    drop(IncomingBody::finish(body_of("/v1/x")?));
    Ok(())
}

fn trailers_subscribe() -> Check {
    let trailers = IncomingBody::finish(body_of("/v1/x")?);
    let pollable = trailers.subscribe();
    pollable.block();
    same!((pollable.ready(), trailers.get().is_some()), (true, true));
    Ok(())
}

fn trailers_get() -> Check {
    let trailers = IncomingBody::finish(body_of("/v1/x")?);
    trailers.subscribe().block();
    same!(matches!(trailers.get(), Some(Ok(Ok(None)))), true);
    same!(matches!(trailers.get(), Some(Err(()))), true);
    Ok(())
}

fn write() -> Check {
    let request = get("/v1/x")?;
    let body = request.body()?;
    let stream = body.write()?;
    same!(body.write().is_err(), true);
    same!(stream.check_write()? > 0, true);
    stream.blocking_write_and_flush(b"a body")?;
    drop(stream);
    same!(body.write().is_err(), true);
    Ok(())
}

/// A body with so many bytes, finished, under headers that promise so many.
fn finished(promised: &str, written: &[u8]) -> Result<Result<(), ErrorCode>, Wrong> {
    let headers = Fields::new();
    headers.append("content-length", promised.as_bytes())?;
    let request = request("/v1/x", headers)?;
    request.set_method(&Method::Post)?;
    let body = request.body()?;
    let future = handle(request, None)?;
    let stream = body.write()?;
    stream.blocking_write_and_flush(written)?;
    drop(stream);
    let finished = OutgoingBody::finish(body, None);
    future.subscribe().block();
    let came = matches!(future.get(), Some(Ok(Ok(_))));
    same!(came, finished.is_ok());
    Ok(finished)
}

/// Trailers are not sent: whoever has some is told, and no half a request goes out.
fn finish_outgoing() -> Check {
    same!(finished("6", b"a body")?.is_ok(), true);
    for promised in ["5", "7"] {
        let came = finished(promised, b"a body")?;
        same!(matches!(came, Err(ErrorCode::HttpRequestBodySize(Some(6)))), true);
    }
    let request = get("/v1/x")?;
    let body = request.body()?;
    let trailers = Fields::from_list(&[("a".to_owned(), b"1".to_vec())])?;
    let came = OutgoingBody::finish(body, Some(trailers));
    same!(matches!(came, Err(ErrorCode::HttpRequestTrailerSectionSize(_))), true);
    Ok(())
}

fn error_code() -> Check {
    let body = body_of("/v1/short/100")?;
    let stream = body.stream()?;
    let broken = loop {
        match stream.blocking_read(100) {
            Ok(_) => {}
            Err(broken) => break broken,
        }
    };
    let StreamError::LastOperationFailed(error) = broken else {
        return Err(Wrong("closed, as if that were all".to_owned()));
    };
    same!(matches!(http_error_code(&error), Some(ErrorCode::HttpResponseIncomplete)), true);

    // What went wrong elsewhere is nothing of HTTP.
    let stream = super::open("in/a.txt", NONE, READ)?.read_via_stream(u64::MAX)?;
    let Err(StreamError::LastOperationFailed(error)) = stream.read(1) else {
        return Err(Wrong("it was read".to_owned()));
    };
    same!(http_error_code(&error).is_none(), true);
    Ok(())
}
