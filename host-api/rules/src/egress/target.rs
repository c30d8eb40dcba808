//! A request's target in normal form, made once from untrusted text.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::host::{BadHost, Host};
use super::path;
use crate::denial::{Code, Denial};

/// The longest URL accepted, in bytes: what RFC 9110 §4.1 asks every server to read.
pub const URL_BYTES_MAX: usize = 8000;

/// The longest method accepted: room for the longest registered one, `BASELINE-CONTROL`.
pub const METHOD_BYTES_MAX: usize = 16;

/// A request's method, scheme, host, port, path and query, each in its one spelling.
///
/// What is judged is what will be sent: a text with a second reading is refused, not repaired. Only
/// four spellings are folded, as RFC 9110 §4.2.3 makes them equal on the wire: the case of scheme
/// and host, one trailing dot, the scheme's own port and an empty path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    method: Method,
    scheme: Scheme,
    host: Host,
    port: u16,
    origin_form: Box<str>,
}

impl Target {
    /// Reads an absolute URL. A fragment is refused: it would be judged but never sent.
    pub fn parse(method: &str, url: &str) -> Result<Self, Denial> {
        let method = Method::parse(method)?;
        let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
        let scheme = Scheme::parse(scheme)?;
        let rest = rest.strip_prefix("//").ok_or_else(|| bad("url", "no `//` after the scheme"))?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path_and_query) = rest.split_at_checked(end).unwrap_or((rest, ""));
        Self::of(method, scheme, authority, path_and_query)
    }

    /// The same from the parts in which `wasi:http` hands a request over.
    pub fn from_parts(
        method: &str,
        scheme: &str,
        authority: &str,
        path_and_query: &str,
    ) -> Result<Self, Denial> {
        let (method, scheme) = (Method::parse(method)?, Scheme::parse(scheme)?);
        Self::of(method, scheme, authority, path_and_query)
    }

    /// The method.
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, for the resolver and TLS.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port to dial.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The `Host` header or `:authority`: the host, and the port unless it is the scheme's own.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Path and query as the request line or `:path` carries them.
    pub fn origin_form(&self) -> &str {
        &self.origin_form
    }

    /// The path, always starting with a slash.
    pub fn path(&self) -> &str {
        self.origin_form.split_once('?').map_or(&*self.origin_form, |(path, _)| path)
    }

    /// What follows the first question mark, also when it is empty.
    pub fn query(&self) -> Option<&str> {
        self.origin_form.split_once('?').map(|(_, query)| query)
    }

    /// The whole URL. Read again, it gives an equal target.
    pub fn url(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority(), self.origin_form)
    }

    /// Whether scheme, host and port agree. A redirect elsewhere takes no credentials along.
    pub fn same_origin(&self, other: &Self) -> bool {
        (self.scheme, self.port, &self.host) == (other.scheme, other.port, &other.host)
    }

    fn of(
        method: Method,
        scheme: Scheme,
        authority: &str,
        path_and_query: &str,
    ) -> Result<Self, Denial> {
        let bytes = authority.len().saturating_add(path_and_query.len());
        if bytes.saturating_add("https://".len()) > URL_BYTES_MAX {
            return Err(bad("url", format_args!("more than {URL_BYTES_MAX} bytes")));
        }
        let (host, port) = split_authority(authority)?;
        let port = port.unwrap_or(scheme.port());
        let origin_form = origin_form(path_and_query)?;
        Ok(Self { method, scheme, host, port, origin_form })
    }
}

/// The method and the URL, as a log line or a receipt shows them.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.as_str(), self.url())
    }
}

/// The schemes that can be spoken at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// HTTP over TLS.
    Https,
    /// HTTP in clear.
    Http,
}

impl Scheme {
    /// Reads a scheme in any case.
    pub fn parse(text: &str) -> Result<Self, Denial> {
        let known = [Self::Https, Self::Http];
        let found = known.into_iter().find(|scheme| text.eq_ignore_ascii_case(scheme.name()));
        found.ok_or_else(|| Denial::new(Code::EgressScheme, Quoted(text)))
    }

    /// The lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    /// The port that goes without saying.
    pub const fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A method: upper-case letters and hyphens, never one that opens a tunnel or echoes credentials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method(Box<str>);

impl Method {
    /// Methods that are never sent. `CONNECT` opens a tunnel nobody judges; the others reflect the
    /// request, and with it the credentials that are added on the way out.
    pub const NEVER: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];

    /// Reads a method. Methods are case-sensitive, and servers disagree on `get`: upper case only.
    pub fn parse(text: &str) -> Result<Self, Denial> {
        let refuse = |why| Denial::new(Code::EgressMethod, format_args!("{}: {why}", Quoted(text)));
        let spelled = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        if text.is_empty() || text.len() > METHOD_BYTES_MAX || !spelled {
            return Err(refuse("a method is a few upper-case letters"));
        }
        if Self::NEVER.contains(&text) {
            return Err(refuse("never sent for a guest"));
        }
        Ok(Self(text.into()))
    }

    /// The method, for the request line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a header makes some servers act on another method or path than the one judged. Such
/// headers are never sent; `_` counts as `-`, because gateways to programs read both alike. An
/// override in a query or a body cannot be told from data and is not seen.
pub fn overrides_target(header: &str) -> bool {
    let dashed = || header.bytes().map(|byte| if byte == b'_' { b'-' } else { byte });
    OVERRIDES.iter().any(|name| dashed().map(|byte| byte.to_ascii_lowercase()).eq(name.bytes()))
}

const OVERRIDES: [&str; 5] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// Splits `host[:port]`. Denials do not repeat the text: before an `@` stand passwords.
fn split_authority(authority: &str) -> Result<(Host, Option<u16>), Denial> {
    if authority.contains('@') {
        return Err(bad("authority", "user names and passwords are never sent in a URL"));
    }
    let after_host = authority.rfind(']').unwrap_or(0);
    let colon = authority.find(':').filter(|_| after_host == 0);
    let colon = colon.or_else(|| authority.rfind(':').filter(|&at| at > after_host));
    let (host, port) = match colon.and_then(|at| authority.split_at_checked(at)) {
        Some((host, port)) => (host, Some(read_port(port.strip_prefix(':').unwrap_or(port))?)),
        None => (authority, None),
    };
    let host = Host::parse(host)
        .map_err(|why: BadHost| bad("host", format_args!("{}: {why}", Quoted(host))))?;
    Ok((host, port))
}

fn read_port(text: &str) -> Result<u16, Denial> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let port = if digits { text.parse().ok() } else { None };
    port.ok_or_else(|| bad("port", "a port is 1 to 65535 without leading zeros"))
}

fn origin_form(text: &str) -> Result<Box<str>, Denial> {
    if text.contains('#') {
        return Err(bad("url", "a fragment is never sent: leave it out"));
    }
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    if let Some(query) = query {
        path::check_query(query).map_err(|why| bad("query", why))?;
    }
    if path.is_empty() {
        return Ok(format!("/{text}").into());
    }
    path::check(path).map_err(|why| bad("path", why))?;
    Ok(text.into())
}

fn bad(part: &str, what: impl fmt::Display) -> Denial {
    Denial::new(Code::EgressTarget, format_args!("{part}: {what}"))
}

/// The guest's own text in backticks, with everything unprintable escaped.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.escape_debug())
    }
}
