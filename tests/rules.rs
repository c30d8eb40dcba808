//! May it happen: grants, paths, egress, budget, guard.
