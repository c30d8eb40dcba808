//! The binary `envelope`, run as a person or a script runs it.

mod paper;
mod verify;
