//! What is said to a guest about a request that may not leave.

pub mod problem;
