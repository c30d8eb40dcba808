//! May it happen: grants, paths, egress, budget, guard.

mod approval;
mod ask;
mod budget;
mod budget_model;
mod content;
mod denial;
mod egress_address;
mod egress_policy;
mod egress_target;
mod grant;
mod guard;
mod guard_world;
mod jose;
mod kill;
mod ledger;
mod life;
mod path;
mod pattern;
mod price;
mod prices_import;
