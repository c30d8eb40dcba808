//! Hosts in their one spelling: an A-label name, an IPv4 or an IPv6 address.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

/// Where a request goes. One value has one spelling, which serves the policy, the name system, TLS,
/// the `Host` header and the receipt alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name.
    Name(HostName),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address, written in brackets.
    V6(Ipv6Addr),
}

impl Host {
    /// Reads a host as a URL writes it. Upper-case ASCII and one trailing dot are dropped from a
    /// name; every other second spelling is refused.
    pub fn parse(text: &str) -> Result<Self, BadHost> {
        if text.contains('%') {
            return Err(BadHost::Percent);
        }
        if let Some(bracketed) = text.strip_prefix('[') {
            let inner = bracketed.strip_suffix(']').ok_or(BadHost::V6)?;
            return inner.parse().map(Self::V6).map_err(|_| BadHost::V6);
        }
        match text.parse() {
            Ok(address) => Ok(Self::V4(address)),
            Err(_) => HostName::parse(text).map(Self::Name),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// A host name: lower-case A-labels of at most 63 bytes, at most 253 together, no trailing dot,
/// and never something an old resolver would read as an IPv4 address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(Box<str>);

impl HostName {
    /// Reads a name. U-labels are accepted when they are already what UTS 46 maps them to, so that
    /// two texts which look alike never both pass for one name.
    pub fn parse(text: &str) -> Result<Self, BadHost> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let uts46 = Uts46::new();
        let (list, hyphens) = (AsciiDenyList::STD3, Hyphens::CheckFirstLast);
        let ascii = uts46
            .to_ascii(text.as_bytes(), list, hyphens, DnsLength::Verify)
            .map_err(|_| BadHost::Name)?;
        if !text.is_ascii() {
            let (unicode, _) = uts46.to_unicode(ascii.as_bytes(), list, hyphens);
            if !is_one_spelling(text, &ascii, &unicode) {
                return Err(BadHost::Spelling);
            }
        }
        if ends_in_a_number(&ascii) {
            return Err(BadHost::V4);
        }
        Ok(Self(match ascii {
            Cow::Borrowed(name) => name.into(),
            Cow::Owned(name) => name.into_boxed_str(),
        }))
    }

    /// The name, for the resolver, TLS and the receipt.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many labels the name has.
    pub fn labels(&self) -> usize {
        self.0.split('.').count()
    }

    /// Whether the name belongs to this machine or its neighbourhood ([`RESERVED`]).
    pub fn is_reserved(&self) -> bool {
        RESERVED.iter().any(|suffix| {
            let rest = self.0.strip_suffix(suffix);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names that resolve to the machine itself or to its surroundings, with everything below them:
/// RFC 6761, RFC 6762, the private-use top level domain of 2024 (cloud metadata servers live
/// there), RFC 8375, RFC 7686. Only a rule for the exact name reaches them; no wildcard does.
pub const RESERVED: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "onion"];

/// Why a text is not a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHost {
    /// Percent-encoded bytes, or the zone id of an IPv6 address.
    #[error("a host holds no percent sign: neither encodings nor zone ids are accepted")]
    Percent,
    /// Brackets without an IPv6 address in them.
    #[error("brackets hold an IPv6 address")]
    V6,
    /// `127.1`, `0x7f.1`, `0177.0.0.1`, `2130706433` and the like.
    #[error("an IPv4 address is spelled as four decimal numbers without leading zeros")]
    V4,
    /// Not a host name at all.
    #[error("a name is 1 to 253 bytes of valid labels of 1 to 63 letters, digits and hyphens")]
    Name,
    /// A name that means another one once mapped.
    #[error("a name is spelled with the characters that UTS 46 maps it to")]
    Spelling,
}

/// Whether each label of `text` is, but for ASCII case, the A-label or the U-label it stands for. A
/// dot in another script stays inside its label here, and so fits neither.
fn is_one_spelling(text: &str, ascii: &str, unicode: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut labels = text.split('.').zip(ascii.split('.')).zip(unicode.split('.'));
    labels.all(|((label, a_label), u_label)| label == a_label || label == u_label)
}

/// Whether the last label is what some resolver would take for a part of an IPv4 address.
fn ends_in_a_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").is_some_and(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    hex || last.bytes().all(|byte| byte.is_ascii_digit())
}
