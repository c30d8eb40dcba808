//! What the operator adds to requests at the edge: a secret bound to host, method, path and header.

use std::fmt;

use envelope_evidence::preview::{SECRET_BYTES_MIN, Secrets};
use envelope_rules::egress::rule::{BadRule, Rule, RuleDocument};
use envelope_rules::egress::target::Target;
use http::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

/// A secret and where it goes. No form of printing shows it.
pub struct Credential {
    rule: Rule,
    header: HeaderName,
    /// As it is sent.
    value: HeaderValue,
    /// As it was given: what must be seen nowhere else.
    secret: Zeroizing<String>,
}

/// A credential that cannot be bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCredential {
    /// Not the name of a header.
    #[error("`{0}` is not the name of a header")]
    Header(String),
    /// The secret cannot stand in a header. It is not shown.
    #[error("the value for `{0}` holds characters that a header cannot")]
    Value(String),
    /// A secret that short stands in ordinary texts too, and could not be kept out of them.
    #[error("the value for `{0}` is shorter than {SECRET_BYTES_MIN} bytes: it could be guessed")]
    Short(String),
    /// Not a rule.
    #[error(transparent)]
    Rule(#[from] BadRule),
}

impl Credential {
    /// Binds `secret` to the requests that `rule` admits: they carry it as `header`. A bare secret
    /// in `Authorization` is a bearer's.
    pub fn bind(header: &str, secret: &str, rule: RuleDocument) -> Result<Self, BadCredential> {
        let rule = Rule::compile(0, rule)?;
        let name = || header.escape_debug().to_string();
        let header = HeaderName::try_from(header).map_err(|_| BadCredential::Header(name()))?;
        let secret = Zeroizing::new(secret.to_owned());
        if secret.len() < SECRET_BYTES_MIN {
            return Err(BadCredential::Short(name()));
        }
        let bearer = header == http::header::AUTHORIZATION && !secret.contains(' ');
        let text = Zeroizing::new(format!("{}{}", if bearer { "Bearer " } else { "" }, *secret));
        let value = HeaderValue::try_from(text.as_str());
        let mut value = value.map_err(|_| BadCredential::Value(name()))?;
        value.set_sensitive(true);
        Ok(Self { rule, header, value, secret })
    }

    /// Adds the secret to those that are kept out of sight.
    pub fn tell(&self, secrets: &mut Secrets) {
        // Of `Basic dXNlcjpwYXNz` the second word is the secret.
        let known = self.secret.rsplit(' ').next().unwrap_or(&self.secret);
        let _ = secrets.add(&self.secret);
        let _ = secrets.add(known);
    }

    /// Whether it goes with a request to `target`.
    pub(super) fn is_for(&self, target: &Target) -> bool {
        self.rule.miss(target).is_none()
    }

    pub(super) fn header(&self) -> (&HeaderName, HeaderValue) {
        (&self.header, self.value.clone())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (header, host) = (&self.header, &self.rule.document().host);
        f.debug_struct("Credential").field("header", header).field("host", host).finish()
    }
}
