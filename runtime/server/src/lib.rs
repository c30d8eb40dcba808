//! The HTTP API of a house.
//!
//! One table of [routes](route::ROUTES) says everything about each operation: its path, who may,
//! how often, what it takes and gives. The router, the OpenAPI document and the tests come from it.
//! The path of a request is in [`call`]: who is it → may they → how often → what do they say →
//! once? → the command of the market, in one transaction → the answer, or a [`problem`].

pub mod answer;
mod api;
pub mod app;
pub mod ask;
pub mod call;
mod cookie;
mod events;
pub mod openapi;
pub mod outside;
pub mod problem;
mod rate;
pub mod route;
pub mod serve;

pub use app::App;
pub use outside::contact::Contact;
pub use problem::Problem;
