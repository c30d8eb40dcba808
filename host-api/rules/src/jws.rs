//! JWS compact serialisation (RFC 7515), cut down to one spelling per token.
//!
//! `base64url(header).base64url(payload).base64url(signature)`, each part without padding and with
//! its unused bits zero. The header has one byte shape, so that it is compared, never interpreted:
//! `{"alg":"HS256","kid":"acme-202611-1","typ":"grant+jwt"}`. `none`, `crit`, `jwk`, `jku`, `x5u`
//! and the JSON serialisation are not refused one by one: they cannot be spelled.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The longest token in bytes: what web servers commonly take as one header line.
pub const TOKEN_BYTES_MAX: usize = 8192;

/// The longest key id in bytes: an organisation, a month and a number fit.
pub const KID_BYTES_MAX: usize = 64;

/// The longest signature in bytes (Ed25519), and some room for the decoder.
const SIGNATURE_BUFFER: usize = 72;

/// The algorithms of a header. `EdDSA` is the older name of `Ed25519` (RFC 9864), and the one that
/// most verifiers know: it is emitted, both are accepted.
pub(crate) const ALGORITHMS: [&str; 3] = ["HS256", "EdDSA", "Ed25519"];

/// A token taken apart at its dots. The parts are still encoded.
#[derive(Clone, Copy)]
pub(crate) struct Compact<'t> {
    pub(crate) header: &'t str,
    pub(crate) payload: &'t str,
    pub(crate) signature: &'t str,
    /// Header, dot and payload: the bytes that are signed.
    pub(crate) signed: &'t str,
}

impl<'t> Compact<'t> {
    pub(crate) fn split(token: &'t str) -> Result<Self, BadToken> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(BadToken::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(BadToken::Parts)?;
        let (header, payload) = signed.split_once('.').ok_or(BadToken::Parts)?;
        Ok(Self { header, payload, signature, signed })
    }
}

/// What keeps a text from being a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadToken {
    #[error("the token is longer than {TOKEN_BYTES_MAX} bytes")]
    TooLong,
    #[error("a token has three parts, separated by dots")]
    Parts,
    #[error("the header is not spelled as grants spell it")]
    Header,
    #[error("the payload is not unpadded, canonical base64url")]
    Payload,
    #[error("the signature is not unpadded, canonical base64url")]
    Signature,
}

/// The encoded header of `alg` and `kid`, the only one a key of that name accepts.
pub(crate) fn header(alg: &str, kid: &str) -> String {
    encode(format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"grant+jwt"}}"#).as_bytes())
}

/// Whether `header` is the header of some key. Asked only to tell a stranger's key from a token of
/// another shape: what a token is verified with is found by comparing whole headers.
pub(crate) fn is_header(encoded: &str) -> bool {
    let Some(text) = decode(encoded).and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return false;
    };
    ALGORITHMS.iter().any(|alg| {
        text.strip_prefix(&format!(r#"{{"alg":"{alg}","kid":""#))
            .and_then(|rest| rest.strip_suffix(r#"","typ":"grant+jwt"}"#))
            .is_some_and(is_kid)
    })
}

/// Whether `text` may be a key id: letters, digits, `-`, `_` and `.`, none of which JSON escapes.
pub(crate) fn is_kid(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=KID_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain)
}

/// Base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of their one spelling in base64url: no padding, no stray bits.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Gives the decoded signature to `verify`. Allocates nothing.
pub(crate) fn with_signature<T>(
    encoded: &str,
    verify: impl FnOnce(&[u8]) -> T,
) -> Result<T, BadToken> {
    let mut buffer = [0; SIGNATURE_BUFFER];
    let length = URL_SAFE_NO_PAD.decode_slice(encoded, &mut buffer);
    let bytes = length.ok().and_then(|length| buffer.get(..length));
    bytes.map(verify).ok_or(BadToken::Signature)
}

/// HMAC-SHA256 with its key schedule computed once. Wiped when dropped.
pub struct Mac(Hmac<Sha256>);

impl Mac {
    /// The MAC under `secret`. RFC 7515 wants 32 bytes or more.
    pub fn new(secret: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    /// The tag of `message`.
    pub fn tag(&self, message: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(message).finalize().into_bytes().into()
    }

    /// Whether `tag` is the whole tag of `message`, in constant time. Allocates nothing.
    pub fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        self.0.clone().chain_update(message).verify_slice(tag).is_ok()
    }
}
