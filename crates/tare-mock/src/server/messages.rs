//! `POST /v1/messages`: a chat in Anthropic's words, as Ollama translates it.
//!
//! A stream consists of blocks, of thoughts, text and calls, each of which begins and ends by an
//! event of its own. Not here: the search of the web, for which Ollama asks its cloud.

use super::answer::{Asked, Wants, prompt};
use super::base64;
use super::composed::Spoken;
use super::form::{Form, From, Whole, named_event};
use super::go_json;
use super::json;
use super::log::Tell;
use super::openai::{go_type, line};
use super::routes::{Error, body};
use super::tools::{Call, Tool};
use crate::protocol::Options;
use crate::protocol::wire::{Final, Think, Truth};
use hyper::Request;
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Deserialize)]
struct MessagesRequest {
    model: Option<String>,
    max_tokens: Option<i32>,
    messages: Option<Vec<Given>>,
    #[serde(default)]
    system: Value,
    stream: Option<bool>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u32>,
    stop_sequences: Option<Vec<String>>,
    tools: Option<Vec<GivenTool>>,
    thinking: Option<Thinking>,
}

#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    content: Value,
}

#[derive(Deserialize)]
struct GivenTool {
    name: Option<String>,
    description: Option<String>,
    #[serde(default)]
    input_schema: Value,
}

#[derive(Deserialize)]
struct Thinking {
    r#type: Option<String>,
}

