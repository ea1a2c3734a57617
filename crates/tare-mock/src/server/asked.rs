//! Ollama's own requests for an answer, as the mock reads them: with all that may shape it, which
//! our clients never send.

use super::base64;
use super::tools::Tool;
use crate::protocol::Options;
use crate::protocol::wire::{KeepAlive, Think};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The body of `POST /api/generate`.
#[derive(Deserialize)]
pub struct GenerateRequest {
    pub model: Option<String>,
    pub prompt: Option<String>,
    pub suffix: Option<String>,
    pub system: Option<String>,
    pub template: Option<String>,
    pub context: Option<Vec<i64>>,
    pub stream: Option<bool>,
    pub raw: Option<bool>,
    pub images: Option<Vec<Image>>,
    pub think: Option<Think>,
    pub keep_alive: Option<KeepAlive>,
    pub options: Option<GivenOptions>,
    #[serde(default)]
    pub format: Value,
    pub truncate: Option<bool>,
    #[serde(rename = "_debug_render_only")]
    pub renders_only: Option<bool>,
    pub shift: Option<bool>,
    pub logprobs: Option<bool>,
    pub top_logprobs: Option<i64>,
    // These are for models that paint, and only have to be of their type here.
    #[serde(rename = "width")]
    _width: Option<i32>,
    #[serde(rename = "height")]
    _height: Option<i32>,
    #[serde(rename = "steps")]
    _steps: Option<i32>,
}

/// The body of `POST /api/chat`.
#[derive(Deserialize)]
pub struct ChatRequest {
    pub model: Option<String>,
    pub messages: Option<Vec<Message>>,
    pub stream: Option<bool>,
    pub tools: Option<Vec<Tool>>,
    pub think: Option<Think>,
    pub keep_alive: Option<KeepAlive>,
    pub options: Option<GivenOptions>,
    #[serde(default)]
    pub format: Value,
    pub truncate: Option<bool>,
    #[serde(rename = "_debug_render_only")]
    pub renders_only: Option<bool>,
    pub shift: Option<bool>,
    pub logprobs: Option<bool>,
    pub top_logprobs: Option<i64>,
}

/// One message of a chat.
#[derive(Deserialize)]
pub struct Message {
    pub role: Option<String>,
    pub content: Option<String>,
    pub images: Option<Vec<Image>>,
    // Of the rest only matters that it is of its type.
    #[serde(rename = "thinking")]
    _thinking: Option<String>,
    #[serde(rename = "tool_calls")]
    _calls: Option<Vec<GivenCall>>,
    #[serde(rename = "tool_name")]
    _tool_name: Option<String>,
    #[serde(rename = "tool_call_id")]
    _tool_call_id: Option<String>,
}

/// A call that an earlier answer made.
#[derive(Deserialize)]
struct GivenCall {
    #[serde(rename = "id")]
    _id: Option<String>,
    #[serde(rename = "function")]
    _function: Option<GivenFunction>,
}

#[derive(Deserialize)]
struct GivenFunction {
    #[serde(rename = "index")]
    _index: Option<i64>,
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "arguments")]
    _arguments: Option<Map<String, Value>>,
}

/// The options of a request, those for the answer's end among them.
#[derive(Default, Deserialize)]
pub struct GivenOptions {
    #[serde(flatten)]
    pub options: Options,
    pub stop: Option<Vec<String>>,
    // Of these only matters that they are of their type.
    #[serde(rename = "min_p")]
    _min_p: Option<f64>,
    #[serde(rename = "typical_p")]
    _typical_p: Option<f64>,
    #[serde(rename = "presence_penalty")]
    _presence_penalty: Option<f64>,
    #[serde(rename = "frequency_penalty")]
    _frequency_penalty: Option<f64>,
    #[serde(rename = "num_keep")]
    _num_keep: Option<i64>,
    #[serde(rename = "repeat_last_n")]
    _repeat_last_n: Option<i64>,
}

/// An image, of which only matters that it can be read.
pub struct Image;

impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        base64::check(&text).map_err(|at| D::Error::custom(base64::complaint(at)))?;
        Ok(Self)
    }
}
