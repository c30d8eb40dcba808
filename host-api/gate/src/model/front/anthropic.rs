//! Anthropic's format: messages.

mod read;
mod write;

pub(super) use read::asked;
pub(super) use write::{Stream, list, whole};
