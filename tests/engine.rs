//! Runs from end to end: guests that try everything, in a world that a test holds in its hand.

mod attacks;
mod crash;
mod determinism;
mod imports;
mod world;
