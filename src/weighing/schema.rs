//! The schema of the result format, `docs/schema/result-1.json`: made from the types, so that it
//! says what they say, and kept beside them, so that nobody needs Rust to read a result.

use super::{Record, SCHEMA};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Says that the file is to be written.
const WRITE: &str = "TARE_WRITE_SCHEMA";

fn generated<T: JsonSchema>(named: &str) -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
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

/// That the file in `docs/schema` is the schema of `T`, whose name and version are `named`.
pub(crate) fn is_that_of<T: JsonSchema>(named: &str, file: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/schema")
        .join(file);
    let generated = generated::<T>(named);
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
fn the_schema_is_that_of_the_types() {
    is_that_of::<Record>(SCHEMA, "result-1.json");
}
