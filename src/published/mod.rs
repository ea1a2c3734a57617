//! The older reports' schema: an export of an experiment's records and an import of published results,
//! used by nothing else.

pub mod agent;
