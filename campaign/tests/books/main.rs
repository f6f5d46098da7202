//! Lists, plans, reports, audits and reconciliations, from the outside.

mod list;
