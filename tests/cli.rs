//! The binary `envelope`, run as a person or a script runs it.

mod desk;
mod models;
mod net;
mod new;
mod paper;
mod resume;
mod run;
mod verify;
