//! `POST /v1/chat/completions`: a chat in OpenAI's words, as Ollama translates it.
//!
//! The engine, the text and the errors are those of `/api/chat`; only their form differs, and a
//! reply streams only where the request says so. Ollama knows `max_tokens` alone: its newer name
//! `max_completion_tokens` is left unread.

use super::answer::{Asked, Wants, prompt};
use super::base64;
use super::composed::Spoken;
use super::form::{Form, From, Whole};
use super::go_json;
use super::json;
use super::log::Tell;
use super::logprobs::Logprob;
use super::routes::{Error, body};
use super::tools::{Call, Tool};
use crate::protocol::Options;
use crate::protocol::wire::{Effort, Final, Think, Truth, signed_too};
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What Ollama puts into `system_fingerprint`.
pub const FINGERPRINT: &str = "fp_ollama";

#[derive(Deserialize)]
struct ChatCompletionRequest {
    model: Option<String>,
    messages: Option<Vec<Message>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<i32>,
    #[serde(default, deserialize_with = "signed_too")]
    seed: Option<u64>,
    #[serde(default)]
    stop: Value,
    temperature: Option<f64>,
    top_p: Option<f64>,
    #[serde(rename = "frequency_penalty")]
    _frequency_penalty: Option<f64>,
    #[serde(rename = "presence_penalty")]
    _presence_penalty: Option<f64>,
    response_format: Option<ResponseFormat>,
    tools: Option<Vec<Tool>>,
    reasoning: Option<Reasoning>,
    reasoning_effort: Option<String>,
    logprobs: Option<bool>,
    top_logprobs: Option<i64>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    content: Value,
    tool_calls: Option<Vec<GivenCall>>,
}

/// A call that an earlier answer made.
#[derive(Deserialize)]
struct GivenCall {
    #[serde(default)]
    function: Value,
}

#[derive(Deserialize)]
struct ResponseFormat {
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    json_schema: Value,
}

#[derive(Deserialize)]
struct Reasoning {
    effort: Option<String>,
}

/// What a stream is to have besides the answer.
#[derive(Deserialize)]
pub struct StreamOptions {
    include_usage: Option<bool>,
}

/// Reads a request.
///
/// # Errors
/// With Ollama's words, where it would refuse it before it looks for the model.
pub async fn read(request: Request<Incoming>) -> Result<Asked, Error> {
    let truth = Tell::of(&request);
    let body = body(request).await?;
    let asked: ChatCompletionRequest = go_json::read(&body, &go_json::CHAT_COMPLETION)
        .map_err(|refusal| refusal.into_error("EOF"))?;
    let messages = asked.messages.unwrap_or_default();
    if messages.is_empty() {
        return Err(Error::bad("[] is too short - 'messages'"));
    }
    let mut said = Vec::new();
    let mut has_images = false;
    for message in &messages {
        has_images |= message.say(&mut said)?;
    }
    let last = messages.last().and_then(|last| last.role.as_deref());
    let effort = match asked.reasoning {
        Some(reasoning) => reasoning.effort,
        None => asked.reasoning_effort,
    };
    let effort = effort.filter(|effort| !effort.is_empty());
    Ok(Asked {
        model: asked.model.unwrap_or_default(),
        prompt: prompt(&said),
        stream: asked.stream.unwrap_or(false),
        think: effort.as_deref().map(think).transpose()?,
        keep_alive: None,
        options: Options {
            num_predict: asked.max_tokens,
            seed: asked.seed,
            temperature: asked.temperature,
            top_p: asked.top_p,
            ..Options::default()
        },
        form: Form::ChatCompletion(Completion {
            created: jiff::Timestamp::now().as_second(),
            closing: Closing::of(asked.stream_options.as_ref()),
            called: false,
        }),
        truth,
        wants: Wants {
            // Of a list, only the texts are taken.
            stop: stops(&asked.stop).unwrap_or_default(),
            format: asked
                .response_format
                .map_or(Value::Null, ResponseFormat::format),
            tools: asked.tools.unwrap_or_default(),
            has_result: last.is_some_and(|role| role.eq_ignore_ascii_case("tool")),
            logprobs: asked.logprobs.unwrap_or(false),
            top_logprobs: asked.top_logprobs.unwrap_or(0),
            has_images,
            ..Wants::default()
        },
    })
}

impl ResponseFormat {
    /// As Ollama's own `format`.
    fn format(self) -> Value {
        let kind = self.r#type.unwrap_or_default();
        match kind.trim().to_lowercase().as_str() {
            "json_object" => "json".into(),
            "json_schema" => self.json_schema["schema"].clone(),
            _ => Value::Null,
        }
    }
}

/// Stop strings: one, or a list.
///
/// # Errors
/// With Go's name for the first item of a list that is not text.
pub fn stops(stop: &Value) -> Result<Vec<String>, &'static str> {
    match stop {
        Value::String(one) => Ok(vec![one.clone()]),
        Value::Array(list) => {
            let texts = list.iter().map(|one| match one {
                Value::String(one) => Ok(one.clone()),
                other => Err(go_type(other)),
            });
            texts.collect()
        }
        _ => Ok(Vec::new()),
    }
}

