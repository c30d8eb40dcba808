//! Components: what they are, whether they may run here, and compiling them, once.
//!
//! The bytes come from strangers. [`inspect`] looks at them without running or compiling anything;
//! [`Components`] compiles what passed and keeps the result.

mod bounds;
mod cache;
mod compile;
mod effort;
mod names;
mod precompiled;
mod shelf;
mod structure;
mod validity;

use std::fmt;
use std::time::Duration;

pub use bounds::{Bound, Counts};
pub use cache::{Compiled, Components, How, Step};
pub use compile::{COMPILE_THREADS_MAX, COMPILE_TIME_MAX, COMPILES_AT_ONCE};
pub use names::compatible;
pub use shelf::{CacheKey, NoShelf, SHELF_BYTES_MAX};

/// How a component is called: what it exports decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// It exports `envelope:host/skills`.
    Agent,
    /// It exports `wasi:cli/run`: any WASI program.
    Command,
    /// It exports `wasi:http/incoming-handler`.
    Http,
}

impl Shape {
    /// Every shape. The first that fits is the one: an agent may be a program too.
    pub const ALL: [Self; 3] = [Self::Agent, Self::Command, Self::Http];

    /// The interface whose export makes it, in the oldest release of its line.
    pub const fn export(self) -> &'static str {
        match self {
            Self::Agent => "envelope:host/skills@0.1.0",
            Self::Command => "wasi:cli/run@0.2.0",
            Self::Http => "wasi:http/incoming-handler@0.2.0",
        }
    }
}

/// What a component is, as far as its bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// How it is called. `None` when nothing here could call it.
    pub shape: Option<Shape>,
    /// What it imports.
    pub imports: Vec<String>,
    /// Those of them that nobody serves.
    pub foreign: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
    /// How much of everything it holds.
    pub counts: Counts,
}

impl Refused {
    /// What to do about it.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::NotWasm(_) | Self::CoreModule => {
                "`envelope build` makes a component of a package in Rust"
            }
            Self::Truncated { .. } | Self::Malformed { .. } => "copy it again, or build it anew",
            Self::Off { .. } | Self::Unsupported(_) => "build it without what is named",
            Self::Foreign(_) => "build it against the interfaces of `host-api/wit`",
            Self::Shapeless => "export one of them: `envelope new` shows how",
            Self::TooMuch { .. } | Self::Slow { .. } | Self::Compile(_) => "make it smaller",
            Self::Busy { .. } => "wait a while",
        }
    }
}

impl Inspection {
    /// The shape, if it can be called and everything it imports is served.
    pub fn admit(&self) -> Result<Shape, Refused> {
        if !self.foreign.is_empty() {
            return Err(Refused::Foreign(self.foreign.clone()));
        }
        self.shape.ok_or(Refused::Shapeless)
    }
}

/// Looks at a component and validates it. `served` are the interfaces it may import, each in one
/// release: others of its line will do.
pub fn inspect(bytes: &[u8], served: &[&str]) -> Result<Inspection, Refused> {
    let mut inspection = look(bytes, served)?;
    validity::check(bytes)?;
    effort::estimate(bytes, &mut inspection.counts)?;
    Ok(inspection)
}

/// Looks at a component that need not be valid.
fn look(bytes: &[u8], served: &[&str]) -> Result<Inspection, Refused> {
    let structure::Structure { imports, exports, counts } = structure::walk(bytes)?;
    let is_served = |import: &String| served.iter().any(|offered| compatible(import, offered));
    let foreign = imports.iter().filter(|import| !is_served(import)).cloned().collect();
    let has = |shape: &Shape| exports.iter().any(|export| compatible(shape.export(), export));
    let shape = Shape::ALL.into_iter().find(has);
    Ok(Inspection { shape, imports, foreign, exports, counts })
}

/// A component that may not run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No component, but what one is made of.
    #[error(
        "this is a core module, as `wasm32-wasip1` and `wasm32-unknown-unknown` give, and no \
         component: build it with `--target wasm32-wasip2`"
    )]
    CoreModule,
    /// Something else altogether.
    #[error("this is {0} and no component: give what a build for `wasm32-wasip2` makes")]
    NotWasm(&'static str),
    /// The beginning of one.
    #[error("the component is not whole: it ends before what begins at byte {byte} does")]
    Truncated {
        /// Where what is missing begins.
        byte: usize,
    },
    /// Broken.
    #[error("not a valid component: at byte {byte}: {why}")]
    Malformed {
        /// Where.
        byte: usize,
        /// What is wrong.
        why: String,
    },
    /// It has something that is not supported here.
    #[error("it has {0}, which is not supported")]
    Unsupported(&'static str),
    /// It uses features of WebAssembly that are off.
    #[error("it uses what is switched off here: {}: {why}", Listed(features))]
    Off {
        /// Their names.
        features: Vec<String>,
        /// The first complaint.
        why: String,
    },
    /// Too much of something.
    #[error("it has {found} {}, and at most {} are compiled", bound.name(), bound.most())]
    TooMuch {
        /// Of what.
        bound: Bound,
        /// How much, or more.
        found: u64,
    },
    /// It imports what nobody serves.
    #[error("it imports what is not offered here: {}", Listed(_0))]
    Foreign(Vec<String>),
    /// Nothing that could be called.
    #[error("it exports none of {}", Listed(&Shape::ALL.map(Shape::export)))]
    Shapeless,
    /// The compiler has not come to an end.
    #[error("it is not compiled after {} seconds, which is the limit", after.as_secs())]
    Slow {
        /// The limit.
        after: Duration,
    },
    /// The compilers are all at work, perhaps on something that takes too long.
    #[error("all compilers have been at work for {} seconds: try again", after.as_secs())]
    Busy {
        /// How long it was waited for one.
        after: Duration,
    },
    /// The compiler says no.
    #[error("it does not compile: {0}")]
    Compile(String),
}

/// Names in backticks, with commas.
struct Listed<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Listed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, name) in self.0.iter().enumerate() {
            write!(f, "{}`{name}`", if n > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}