/// Reads a request.
///
/// # Errors
/// With Ollama's words, where it would refuse it before it looks for the model.
pub async fn read(request: Request<Incoming>) -> Result<Asked, Error> {
    let truth = Tell::of(&request);
    let body = body(request).await?;
    let asked: MessagesRequest =
        go_json::read(&body, &go_json::MESSAGES).map_err(|refusal| refusal.into_error("EOF"))?;
    let model = asked.model.clone().unwrap_or_default();
    if model.is_empty() {
        return Err(Error::bad("model is required"));
    }
    let max_tokens = asked.max_tokens.filter(|most| *most > 0);
    if max_tokens.is_none() {
        return Err(Error::bad("max_tokens is required and must be positive"));
    }
    let messages = asked.messages.as_deref().unwrap_or_default();
    if messages.is_empty() {
        return Err(Error::bad("messages is required"));
    }
    let mut talk = Talk::default();
    talk.system(&asked.system);
    for message in messages {
        talk.message(&message.content)?;
    }
    let said: Vec<_> = talk.said.iter().map(String::as_str).collect();
    let tools = asked.tools.iter().flatten();
    let tools = tools.map(|tool| {
        let name = tool.name.clone().unwrap_or_default();
        Tool::new(name, tool.input_schema.clone())
    });
    let thinking = asked.thinking.as_ref();
    let thinks = thinking.is_some_and(|asked| asked.r#type.as_deref() == Some("enabled"));
    Ok(Asked {
        model,
        prompt: prompt(&said),
        stream: asked.stream.unwrap_or(false),
        think: thinks.then_some(Think::Switch(true)),
        keep_alive: None,
        options: Options {
            num_predict: max_tokens,
            temperature: asked.temperature,
            top_p: asked.top_p,
            top_k: asked.top_k,
            ..Options::default()
        },
        form: Form::Message(Box::new(Message::new(asked.estimated_tokens()))),
        truth,
        wants: Wants {
            stop: asked.stop_sequences.clone().unwrap_or_default(),
            tools: tools.collect(),
            has_result: talk.ends_with_result,
            has_images: talk.has_images,
            relaxes_thinking: true,
            ..Wants::default()
        },
    })
}

impl MessagesRequest {
    /// The prompt's tokens as Ollama estimates them before it has read the prompt: a quarter of the
    /// bytes of all that is said.
    fn estimated_tokens(&self) -> u64 {
        let messages = self.messages.as_deref().unwrap_or_default();
        let said = messages.iter().map(|message| {
            message.role.as_deref().unwrap_or_default().len() + length(&message.content)
        });
        let tools = self.tools.iter().flatten().map(|tool| {
            let text = |text: &Option<String>| text.as_deref().unwrap_or_default().len();
            let schema = match &tool.input_schema {
                Value::Null => 0,
                schema => schema.to_string().len(),
            };
            text(&tool.name) + text(&tool.description) + schema
        });
        let bytes: usize = length(&self.system) + said.chain(tools).sum::<usize>();
        (bytes as u64 / 4).max(1)
    }
}

/// Bytes of a text, or of blocks.
fn length(content: &Value) -> usize {
    match content {
        Value::Null => 0,
        Value::String(text) => text.len(),
        Value::Array(blocks) => blocks.iter().map(block_length).sum(),
        other => other.to_string().len(),
    }
}

fn block_length(block: &Value) -> usize {
    let text = |name: &str| block[name].as_str().unwrap_or_default().len();
    match block {
        Value::String(text) => text.len(),
        Value::Object(_) => {
            let whole = matches!(block["type"].as_str(), Some("tool_use" | "tool_result"));
            let whole = if whole { block.to_string().len() } else { 0 };
            text("text") + text("thinking") + whole
        }
        _ => 0,
    }
}

/// What messages say.
#[derive(Default)]
struct Talk {
    said: Vec<String>,
    has_images: bool,
    ends_with_result: bool,
}

impl Talk {
    fn system(&mut self, system: &Value) {
        let text = match system {
            Value::String(text) => text.clone(),
            Value::Array(blocks) => texts(blocks),
            _ => String::new(),
        };
        if !text.is_empty() {
            self.said.push(text);
        }
    }

    fn message(&mut self, content: &Value) -> Result<(), Error> {
        self.ends_with_result = false;
        match content {
            Value::String(text) => self.said.push(text.clone()),
            Value::Array(blocks) => {
                let results = blocks.iter().filter(|block| block["type"] == "tool_result");
                blocks.iter().try_for_each(|block| self.block(block))?;
                self.said.push(texts(blocks));
                for result in results {
                    self.ends_with_result = true;
                    self.said.push(match &result["content"] {
                        Value::String(text) => text.clone(),
                        Value::Array(blocks) => texts(blocks),
                        _ => String::new(),
                    });
                }
            }
            other => {
                let kind = go_type(other);
                return Err(Error::bad(format!("invalid message content type: {kind}")));
            }
        }
        Ok(())
    }

    fn block(&mut self, block: &Value) -> Result<(), Error> {
        if !block.is_object() {
            return Err(Error::bad("invalid content block format"));
        }
        match block["type"].as_str() {
            Some("image") => self.image(&block["source"]),
            Some("tool_use") => {
                for field in ["id", "name"] {
                    if !block[field].is_string() {
                        let words = format!("tool_use block missing required '{field}' field");
                        return Err(Error::bad(words));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn image(&mut self, source: &Value) -> Result<(), Error> {
        if !source.is_object() {
            return Err(Error::bad("invalid image source"));
        }
        let kind = source["type"].as_str().unwrap_or_default();
        if kind != "base64" {
            return Err(Error::bad(format!(
                "invalid image source type: {kind}. Only base64 images are supported."
            )));
        }
        base64::check(source["data"].as_str().unwrap_or_default()).map_err(|at| {
            Error::bad(format!(
                "invalid base64 image data: illegal base64 data at input byte {at}"
            ))
        })?;
        self.has_images = true;
        Ok(())
    }
}

/// The text of all blocks that have some.
fn texts(blocks: &[Value]) -> String {
    let blocks = blocks.iter().filter(|block| block["type"] == "text");
    blocks.filter_map(|block| block["text"].as_str()).collect()
}

/// A reply, as far as it has been told.
pub struct Message {
    estimated_tokens: u64,
    begun: bool,
    /// Place of the present block.
    index: usize,
    open: Option<Kind>,
    called: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Thoughts,
    Text,
}

#[derive(Serialize)]
struct Body<'a> {
    id: String,
    r#type: &'static str,
    role: &'static str,
    model: &'a str,
    content: Option<Vec<Block<'a>>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    stop_reason: &'a str,
    usage: Usage,
    /// Where the request asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    tare_truth: Option<&'a Truth>,
}

#[derive(Clone, Copy, Serialize)]
struct Usage {
    input_tokens: u64,
    output_tokens: u64,
}

impl Usage {
    fn of(last: &Final) -> Self {
        Self {
            input_tokens: last.prompt_eval_count,
            output_tokens: last.eval_count,
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Thinking {
        thinking: &'a str,
    },
    Text {
        text: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: &'a Value,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event<'a> {
    MessageStart {
        message: Body<'a>,
    },
    ContentBlockStart {
        index: usize,
        content_block: Block<'a>,
    },
    ContentBlockDelta {
        index: usize,
        delta: Delta<'a>,
    },
    ContentBlockStop {
        index: usize,
    },
    MessageDelta {
        delta: Ending<'a>,
        usage: Usage,
        #[serde(skip_serializing_if = "Option::is_none")]
        tare_truth: Option<&'a Truth>,
    },
    MessageStop,
}

impl Event<'_> {
    fn name(&self) -> &'static str {
        match self {
            Event::MessageStart { .. } => "message_start",
            Event::ContentBlockStart { .. } => "content_block_start",
            Event::ContentBlockDelta { .. } => "content_block_delta",
            Event::ContentBlockStop { .. } => "content_block_stop",
            Event::MessageDelta { .. } => "message_delta",
            Event::MessageStop => "message_stop",
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        named_event(out, self.name(), self);
    }
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: String },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
}

#[derive(Serialize)]
struct Ending<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    stop_reason: &'a str,
}

fn id(from: From<'_>) -> String {
    format!("msg_{:024x}", from.number)
}

/// Why it ended, in Anthropic's words.
fn stop_reason(called: bool, last: &Final) -> &'static str {
    match last.done_reason.as_deref() {
        _ if called => "tool_use",
        Some("stop") => "end_turn",
        Some("length") => "max_tokens",
        Some("") | None => "",
        Some(_) => "stop_sequence",
    }
}

impl Message {
    fn new(estimated_tokens: u64) -> Self {
        Self {
            estimated_tokens,
            begun: false,
            index: 0,
            open: None,
            called: false,
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>, from: From<'_>) {
        if self.begun {
            return;
        }
        self.begun = true;
        let message = Body {
            id: id(from),
            r#type: "message",
            role: "assistant",
            model: from.model,
            content: Some(Vec::new()),
            stop_reason: "",
            usage: Usage {
                input_tokens: self.estimated_tokens,
                output_tokens: 0,
            },
            tare_truth: None,
        };
        Event::MessageStart { message }.write(out);
    }

    /// Ends the present block, if it is not of this kind.
    fn turn_to(&mut self, out: &mut Vec<u8>, kind: Option<Kind>) {
        if self.open.is_some() && self.open != kind {
            Event::ContentBlockStop { index: self.index }.write(out);
            self.index += 1;
            self.open = None;
        }
    }

    fn say(&mut self, out: &mut Vec<u8>, kind: Kind, text: &str) {
        self.turn_to(out, Some(kind));
        let index = self.index;
        if self.open.is_none() {
            let content_block = match kind {
                Kind::Thoughts => Block::Thinking { thinking: "" },
                Kind::Text => Block::Text { text: "" },
            };
            let start = Event::ContentBlockStart {
                index,
                content_block,
            };
            start.write(out);
            self.open = Some(kind);
        }
        let delta = match kind {
            Kind::Thoughts => Delta::Thinking { thinking: text },
            Kind::Text => Delta::Text { text },
        };
        Event::ContentBlockDelta { index, delta }.write(out);
    }

    /// The events of a piece.
    pub fn piece(&mut self, from: From<'_>, said: Spoken<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        self.begin(&mut out, from);
        match said {
            Spoken::Text(text) => self.say(&mut out, Kind::Text, text),
            Spoken::Thought(text) => self.say(&mut out, Kind::Thoughts, text),
            Spoken::Call(call) => self.call(&mut out, call),
            Spoken::Nothing => {}
        }
        out
    }

    fn call(&mut self, out: &mut Vec<u8>, call: &Call) {
        self.turn_to(out, None);
        self.called = true;
        let index = self.index;
        let nothing = Value::Object(Map::new());
        let content_block = Block::ToolUse {
            id: &call.id,
            name: &call.name,
            input: &nothing,
        };
        let start = Event::ContentBlockStart {
            index,
            content_block,
        };
        start.write(out);
        let partial_json = call.arguments_text();
        let delta = Delta::Input { partial_json };
        Event::ContentBlockDelta { index, delta }.write(out);
        Event::ContentBlockStop { index }.write(out);
        self.index += 1;
    }

    /// The events that end a stream.
    pub fn end(&mut self, from: From<'_>, last: &Final) -> Vec<u8> {
        let mut out = Vec::new();
        self.begin(&mut out, from);
        self.turn_to(&mut out, None);
        let delta = Event::MessageDelta {
            delta: Ending {
                stop_reason: stop_reason(self.called, last),
            },
            usage: Usage::of(last),
            tare_truth: last.tare_truth.as_ref(),
        };
        delta.write(&mut out);
        Event::MessageStop.write(&mut out);
        out
    }

    /// The reply as one object.
    pub fn whole(&self, from: From<'_>, whole: &Whole, last: &Final) -> Vec<u8> {
        let mut content = Vec::new();
        if !whole.thoughts.is_empty() {
            let thinking = &whole.thoughts;
            content.push(Block::Thinking { thinking });
        }
        if !whole.text.is_empty() {
            content.push(Block::Text { text: &whole.text });
        }
        content.extend(whole.calls.iter().map(|call| Block::ToolUse {
            id: &call.id,
            name: &call.name,
            input: &call.arguments,
        }));
        line(&Body {
            id: id(from),
            r#type: "message",
            role: "assistant",
            model: from.model,
            // Go writes a list that was never begun as null.
            content: Some(content).filter(|content| !content.is_empty()),
            stop_reason: stop_reason(!whole.calls.is_empty(), last),
            usage: Usage::of(last),
            tare_truth: last.tare_truth.as_ref(),
        })
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    r#type: &'static str,
    error: ErrorDetail<'a>,
    request_id: String,
}

#[derive(Serialize)]
struct ErrorDetail<'a> {
    r#type: &'static str,
    message: &'a str,
}

/// An error's body, without a newline.
pub fn error(Error(status, message): &Error) -> Vec<u8> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let kind = match status.as_u16() {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        _ => "api_error",
    };
    json::bytes(&ErrorBody {
        r#type: "error",
        error: ErrorDetail {
            r#type: kind,
            message,
        },
        request_id: format!("req_{:024x}", NUMBER.fetch_add(1, Ordering::Relaxed)),
    })
}
