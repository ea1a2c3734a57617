//! The published schemas in `docs/schema`: made from the types, so that they say what those say, and kept
//! as files, so that nobody needs Rust to read a result or to write an arm.

use super::{Manifest, Record, SCHEMA};
use crate::run::{Outcome, Spec};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Says that the file is to be written.
const WRITE: &str = "TARE_WRITE_SCHEMA";

fn generated<T: JsonSchema>(named: &str, settings: SchemaSettings) -> String {
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), named.into());
    plain(
        schema
            .as_object_mut()
            .into_iter()
            .flat_map(|it| it.values_mut()),
    );
    if let Some(name) = schema.pointer_mut("/properties/schema") {
        name["const"] = named.into();
    }
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

/// What is not known is absent, so nothing may be null; and descriptions are not wrapped.
fn plain<'a>(values: impl Iterator<Item = &'a mut Value>) {
    for value in values {
        match value {
            Value::Array(items) => plain(items.iter_mut()),
            Value::Object(of) => {
                if let Some(Value::String(text)) = of.get_mut("description") {
                    *text = text.replace('\n', " ");
                }
                if let Some(Value::Array(types)) = of.get_mut("type") {
                    types.retain(|name| name != "null");
                    if let [only] = &types[..] {
                        let only = only.clone();
                        of.insert("type".to_owned(), only);
                    }
                }
                if let Some(Value::Array(any)) = of.get_mut("anyOf") {
                    any.retain(|one| one["type"] != "null");
                    if let [Value::Object(only)] = &any[..] {
                        let only = only.clone();
                        of.remove("anyOf");
                        of.extend(only);
                    }
                }
                plain(of.values_mut());
            }
            _ => {}
        }
    }
}

/// That the file in `docs/schema` is the schema of `T` as it is written; its name and version are `named`.
pub(crate) fn is_that_of<T: JsonSchema>(named: &str, file: &str) {
    agrees(
        file,
        generated::<T>(named, SchemaSettings::draft2020_12().for_serialize()),
    );
}

/// That it is the schema of `T` as others may write it: they may leave out what has a default.
fn is_read_as<T: JsonSchema>(named: &str, file: &str) {
    agrees(
        file,
        generated::<T>(named, SchemaSettings::draft2020_12().for_deserialize()),
    );
}

fn agrees(file: &str, generated: String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/schema")
        .join(file);
    if std::env::var_os(WRITE).is_some() {
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(&file, generated).expect("a file");
        return;
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == generated,
        "{} is not what the types say. If they were meant to change, write it again:\n    {WRITE}=1 cargo test --lib schema\nand if a field changed its meaning or went, raise the number in its name and in SCHEMA.",
        file.display()
    );
}

#[test]
fn the_schemas_are_those_of_the_types() {
    is_that_of::<Manifest>(SCHEMA, "experiment-1.json");
    is_that_of::<Record>("tare.record/1", "record-1.json");
    is_that_of::<Spec>("tare.run-spec/1", "run-spec-1.json");
    is_read_as::<Outcome>("tare.run-outcome/1", "run-outcome-1.json");
}
