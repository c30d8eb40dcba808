//! The only door to the world.

mod workspace;
