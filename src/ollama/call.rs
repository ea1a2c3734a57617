//! The calls: a request over an HTTP client, its reply decoded as it comes.

use super::ndjson::{DecodeError, Decoder, Event};
use super::wire::{ChatRequest, ErrorBody, Final, GenerateRequest, Version};
use crate::client::guard::{Guarded, guarded};
use crate::client::{Body, Client, ClientError, Endpoint, Options, Reply};
use crate::runtime::Runtime;
use bytes::Bytes;
use hyper::Method;
use serde::Serialize;
use std::marker::PhantomData;
use std::sync::Arc;

/// Who hears of a reply's tokens, at once as each is parsed.
pub trait Sink: Send {
    /// A piece of the answer; never empty.
    fn token(&mut self, text: &str);

    /// A piece of the model's thinking; never empty.
    fn thinking(&mut self, text: &str) {
        let _ = text;
    }
}

/// Why a call gave no complete answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Below HTTP.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// An error of the server's before the first token.
    #[error("{to} refused with status {status}: {message}")]
    Refused {
        /// The server.
        to: Endpoint,
        /// HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
    /// Something else listens there.
    #[error(
        "{to} is no Ollama: it answered with status {status} and content type `{content_type}`; check the address"
    )]
    NotOllama {
        /// The server.
        to: Endpoint,
        /// HTTP status.
        status: u16,
        /// What it sent.
        content_type: String,
    },
    /// An error of the server's in the middle of the answer.
    #[error("{to} gave up after {tokens} tokens: {message}")]
    GaveUp {
        /// The server.
        to: Endpoint,
        /// Tokens received before.
        tokens: u64,
        /// Its words.
        message: String,
    },
    /// The stream ended without `done`.
    #[error("{to} ended the answer after {tokens} tokens without saying that it is done")]
    Truncated {
        /// The server.
        to: Endpoint,
        /// Tokens received before.
        tokens: u64,
    },
    /// Not the JSON it should be.
    #[error("{to}: {error}")]
    Malformed {
        /// The server.
        to: Endpoint,
        /// What is wrong.
        error: DecodeError,
    },
    /// The request can't be written as JSON.
    #[error("cannot write the request: {0}")]
    Unwritable(serde_json::Error),
}

/// Ollama's API on a runtime and a client. A clone shares the connections.
pub struct Ollama<R, C> {
    rt: R,
    client: C,
    options: Arc<Options>,
    cell: PhantomData<(R, C)>,
}

impl<R: Clone, C: Clone> Clone for Ollama<R, C> {
    fn clone(&self) -> Self {
        Self {
            rt: self.rt.clone(),
            client: self.client.clone(),
            options: Arc::clone(&self.options),
            cell: PhantomData,
        }
    }
}

impl<R: Runtime, C: Client<R>> Ollama<R, C> {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// When the client can't be made with these options.
    pub fn new(rt: R, options: Arc<Options>) -> Result<Self, ClientError> {
        Ok(Self {
            client: C::new(rt.clone(), &options)?,
            rt,
            options,
            cell: PhantomData,
        })
    }

    /// The runtime that the calls run on.
    pub fn runtime(&self) -> &R {
        &self.rt
    }

    /// `POST /api/generate`; `sink` hears the tokens.
    ///
    /// # Errors
    /// [`CallError`]; the tokens before it have been heard.
    pub async fn generate(
        &self,
        request: &GenerateRequest,
        sink: &mut impl Sink,
    ) -> Result<Final, CallError> {
        self.answer("/api/generate", request, sink).await
    }

    /// `POST /api/chat`; `sink` hears the tokens.
    ///
    /// # Errors
    /// [`CallError`]; the tokens before it have been heard.
    pub async fn chat(
        &self,
        request: &ChatRequest,
        sink: &mut impl Sink,
    ) -> Result<Final, CallError> {
        self.answer("/api/chat", request, sink).await
    }

