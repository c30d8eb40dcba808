//! What may still be spent.
//!
//! A call's worst case is computed from a [`PriceBook`] and reserved in every account of a
//! [`Meter`] before the call is sent; the truth is settled afterwards. Integers only: amounts in
//! nano-dollars, prices in pico-dollars per unit, rounded up, and what overflows is a denial.
//!
//! # The cap theorem
//!
//! For every account of the chain run → task → agent's day → agent → purchase → organisation, in
//! every dimension that has a cap, at every instant and after any crash:
//!
//! > billed ≤ spent + held ≤ cap
//!
//! **given** that (i) the provider bills no more than the book's price times what the request it
//! was sent allows. This assumption is said aloud because nobody in front of a provider can promise
//! more: whoever sends a request has to believe its answer's bill.
//!
//! *Why it holds.* `reserve` admits a worst case only where spent + held + worst ≤ cap in every
//! account, and moves all accounts or none. By (i) the bill of a call is never above its hold, so
//! `settle` moves at most what was held from held to spent: the sum cannot grow. `void` returns a
//! hold only for a call that was certainly never sent, `forfeit` books the whole of one whose
//! outcome is unknown, and a lost [`Hold`] stays held, since nothing is released on drop. A hold is
//! used up by its ending and its number is never used again, so no ending happens twice. A state
//! that is loaded again holds what it held: that is why a hold has to be durable before its call is
//! sent, or lie within a slice that is ([`Meter::carve`]).
//!
//! *When (i) is broken*, the first bill above its hold is noticed as it is settled. It is booked in
//! full, what remains may become negative, and the breaker opens in the same step: every later
//! `reserve` is denied until a human resets it. What can be lost is what was in flight: the excess
//! of the calls that were already admitted, and nothing after them.
//!
//! *What the caller owes.* The bound has to be the request's own: [`Price::clamp`] gives the
//! longest answer that is affordable, and that number has to be written into the request. One hold
//! is made per physical attempt: a retry is a new hold beside the first until the first one's
//! outcome is known. The day is fixed at admission.

mod account;
mod book;
mod decimal;
mod freeze;
mod hold;
mod import;
mod ledger;
mod meter;
mod money;
mod price;
mod state;

pub use account::{ACCOUNT_NAME_CHARS_MAX, Account, Cap, Level};
pub use book::{BadBook, MODEL_CHARS_MAX, MODELS_MAX, PriceBook, Source};
pub use decimal::{BadDecimal, DECIMAL_CHARS_MAX, Why};
pub use freeze::{FROZEN_MAX, Freezer, Frost, Place, Thaw};
pub use hold::{Hold, HoldId};
pub use import::{BadTable, Imported, TABLE_BYTES_MAX, import};
pub use ledger::{Accounting, BadLedger, Balance, Leased, Ledger, SHARED_MAX, Shared};
pub use meter::{ACCOUNTS_MAX, Meter, OPEN_HOLDS_MAX, Reset, Settled, Trip};
pub use money::{NanoUsd, PicoUsd, PicoUsdPerUnit};
pub use price::{BadPrice, Billed, ModelCall, OUTPUT_FLOOR_DEFAULT, Price, Rates, TIERS_MAX, Tier};
pub use state::{BadMeter, MeterState};