/// As Go names the type of what was read into anything.
pub fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

impl Message {
    /// Adds what it says to `said`: each part of a list is a message of its own. Says whether there
    /// are images in it.
    fn say<'a>(&'a self, said: &mut Vec<&'a str>) -> Result<bool, Error> {
        for call in self.tool_calls.iter().flatten() {
            let arguments = call.function["arguments"].as_str().unwrap_or_default();
            if !serde_json::from_str::<Value>(arguments).is_ok_and(|value| value.is_object()) {
                return Err(Error::bad("invalid tool call arguments"));
            }
        }
        let mut has_images = false;
        match &self.content {
            Value::String(text) => said.push(text),
            Value::Array(parts) => {
                for part in parts {
                    let invalid = || Error::bad("invalid message format");
                    match part["type"].as_str() {
                        Some("text") => said.push(part["text"].as_str().ok_or_else(invalid)?),
                        Some("image_url") => {
                            let url = match &part["image_url"] {
                                Value::Object(image) => image.get("url").and_then(Value::as_str),
                                url => url.as_str(),
                            };
                            image(url.ok_or_else(invalid)?)?;
                            has_images = true;
                            said.push("");
                        }
                        _ => return Err(invalid()),
                    }
                }
            }
            // Only a call of a tool may say nothing.
            _ if self.tool_calls.is_some() => said.push(""),
            other => {
                let kind = go_type(other);
                return Err(Error::bad(format!("invalid message content type: {kind}")));
            }
        }
        Ok(has_images)
    }
}

/// Looks at an image, which Ollama takes only in the request itself.
///
/// # Errors
/// In Ollama's words.
pub fn image(url: &str) -> Result<(), Error> {
    const TYPES: [&str; 5] = [
        "data:;base64,",
        "data:image/jpeg;base64,",
        "data:image/jpg;base64,",
        "data:image/png;base64,",
        "data:image/webp;base64,",
    ];
    if url.starts_with("http://") || url.starts_with("https://") {
        return Err(Error::bad(
            "image URLs are not currently supported, please use base64 encoded data instead",
        ));
    }
    let data = TYPES.iter().find_map(|start| url.strip_prefix(start));
    match data.map(base64::check) {
        Some(Ok(())) => Ok(()),
        _ => Err(Error::bad("invalid image input")),
    }
}

fn think(effort: &str) -> Result<Think, Error> {
    match effort {
        "none" => Ok(Think::Switch(false)),
        "low" => Ok(Think::Effort(Effort::Low)),
        "medium" => Ok(Think::Effort(Effort::Medium)),
        "high" => Ok(Think::Effort(Effort::High)),
        other => Err(Error::bad(format!(
            "invalid reasoning value: '{other}' (must be \"high\", \"medium\", \"low\", or \"none\")"
        ))),
    }
}

/// What all parts of one reply share.
#[derive(Clone, Copy)]
pub struct Completion {
    /// Seconds since 1970.
    created: i64,
    closing: Closing,
    /// Whether a tool has been called.
    called: bool,
}

/// How a stream ends.
#[derive(Clone, Copy)]
pub enum Closing {
    Plain,
    /// With an event that counts the tokens.
    WithUsage,
}

impl Closing {
    pub fn of(options: Option<&StreamOptions>) -> Self {
        match options.and_then(|options| options.include_usage) {
            Some(true) => Closing::WithUsage,
            _ => Closing::Plain,
        }
    }
}

/// An event of a stream, or a whole reply. `C` is its kind of choice.
#[derive(Serialize)]
struct Body<'a, C> {
    id: String,
    object: &'static str,
    created: i64,
    model: &'a str,
    system_fingerprint: &'static str,
    choices: &'a [C],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    /// Where the request asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    tare_truth: Option<&'a Truth>,
}

#[derive(Serialize)]
struct Chunk<'a> {
    index: u32,
    delta: Delta<'a>,
    finish_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<ChoiceLogprobs<'a>>,
}

#[derive(Serialize)]
struct Delta<'a> {
    role: &'static str,
    content: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reasoning: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
}

impl Delta<'_> {
    const NOTHING: Self = Self {
        role: "assistant",
        content: "",
        reasoning: "",
        tool_calls: Vec::new(),
    };
}

#[derive(Serialize)]
struct ChoiceLogprobs<'a> {
    content: &'a [Logprob],
}

impl<'a> ChoiceLogprobs<'a> {
    fn of(content: &'a [Logprob]) -> Option<Self> {
        (!content.is_empty()).then_some(Self { content })
    }
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: &'a str,
    index: usize,
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: String,
}

impl<'a> ToolCall<'a> {
    fn all(calls: &'a [Call]) -> Vec<Self> {
        let call = |(index, call): (usize, &'a Call)| Self {
            id: &call.id,
            index,
            r#type: "function",
            function: Function {
                name: &call.name,
                arguments: call.arguments_text(),
            },
        };
        calls.iter().enumerate().map(call).collect()
    }
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: Delta<'a>,
    finish_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<ChoiceLogprobs<'a>>,
}

