//! The one place of this house that is `unsafe`: loading machine code that was compiled before.
//!
//! The engine trusts such code entirely. Bytes that it did not write itself could do anything, so
//! what makes this sound is that nobody but [`Shelf`](super::shelf::Shelf) can make a [`Proven`]:
//!
//! - **Only what we wrote.** Behind every entry stands a code (HMAC-SHA-256) made with a key that
//!   lies outside the folder of the entries. Whoever can write to the folder, and even knows this
//!   file, cannot make such a code. It also covers the component's digest and the engine's, so an
//!   entry cannot be passed off as another's, or as one of another engine, or an older one.
//! - **Exactly those bytes.** The file is read once, into memory that is this process's own; the
//!   code is checked over that memory, and the engine copies from that same memory. Nothing is read
//!   a second time. A mapping of the file would not do: even a private one shows what others write
//!   to the file later, after the check.
//! - **For this engine.** The engine compares its version and all settings that shape machine code
//!   with those in the bytes, and refuses what differs.
//!
//! What is left to trust is the compiler, as with a fresh component, and the secrecy of the key:
//! who can read it can sign as this host anyway.

use wasmtime::component::Component;
use wasmtime::{Engine, Result};

use super::shelf::Proven;

/// Loads machine code that this host has compiled.
#[expect(unsafe_code, reason = "the machine code is our own: see the top of this file")]
pub(super) fn load(engine: &Engine, code: &Proven) -> Result<Component> {
    // SAFETY: a `Proven` holds bytes that `Component::serialize` returned on this host, unchanged
    // since, in memory that nothing else can write to.
    unsafe { Component::deserialize(engine, code.bytes()) }
}
