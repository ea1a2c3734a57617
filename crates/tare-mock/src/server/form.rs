//! The forms that a reply takes: Ollama's own lines, or the events of one of the APIs that it
//! translates to. Each form knows how to write a piece, an end and a whole reply.

use super::completions;
use super::composed::Spoken;
use super::logprobs::Logprob;
use super::messages;
use super::native;
use super::openai;
use super::responses;
use super::tools::Call;
use crate::engine;
use crate::protocol::Api;
use crate::protocol::wire::Final;
use bytes::Bytes;
use serde::Serialize;

/// Which form a reply has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// JSON lines.
    Ollama(Route),
    /// `/v1/chat/completions`
    ChatCompletion,
    /// `/v1/completions`
    Completion,
    /// `/v1/responses`
    Response,
    /// `/v1/messages`
    Message,
}

/// Which of Ollama's routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/api/generate`
    Generate,
    /// `/api/generate` with `raw`: without `context`.
    RawGenerate,
    /// `/api/chat`
    Chat,
}

impl Dialect {
    /// The API that it is the form of, where a client of ours speaks it.
    pub fn api(self) -> Option<Api> {
        match self {
            Dialect::Ollama(Route::Generate) => Some(Api::Generate),
            Dialect::Ollama(Route::RawGenerate) => Some(Api::Raw),
            Dialect::Ollama(Route::Chat) => Some(Api::Chat),
            Dialect::ChatCompletion => Some(Api::OpenAi),
            Dialect::Completion | Dialect::Response | Dialect::Message => None,
        }
    }

    /// What a server's handler does with the prompt.
    pub fn handling(self) -> engine::Form {
        match self {
            Dialect::Ollama(Route::Generate) => engine::Form::Generate,
            Dialect::Ollama(Route::RawGenerate) => engine::Form::Raw,
            _ => engine::Form::Chat,
        }
    }

    /// The content type of a stream.
    pub fn stream_type(self) -> &'static str {
        match self {
            Dialect::Ollama(_) => "application/x-ndjson",
            _ => "text/event-stream",
        }
    }

    /// The content type of a reply in one piece.
    pub fn whole_type(self) -> &'static str {
        match self {
            Dialect::Ollama(_) => "application/json; charset=utf-8",
            _ => "application/json",
        }
    }

    /// Whether each event is written by itself, and not what happens at a time together.
    pub fn flushes_each_event(self) -> bool {
        matches!(self, Dialect::Response | Dialect::Message)
    }
}

/// Which reply: the model that it is from, by the name that the request used, and the request's
/// number.
#[derive(Clone, Copy)]
pub struct From<'a> {
    pub model: &'a str,
    pub number: u64,
}

/// All that an answer says.
#[derive(Debug, Default)]
pub struct Whole {
    pub text: String,
    pub thoughts: String,
    pub calls: Vec<Call>,
    pub logprobs: Vec<Logprob>,
}

impl Whole {
    /// Adds a piece.
    pub fn add(&mut self, said: Spoken<'_>, logprobs: Vec<Logprob>) {
        match said {
            Spoken::Text(text) => self.text.push_str(text),
            Spoken::Thought(text) => self.thoughts.push_str(text),
            Spoken::Call(call) => self.calls.push(call.clone()),
            Spoken::Nothing => {}
        }
        self.logprobs.extend(logprobs);
    }
}

/// A reply's form, with what it has to keep in mind while it streams.
pub enum Form {
    Ollama(Route),
    ChatCompletion(openai::Completion),
    Completion(completions::Completion),
    Response(Box<responses::Response>),
    Message(Box<messages::Message>),
}

impl Form {
    pub fn dialect(&self) -> Dialect {
        match self {
            Form::Ollama(route) => Dialect::Ollama(*route),
            Form::ChatCompletion(_) => Dialect::ChatCompletion,
            Form::Completion(_) => Dialect::Completion,
            Form::Response(_) => Dialect::Response,
            Form::Message(_) => Dialect::Message,
        }
    }

    /// What a stream says for a piece.
    pub fn piece(&mut self, from: From<'_>, said: Spoken<'_>, logprobs: &[Logprob]) -> Vec<u8> {
        match self {
            Form::Ollama(route) => native::piece(*route, from, said, logprobs),
            Form::ChatCompletion(completion) => completion.piece(from, said, logprobs),
            Form::Completion(completion) => completion.piece(from, said),
            Form::Response(response) => response.piece(from, said),
            Form::Message(message) => message.piece(from, said),
        }
    }

    /// What ends a stream.
    pub fn end(&mut self, from: From<'_>, last: Final) -> Vec<u8> {
        match self {
            Form::Ollama(route) => native::end(*route, from, last),
            Form::ChatCompletion(completion) => completion.end(from, &last),
            Form::Completion(completion) => completion.end(from, &last),
            Form::Response(response) => response.end(from, &last),
            Form::Message(message) => message.end(from, &last),
        }
    }

    /// The reply as one object.
    pub fn whole(&self, from: From<'_>, whole: &Whole, last: Final) -> Vec<u8> {
        match self {
            Form::Ollama(route) => native::whole(*route, from, whole, last),
            Form::ChatCompletion(completion) => completion.whole(from, whole, &last),
            Form::Completion(completion) => completion.whole(from, whole, &last),
            Form::Response(response) => response.whole(from, whole, &last),
            Form::Message(message) => message.whole(from, whole, &last),
        }
    }
}

/// Appends a server-sent event that has a name.
pub fn named_event(out: &mut Vec<u8>, name: &str, data: &impl Serialize) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    super::json::write(out, data);
    out.extend_from_slice(b"\n\n");
}

/// Takes the first event off what are several, and leaves the rest.
pub fn first_event(events: &mut Bytes) -> Bytes {
    let end = memchr::memmem::find(events, b"\n\n").map_or(events.len(), |at| at + 2);
    events.split_to(end)
}
