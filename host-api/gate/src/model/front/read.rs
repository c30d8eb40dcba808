//! What both formats are read and written with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use envelope_evidence::Digest;
use envelope_rules::model::{Image, Part, Sampling};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::provider::{IMAGE_BYTES_MAX, IMAGES_MAX, Images};

/// A request that is not passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It makes no sense.
    Wrong(String),
    /// It holds what can neither be priced nor bounded.
    Unbounded(String),
}

/// What is read over: it costs nothing, and nothing hangs on it.
pub(super) type Hint = Option<serde::de::IgnoredAny>;

/// A content: words, or parts of it.
pub(super) enum Content<P> {
    Words(String),
    Parts(Vec<P>),
}

/// Reads a document. What is not known in it is refused by its name.
pub(super) fn document<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Unread> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|why| {
        let what = format!("`{}`: {}", why.path(), why.inner());
        let unknown = why.inner().to_string().starts_with("unknown ");
        if unknown { Unread::Unbounded(what) } else { Unread::Wrong(what) }
    })?;
    reader.end().map_err(|why| Unread::Wrong(why.to_string()))?;
    Ok(read)
}

/// Reads a content.
pub(super) fn content<'a, P: Deserialize<'a>>(json: &'a RawValue) -> Result<Content<P>, Unread> {
    let json = json.get();
    if json.starts_with('"') {
        document(json.as_bytes()).map(Content::Words)
    } else {
        document(json.as_bytes()).map(Content::Parts)
    }
}

/// A field that is only understood with the value that changes nothing.
pub(super) fn only<T: PartialEq + std::fmt::Debug>(
    name: &str,
    found: Option<T>,
    neutral: &T,
) -> Result<(), Unread> {
    match found {
        Some(found) if found != *neutral => {
            Err(Unread::Unbounded(format!("`{name}` is {found:?}: leave it out")))
        }
        Some(_) | None => Ok(()),
    }
}

/// How the words are to be drawn.
pub(super) fn sampling(
    temperature: Option<&RawValue>,
    top_p: Option<&RawValue>,
    stop: Vec<String>,
    seed: Option<u32>,
) -> Sampling {
    let written = |number: &RawValue| number.get().to_owned();
    Sampling { temperature: temperature.map(written), top_p: top_p.map(written), stop, seed }
}

/// Takes in the picture whose content is `data`, in base64.
pub(super) fn picture(kind: &str, data: &str, images: &mut Images) -> Result<Part, Unread> {
    let wrong = |what: String| Err(Unread::Wrong(what));
    if images.len() >= IMAGES_MAX {
        return wrong(format!("more than {IMAGES_MAX} pictures"));
    }
    let Ok(bytes) = STANDARD.decode(data) else {
        return wrong("a picture is not in base64".to_owned());
    };
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > IMAGE_BYTES_MAX {
        return wrong(format!("a picture has more than {IMAGE_BYTES_MAX} bytes"));
    }
    let digest = Digest::of(&bytes);
    images.insert(digest, Bytes::from(bytes));
    Ok(Part::Image(Image { media_type: kind.to_owned(), digest }))
}

/// Nobody fetches a picture: how large it is would be known too late.
pub(super) fn inline(url: &str, images: &mut Images) -> Result<Part, Unread> {
    let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let (kind, data) = data.ok_or_else(|| {
        Unread::Unbounded("a picture is given as `data:image/png;base64,…`, not by its URL".into())
    })?;
    picture(kind, data, images)
}

/// Writes an event of a stream.
pub(super) fn event(name: Option<&str>, data: &Value, to: &mut BytesMut) {
    if let Some(name) = name {
        to.extend_from_slice(format!("event: {name}\n").as_bytes());
    }
    to.extend_from_slice(format!("data: {data}\n\n").as_bytes());
}
