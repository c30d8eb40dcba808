//! May it happen: grants, paths, egress, budget, guard.

mod egress_address;
mod egress_policy;
mod egress_target;
mod grant;
mod jose;
mod path;
mod pattern;
mod budget;
mod budget_model;
mod price;
