//! Tools that a request offers, and calls of them.

use super::schema::Schema;
use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A tool, as a request describes it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Tool {
    #[serde(default)]
    pub function: Function,
}

/// What a tool does.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Function {
    #[serde(default)]
    pub name: String,
    /// The schema of its arguments.
    #[serde(default)]
    pub parameters: Value,
}

impl Tool {
    pub fn new(name: String, parameters: Value) -> Self {
        Self {
            function: Function { name, parameters },
        }
    }

    /// A call of it with arguments that fit. `number` makes its id another one.
    pub fn call(&self, seed: u64, number: u64) -> Call {
        let arguments = match &self.function.parameters {
            Value::Object(schema) if schema.contains_key("properties") => {
                Schema::lenient(self.function.parameters.clone()).value(seed)
            }
            _ => Value::Null,
        };
        Call {
            id: id(seed, number),
            name: self.function.name.clone(),
            arguments: match arguments {
                Value::Object(arguments) => Value::Object(arguments),
                _ => Value::Object(serde_json::Map::new()),
            },
        }
    }
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub id: String,
    pub name: String,
    /// An object.
    pub arguments: Value,
}

fn id(seed: u64, number: u64) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut rng = Rng::with_seed(seed.rotate_left(32) ^ number);
    let letters = (0..8).map(|_| char::from(LETTERS[rng.usize(..LETTERS.len())]));
    "call_".chars().chain(letters).collect()
}

impl Call {
    /// The call of one of these tools that a JSON text is, if it is one.
    pub fn read(json: &Value, tools: &[Tool], seed: u64, number: u64) -> Option<Self> {
        let name = json.get("name")?.as_str()?;
        tools.iter().find(|tool| tool.function.name == name)?;
        let arguments = json.get("parameters").filter(|given| given.is_object())?;
        Some(Self {
            id: id(seed, number),
            name: name.to_owned(),
            arguments: arguments.clone(),
        })
    }

    /// As a model writes it, before its server makes a call of it.
    pub fn written(&self) -> String {
        let name = Value::from(self.name.as_str());
        format!(r#"{{"name": {name}, "parameters": {}}}"#, self.arguments)
    }

    /// The arguments as text.
    pub fn arguments_text(&self) -> String {
        let mut text = Vec::new();
        super::json::write(&mut text, &self.arguments);
        String::from_utf8(text).unwrap_or_default()
    }
}

/// A call as Ollama's own routes write it.
#[derive(Serialize)]
pub struct NativeCall<'a> {
    id: &'a str,
    function: NativeFunction<'a>,
}

#[derive(Serialize)]
struct NativeFunction<'a> {
    index: usize,
    name: &'a str,
    arguments: &'a Value,
}

impl<'a> NativeCall<'a> {
    /// The `index`th call of an answer.
    pub fn new(index: usize, call: &'a Call) -> Self {
        Self {
            id: &call.id,
            function: NativeFunction {
                index,
                name: &call.name,
                arguments: &call.arguments,
            },
        }
    }

    /// Each of an answer's calls.
    pub fn all(calls: &'a [Call]) -> Vec<Self> {
        let calls = calls.iter().enumerate();
        calls.map(|(index, call)| Self::new(index, call)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_fit_the_schema() {
        let parameters = json!({
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
            "required": ["city", "days"]
        });
        let tool = Tool::new("weather".to_owned(), parameters.clone());
        let call = tool.call(5, 1);
        assert!(
            jsonschema::is_valid(&parameters, &call.arguments),
            "{call:?}"
        );
        assert_eq!(call.name, "weather");
        assert_eq!(call.id.len(), "call_".len() + 8);
        assert_eq!(call, tool.call(5, 1));
        assert_ne!(call.id, tool.call(5, 2).id);
        let read: Value = serde_json::from_str(&call.written()).expect("JSON");
        assert_eq!(read["parameters"], call.arguments);
    }

    #[test]
    fn json_is_a_call_where_it_names_a_tool_and_gives_it_parameters() {
        let tools = [Tool::new("weather".to_owned(), json!({}))];
        let read = |json: Value| Call::read(&json, &tools, 5, 1);
        let call = read(json!({"name": "weather", "parameters": {"city": "Paris"}}));
        let call = call.expect("a call");
        assert_eq!(call.arguments, json!({"city": "Paris"}));
        assert_eq!(call.id, tools[0].call(5, 1).id);
        for other in [
            json!({"name": "other", "parameters": {}}),
            json!({"name": "weather"}),
            json!({"name": "weather", "parameters": 5}),
            json!({"parameters": {}}),
            json!([]),
        ] {
            assert_eq!(read(other.clone()), None, "{other}");
        }
    }

    #[test]
    fn a_tool_that_takes_nothing_is_called_with_nothing() {
        for parameters in [
            Value::Null,
            json!({"type": "object"}),
            json!({"type": "string"}),
        ] {
            let call = Tool::new("now".to_owned(), parameters).call(1, 1);
            assert_eq!(call.arguments, json!({}));
        }
    }
}
