//! Who people are: organisations, their users, and the keys by which programs of theirs are known.

pub mod key;
pub mod organisation;
pub mod password;
pub mod session;
pub mod user;
