//! Looks through what leaves, as it leaves: in pieces, in one pass, and in bounded memory.

use std::sync::Arc;

use envelope_evidence::preview::Secrets;

use super::detector::Detector;
use super::view::{Base64, Unescape};
use super::{Both, Found, Part, Sought, Spot};

/// Looks through one call. Each part is fed in any pieces and ended; what comes in other pieces is
/// found all the same.
pub struct Scanner<'a> {
    known: Vec<Known<'a>>,
    shapes: Option<Box<Shapes>>,
    seek: [bool; Sought::ALL.len()],
    within: u64,
    found: Found,
}

/// Secrets that are known by value, and what may be the beginning of one.
struct Known<'a> {
    secrets: Held<'a>,
    held: Vec<u8>,
}

/// Secrets of somebody's, for as long as they are looked for.
enum Held<'a> {
    Lent(&'a Secrets),
    Shared(Arc<Secrets>),
}

impl Held<'_> {
    fn get(&self) -> &Secrets {
        match self {
            Self::Lent(secrets) => secrets,
            Self::Shared(secrets) => secrets,
        }
    }
}

/// All readings of what passes: as it stands, its escapes undone once and twice, and in base64.
#[derive(Default)]
struct Shapes {
    plain: Detector,
    once: (Unescape, Detector),
    twice: (Unescape, Detector),
    coded: (Base64, [Detector; 4]),
}

impl Scanner<'static> {
    /// The same for what goes out over a while.
    pub fn lasting(secrets: impl IntoIterator<Item = Arc<Secrets>>, rules: &Both<'_>) -> Self {
        Self::of(secrets.into_iter().map(Held::Shared), rules)
    }
}

impl<'a> Scanner<'a> {
    /// Looks for `secrets`, and for what `rules` name.
    pub fn new(secrets: impl IntoIterator<Item = &'a Secrets>, rules: &Both<'_>) -> Self {
        Self::of(secrets.into_iter().map(Held::Lent), rules)
    }

    fn of(secrets: impl Iterator<Item = Held<'a>>, rules: &Both<'_>) -> Self {
        let seek = Sought::ALL.map(|what| rules.seek(what));
        let shaped = [Sought::CardNumber, Sought::PrivateKey, Sought::ApiKey];
        let known = secrets.map(|secrets| Known { secrets, held: Vec::new() });
        Self {
            known: known.collect(),
            shapes: shaped.into_iter().any(|what| rules.seek(what)).then(Box::default),
            seek,
            within: 0,
            found: Found::NOTHING,
        }
    }

    /// Takes more of `part`.
    pub fn feed(&mut self, part: Part, bytes: &[u8]) {
        let before = self.within;
        for known in &mut self.known {
            if let Some(end) = known.feed(bytes) {
                let within = before.saturating_add(wide(end.min(bytes.len())));
                self.found.note(Sought::Secret, Spot { part, within });
            }
        }
        let (found, seek) = (&mut self.found, &self.seek);
        self.within = before.saturating_add(wide(bytes.len()));
        let Some(shapes) = &mut self.shapes else { return };
        for (within, byte) in (before.saturating_add(1)..).zip(bytes) {
            shapes.push(*byte, &mut |what| note(found, seek, what, Spot { part, within }));
        }
    }

    /// Nothing more of `part` follows.
    pub fn end(&mut self, part: Part) {
        let (found, seek) = (&mut self.found, &self.seek);
        let spot = Spot { part, within: self.within };
        if let Some(shapes) = &mut self.shapes {
            shapes.end(&mut |what| note(found, seek, what, spot));
        }
        self.known.iter_mut().for_each(|known| known.held.clear());
        self.within = 0;
    }

    /// A part that is there whole.
    pub fn whole(&mut self, part: Part, bytes: &[u8]) {
        self.feed(part, bytes);
        self.end(part);
    }

    /// Bytes at the end of what was fed that may be the beginning of a secret.
    pub fn open(&self) -> usize {
        self.known.iter().map(|known| known.held.len()).max().unwrap_or_default()
    }

    /// What was found so far: what begins in the latest piece may end in the next.
    pub const fn found(&self) -> Found {
        self.found
    }
}

fn note(found: &mut Found, seek: &[bool; Sought::ALL.len()], what: Sought, spot: Spot) {
    let sought = Sought::ALL.iter().zip(seek).any(|(it, seek)| *it == what && *seek);
    if sought {
        found.note(what, spot);
    }
}

impl Known<'_> {
    /// Where in `bytes` the first secret ends, if one does.
    fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        let held = self.held.len();
        let end = if held == 0 {
            let end = self.first_in(bytes);
            self.held = self.begun(bytes);
            end
        } else {
            self.held.extend_from_slice(bytes);
            let all = std::mem::take(&mut self.held);
            self.held = self.begun(&all);
            self.first_in(&all)
        };
        end.map(|end| end.saturating_sub(held))
    }

    fn first_in(&self, bytes: &[u8]) -> Option<usize> {
        if !self.secrets.get().holds(bytes) {
            return None;
        }
        let ends = self.secrets.get().places(bytes).into_iter().map(|place| place.end);
        ends.min().or(Some(bytes.len()))
    }

    fn begun(&self, bytes: &[u8]) -> Vec<u8> {
        let begun = self.secrets.get().begun(bytes);
        bytes.get(bytes.len().saturating_sub(begun)..).unwrap_or_default().to_vec()
    }
}

impl Shapes {
    fn push(&mut self, byte: u8, hit: &mut impl FnMut(Sought)) {
        let Self { plain, once, twice, coded } = self;
        plain.push(byte, hit);
        once.0.push(byte, &mut |byte| {
            once.1.push(byte, hit);
            twice.0.push(byte, &mut |byte| twice.1.push(byte, hit));
            coded.0.push(byte, &mut |reading, bytes| decoded(&mut coded.1, reading, bytes, hit));
        });
    }

    fn end(&mut self, hit: &mut impl FnMut(Sought)) {
        let Self { plain, once, twice, coded } = self;
        coded.0.end(&mut |reading, bytes| decoded(&mut coded.1, reading, bytes, hit));
        for detector in [plain, &mut once.1, &mut twice.1] {
            detector.end(hit);
        }
        (once.0, twice.0) = (Unescape::default(), Unescape::default());
    }
}

fn decoded(
    readings: &mut [Detector; 4],
    reading: usize,
    bytes: Option<[u8; 3]>,
    hit: &mut impl FnMut(Sought),
) {
    let Some(detector) = readings.get_mut(reading) else { return };
    match bytes {
        Some(bytes) => bytes.into_iter().for_each(|byte| detector.push(byte, hit)),
        None => detector.end(hit),
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
