//! What must not leave, wherever it stands in a request: the host's own secrets always; keys and
//! card numbers where the operator says so.
//!
//! It is a net, not a wall. A guest that wants to can encrypt what it sends: what holds it is the
//! list of hosts, and the number of bytes.

use envelope_evidence::preview::holds_key;
use envelope_rules::denial::{Code, Denial};
use envelope_rules::egress::target::Target;
use http::HeaderMap;

use crate::net::Network;

/// What is looked for beside the host's own secrets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Watch {
    /// Numbers of payment cards.
    pub cards: bool,
    /// What has the shape of a key: PEM, tokens of known issuers, signed tokens.
    pub keys: bool,
}

/// Digits of a card number.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// Why a request may not leave, if it may not. What was found is not repeated.
pub(crate) fn refuse(
    network: &Network,
    target: &Target,
    headers: &HeaderMap,
    body: &[u8],
) -> Option<Denial> {
    let values = headers.iter().map(|(_, value)| ("headers", value.as_bytes()));
    let names = headers.keys().map(|name| ("headers", name.as_str().as_bytes()));
    let url = [("url", target.host().to_string().into_bytes())];
    let url = url.iter().map(|(part, bytes)| (*part, bytes.as_slice()));
    let line = std::iter::once(("url", target.origin_form().as_bytes()));
    let mut parts = url.chain(line).chain(names).chain(values).chain([("body", body)]);
    parts.find_map(|(part, bytes)| {
        let what = finding(network, bytes)?;
        Some(Denial::new(Code::EgressContent, format_args!("{what} in the {part}")))
    })
}

fn finding(network: &Network, bytes: &[u8]) -> Option<&'static str> {
    let Watch { cards, keys } = network.watch();
    if network.knows(bytes) {
        Some("a secret of the host")
    } else if keys && holds_key(&String::from_utf8_lossy(bytes)) {
        Some("a key")
    } else if cards && holds_card(bytes) {
        Some("a card number")
    } else {
        None
    }
}

/// Whether a run of digits, in groups or not, is the number of a card: by its length, its first
/// digit and its check digit.
fn holds_card(bytes: &[u8]) -> bool {
    let mut digits: Vec<u8> = Vec::new();
    let mut gap = false;
    for byte in bytes.iter().chain(b"\n") {
        match byte {
            b'0'..=b'9' => {
                digits.push(byte - b'0');
                gap = false;
            }
            // One separator between groups.
            b' ' | b'-' if !gap && !digits.is_empty() => gap = true,
            _ => {
                if is_card(&digits) {
                    return true;
                }
                digits.clear();
                gap = false;
            }
        }
    }
    false
}

fn is_card(digits: &[u8]) -> bool {
    let issued = digits.first().is_some_and(|first| (2..=6).contains(first));
    let doubled = |(place, digit): (usize, &u8)| {
        let digit = u32::from(*digit);
        if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    CARD_DIGITS.contains(&digits.len()) && issued && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_known_by_their_check_digit() {
        for text in [
            "4111111111111111",
            "pay 4111 1111 1111 1111 now",
            "5500-0000-0000-0004",
            "{\"pan\":\"378282246310005\"}",
        ] {
            assert!(holds_card(text.as_bytes()), "{text}");
        }
        for text in [
            "4111111111111112",
            "1748133600000",
            "4111  1111 1111 1111",
            "411111111111",
            "0000000000000000",
            "00004111111111111111",
        ] {
            assert!(!holds_card(text.as_bytes()), "{text}");
        }
    }
}
