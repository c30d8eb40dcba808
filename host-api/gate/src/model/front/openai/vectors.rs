//! Embeddings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope_rules::model::{TEXT_BYTES_MAX, TEXTS_MAX};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::model::front::read::{Content, Hint, Unread, content, document};
use crate::model::front::{Wire, beside};
use crate::model::outcome::Usage;

/// Texts whose vectors are asked for.
#[derive(Debug)]
pub(crate) struct Texts {
    pub(crate) model: String,
    pub(crate) texts: Vec<String>,
    base64: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    model: String,
    #[serde(borrow)]
    input: &'a RawValue,
    encoding_format: Option<Encoding>,
    #[serde(rename = "user")]
    _user: Hint,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Encoding {
    Float,
    Base64,
}

/// Reads a question for vectors.
pub(crate) fn texts(json: &[u8]) -> Result<Texts, Unread> {
    let Body { model, input, encoding_format, _user } = document(json)?;
    let texts = match content(input)? {
        Content::Words(text) => vec![text],
        Content::Parts(texts) => texts,
    };
    let bytes = texts.iter().map(String::len).fold(0, usize::saturating_add);
    let long = u64::try_from(bytes).unwrap_or(u64::MAX) > TEXT_BYTES_MAX;
    if texts.is_empty() || texts.len() > TEXTS_MAX || long {
        return Err(Unread::Wrong(format!(
            "{} texts of {bytes} bytes: 1 to {TEXTS_MAX} of at most {TEXT_BYTES_MAX} bytes fit",
            texts.len()
        )));
    }
    let base64 = matches!(encoding_format, Some(Encoding::Base64));
    Ok(Texts { model: Wire::OpenAi.full(model), texts, base64 })
}

/// The vectors, as they were asked for.
pub(crate) fn embedded(asked: &Texts, vectors: &[Vec<f32>], usage: &Usage, stub: bool) -> Value {
    let written = |(index, vector): (usize, &Vec<f32>)| {
        let embedding = if asked.base64 { packed(vector).into() } else { json!(vector) };
        json!({ "object": "embedding", "index": index, "embedding": embedding })
    };
    let data: Vec<_> = vectors.iter().enumerate().map(written).collect();
    json!({
        "object": "list",
        "data": data,
        "model": asked.model,
        "usage": { "prompt_tokens": usage.input, "total_tokens": usage.input },
        "envelope": beside(stub, usage, None),
    })
}

fn packed(vector: &[f32]) -> String {
    STANDARD.encode(vector.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>())
}
