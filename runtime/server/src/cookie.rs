//! What a browser shows that is signed in, and from where.

use axum::http::{HeaderMap, Method, Uri, header};

use crate::Problem;

/// The cookie. Its prefix has browsers take it from this very host alone, and over TLS.
pub(crate) const NAME: &str = "__Host-envelope";

/// What the browser shows.
pub(crate) fn shown(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| name.trim() == NAME).map(|(_, token)| token.trim())
}

/// Refuses what another site has the browser change here.
pub(crate) fn at_home(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN).and_then(|origin| origin.parse::<Uri>().ok());
    let from = origin.as_ref().and_then(Uri::authority).map(|from| from.as_str().to_lowercase());
    let here = text(header::HOST).map(str::to_lowercase);
    if from.is_some() && from == here {
        return Ok(());
    }
    let from = from.unwrap_or_else(|| "nowhere".to_owned());
    Err(Problem::new("ORIGIN", format!("the request comes from `{from}`")))
}

/// Has the browser keep `token` for so many seconds.
pub(crate) fn kept(token: &str, seconds: u64) -> String {
    format!("{NAME}={token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}")
}

/// Has the browser forget it.
pub(crate) fn forgotten() -> String {
    kept("", 0)
}
