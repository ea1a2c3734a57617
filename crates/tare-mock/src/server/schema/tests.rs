//! What is made fits, by the judgement of a validator that others wrote.

use super::*;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Map;

fn assert_fits(schema: &Value, seed: u64) {
    let made = Schema::new(schema.clone()).expect("sound").value(seed);
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(schema)
        .expect("a schema");
    let errors: Vec<_> = validator
        .iter_errors(&made)
        .map(|e| e.to_string())
        .collect();
    assert!(errors.is_empty(), "{schema}\n{made}\n{errors:?}");
}

#[test]
fn what_people_write_is_followed() {
    let schemas = [
        json!({"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, "required": ["name", "age"]}),
        json!({"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": null}}, "additionalProperties": false}),
        json!({"$defs": {"Friend": {"type": "object", "properties": {"name": {"type": "string"}, "friends": {"type": "array", "items": {"$ref": "#/$defs/Friend"}}}, "required": ["name", "friends"]}}, "$ref": "#/$defs/Friend"}),
        json!({"$defs": {"Node": {"type": "object", "properties": {"left": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}, "right": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}}, "required": ["left", "right"]}}, "$ref": "#/$defs/Node"}),
        json!({"type": "array", "items": {"enum": ["a", 1, null]}, "minItems": 2, "maxItems": 5}),
        json!({"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 9}, "uniqueItems": true, "minItems": 3}),
        json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": false, "minItems": 2}),
        json!({"type": "string", "pattern": "^(\\+[0-9]{2} )?[a-z_]+(-[A-F\\d]{2,4})*$"}),
        json!({"type": "string", "pattern": "^[^a-z\"]{3}(foo|bar)\\.$", "minLength": 7}),
        json!({"type": "string", "minLength": 5, "maxLength": 7}),
        json!({"type": "string", "maxLength": 0}),
        json!({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5}),
        json!({"type": "number", "exclusiveMinimum": 0, "maximum": 0.001}),
        json!({"type": "number", "multipleOf": 0.5, "minimum": -3, "maximum": 3}),
        json!({"type": "integer", "multipleOf": 2.5}),
        json!({"type": "integer", "maximum": -5}),
        json!({"allOf": [{"type": "object", "properties": {"a": {"type": "integer", "minimum": 5}}, "required": ["a"]}, {"properties": {"a": {"maximum": 6}, "b": {"const": "x"}}, "required": ["b"]}]}),
        json!({"oneOf": [{"type": "object", "properties": {"kind": {"const": "a"}, "x": {"type": "integer"}}, "required": ["kind", "x"]}, {"type": "object", "properties": {"kind": {"const": "b"}, "y": {"type": "boolean"}}, "required": ["kind", "y"]}]}),
        json!({"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 2.5}]}),
        json!({"type": ["string", "null", "object"]}),
        json!({"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2}),
        json!({"type": "object", "patternProperties": {"^x-[a-z]{3}$": {"type": "string"}}, "minProperties": 1, "additionalProperties": false}),
        json!({"type": "object", "required": ["nowhere"]}),
        json!({"not": {"type": "string", "maxLength": 10}}),
        json!({"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"type": "string"}}, "required": ["a"], "if": {"properties": {"a": {"const": true}}}, "then": {"required": ["b"]}}),
        json!({"const": {"x": [1, 2]}}),
        json!({}),
        json!(true),
    ];
    for schema in schemas {
        (0..50).for_each(|seed| assert_fits(&schema, seed));
    }
}

#[test]
fn formats_are_formats() {
    for format in [
        "date-time",
        "date",
        "time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uuid",
        "json-pointer",
        "regex",
        "of nobody's knowledge",
    ] {
        let schema = json!({"type": "string", "format": format});
        (0..50).for_each(|seed| assert_fits(&schema, seed));
    }
}

#[test]
fn any_json_is_an_object_that_a_client_has_to_parse() {
    let made = Schema::free().value(3);
    assert!(made["metrics"][0]["value"].is_number(), "{made}");
    assert_eq!(made, Schema::free().value(3));
    assert_ne!(made, Schema::free().value(4));
}

#[test]
fn what_ollama_makes_no_grammar_of_is_refused() {
    for schema in [
        json!({"type": "text"}),
        json!({"type": ["string", 5]}),
        json!({"$ref": "#/$defs/Nowhere"}),
        json!({"properties": {"a": {"$ref": "https://example.com"}}}),
        json!({"type": "string", "pattern": "[a-z]+"}),
        json!({"items": [1]}),
        json!("json"),
    ] {
        assert_eq!(
            Schema::new(schema.clone()).err(),
            Some(InvalidSchema),
            "{schema}"
        );
    }
}

#[test]
fn a_schema_that_demands_itself_without_end_ends() {
    let schema = json!({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]});
    let made = Schema::new(schema).expect("sound").value(1);
    assert!(made.is_object());
    let circle = json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"});
    Schema::new(circle).expect("sound").value(1);
}

/// Schemas that something fits.
fn schemas() -> impl Strategy<Value = Value> {
    let limits = || (0u32..20, 0u32..20).prop_map(|(a, b)| (a.min(b), a.max(b)));
    let leaf = prop_oneof![
        Just(json!({"type": "boolean"})),
        Just(json!({"type": ["null", "integer"]})),
        limits().prop_map(|(a, b)| json!({"type": "string", "minLength": a, "maxLength": b})),
        limits().prop_map(|(a, b)| json!({"type": "integer", "minimum": a, "maximum": b})),
        limits()
            .prop_map(|(a, b)| json!({"type": "number", "minimum": a, "exclusiveMaximum": b + 1})),
        vec(any::<u16>(), 1..4).prop_map(|values| json!({"enum": values})),
        any::<u16>().prop_map(|value| json!({"const": value})),
        Just(json!({"type": "string", "pattern": "^[a-z]{2,5}-\\d+$"})),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let properties = btree_map("[a-d]{1,2}", inner.clone(), 0..4);
        let object = (properties, any::<[bool; 4]>(), any::<bool>()).prop_map(|(map, required, open)| {
            let names = map.keys().zip(required).filter(|(_, is)| *is);
            let required: Vec<_> = names.map(|(name, _)| name.clone()).collect();
            let properties: Map<_, _> = map.into_iter().collect();
            json!({"type": "object", "properties": properties, "required": required, "additionalProperties": open})
        });
        prop_oneof![
            object,
            (inner.clone(), 0u32..3, 0u32..3).prop_map(|(items, least, more)| {
                json!({"type": "array", "items": items, "minItems": least, "maxItems": least + more})
            }),
            vec(inner.clone(), 1..4).prop_map(|any| json!({"anyOf": any})),
            (vec(inner.clone(), 1..3), inner.clone()).prop_map(|(first, rest)| {
                json!({"type": "array", "prefixItems": first, "items": rest})
            }),
            inner.clone().prop_map(|one| json!({"allOf": [one]})),
            inner.prop_map(|values| json!({"type": "object", "additionalProperties": values})),
        ]
    })
}

proptest! {
    #[test]
    fn any_schema_is_followed(schema in schemas(), seed: u64) {
        assert_fits(&schema, seed);
    }

    #[test]
    fn a_seed_says_the_same_again(schema in schemas(), seed: u64) {
        let schema = Schema::new(schema).expect("sound");
        prop_assert_eq!(schema.value(seed), schema.value(seed));
    }
}
