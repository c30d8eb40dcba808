//! What is said to a guest about a request that may not leave, and what is looked for in one that
//! may.

pub mod content;
pub mod problem;
