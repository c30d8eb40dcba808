//! Text with a spelling: one line of prose, names, identifiers, addresses.
//!
//! Each type's rule is told twice, as a function that decides and as a pattern for the JSON Schema.
//! A pattern ends in [`END`], because in some dialects `$` also matches before a last line break.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use envelope_evidence::text::Text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The end of the text in every dialect of regular expressions.
pub const END: &str = r"$(?!\n)";

/// A title or a name.
pub type Title = Line<240>;

/// A statement: a sentence or a short paragraph.
pub type Sentence = Line<2000>;

/// A path, a pattern, a prefix, an address on the network.
pub type Place = Line<1024>;

/// A release, a protocol or a document's version.
pub type Version = Line<64>;

/// One line of 1 to `MAX` characters, without control characters, not beginning or ending in a
/// space.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Line<const MAX: usize>(Text<MAX>);

impl<const MAX: usize> Line<MAX> {
    /// `text`, if it fits.
    pub fn new(text: impl Into<String>) -> Result<Self, BadWords> {
        let text = Text::new(text).map_err(|bad| BadWords(bad.to_string()))?;
        if text.is_empty() || text.starts_with(' ') || text.ends_with(' ') {
            return Err(BadWords("a text is not empty and has no space at either end".to_owned()));
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// A text that does not fit its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadWords(String);

impl<const MAX: usize> Deref for Line<MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const MAX: usize> fmt::Display for Line<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl<const MAX: usize> TryFrom<String> for Line<MAX> {
    type Error = BadWords;

    fn try_from(text: String) -> Result<Self, BadWords> {
        Self::new(text)
    }
}

impl<const MAX: usize> From<Line<MAX>> for String {
    fn from(line: Line<MAX>) -> Self {
        line.0.into()
    }
}

impl<const MAX: usize> JsonSchema for Line<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Line_{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = format!(r"^(?! )[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\x9f]{END}");
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX, "pattern": pattern })
    }
}

macro_rules! spelled {
    ($(
        $(#[$doc:meta])* $name:ident $max:literal $pattern:literal $fits:expr, $rule:literal;
    )*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// `text`, if it is spelled as the rule wants it.
            pub fn new(text: impl Into<String>) -> Result<Self, BadWords> {
                let text = text.into();
                let fits: fn(&str) -> bool = $fits;
                if text.len() <= $max && fits(&text) {
                    return Ok(Self(text));
                }
                let shown = Text::<60>::cut(&text);
                let (rule, max) = ($rule, $max);
                Err(BadWords(format!("`{shown}`: {rule}, in at most {max} characters")))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadWords;

            fn try_from(text: String) -> Result<Self, BadWords> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let pattern = format!("^{}{END}", $pattern);
                json_schema!({
                    "type": "string", "maxLength": $max, "pattern": pattern, "description": $rule
                })
            }
        }
    )*};
}

spelled! {
    /// A name that other parts of the contract refer to.
    Id 64 "[a-z0-9]+(-[a-z0-9]+)*" |text| parts(text, &['-'], lower),
        "an id is made of lower-case letters and digits, joined by single hyphens";
    /// A decentralised identifier.
    Did 240 "did:[a-z0-9]+(:[A-Za-z0-9._%-]+)+" is_did,
        "an identifier is spelled `did:<method>:<name>`";
    /// An address for electronic mail.
    Email 240 "[A-Za-z0-9._%+-]+@[a-z0-9-]+(\\.[a-z0-9-]+)+" is_email,
        "an address is spelled `name@example.org`, its domain in lower case";
    /// What an agent does through a tool: `web.search`.
    ActionName 128 "[A-Za-z0-9_-]+([.:/][A-Za-z0-9_-]+)*"
        |text| parts(text, &['.', ':', '/'], word),
        "an action is made of letters, digits, `_` and `-`, joined by `.`, `:` or `/`";
    /// A model as its provider names it.
    ModelName 240 "[A-Za-z0-9][A-Za-z0-9._:/@-]*" is_model,
        "a model is a letter or digit, then letters, digits, `.`, `_`, `:`, `/`, `@` and `-`";
    /// A media type without parameters: `application/json`.
    MediaType 128 "[a-z0-9.+-]+/[a-z0-9.+-]+" is_media,
        "a media type is spelled `type/subtype` in lower case";
    /// A time zone of the IANA database, or `UTC`.
    Zone 64 "[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*" |text| parts(text, &['/'], zone),
        "a time zone is spelled `Area/Place` or `UTC`";
    /// The letters of a schedule: `T`, `CY`, `H`.
    Letters 3 "[A-Z]+" |text| parts(text, &[], |c| c.is_ascii_uppercase()),
        "a schedule is named by one to three capital letters";
    /// 32 bytes: the id of a key, or a salt.
    HexDigits 64 "[0-9a-f]{64}" is_hex,
        "32 bytes are spelled as 64 lower-case hexadecimal digits";
    /// A JSON pointer into an agent's answer; empty for the whole of it.
    Pointer 240 "((/([A-Za-z0-9_. -]|~0|~1)*)*)" is_pointer,
        "a pointer is empty or spelled `/key/0/key`";
}

