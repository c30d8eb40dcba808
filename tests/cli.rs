//! The binary `envelope`, run as a person or a script runs it.

mod desk;
mod new;
mod paper;
mod python;
mod resume;
mod run;
mod verify;
