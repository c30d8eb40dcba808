//! The compiler: whole Papers compile, ill-formed ones are told where, and nothing makes it panic.

mod fidelity;
mod ill_formed;
mod papers;
mod robust;
pub mod samples;