/// Whether `text` is made of non-empty runs of `letter`, joined by one of `joints`.
fn parts(text: &str, joints: &[char], letter: fn(char) -> bool) -> bool {
    text.split(joints).all(|part| !part.is_empty() && part.chars().all(letter))
}

fn lower(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

fn zone(c: char) -> bool {
    word(c) || c == '+'
}

fn is_did(text: &str) -> bool {
    let rest = text.strip_prefix("did:").and_then(|rest| rest.split_once(':'));
    rest.is_some_and(|(method, name)| {
        parts(method, &[], lower)
            && parts(name, &[':'], |c| {
                c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '%' | '-')
            })
    })
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, domain)| {
        let local = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-');
        parts(name, &[], local)
            && domain.contains('.')
            && parts(domain, &['.'], |c| lower(c) || c == '-')
    })
}

fn is_model(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| word(c) || matches!(c, '.' | ':' | '/' | '@'))
}

fn is_media(text: &str) -> bool {
    let letter = |c: char| lower(c) || matches!(c, '.' | '+' | '-');
    text.split_once('/')
        .is_some_and(|(kind, sub)| parts(kind, &[], letter) && parts(sub, &[], letter))
}

fn is_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_pointer(text: &str) -> bool {
    let plain = |c: char| word(c) || matches!(c, '.' | ' ' | '/' | '~');
    let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    (text.is_empty() || text.starts_with('/')) && text.chars().all(plain) && escapes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_loose_ends() {
        for wrong in ["", " a", "a ", "a\nb", "a\n", "\u{85}", &"é".repeat(5)] {
            assert!(Line::<4>::new(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(Line::<4>::new("é é!").unwrap().as_str(), "é é!");
    }

    #[test]
    fn spellings() {
        macro_rules! check {
            ($($name:ident: $($right:literal)* | $($wrong:literal)*;)*) => {$(
                $(assert!($name::new($right).is_ok(), "{}", $right);)*
                $(assert!($name::new($wrong).is_err(), "{}", $wrong);)*
            )*};
        }
        check! {
            Id: "a" "tender-2026" | "" "-a" "a-" "a--b" "A" "a b" "a\n";
            Did: "did:web:example.org" "did:web:a:b" | "did:web:" "did::a" "did:web" "did:web:a:";
            Email: "a.b+c@example.org" | "a@b" "@b.c" "a@b..c" "a b@c.d" "a@b@c.d" "a@B.c";
            ActionName: "web.search" "mcp:files/Read_1" | "" "." "a..b" "a b" "a.";
            ModelName: "north/atlas-2@2026-09" | "" "/a" "a b";
            MediaType: "application/pdf" "image/svg+xml" | "application" "a/b/c" "A/b" "a/";
            Zone: "UTC" "Europe/Zurich" "Etc/GMT+1" | "" "Europe/" "a b";
            Letters: "T" "CY" | "" "t" "ABCD" "T1";
            Pointer: "" "/a/0" "/a~1b" "/" | "a" "/a~2" "/~" "/\n";
        }
    }
}
