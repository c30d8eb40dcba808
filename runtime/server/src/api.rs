//! The operations, in files that mirror the URL tree.

pub(crate) mod v1;
