//! Headers, requests and responses as a guest writes them down: `wasi:http` before anything is
//! sent.

use wasip2::http::types::{
    Fields, HeaderError, Method, OutgoingRequest, OutgoingResponse, RequestOptions, Scheme,
};

use super::{Check, Wrong, same};

pub fn check(function: &str) -> Option<fn() -> Check> {
    Some(match function.strip_prefix("http/types ")? {
        "[constructor]fields" => fields_new,
        "[static]fields.from-list" => from_list,
        "fields.get" => get,
        "fields.has" => has,
        "fields.set" => set,
        "fields.delete" => delete,
        "fields.append" => append,
        "fields.entries" => entries,
        "fields.clone" => clone,
        "[constructor]outgoing-request" => request_new,
        "outgoing-request.body" => request_body,
        "outgoing-request.method" | "outgoing-request.set-method" => method,
        "outgoing-request.path-with-query" | "outgoing-request.set-path-with-query" => path,
        "outgoing-request.scheme" | "outgoing-request.set-scheme" => scheme,
        "outgoing-request.authority" | "outgoing-request.set-authority" => authority,
        "outgoing-request.headers" => request_headers,
        "[constructor]request-options" => options_new,
        "request-options.connect-timeout" | "request-options.set-connect-timeout" => connect,
        "request-options.first-byte-timeout" | "request-options.set-first-byte-timeout" => first,
        "request-options.between-bytes-timeout" | "request-options.set-between-bytes-timeout" => {
            between
        }
        "[constructor]outgoing-response" => response_new,
        "outgoing-response.status-code" | "outgoing-response.set-status-code" => status,
        "outgoing-response.headers" => response_headers,
        "outgoing-response.body" => response_body,
        _ => return None,
    })
}

impl From<HeaderError> for Wrong {
    fn from(error: HeaderError) -> Self {
        Self(format!("failed: {error:?}"))
    }
}

impl From<()> for Wrong {
    fn from((): ()) -> Self {
        Self("failed".to_owned())
    }
}

/// What a refused header is called.
fn refused<T>(result: Result<T, HeaderError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(HeaderError::InvalidSyntax) => "invalid-syntax",
        Err(HeaderError::Forbidden) => "forbidden",
        Err(HeaderError::Immutable) => "immutable",
    }
}