/// How many tokens there were.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

impl Usage {
    pub fn of(last: &Final) -> Self {
        Self {
            prompt_tokens: last.prompt_eval_count,
            completion_tokens: last.eval_count,
            total_tokens: last.prompt_eval_count + last.eval_count,
        }
    }
}

impl Completion {
    fn body<'a, C>(&self, from: From<'a>, object: &'static str, choices: &'a [C]) -> Body<'a, C> {
        Body {
            id: format!("chatcmpl-{}", from.number),
            object,
            created: self.created,
            model: from.model,
            system_fingerprint: FINGERPRINT,
            choices,
            usage: None,
            tare_truth: None,
        }
    }

    fn chunk<'a>(&self, from: From<'a>, choices: &'a [Chunk<'a>]) -> Body<'a, Chunk<'a>> {
        self.body(from, "chat.completion.chunk", choices)
    }

    /// The event of a piece. Each one names the role.
    pub fn piece(&mut self, from: From<'_>, said: Spoken<'_>, logprobs: &[Logprob]) -> Vec<u8> {
        let mut delta = Delta::NOTHING;
        match said {
            Spoken::Text(text) => delta.content = text,
            Spoken::Thought(text) => delta.reasoning = text,
            Spoken::Call(call) => {
                delta.tool_calls = ToolCall::all(std::slice::from_ref(call));
                self.called = true;
            }
            Spoken::Nothing => {}
        }
        let choice = Chunk {
            index: 0,
            delta,
            finish_reason: None,
            logprobs: ChoiceLogprobs::of(logprobs),
        };
        event(&self.chunk(from, &[choice]))
    }

    /// The events that end a stream. Ollama writes them at once, so they are one HTTP chunk.
    pub fn end(&self, from: From<'_>, last: &Final) -> Vec<u8> {
        let choice = Chunk {
            index: 0,
            delta: Delta::NOTHING,
            finish_reason: finish_reason(self.called, last),
            logprobs: None,
        };
        let choices = [choice];
        let mut finish = self.chunk(from, &choices);
        finish.tare_truth = last.tare_truth.as_ref();
        let mut events = event(&finish);
        if let Closing::WithUsage = self.closing {
            let mut chunk = self.chunk(from, &[]);
            chunk.usage = Some(Usage::of(last));
            events.extend(event(&chunk));
        }
        events.extend_from_slice(b"data: [DONE]\n\n");
        events
    }

    /// The reply as one object.
    pub fn whole(&self, from: From<'_>, whole: &Whole, last: &Final) -> Vec<u8> {
        let choices = [Choice {
            index: 0,
            message: Delta {
                role: "assistant",
                content: &whole.text,
                reasoning: &whole.thoughts,
                tool_calls: ToolCall::all(&whole.calls),
            },
            finish_reason: finish_reason(!whole.calls.is_empty(), last),
            logprobs: ChoiceLogprobs::of(&whole.logprobs),
        }];
        let mut body = self.body(from, "chat.completion", &choices);
        body.usage = Some(Usage::of(last));
        body.tare_truth = last.tare_truth.as_ref();
        line(&body)
    }
}

fn finish_reason(called: bool, last: &Final) -> Option<&str> {
    match called {
        true => Some("tool_calls"),
        false => last.done_reason.as_deref(),
    }
}

/// A server-sent event without a name.
pub fn event(chunk: &impl Serialize) -> Vec<u8> {
    let mut event = b"data: ".to_vec();
    json::write(&mut event, chunk);
    event.extend_from_slice(b"\n\n");
    event
}

/// Go's encoder ends with a newline what it writes to a stream, and here also a whole reply.
pub fn line(value: &impl Serialize) -> Vec<u8> {
    let mut line = json::bytes(value);
    line.push(b'\n');
    line
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorDetail<'a>,
}

#[derive(Serialize)]
struct ErrorDetail<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    /// Always null.
    param: Option<&'static str>,
    /// Always null.
    code: Option<&'static str>,
}

/// The body of an error that the translation itself finds: without a newline, and typed by its
/// status.
pub fn early_error(Error(status, message): &Error) -> Vec<u8> {
    let kind = match *status {
        StatusCode::BAD_REQUEST => "invalid_request_error",
        StatusCode::NOT_FOUND => "not_found_error",
        _ => "api_error",
    };
    json::bytes(&ErrorBody::new(message, kind))
}

/// The body of an error of the API that is translated: of one type, whatever its status.
pub fn error(Error(_, message): &Error) -> Vec<u8> {
    line(&ErrorBody::new(message, "api_error"))
}

impl<'a> ErrorBody<'a> {
    fn new(message: &'a str, kind: &'static str) -> Self {
        Self {
            error: ErrorDetail {
                message,
                kind,
                param: None,
                code: None,
            },
        }
    }
}
