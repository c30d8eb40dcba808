//! OpenAI's format: chat completions and embeddings.

mod read;
mod vectors;
mod write;

pub(super) use read::asked;
pub(crate) use vectors::{Texts, embedded, texts};
pub(super) use write::{Stream, list, whole};
