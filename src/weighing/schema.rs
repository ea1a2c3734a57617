//! The schema of the result format, `docs/schema/result-1.json`.

use super::{Record, SCHEMA};
use crate::experiment::schema::is_that_of;

#[test]
fn the_schema_is_that_of_the_types() {
    is_that_of::<Record>(SCHEMA, "result-1.json");
}
