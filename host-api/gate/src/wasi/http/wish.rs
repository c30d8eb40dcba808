//! A request as the guest handed it over, before anybody has read it.

use std::borrow::Cow;

use envelope_evidence::Digest;
use envelope_rules::denial::{Code, Denial};
use envelope_rules::egress::target::Target;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;

use super::fields::{Fields, is_ours};
use super::request::{OutgoingRequest, RequestOptions, method_name, scheme_name};
use crate::bindings::wasi::http::types::ErrorCode;

/// What a guest wants to be sent.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) method: String,
    pub(super) scheme: String,
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) headers: Fields,
    pub(super) options: RequestOptions,
}

/// What the journal's digest of a request is made of.
type Body<'a> = ([&'a str; 4], Vec<(&'a str, Cow<'a, str>)>, (String, Digest), [Option<String>; 3]);

impl Wish {
    /// The wish that `request` and `options` make. What they leave out is what WASI says.
    pub(super) fn of(request: OutgoingRequest, options: RequestOptions) -> Self {
        let OutgoingRequest { method, scheme, authority, path, headers, body: _ } = request;
        Self {
            method: method_name(&method).to_owned(),
            scheme: scheme.as_ref().map_or("https", scheme_name).to_owned(),
            authority: authority.unwrap_or_default(),
            path: path.unwrap_or_default(),
            headers,
            options,
        }
    }

    /// How much of it there is to look at, the body aside.
    pub(super) fn bytes(&self) -> usize {
        let Self { method, scheme, authority, path, headers, .. } = self;
        method.len() + scheme.len() + authority.len() + path.len() + headers.bytes()
    }

    /// Where it goes, in its one spelling.
    pub(super) fn target(&self) -> Result<Target, Denial> {
        Target::from_parts(&self.method, &self.scheme, &self.authority, &self.path)
    }

    /// For people: without the query, which may hold anything.
    pub(super) fn shown(&self) -> String {
        let path = self.path.split(['?', '#']).next().unwrap_or_default();
        let more = if path.len() < self.path.len() { "?…" } else { "" };
        let Self { method, scheme, authority, .. } = self;
        // Before an `@` stand passwords.
        let host = authority.rsplit('@').next().unwrap_or_default();
        format!("{method} {scheme}://{host}{path}{more}")
    }

    /// All of it, for the digest that a replay compares.
    pub(super) fn written<'a>(&'a self, body: &[u8]) -> Body<'a> {
        self.written_with((body.len().to_string(), Digest::of(body)))
    }

    /// The same without a body: its pieces are calls of their own.
    pub(super) fn written_ahead(&self) -> Body<'_> {
        self.written_with(("streamed".to_owned(), Digest::of(b"")))
    }

    fn written_with(&self, size: (String, Digest)) -> Body<'_> {
        let headers = self.headers.entries().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), text(value.as_bytes())));
        let RequestOptions { connect, first_byte, between_bytes } = self.options;
        let options = [connect, first_byte, between_bytes].map(|it| it.map(|it| it.to_string()));
        (
            [&self.method, &self.scheme, &self.authority, &self.path],
            headers.collect(),
            size,
            options,
        )
    }

    /// The headers as they are sent with a body of `length` bytes, if that is known. Those that a
    /// guest copied from an answer may hold what it could not have written itself.
    pub(super) fn header_map(&self, length: Option<u64>) -> Result<HeaderMap, Unsendable> {
        let mut map = HeaderMap::new();
        for (name, value) in self.headers.entries() {
            if *name == CONTENT_LENGTH {
                let length = length.map(|length| length.to_string());
                if length.is_none_or(|length| value.as_bytes() != length.as_bytes()) {
                    return Err(Unsendable::Failed(ErrorCode::HttpRequestBodySize(None)));
                }
                continue;
            }
            if is_ours(name) {
                let what = format_args!("header `{name}`: it is the host's own");
                return Err(Unsendable::Denied(Denial::new(Code::EgressTarget, what)));
            }
            map.append(name, value.clone());
        }
        Ok(map)
    }
}

/// Headers that are not sent.
#[derive(Debug)]
pub(super) enum Unsendable {
    Denied(Denial),
    Failed(ErrorCode),
}

/// Bytes as text, one character each: a header's value can be any bytes.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        Ok(_) | Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

/// The bytes that [`text`] wrote. None, if it did not.
pub(super) fn untext(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_have_a_text() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(untext(&text(&all)).unwrap(), all);
        assert_eq!(text(b"plain"), "plain");
        assert_eq!(untext("€"), None);
    }
}
