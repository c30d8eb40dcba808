//! What a guest asks of a model, as a closed world, and how many tokens that can be at worst.
//!
//! Every field of an [`Ask`] is priced, bounded, or not there. What a provider could charge for
//! beside tokens (its own search, files it keeps, answers it finishes later, a dearer lane) has no
//! field, so no guest can ask for it.
//!
//! # Why bytes bound tokens
//!
//! The tokenizers in use are byte-level: each token stands for one byte or more of UTF-8, and no
//! byte stands in two. So text is at most as many tokens as bytes, whoever cuts it. JSON that a
//! provider reads and shows to the model in a spelling of its own is counted at the longest
//! spelling in use. What a provider adds of its own (the frame of a message, the prose that
//! presents tools) is bounded by [`Overheads`], one table per wire format; pictures are bounded by
//! the dearest that the format's owner documents. Counting exactly could only admit more.

mod ask;
mod bound;
mod sampling;
mod spelling;

pub use ask::{
    Ask, BadAsk, Image, MESSAGES_MAX, Message, PARTS_MAX, Part, Role, TEXT_BYTES_MAX, TOOLS_MAX,
    Tool, ToolCall,
};
pub use bound::{ANTHROPIC, OPENAI, Overheads, TEXTS_MAX, embedding_bound};
pub use sampling::{STOPS_MAX, Sampling};
