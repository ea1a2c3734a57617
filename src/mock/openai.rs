//! `POST /v1/chat/completions`: a chat in OpenAI's words, as Ollama translates it.
//!
//! The engine, the text and the errors are those of `/api/chat`; only their form differs, and a
//! reply streams only where the request says so. Ollama knows `max_tokens` alone; its newer name
//! `max_completion_tokens` is taken too, because the clients send it. Not here: images and
//! tools.

use super::go_json;
use super::json;
use super::routes::{Asked, Error, body, wants_truth};
use super::stream::Dialect;
use crate::ollama::Options;
use crate::ollama::wire::{Effort, Final, Think, Truth, signed_too};
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What Ollama puts into `system_fingerprint`.
const FINGERPRINT: &str = "fp_ollama";

#[derive(Deserialize)]
struct ChatCompletionRequest {
    model: Option<String>,
    messages: Option<Vec<Message>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<i32>,
    max_completion_tokens: Option<i32>,
    #[serde(default, deserialize_with = "signed_too")]
    seed: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    reasoning_effort: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Value,
    tool_calls: Option<Value>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// Reads a request.
///
/// # Errors
/// With Ollama's words, where it would refuse it before it looks for the model.
pub async fn read(request: Request<Incoming>) -> Result<Asked, Error> {
    let truth = wants_truth(&request);
    let body = body(request).await?;
    let asked: ChatCompletionRequest = go_json::read(&body, &go_json::CHAT_COMPLETION)
        .map_err(|refusal| refusal.into_error("EOF"))?;
    let messages = asked.messages.unwrap_or_default();
    if messages.is_empty() {
        return Err(Error::bad("[] is too short - 'messages'"));
    }
    let mut said = Vec::new();
    for message in &messages {
        message.say(&mut said)?;
    }
    let closing = match asked
        .stream_options
        .and_then(|options| options.include_usage)
    {
        Some(true) => Closing::WithUsage,
        _ => Closing::Plain,
    };
    Ok(Asked {
        model: asked.model.unwrap_or_default(),
        prompt: super::routes::prompt(&said),
        stream: asked.stream.unwrap_or(false),
        think: asked.reasoning_effort.as_deref().map(think).transpose()?,
        keep_alive: None,
        options: Options {
            num_predict: asked.max_completion_tokens.or(asked.max_tokens),
            seed: asked.seed,
            temperature: asked.temperature,
            top_p: asked.top_p,
            ..Options::default()
        },
        dialect: Dialect::OpenAi(Completion {
            created: jiff::Timestamp::now().as_second(),
            closing,
        }),
        truth,
    })
}

impl Message {
    /// Adds what it says to `said`: each part of a list is a message of its own.
    fn say<'a>(&'a self, said: &mut Vec<&'a str>) -> Result<(), Error> {
        let kind = match &self.content {
            Value::String(text) => {
                said.push(text);
                return Ok(());
            }
            Value::Array(parts) => {
                for part in parts {
                    match (part["type"].as_str(), part["text"].as_str()) {
                        (Some("text"), Some(text)) => said.push(text),
                        _ => return Err(Error::bad("invalid message format")),
                    }
                }
                return Ok(());
            }
            // Only a call of a tool may say nothing.
            Value::Null if self.tool_calls.is_some() => return Ok(()),
            // As Go names them.
            Value::Null => "<nil>",
            Value::Bool(_) => "bool",
            Value::Number(_) => "float64",
            Value::Object(_) => "map[string]interface {}",
        };
        Err(Error::bad(format!("invalid message content type: {kind}")))
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
}

/// How a stream ends.
#[derive(Clone, Copy)]
enum Closing {
    Plain,
    /// With an event that counts the tokens.
    WithUsage,
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
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: Delta<'a>,
    finish_reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

impl Usage {
    fn of(last: &Final) -> Self {
        Self {
            prompt_tokens: last.prompt_eval_count,
            completion_tokens: last.eval_count,
            total_tokens: last.prompt_eval_count + last.eval_count,
        }
    }
}

/// Which reply: the model that it is from, by the name that the request used, and the request's
/// number.
#[derive(Clone, Copy)]
pub struct From<'a> {
    pub model: &'a str,
    pub number: u64,
}

impl Completion {
    fn body<'a, C>(self, from: From<'a>, object: &'static str, choices: &'a [C]) -> Body<'a, C> {
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

    fn chunk<'a>(self, from: From<'a>, choices: &'a [Chunk<'a>]) -> Body<'a, Chunk<'a>> {
        self.body(from, "chat.completion.chunk", choices)
    }

    /// The event of a token, the `index`th from 0. Only the first one names the role.
    pub fn token(self, from: From<'_>, text: &str, index: usize) -> Vec<u8> {
        let delta = Delta {
            role: (index == 0).then_some("assistant"),
            content: Some(text),
        };
        let choice = Chunk {
            index: 0,
            delta,
            finish_reason: None,
        };
        event(&self.chunk(from, &[choice]))
    }

    /// The events that end a stream. Ollama writes them at once, so they are one HTTP chunk.
    pub fn end(self, from: From<'_>, last: &Final) -> Vec<u8> {
        let choice = Chunk {
            index: 0,
            delta: Delta::default(),
            finish_reason: last.done_reason.as_deref(),
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
    pub fn whole(self, from: From<'_>, text: &str, last: &Final) -> Vec<u8> {
        let choices = [Choice {
            index: 0,
            message: Delta {
                role: Some("assistant"),
                content: Some(text),
            },
            finish_reason: last.done_reason.as_deref(),
        }];
        let mut body = self.body(from, "chat.completion", &choices);
        body.usage = Some(Usage::of(last));
        body.tare_truth = last.tare_truth.as_ref();
        line(&body)
    }
}

fn event(chunk: &impl Serialize) -> Vec<u8> {
    let mut event = b"data: ".to_vec();
    json::write(&mut event, chunk);
    event.extend_from_slice(b"\n\n");
    event
}

/// Go's encoder ends with a newline what it writes to a stream, and here also a whole reply.
fn line(value: &impl Serialize) -> Vec<u8> {
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

/// An error's body.
pub fn error(Error(status, message): &Error) -> Vec<u8> {
    let kind = match *status {
        StatusCode::BAD_REQUEST => "invalid_request_error",
        StatusCode::NOT_FOUND => "not_found_error",
        _ => "api_error",
    };
    line(&ErrorBody {
        error: ErrorDetail {
            message,
            kind,
            param: None,
            code: None,
        },
    })
}
