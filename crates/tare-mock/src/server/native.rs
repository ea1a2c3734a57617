//! Ollama's own form of a reply: a JSON object a line, or one object.

use super::composed::Spoken;
use super::form::{From, Route, Whole};
use super::json;
use super::logprobs::Logprob;
use super::tools::{Call, NativeCall};
use crate::protocol::wire::Final;
use serde::Serialize;
use std::borrow::Cow;

/// What Ollama's routes have in common. Log probabilities have another place by each route.
#[derive(Serialize)]
struct Line<'a> {
    model: &'a str,
    created_at: String,
    #[serde(flatten)]
    said: Said<'a>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_reason: Option<Cow<'static, str>>,
    #[serde(rename = "logprobs", skip_serializing_if = "<[_]>::is_empty")]
    chat_logprobs: &'a [Logprob],
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    last: Option<&'a Final>,
    #[serde(rename = "logprobs", skip_serializing_if = "<[_]>::is_empty")]
    generate_logprobs: &'a [Logprob],
}

#[derive(Serialize)]
#[serde(untagged)]
enum Said<'a> {
    Generate {
        response: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        thinking: &'a str,
    },
    Chat {
        message: Message<'a>,
    },
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<NativeCall<'a>>,
}

#[derive(Serialize)]
struct RenderedLine<'a> {
    model: &'a str,
    created_at: String,
    #[serde(flatten)]
    said: Said<'a>,
    done: bool,
    #[serde(rename = "_debug_info")]
    debug_info: DebugInfo<'a>,
}

#[derive(Serialize)]
struct DebugInfo<'a> {
    rendered_template: &'a str,
}

/// What a line says.
#[derive(Default)]
struct Words<'a> {
    text: &'a str,
    thoughts: &'a str,
    calls: &'a [Call],
    logprobs: &'a [Logprob],
}

fn object(route: Route, from: From<'_>, words: Words<'_>, mut last: Option<Final>) -> Vec<u8> {
    let done_reason = last.as_mut().and_then(|last| last.done_reason.take());
    let (chat_logprobs, generate_logprobs) = match route {
        Route::Chat => (words.logprobs, &[][..]),
        Route::Generate | Route::RawGenerate => (&[][..], words.logprobs),
    };
    json::bytes(&Line {
        model: from.model,
        created_at: jiff::Timestamp::now().to_string(),
        said: match route {
            Route::Generate | Route::RawGenerate => Said::Generate {
                response: words.text,
                thinking: words.thoughts,
            },
            Route::Chat => Said::Chat {
                message: Message {
                    role: "assistant",
                    content: words.text,
                    thinking: words.thoughts,
                    tool_calls: NativeCall::all(words.calls),
                },
            },
        },
        done: last.is_some(),
        done_reason,
        chat_logprobs,
        last: last.as_ref(),
        generate_logprobs,
    })
}

/// A line of a stream.
pub fn piece(route: Route, from: From<'_>, said: Spoken<'_>, logprobs: &[Logprob]) -> Vec<u8> {
    let mut words = Words {
        logprobs,
        ..Words::default()
    };
    match said {
        Spoken::Text(text) => words.text = text,
        Spoken::Thought(text) => words.thoughts = text,
        Spoken::Call(call) => words.calls = std::slice::from_ref(call),
        Spoken::Nothing => {}
    }
    line(object(route, from, words, None))
}

/// The last line of a stream.
pub fn end(route: Route, from: From<'_>, last: Final) -> Vec<u8> {
    line(object(route, from, Words::default(), Some(last)))
}

/// A reply as one object.
pub fn whole(route: Route, from: From<'_>, whole: &Whole, last: Final) -> Vec<u8> {
    let words = Words {
        text: &whole.text,
        thoughts: &whole.thoughts,
        calls: &whole.calls,
        logprobs: &whole.logprobs,
    };
    object(route, from, words, Some(last))
}

/// What a request gets that only wants to see its prompt: an object that is not the end of anything.
pub fn rendered(route: Route, model: &str, prompt: &str) -> Vec<u8> {
    json::bytes(&RenderedLine {
        model,
        created_at: jiff::Timestamp::now().to_string(),
        said: match route {
            Route::Generate | Route::RawGenerate => Said::Generate {
                response: "",
                thinking: "",
            },
            Route::Chat => Said::Chat {
                message: Message {
                    role: "",
                    content: "",
                    thinking: "",
                    tool_calls: Vec::new(),
                },
            },
        },
        done: false,
        debug_info: DebugInfo {
            rendered_template: prompt,
        },
    })
}

fn line(mut object: Vec<u8>) -> Vec<u8> {
    object.push(b'\n');
    object
}
