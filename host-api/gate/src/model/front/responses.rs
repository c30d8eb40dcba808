//! OpenAI's newer format: responses. Nothing is kept here between two of them: what a client does
//! not send again is forgotten.

mod read;
mod write;

pub(super) use read::asked;
pub(super) use write::{Stream, whole};
