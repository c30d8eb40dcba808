//! The binary `envelope`, run as a person or a script runs it.

mod approvals;
mod compiled;
mod config;
mod database;
pub mod desk;
mod doctor;
mod letter;
mod models;
mod net;
mod new;
mod paper;
mod python;
mod repeat;
mod resume;
mod run;
mod stop;
mod stored;
mod terminal;
mod verify;
