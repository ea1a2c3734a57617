//! `POST /v1/completions`: `/api/generate` in OpenAI's older words.
//!
//! Log probabilities can be asked for, and are left out of the reply, as Ollama does it.

use super::answer::{Asked, Wants};
use super::composed::Spoken;
use super::form::{Form, From, Whole};
use super::go_json;
use super::log::Tell;
use super::openai::{Closing, FINGERPRINT, StreamOptions, Usage, event, line, stops};
use super::routes::{Error, body};
use crate::protocol::Options;
use crate::protocol::wire::{Final, Truth, signed_too};
use hyper::Request;
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Deserialize)]
struct CompletionRequest {
    model: Option<String>,
    prompt: Option<String>,
    suffix: Option<String>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<i32>,
    #[serde(default, deserialize_with = "signed_too")]
    seed: Option<u64>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    #[serde(rename = "frequency_penalty")]
    _frequency_penalty: Option<f64>,
    #[serde(rename = "presence_penalty")]
    _presence_penalty: Option<f64>,
    #[serde(default)]
    stop: Value,
    logprobs: Option<i64>,
}

/// Reads a request.
///
/// # Errors
/// With Ollama's words, where it would refuse it before it looks for the model.
pub async fn read(request: Request<Incoming>) -> Result<Asked, Error> {
    let truth = Tell::of(&request);
    let body = body(request).await?;
    let asked: CompletionRequest =
        go_json::read(&body, &go_json::COMPLETION).map_err(|refusal| refusal.into_error("EOF"))?;
    let stop = stops(&asked.stop)
        .map_err(|kind| Error::bad(format!("invalid type for 'stop' field: {kind}")))?;
    let top_logprobs = asked.logprobs.filter(|top| *top > 0);
    Ok(Asked {
        model: asked.model.unwrap_or_default(),
        prompt: asked.prompt.unwrap_or_default(),
        stream: asked.stream.unwrap_or(false),
        think: None,
        keep_alive: None,
        options: Options {
            num_predict: asked.max_tokens,
            seed: asked.seed,
            temperature: asked.temperature,
            top_p: asked.top_p,
            ..Options::default()
        },
        form: Form::Completion(Completion {
            created: jiff::Timestamp::now().as_second(),
            closing: Closing::of(asked.stream_options.as_ref()),
        }),
        truth,
        wants: Wants {
            stop,
            logprobs: top_logprobs.is_some(),
            top_logprobs: top_logprobs.unwrap_or(0),
            suffix: asked.suffix.unwrap_or_default(),
            ..Wants::default()
        },
    })
}

/// What all parts of one reply share.
#[derive(Clone, Copy)]
pub struct Completion {
    /// Seconds since 1970.
    created: i64,
    closing: Closing,
}

#[derive(Serialize)]
struct Choice<'a> {
    text: &'a str,
    index: u32,
    finish_reason: Option<&'a str>,
}

/// An event of a stream.
#[derive(Serialize)]
struct Chunk<'a> {
    id: String,
    object: &'static str,
    created: i64,
    choices: &'a [Choice<'a>],
    model: &'a str,
    system_fingerprint: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tare_truth: Option<&'a Truth>,
}

/// A reply in one piece.
#[derive(Serialize)]
struct Body<'a> {
    id: String,
    object: &'static str,
    created: i64,
    model: &'a str,
    system_fingerprint: &'static str,
    choices: [Choice<'a>; 1],
    usage: Usage,
    #[serde(skip_serializing_if = "Option::is_none")]
    tare_truth: Option<&'a Truth>,
}

const OBJECT: &str = "text_completion";

fn id(from: From<'_>) -> String {
    format!("cmpl-{}", from.number)
}

impl Completion {
    fn chunk<'a>(self, from: From<'a>, choices: &'a [Choice<'a>]) -> Chunk<'a> {
        Chunk {
            id: id(from),
            object: OBJECT,
            created: self.created,
            choices,
            model: from.model,
            system_fingerprint: FINGERPRINT,
            // Each event has a usage of nothing where the last one is to have a real one.
            usage: match self.closing {
                Closing::Plain => None,
                Closing::WithUsage => Some(Usage::default()),
            },
            tare_truth: None,
        }
    }

    /// The event of a piece.
    pub fn piece(self, from: From<'_>, said: Spoken<'_>) -> Vec<u8> {
        let text = match said {
            Spoken::Text(text) => text,
            // Thoughts have no place here, and their events are empty.
            Spoken::Thought(_) | Spoken::Call(_) | Spoken::Nothing => "",
        };
        let choice = Choice {
            text,
            index: 0,
            finish_reason: None,
        };
        event(&self.chunk(from, &[choice]))
    }

    /// The events that end a stream, in one write.
    pub fn end(self, from: From<'_>, last: &Final) -> Vec<u8> {
        let choices = [Choice {
            text: "",
            index: 0,
            finish_reason: last.done_reason.as_deref(),
        }];
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
    pub fn whole(self, from: From<'_>, whole: &Whole, last: &Final) -> Vec<u8> {
        line(&Body {
            id: id(from),
            object: OBJECT,
            created: self.created,
            model: from.model,
            system_fingerprint: FINGERPRINT,
            choices: [Choice {
                text: &whole.text,
                index: 0,
                finish_reason: last.done_reason.as_deref(),
            }],
            usage: Usage::of(last),
            tare_truth: last.tare_truth.as_ref(),
        })
    }
}
