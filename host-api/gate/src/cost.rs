//! What the host's work costs the guest, in units of fuel.
//!
//! A unit is roughly a guest instruction, of which some nine thousand pass in a microsecond. What
//! is done for a guest is charged like what it does itself, so that no flood of cheap calls buys
//! the host's time for nothing. The prices are part of the engine's settings and thereby of the
//! run's header: another price list is another engine.

/// Any passage from the guest to the host and back: a resource dropped, a stream asked for room.
pub const PASSAGE: u64 = 1_000;

/// A call through the gate: judged, journalled, hashed. About five microseconds.
pub const CALL: u64 = 45_000;

/// A byte that is copied and hashed on its way.
pub const BYTE: u64 = 10;

/// A byte of what leaves that is looked through, where the warrant says what must not: it is read
/// in several spellings at once. About twenty nanoseconds. What the operator alone has looked for,
/// and the host's own secrets, cost a guest nothing: a replay knows the warrant and not the
/// operator, and must come to the same fuel.
pub const LOOK: u64 = 180;

/// One thing to look at: a pollable, an entry of a folder.
pub const ITEM: u64 = 2_000;

/// The list, for documents and for the digest of the settings.
pub const TABLE: [(&str, u64); 5] =
    [("passage", PASSAGE), ("call", CALL), ("byte", BYTE), ("look", LOOK), ("item", ITEM)];