fn list(pairs: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

fn some() -> Result<Fields, HeaderError> {
    Fields::from_list(&list(&[("a", "1"), ("b", "2"), ("a", "3")]))
}

/// Headers that were given by other means than by making them.
fn is_fixed(headers: &Fields, shown: &[(&str, &str)]) -> Check {
    same!(headers.entries(), list(shown));
    same!(refused(headers.set("a", &[])), "immutable");
    same!(refused(headers.append("a", b"1")), "immutable");
    same!(refused(headers.delete("a")), "immutable");
    same!(headers.entries(), list(shown));
    Ok(())
}

fn fields_new() -> Check {
    let fields = Fields::new();
    same!(fields.entries(), list(&[]));
    fields.append("a", b"1")?;
    same!(fields.entries(), list(&[("a", "1")]));
    Ok(())
}

fn from_list() -> Check {
    let pairs = list(&[("a", "1"), ("b", "2"), ("a", "3"), ("c", "")]);
    let fields = Fields::from_list(&pairs)?;
    same!(fields.entries(), pairs);
    fields.append("d", b"4")?;
    let of = |name, value| refused(Fields::from_list(&list(&[("a", "1"), (name, value)])));
    same!(of("a b", "1"), "invalid-syntax");
    same!(of("", "1"), "invalid-syntax");
    same!(of("b", "one\r\ntwo"), "invalid-syntax");
    same!(of("host", "elsewhere"), "forbidden");
    same!(of("transfer-encoding", "chunked"), "forbidden");
    Ok(())
}

fn get() -> Check {
    let fields = some()?;
    fields.append("empty", b"")?;
    same!(fields.get("a"), [b"1".to_vec(), b"3".to_vec()]);
    same!(fields.get("A"), [b"1".to_vec(), b"3".to_vec()]);
    same!(fields.get("empty"), [Vec::<u8>::new()]);
    same!(fields.get("c"), Vec::<Vec<u8>>::new());
    same!(fields.get("a b"), Vec::<Vec<u8>>::new());
    Ok(())
}

fn has() -> Check {
    let fields = some()?;
    same!(
        ["a", "B", "c", "a b", ""].map(|name| fields.has(name)),
        [true, true, false, false, false]
    );
    Ok(())
}

fn set() -> Check {
    let fields = some()?;
    fields.set("A", &[b"4".to_vec(), b"5".to_vec()])?;
    same!(fields.get("a"), [b"4".to_vec(), b"5".to_vec()]);
    same!(fields.get("b"), [b"2".to_vec()]);
    same!(refused(fields.set("a b", &[])), "invalid-syntax");
    same!(refused(fields.set("a", &[b"6".to_vec(), b"\n".to_vec()])), "invalid-syntax");
    same!(refused(fields.set("host", &[b"x".to_vec()])), "forbidden");
    same!(fields.get("a"), [b"4".to_vec(), b"5".to_vec()]);
    fields.set("a", &[])?;
    same!(fields.has("a"), false);
    Ok(())
}

fn delete() -> Check {
    let fields = some()?;
    fields.delete("A")?;
    fields.delete("never-there")?;
    same!(refused(fields.delete("a b")), "invalid-syntax");
    same!(fields.entries(), list(&[("b", "2")]));
    Ok(())
}

fn append() -> Check {
    let fields = some()?;
    fields.append("A", b"4")?;
    same!(fields.get("a"), [b"1".to_vec(), b"3".to_vec(), b"4".to_vec()]);
    same!(refused(fields.append("a b", b"1")), "invalid-syntax");
    same!(refused(fields.append("a", b"1\0")), "invalid-syntax");
    same!(refused(fields.append("connection", b"close")), "forbidden");
    same!(fields.entries().len(), 4);
    Ok(())
}

/// Names come in small letters, as newer versions of HTTP send them.
fn entries() -> Check {
    let fields = Fields::from_list(&list(&[("Accept", "x"), ("b", "2"), ("accept", "y")]))?;
    same!(fields.entries(), list(&[("accept", "x"), ("b", "2"), ("accept", "y")]));
    Ok(())
}

fn clone() -> Check {
    let fields = some()?;
    let copy = fields.clone();
    same!(copy.entries(), fields.entries());
    copy.delete("a")?;
    same!((fields.has("a"), copy.has("a")), (true, false));
    let request = OutgoingRequest::new(fields);
    let fixed = request.headers();
    fixed.clone().append("a", b"4")?;
    is_fixed(&fixed, &[("a", "1"), ("b", "2"), ("a", "3")])
}

fn request() -> OutgoingRequest {
    OutgoingRequest::new(Fields::new())
}

fn request_new() -> Check {
    let request = OutgoingRequest::new(some()?);
    same!(matches!(request.method(), Method::Get), true);
    same!(request.path_with_query(), None);
    same!(request.scheme().is_none(), true);
    same!(request.authority(), None);
    same!(request.headers().entries().len(), 3);
    Ok(())
}

fn request_body() -> Check {
    let request = request();
    let first = request.body()?;
    same!(request.body().is_err(), true);
    drop(first);
    same!(request.body().is_err(), true);
    Ok(())
}

fn method() -> Check {
    let request = request();
    let method = || format!("{:?}", request.method());
    for (wish, said) in [
        (Method::Post, "Method::Post"),
        (Method::Options, "Method::Options"),
        (Method::Other("PROPFIND".to_owned()), "Method::Other(\"PROPFIND\")"),
    ] {
        request.set_method(&wish)?;
        same!(method(), said);
    }
    for bad in ["", "GET /", "bad\nmethod", "é"] {
        same!(request.set_method(&Method::Other(bad.to_owned())).is_err(), true);
    }
    same!(method(), "Method::Other(\"PROPFIND\")");
    Ok(())
}

fn path() -> Check {
    let request = request();
    for good in ["/", "/a/b%20c?d=e&f", "/a?"] {
        request.set_path_with_query(Some(good))?;
        same!(request.path_with_query().as_deref(), Some(good));
    }
    for bad in ["/a b", "/a\r\nb", "/\u{7f}"] {
        same!(request.set_path_with_query(Some(bad)).is_err(), true);
    }
    same!(request.path_with_query().as_deref(), Some("/a?"));
    request.set_path_with_query(None)?;
    same!(request.path_with_query(), None);
    Ok(())
}

fn scheme() -> Check {
    let request = request();
    let scheme = || format!("{:?}", request.scheme());
    request.set_scheme(Some(&Scheme::Http))?;
    same!(scheme(), "Some(Scheme::Http)");
    request.set_scheme(Some(&Scheme::Other("ftp".to_owned())))?;
    for bad in ["", "a b", "http:", "é"] {
        same!(request.set_scheme(Some(&Scheme::Other(bad.to_owned()))).is_err(), true);
    }
    same!(scheme(), "Some(Scheme::Other(\"ftp\"))");
    request.set_scheme(None)?;
    same!(scheme(), "None");
    Ok(())
}

fn authority() -> Check {
    let request = request();
    for good in ["example.org", "example.org:8080", "[::1]:80", "127.0.0.1"] {
        request.set_authority(Some(good))?;
        same!(request.authority().as_deref(), Some(good));
    }
    for bad in ["", "a b", "a/b", "a\nb", "[::1"] {
        same!((bad, request.set_authority(Some(bad)).is_err()), (bad, true));
    }
    same!(request.authority().as_deref(), Some("127.0.0.1"));
    request.set_authority(None)?;
    same!(request.authority(), None);
    Ok(())
}

fn request_headers() -> Check {
    let request = OutgoingRequest::new(some()?);
    is_fixed(&request.headers(), &[("a", "1"), ("b", "2"), ("a", "3")])
}

fn options_new() -> Check {
    let options = RequestOptions::new();
    same!(options.connect_timeout(), None);
    same!(options.first_byte_timeout(), None);
    same!(options.between_bytes_timeout(), None);
    Ok(())
}

fn connect() -> Check {
    let options = RequestOptions::new();
    options.set_connect_timeout(Some(5))?;
    same!((options.connect_timeout(), options.first_byte_timeout()), (Some(5), None));
    options.set_connect_timeout(None)?;
    same!(options.connect_timeout(), None);
    Ok(())
}

fn first() -> Check {
    let options = RequestOptions::new();
    options.set_first_byte_timeout(Some(5))?;
    same!((options.first_byte_timeout(), options.between_bytes_timeout()), (Some(5), None));
    options.set_first_byte_timeout(None)?;
    same!(options.first_byte_timeout(), None);
    Ok(())
}

fn between() -> Check {
    let options = RequestOptions::new();
    options.set_between_bytes_timeout(Some(5))?;
    same!((options.between_bytes_timeout(), options.connect_timeout()), (Some(5), None));
    options.set_between_bytes_timeout(None)?;
    same!(options.between_bytes_timeout(), None);
    Ok(())
}

fn response_new() -> Check {
    let response = OutgoingResponse::new(some()?);
    same!(response.status_code(), 200);
    same!(response.headers().entries().len(), 3);
    Ok(())
}

fn status() -> Check {
    let response = OutgoingResponse::new(Fields::new());
    response.set_status_code(404)?;
    same!(response.status_code(), 404);
    for bad in [0, 99, 1000] {
        same!(response.set_status_code(bad).is_err(), true);
    }
    same!(response.status_code(), 404);
    Ok(())
}

fn response_headers() -> Check {
    let response = OutgoingResponse::new(some()?);
    is_fixed(&response.headers(), &[("a", "1"), ("b", "2"), ("a", "3")])
}

fn response_body() -> Check {
    let response = OutgoingResponse::new(Fields::new());
    let first = response.body()?;
    same!(response.body().is_err(), true);
    drop(first);
    Ok(())
}