    /// `GET /api/version`: the cheapest way to see that an Ollama is there.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn version(&self) -> Result<String, CallError> {
        let reply = self.send(Method::GET, "/api/version", Bytes::new()).await?;
        let body = self.accepted(reply).await?;
        let text = read_short(body).await?;
        let parsed = serde_json::from_slice::<Version>(&text);
        parsed
            .map(|version| version.version)
            .map_err(|_| self.not_ollama(200, "JSON without a version"))
    }

    async fn answer(
        &self,
        path: &str,
        request: &impl Serialize,
        sink: &mut impl Sink,
    ) -> Result<Final, CallError> {
        let request = serde_json::to_vec(request).map_err(CallError::Unwritable)?;
        let reply = self.send(Method::POST, path, request.into()).await?;
        let mut body = self.accepted(reply).await?;

        let mut decoder = Decoder::new();
        let mut heard = Heard::new(sink);
        // To the very end, not just to `done`, or the connection could not be used again.
        while let Some(piece) = body.chunk().await? {
            let fed = decoder.feed(piece, |event| heard.hear(event));
            fed.map_err(|error| self.malformed(error))?;
        }
        if heard.last.is_none() && heard.error.is_none() {
            let ended = decoder.finish(|event| heard.hear(event));
            ended.map_err(|_| self.truncated(heard.tokens))?;
        }
        match (heard.error, heard.last) {
            (Some(message), _) => Err(CallError::GaveUp {
                to: self.options.endpoint.clone(),
                tokens: heard.tokens,
                message,
            }),
            (None, Some(last)) => Ok(*last),
            (None, None) => Err(self.truncated(heard.tokens)),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Reply<Guarded<R, C::Body>>, ClientError> {
        let Options {
            endpoint, limits, ..
        } = &*self.options;
        let head = self.client.send(method, path, body);
        guarded(&self.rt, endpoint, *limits, head).await
    }

    /// The body of a reply that is what was asked for.
    async fn accepted<B: Body>(&self, reply: Reply<B>) -> Result<B, CallError> {
        let json = reply.content_type.ends_with("json");
        if reply.status == 200 && json {
            return Ok(reply.body);
        }
        let text = read_short(reply.body).await.unwrap_or_default();
        match serde_json::from_slice::<ErrorBody<'_>>(&text) {
            Ok(body) => Err(CallError::Refused {
                to: self.options.endpoint.clone(),
                status: reply.status,
                message: body.error.into_owned(),
            }),
            Err(_) => Err(self.not_ollama(reply.status, &reply.content_type)),
        }
    }

    fn not_ollama(&self, status: u16, content_type: &str) -> CallError {
        CallError::NotOllama {
            to: self.options.endpoint.clone(),
            status,
            content_type: content_type.to_owned(),
        }
    }

    fn malformed(&self, error: DecodeError) -> CallError {
        CallError::Malformed {
            to: self.options.endpoint.clone(),
            error,
        }
    }

    fn truncated(&self, tokens: u64) -> CallError {
        CallError::Truncated {
            to: self.options.endpoint.clone(),
            tokens,
        }
    }
}

/// What the decoder has told so far.
struct Heard<'a, S> {
    sink: &'a mut S,
    tokens: u64,
    error: Option<String>,
    last: Option<Box<Final>>,
}

impl<'a, S: Sink> Heard<'a, S> {
    fn new(sink: &'a mut S) -> Self {
        Self {
            sink,
            tokens: 0,
            error: None,
            last: None,
        }
    }

    fn hear(&mut self, event: Event<'_>) {
        match event {
            Event::Token(text) => {
                self.tokens += 1;
                self.sink.token(text);
            }
            Event::Thinking(text) => self.sink.thinking(text),
            Event::Error(message) => self.error = Some(message.to_owned()),
            Event::Done(last) => self.last = Some(last),
        }
    }
}

/// The whole of a body that should be short; what is too long is cut off.
async fn read_short(mut body: impl Body) -> Result<Vec<u8>, ClientError> {
    const MOST: usize = 1 << 20;
    let mut text = Vec::new();
    while let Some(piece) = body.chunk().await? {
        text.extend_from_slice(piece);
        if text.len() > MOST {
            break;
        }
    }
    Ok(text)
}
