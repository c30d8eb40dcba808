//! How much a component may hold, so that looking at it and compiling it ends.
//!
//! The compiler cannot be interrupted, and some hundred bytes can be written that keep it busy for
//! ever. So what drives its time and memory is counted before it starts, by one walk over the bytes
//! that reads no body of a function.

use std::collections::BTreeMap;

use super::Refused;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    /// Bytes of the component.
    Bytes,
    /// Components in components.
    Nesting,
    /// Core modules, and components inside.
    Modules,
    /// Functions that have a body.
    Functions,
    /// Bytes of the longest body.
    BodyBytes,
    /// Types, of modules and components.
    Types,
    /// Imports and exports of modules.
    Links,
    /// Imports and exports of the component itself.
    Names,
    /// Segments of data and of tables.
    Segments,
    /// Global variables.
    Globals,
    /// Core instances, when all is instantiated.
    Instances,
    /// Steps of instantiating all components in each other.
    Steps,
    /// Sections.
    Sections,
}

impl Bound {
    /// Every bound.
    pub const ALL: [Self; 13] = [
        Self::Bytes,
        Self::Nesting,
        Self::Modules,
        Self::Functions,
        Self::BodyBytes,
        Self::Types,
        Self::Links,
        Self::Names,
        Self::Segments,
        Self::Globals,
        Self::Instances,
        Self::Steps,
        Self::Sections,
    ];

    /// The most there may be.
    pub fn most(self) -> u64 {
        match self {
            // An interpreter of Python with its library is 18 MB.
            Self::Bytes => 64 << 20,
            // A composition of compositions has three or four.
            Self::Nesting => 16,
            // The same interpreter is linked of some thirty.
            Self::Modules => 256,
            // It has thirty thousand; each costs the compiler some 50 µs however short it is.
            Self::Functions => 250_000,
            // Its longest, the loop of an interpreter, has 200 KB.
            Self::BodyBytes => 1 << 20,
            // A few thousand are usual.
            Self::Types => 50_000,
            // Dynamic libraries link some ten thousand symbols.
            Self::Links => 200_000,
            // All of WASI is some thirty interfaces.
            Self::Names => 1_000,
            // One for each constant of a program compiled section by section.
            Self::Segments => 50_000,
            // Position-independent code has one for each symbol.
            Self::Globals => 100_000,
            // What the engine's pool has for one component.
            Self::Instances => u64::from(crate::config::CORE_INSTANCES_MAX),
            // A program with all of WASI takes some hundreds. Components that instantiate each
            // other twice, forty in a row, would take 2^40.
            Self::Steps => 100_000,
            // A component of a thousand parts has a few thousand.
            Self::Sections => 50_000,
        }
    }

    /// In words, after a number.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Nesting => "levels of components in components",
            Self::Modules => "modules and components inside",
            Self::Functions => "functions",
            Self::BodyBytes => "bytes in the body of one function",
            Self::Types => "types",
            Self::Links => "imports and exports of modules",
            Self::Names => "imports and exports",
            Self::Segments => "segments of data and tables",
            Self::Globals => "global variables",
            Self::Instances => "core instances",
            Self::Steps => "steps to instantiate it",
            Self::Sections => "sections",
        }
    }

    /// Refuses more than [`most`](Self::most).
    pub(super) fn check(self, found: u64) -> Result<(), Refused> {
        if found > self.most() { Err(Refused::TooMuch { bound: self, found }) } else { Ok(()) }
    }
}

/// What was counted so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Bound, u64>);

impl Counts {
    /// How many there are, or how many bytes the longest has.
    pub fn get(&self, bound: Bound) -> u64 {
        self.0.get(&bound).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, bound: Bound, more: u64) -> Result<(), Refused> {
        let sum = self.0.entry(bound).or_default();
        *sum = sum.saturating_add(more);
        bound.check(*sum)
    }

    pub(super) fn at_least(&mut self, bound: Bound, found: u64) -> Result<(), Refused> {
        let most = self.0.entry(bound).or_default();
        *most = found.max(*most);
        bound.check(found)
    }
}
