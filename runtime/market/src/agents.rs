//! Agents: what somebody offers, its releases, and what the house attests about it.

pub mod badge;
pub mod card;
pub mod identity;
pub mod publish;
pub mod register;
