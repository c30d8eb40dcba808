//! How the words of an answer are drawn. It changes no price, only what is said.

use serde::{Deserialize, Serialize};

use super::ask::BadAsk;

/// Texts that end an answer: what providers accept.
pub const STOPS_MAX: usize = 4;

/// Characters of a number: more than any of double precision needs.
const NUMBER_CHARS_MAX: usize = 24;

/// The wishes. Numbers are kept as they were written: so what is sent is what was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampling {
    /// How daring, from zero to two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<String>,
    /// Of which part of the likely words, from zero to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<String>,
    /// Texts that end the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// Where chance comes from, for those who know of such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
}

impl Sampling {
    /// Whether it is left to the provider.
    pub const fn is_default(&self) -> bool {
        let Self { temperature, top_p, stop, seed } = self;
        temperature.is_none() && top_p.is_none() && stop.is_empty() && seed.is_none()
    }

    pub(super) fn check(&self) -> Result<(), BadAsk> {
        check_number("temperature", self.temperature.as_deref(), 2.0)?;
        check_number("top_p", self.top_p.as_deref(), 1.0)?;
        let (what, found, max) = ("texts that end an answer", self.stop.len(), STOPS_MAX);
        if found > max {
            return Err(BadAsk::TooMany { what, found, max });
        }
        if self.stop.iter().any(String::is_empty) { Err(BadAsk::EmptyStop) } else { Ok(()) }
    }
}

fn check_number(name: &'static str, text: Option<&str>, most: f64) -> Result<(), BadAsk> {
    let Some(text) = text else { return Ok(()) };
    let short = text.len() <= NUMBER_CHARS_MAX;
    let number = serde_json::from_str::<f64>(text).ok().filter(|_| short);
    if number.is_some_and(|number| (0.0..=most).contains(&number)) {
        Ok(())
    } else {
        Err(BadAsk::Sampling(name))
    }
}
