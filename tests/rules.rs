//! May it happen: grants, paths, egress, budget, guard.

mod ask;
mod approval;
mod budget;
mod budget_model;
mod denial;
mod egress_address;
mod egress_policy;
mod egress_target;
mod grant;
mod guard;
mod guard_world;
mod jose;
mod ledger;
mod kill;
mod life;
mod path;
mod pattern;
mod price;
mod prices_import;
