//! The types of Ollama's requests, as far as the mock reads them, and Go's words for a value that
//! does not fit.
//!
//! Go names the struct, the path of fields and the type. It goes on after a misfit and reports the
//! first one, unless a type that reads itself (`keep_alive`, `think`, a message of `/api/chat`)
//! refuses: that ends it at once.

use super::scan::Node;
use super::{Refusal, parse_duration, quote};
use crate::server::base64;
use serde_json::{Map, Number, Value};

/// A struct of Go.
pub struct Struct {
    /// With its package.
    pub(super) name: &'static str,
    pub(super) fields: &'static [(&'static str, Type)],
}

/// A type of Go, of a field or of a list's items.
pub(super) enum Type {
    Text,
    Bool,
    Int,
    Int32,
    Float,
    Float32,
    /// A map that keeps its order, and reads itself.
    Arguments,
    /// Base64 of an image.
    Bytes,
    /// Whatever it is.
    Any,
    /// `map[string]any`
    Map,
    /// `map[string]string`
    TextMap,
    /// The same, which Ollama reads later, field by field.
    Options,
    List(&'static Type),
    /// A list whose type has a name of its own.
    NamedList(&'static str, &'static Type),
    Struct(&'static Struct),
    /// A struct that reads itself by an alias, and its name.
    Own(&'static str, &'static Struct),
    /// Seconds or a duration.
    KeepAlive,
    /// A switch or a level.
    Think,
}

/// `POST /api/generate`
pub const GENERATE: Struct = Struct {
    name: "api.GenerateRequest",
    fields: &[
        ("model", Type::Text),
        ("prompt", Type::Text),
        ("suffix", Type::Text),
        ("system", Type::Text),
        ("template", Type::Text),
        ("context", Type::List(&Type::Int)),
        ("stream", Type::Bool),
        ("raw", Type::Bool),
        ("keep_alive", Type::KeepAlive),
        ("options", Type::Options),
        ("think", Type::Think),
        ("images", Type::List(&Type::Bytes)),
        ("width", Type::Int32),
        ("height", Type::Int32),
        ("steps", Type::Int32),
        ("format", Type::Any),
        ("truncate", Type::Bool),
        ("shift", Type::Bool),
        ("_debug_render_only", Type::Bool),
        ("logprobs", Type::Bool),
        ("top_logprobs", Type::Int),
    ],
};

/// `POST /api/chat`
pub const CHAT: Struct = Struct {
    name: "api.ChatRequest",
    fields: &[
        ("model", Type::Text),
        ("messages", Type::List(&Type::Own("api.Message", &MESSAGE))),
        ("stream", Type::Bool),
        ("keep_alive", Type::KeepAlive),
        ("options", Type::Options),
        ("think", Type::Think),
        ("tools", Type::NamedList("api.Tools", &Type::Struct(&TOOL))),
        ("format", Type::Any),
        ("truncate", Type::Bool),
        ("shift", Type::Bool),
        ("_debug_render_only", Type::Bool),
        ("logprobs", Type::Bool),
        ("top_logprobs", Type::Int),
    ],
};

const NATIVE_CALL: Struct = Struct {
    name: "api.ToolCall",
    fields: &[
        ("id", Type::Text),
        ("function", Type::Struct(&NATIVE_CALL_FUNCTION)),
    ],
};

const NATIVE_CALL_FUNCTION: Struct = Struct {
    name: "api.ToolCallFunction",
    fields: &[
        ("index", Type::Int),
        ("name", Type::Text),
        ("arguments", Type::Arguments),
    ],
};

const TOOL: Struct = Struct {
    name: "api.Tool",
    fields: &[
        ("type", Type::Text),
        ("items", Type::Any),
        ("function", Type::Struct(&TOOL_FUNCTION)),
    ],
};

const TOOL_FUNCTION: Struct = Struct {
    name: "api.ToolFunction",
    fields: &[
        ("name", Type::Text),
        ("description", Type::Text),
        ("parameters", Type::Any),
    ],
};

pub(super) const MESSAGE: Struct = Struct {
    name: "api.Alias",
    fields: &[
        ("role", Type::Text),
        ("content", Type::Text),
        ("thinking", Type::Text),
        ("images", Type::List(&Type::Bytes)),
        ("tool_calls", Type::List(&Type::Struct(&NATIVE_CALL))),
        ("tool_name", Type::Text),
        ("tool_call_id", Type::Text),
    ],
};

/// `POST /api/show`
pub const SHOW: Struct = Struct {
    name: "api.ShowRequest",
    fields: &[
        ("model", Type::Text),
        ("system", Type::Text),
        ("template", Type::Text),
        ("verbose", Type::Bool),
        ("options", Type::Map),
        ("name", Type::Text),
    ],
};

/// `POST /v1/chat/completions`
pub const CHAT_COMPLETION: Struct = Struct {
    name: "openai.ChatCompletionRequest",
    fields: &[
        ("model", Type::Text),
        ("messages", Type::List(&Type::Struct(&OPENAI_MESSAGE))),
        ("stream", Type::Bool),
        ("stream_options", Type::Struct(&STREAM_OPTIONS)),
        ("max_tokens", Type::Int),
        ("seed", Type::Int),
        ("stop", Type::Any),
        ("temperature", Type::Float),
        ("frequency_penalty", Type::Float),
        ("presence_penalty", Type::Float),
        ("top_p", Type::Float),
        ("response_format", Type::Struct(&RESPONSE_FORMAT)),
        ("tools", Type::List(&Type::Struct(&TOOL))),
        ("reasoning", Type::Struct(&REASONING)),
        ("reasoning_effort", Type::Text),
        ("logprobs", Type::Bool),
        ("top_logprobs", Type::Int),
    ],
};

const RESPONSE_FORMAT: Struct = Struct {
    name: "openai.ResponseFormat",
    fields: &[
        ("type", Type::Text),
        ("json_schema", Type::Struct(&JSON_SCHEMA)),
    ],
};

const JSON_SCHEMA: Struct = Struct {
    name: "openai.JsonSchema",
    fields: &[("schema", Type::Any)],
};

const REASONING: Struct = Struct {
    name: "openai.Reasoning",
    fields: &[("effort", Type::Text)],
};

/// `POST /v1/completions`
pub const COMPLETION: Struct = Struct {
    name: "openai.CompletionRequest",
    fields: &[
        ("model", Type::Text),
        ("prompt", Type::Text),
        ("frequency_penalty", Type::Float32),
        ("max_tokens", Type::Int),
        ("presence_penalty", Type::Float32),
        ("seed", Type::Int),
        ("stop", Type::Any),
        ("stream", Type::Bool),
        ("stream_options", Type::Struct(&STREAM_OPTIONS)),
        ("temperature", Type::Float32),
        ("top_p", Type::Float32),
        ("suffix", Type::Text),
        ("logprobs", Type::Int),
    ],
};

/// `POST /v1/responses`
pub const RESPONSES: Struct = Struct {
    name: "openai.ResponsesRequest",
    fields: &[
        ("model", Type::Text),
        ("background", Type::Bool),
        ("include", Type::List(&Type::Text)),
        ("input", Type::Any),
        ("instructions", Type::Text),
        ("max_output_tokens", Type::Int),
        ("reasoning", Type::Struct(&RESPONSES_REASONING)),
        ("temperature", Type::Float),
        ("text", Type::Struct(&RESPONSES_TEXT)),
        ("top_p", Type::Float),
        ("truncation", Type::Text),
        ("tools", Type::List(&Type::Struct(&RESPONSES_TOOL))),
        ("stream", Type::Bool),
    ],
};

const RESPONSES_REASONING: Struct = Struct {
    name: "openai.ResponsesReasoning",
    fields: &[
        ("effort", Type::Text),
        ("generate_summary", Type::Text),
        ("summary", Type::Text),
    ],
};

const RESPONSES_TEXT: Struct = Struct {
    name: "openai.ResponsesText",
    fields: &[("format", Type::Struct(&RESPONSES_FORMAT))],
};

const RESPONSES_FORMAT: Struct = Struct {
    name: "openai.ResponsesTextFormat",
    fields: &[
        ("type", Type::Text),
        ("name", Type::Text),
        ("schema", Type::Any),
        ("strict", Type::Bool),
    ],
};

const RESPONSES_TOOL: Struct = Struct {
    name: "openai.ResponsesTool",
    fields: &[
        ("type", Type::Text),
        ("name", Type::Text),
        ("description", Type::Text),
        ("strict", Type::Bool),
        ("parameters", Type::Map),
    ],
};

/// `POST /v1/messages`
pub const MESSAGES: Struct = Struct {
    name: "anthropic.MessagesRequest",
    fields: &[
        ("model", Type::Text),
        ("max_tokens", Type::Int),
        ("messages", Type::List(&Type::Struct(&MESSAGE_PARAM))),
        ("system", Type::Any),
        ("stream", Type::Bool),
        ("temperature", Type::Float),
        ("top_p", Type::Float),
        ("top_k", Type::Int),
        ("stop_sequences", Type::List(&Type::Text)),
        ("tools", Type::List(&Type::Struct(&MESSAGES_TOOL))),
        ("tool_choice", Type::Struct(&TOOL_CHOICE)),
        ("thinking", Type::Struct(&THINKING)),
    ],
};

const MESSAGE_PARAM: Struct = Struct {
    name: "anthropic.MessageParam",
    fields: &[("role", Type::Text), ("content", Type::Any)],
};

const MESSAGES_TOOL: Struct = Struct {
    name: "anthropic.Tool",
    fields: &[
        ("type", Type::Text),
        ("name", Type::Text),
        ("description", Type::Text),
        ("input_schema", Type::Any),
        ("max_uses", Type::Int),
    ],
};

const TOOL_CHOICE: Struct = Struct {
    name: "anthropic.ToolChoice",
    fields: &[
        ("type", Type::Text),
        ("name", Type::Text),
        ("disable_parallel_tool_use", Type::Bool),
    ],
};

const THINKING: Struct = Struct {
    name: "anthropic.ThinkingConfig",
    fields: &[("type", Type::Text), ("budget_tokens", Type::Int)],
};

const OPENAI_MESSAGE: Struct = Struct {
    name: "openai.Message",
    fields: &[
        ("role", Type::Text),
        ("content", Type::Any),
        ("reasoning", Type::Text),
        ("tool_calls", Type::List(&Type::Struct(&TOOL_CALL))),
        ("name", Type::Text),
        ("tool_call_id", Type::Text),
    ],
};

const TOOL_CALL: Struct = Struct {
    name: "openai.ToolCall",
    fields: &[
        ("id", Type::Text),
        ("index", Type::Int),
        ("type", Type::Text),
        ("function", Type::Any),
    ],
};

const STREAM_OPTIONS: Struct = Struct {
    name: "openai.StreamOptions",
    fields: &[("include_usage", Type::Bool)],
};

/// The options: what Ollama calls their types, and which ones.
const OPTIONS: [(&str, &[&str]); 4] = [
    (
        "integer",
        &[
            "num_gpu",
            "num_ctx",
            "num_batch",
            "main_gpu",
            "num_thread",
            "top_k",
            "seed",
            "num_predict",
            "num_keep",
            "repeat_last_n",
        ],
    ),
    (
        "float32",
        &[
            "temperature",
            "top_p",
            "min_p",
            "typical_p",
            "repeat_penalty",
            "presence_penalty",
            "frequency_penalty",
        ],
    ),
    ("boolean", &["use_mmap"]),
    ("array", &["stop"]),
];

impl Type {
    fn name(&self) -> String {
        match self {
            Type::Text => "string".to_owned(),
            Type::Bool => "bool".to_owned(),
            Type::Int => "int".to_owned(),
            Type::Int32 => "int32".to_owned(),
            Type::Float => "float64".to_owned(),
            Type::Float32 => "float32".to_owned(),
            Type::Bytes => "api.ImageData".to_owned(),
            Type::Map | Type::Options => "map[string]interface {}".to_owned(),
            Type::TextMap => "map[string]string".to_owned(),
            Type::List(item) => format!("[]{}", item.name()),
            Type::Struct(shape) => shape.name.to_owned(),
            Type::Own(name, _) | Type::NamedList(name, _) => (*name).to_owned(),
            // These take whatever comes, and refuse it themselves.
            Type::Any | Type::Arguments | Type::KeepAlive | Type::Think => {
                "interface {}".to_owned()
            }
        }
    }
}

impl Struct {
    /// The value as serde is to read it: only fields of this struct, by their names, none null. With
    /// it comes what Ollama says of an option of the wrong type, which is left out.
    ///
    /// # Errors
    /// When Go would not take it.
    pub fn fit(&self, node: Node) -> Result<(Value, Option<String>), Refusal> {
        let mut fit = Fit {
            place: Vec::new(),
            owner: None,
            misfit: None,
            option: None,
        };
        let value = fit
            .shape(self, self.short_name(), node)
            .map_err(Refusal::Bad)?;
        if let Some(misfit) = fit.misfit {
            return Err(Refusal::Bad(misfit));
        }
        let value = match value {
            // To Go, `null` is a struct without a field set.
            Value::Null => Value::Object(Map::new()),
            value => value,
        };
        Ok((value, fit.option))
    }

    fn short_name(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }
}

/// A value being fitted to a type. An `Err` is the refusal of a type that reads itself.
struct Fit {
    /// The fields on the way here.
    place: Vec<&'static str>,
    /// The struct that Go would name.
    owner: Option<&'static str>,
    misfit: Option<String>,
    option: Option<String>,
}

impl Fit {
    /// `owner` is the struct that Go names for its fields.
    fn shape(&mut self, shape: &Struct, owner: &'static str, node: Node) -> Result<Value, String> {
        let fields = match node {
            Node::Object(fields) => fields,
            Node::Null => return Ok(Value::Null),
            other => return Ok(self.misfit(&other, shape.name)),
        };
        let around = self.owner.replace(owner);
        let mut object = Map::new();
        for (name, node) in fields {
            let exact = shape.fields.iter().find(|(field, _)| *field == name);
            let any_case = |(field, _): &&(&str, Type)| field.eq_ignore_ascii_case(&name);
            let Some((field, kind)) = exact.or_else(|| shape.fields.iter().find(any_case)) else {
                continue;
            };
            self.place.push(field);
            let value = self.value(kind, node)?;
            self.place.pop();
            if !value.is_null() {
                object.insert((*field).to_owned(), value);
            }
        }
        self.owner = around;
        Ok(Value::Object(object))
    }

    fn value(&mut self, kind: &Type, node: Node) -> Result<Value, String> {
        Ok(match (kind, node) {
            (Type::Own(_, shape), node) => self.own(shape, node)?,
            (_, Node::Null) => Value::Null,
            (Type::Any, node)
            | (Type::Text, node @ Node::Text(_))
            | (Type::Bool, node @ Node::Bool(_)) => plain(node),
            (Type::Int32, Node::Number(written)) => match written.parse::<i32>() {
                Ok(number) => number.into(),
                Err(_) => self.misfit_of(&format!("number {written}"), "int32"),
            },
            (Type::Int, Node::Number(written)) => match written.parse::<i64>() {
                Ok(number) => number.into(),
                Err(_) => self.misfit_of(&format!("number {written}"), "int"),
            },
            (Type::Float | Type::Float32, Node::Number(written)) => number(&written)
                .unwrap_or_else(|| self.misfit_of(&format!("number {written}"), &kind.name())),
            (Type::Bytes, Node::Text(text)) => {
                if let Err(at) = base64::check(&text) {
                    self.misfit.get_or_insert(base64::complaint(at));
                }
                text.into()
            }
            (Type::Map, node @ Node::Object(_)) => plain(node),
            (Type::TextMap, Node::Object(fields)) => {
                let mut texts = Map::new();
                for (name, node) in fields {
                    texts.insert(name, self.value(&Type::Text, node)?);
                }
                texts.retain(|_, text| !text.is_null());
                Value::Object(texts)
            }
            (Type::Options, Node::Object(options)) => self.options(options),
            (Type::List(item) | Type::NamedList(_, item), Node::List(items)) => {
                let items = items.into_iter().map(|node| self.value(item, node));
                let items: Result<Vec<_>, _> = items.collect();
                Value::Array(items?)
            }
            (Type::Struct(shape), node) => self.shape(shape, shape.short_name(), node)?,
            (Type::Arguments, node @ Node::Object(_)) => plain(node),
            (Type::Arguments, _) => {
                return Err("Value looks like object, but can't find closing '}' symbol".to_owned());
            }
            (Type::KeepAlive, node) => keep_alive(node)?,
            (Type::Think, node) => think(node)?,
            (kind, node) => self.misfit(&node, &kind.name()),
        })
    }

    /// A struct that reads itself: what does not fit in it is refused at once, under the name of
    /// the struct around it.
    fn own(&mut self, shape: &Struct, node: Node) -> Result<Value, String> {
        let before = self.misfit.take();
        let owner = self.owner.unwrap_or(shape.short_name());
        let value = self.shape(shape, owner, node)?;
        if let Some(misfit) = self.misfit.take() {
            return Err(misfit);
        }
        self.misfit = before;
        Ok(match value {
            Value::Null => Value::Object(Map::new()),
            value => value,
        })
    }

    /// The options, of which Go makes no more than a map; their types matter later.
    fn options(&mut self, options: Vec<(String, Node)>) -> Value {
        let mut object = Map::new();
        for (name, node) in options {
            let typed = OPTIONS.iter().find(|(_, names)| names.contains(&&*name));
            let value = match (typed, node) {
                (_, Node::Null) => continue,
                (None, node) => plain(node),
                (Some(("boolean", _)), node @ Node::Bool(_)) => plain(node),
                (Some(("float32", _)), node @ Node::Number(_)) => plain(node),
                (Some(("array", _)), Node::List(items)) => {
                    if !items.iter().all(|item| matches!(item, Node::Text(_))) {
                        let words =
                            format!("option {} must be of an array of strings", quote(&name));
                        self.option.get_or_insert(words);
                        continue;
                    }
                    items.into_iter().map(plain).collect()
                }
                // Go reads a number with a fraction, and cuts it off.
                (Some(("integer", _)), Node::Number(written)) => match written.parse::<i64>() {
                    Ok(number) => number.into(),
                    Err(_) => (written.parse::<f64>().unwrap_or_default() as i64).into(),
                },
                (Some((kind, _)), _) => {
                    let words = format!("option {} must be of type {kind}", quote(&name));
                    self.option.get_or_insert(words);
                    continue;
                }
            };
            object.insert(name, value);
        }
        Value::Object(object)
    }

    fn misfit(&mut self, node: &Node, wanted: &str) -> Value {
        let found = match node {
            Node::Null => "null",
            Node::Bool(_) => "bool",
            Node::Number(_) => "number",
            Node::Text(_) => "string",
            Node::List(_) => "array",
            Node::Object(_) => "object",
        };
        self.misfit_of(found, wanted)
    }

    fn misfit_of(&mut self, found: &str, wanted: &str) -> Value {
        let place = match self.owner {
            Some(owner) => format!("Go struct field {owner}.{}", self.place.join(".")),
            None => "Go value".to_owned(),
        };
        let words = format!("json: cannot unmarshal {found} into {place} of type {wanted}");
        self.misfit.get_or_insert(words);
        Value::Null
    }
}

/// A value as it is.
fn plain(node: Node) -> Value {
    match node {
        Node::Null => Value::Null,
        Node::Bool(value) => value.into(),
        Node::Number(written) => number(&written).unwrap_or_default(),
        Node::Text(text) => text.into(),
        Node::List(items) => items.into_iter().map(plain).collect(),
        Node::Object(fields) => {
            let fields = fields.into_iter();
            fields.map(|(name, node)| (name, plain(node))).collect()
        }
    }
}

/// A number; none where it is too large for one.
fn number(written: &str) -> Option<Value> {
    if let Ok(whole) = written.parse::<i64>() {
        return Some(whole.into());
    }
    let number = Number::from_f64(written.parse().ok()?)?;
    Some(Value::Number(number))
}

fn keep_alive(node: Node) -> Result<Value, String> {
    let kind = match node {
        Node::Number(_) => return Ok(plain(node)),
        Node::Text(text) => return parse_duration(&text).map(|_| text.into()),
        Node::Bool(_) => "bool",
        Node::List(_) => "[]interface {}",
        Node::Object(_) => "map[string]interface {}",
        Node::Null => return Ok(Value::Null),
    };
    Err(format!("Unsupported type: '{kind}'"))
}

fn think(node: Node) -> Result<Value, String> {
    const LEVELS: &str = r#""high", "medium", "low", true, or false"#;
    match node {
        Node::Bool(switch) => Ok(switch.into()),
        Node::Text(level) if matches!(&*level, "high" | "medium" | "low") => Ok(level.into()),
        Node::Text(level) => {
            let level = quote(&level);
            Err(format!("invalid think value: {level} (must be {LEVELS})"))
        }
        _ => Err(format!("think must be a boolean or string ({LEVELS})")),
    }
}
