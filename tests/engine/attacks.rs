//! The attack table: what a guest tries, what it must see or how it must end, and beside each the
//! same act that is allowed.

mod files;
mod table;
