//! The schema of the result format, `docs/schema/load-1.json`.

use super::{Record, SCHEMA};
use crate::weighing::schema::is_that_of;

#[test]
fn the_schema_is_that_of_the_types() {
    is_that_of::<Record>(SCHEMA, "load-1.json");
}
