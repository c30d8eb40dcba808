//! What a request may say beside its path and its body: what its query names, and headers.

use std::collections::BTreeMap;

use axum::http::Uri;
use serde_json::{Value, json};

use crate::Problem;
use crate::route::{Gives, Route};

/// What a page has, unless somebody says otherwise.
pub const PAGE: usize = 20;

/// What it has at most.
pub const PAGE_MAX: usize = 100;

/// Characters of an `Idempotency-Key`: a UUID has 36.
pub const KEY_CHARS_MAX: usize = 255;

/// Characters of a part of a path: the longest id is the digest of an attestation.
pub const PART_CHARS_MAX: usize = 128;

/// Where it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the query.
    Query,
    /// In a header.
    Header,
}

/// Something that a request may say.
#[derive(Clone, Copy)]
pub struct Ask {
    /// Where.
    pub place: Place,
    /// Under what name.
    pub name: &'static str,
    /// What for.
    pub what: &'static str,
    /// Whether it has to.
    pub needed: bool,
    /// What fits.
    pub schema: fn() -> Value,
}

const LIMIT: Ask = Ask {
    place: Place::Query,
    name: "limit",
    what: "How many at most",
    needed: false,
    schema: || json!({ "type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE }),
};

const AFTER: Ask = Ask {
    place: Place::Query,
    name: "after",
    what: "What `next` said on the page before",
    needed: false,
    schema: || json!({ "type": "string", "pattern": "^[ -~]*$(?!\\n)" }),
};

const IDEMPOTENCY_KEY: Ask = Ask {
    place: Place::Header,
    name: "Idempotency-Key",
    what: "Whatever is asked twice under one key happens once",
    needed: true,
    schema: || {
        let pattern = "^[!-~]+$(?!\\n)";
        json!({ "type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX, "pattern": pattern })
    },
};

/// The version that a change is based on.
pub const IF_MATCH: Ask = Ask {
    place: Place::Header,
    name: "If-Match",
    what: "The `ETag` of what the change is based on: at any other version nothing is changed",
    needed: false,
    schema: || json!({ "type": "string", "pattern": "^(\\*|\"[0-9]{1,18}\")$(?!\\n)" }),
};

/// How long whoever asks would wait.
pub const PREFER: Ask = Ask {
    place: Place::Header,
    name: "Prefer",
    what: "`wait=N` waits so many seconds for the end; other preferences are not heard",
    needed: false,
    schema: || json!({ "type": "string", "pattern": "^[ -~]*$(?!\\n)" }),
};

/// What was seen of a stream.
pub const LAST_EVENT_ID: Ask = Ask {
    place: Place::Header,
    name: "Last-Event-ID",
    what: "The id of the last line that was seen of the stream",
    needed: false,
    schema: || json!({ "type": "string", "pattern": "^[ -~]*$(?!\\n)" }),
};

/// The states of a question.
pub const STATE: Ask = Ask {
    place: Place::Query,
    name: "state",
    what: "Only what is in this state",
    needed: false,
    schema: || json!({ "type": "string", "enum": QUESTION_STATES }),
};

/// See [`STATE`].
pub const QUESTION_STATES: [&str; 4] = ["open", "approved", "refused", "expired"];

impl Route {
    /// All that a request may say.
    pub fn asked(&self) -> impl Iterator<Item = &'static Ask> {
        let page: &'static [Ask] = match self.gives {
            Gives::Page(_) | Gives::Stream(_) => &[LIMIT, AFTER],
            Gives::Json(_) | Gives::All(_) | Gives::Other(_) => &[],
        };
        let once: &'static [Ask] = if self.once { &[IDEMPOTENCY_KEY] } else { &[] };
        page.iter().chain(once).chain(self.asks)
    }
}

/// What the query says: each name once, and none that the operation does not know, for whoever
/// mistypes one would otherwise be answered something else.
pub(crate) fn query(route: &Route, uri: &Uri) -> Result<BTreeMap<String, String>, Problem> {
    let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri);
    let pairs = pairs.map_err(|why| Problem::new("MALFORMED", format!("the query: {why}")))?;
    let mut said = BTreeMap::new();
    for (name, value) in pairs.0 {
        let wrong = |why: &str| Problem::new("INVALID", why).with("param", name.clone());
        if !route.asked().any(|ask| ask.place == Place::Query && ask.name == name) {
            return Err(wrong("this operation is asked nothing of that name"));
        }
        // No id has others, and PostgreSQL keeps no text with the character 0.
        if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(wrong("its characters are those of ASCII that can be seen"));
        }
        if said.contains_key(&name) {
            return Err(wrong("it is said twice"));
        }
        said.insert(name, value);
    }
    Ok(said)
}

/// The parts of the path. What no id can be spelled as is not there.
pub(crate) fn parts(path: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Problem> {
    let fits = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=PART_CHARS_MAX).contains(&part.len()) && part.bytes().all(plain)
    };
    if path.values().all(|part| fits(part)) {
        return Ok(path);
    }
    Err(Problem::new("NOT_FOUND", "an id is made of letters, digits, `-` and `_`"))
}
