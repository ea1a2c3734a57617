//! The calls: a request over an HTTP client, its reply decoded as it comes.

use super::Completion;
use super::Ndjson;
use super::api::Api;
use super::question::Question;
use super::wire::{ChatRequest, Final, GenerateRequest};
use super::{DecodeError, Decoder, Event};
use crate::client::guard::{Guarded, guarded};
use crate::client::tamper::{Tampered, Tampering};
use crate::client::{Body, Client, ClientError, Endpoint, Options, Reply, Timing};
use crate::runtime::Runtime;
use crate::tally::{self, Count};
use bytes::Bytes;
use hyper::Method;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Instant;
use tare_mock::protocol::failure::words_of;

/// Who hears of a reply's tokens, at once as each is parsed.
pub trait Sink: Send {
    /// The reply's head is there, and an answer follows.
    fn head(&mut self, timing: Timing) {
        let _ = timing;
    }

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
        "{to} {}: it answered with status {status} and content type `{content_type}`; check the address",
        api.denied()
    )]
    NotOllama {
        /// The server.
        to: Endpoint,
        /// What it was to answer.
        api: Api,
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
    /// The stream ended without `done`, or whatever is the last word of its API.
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
    /// An option that the API has no field for.
    #[error("OpenAI's API has no field for `{option}`")]
    Inexpressible {
        /// By Ollama's name.
        option: &'static str,
    },
}

/// Ollama's API, and OpenAI's, on a runtime and a client. A clone shares the connections.
pub struct Ollama<R, C> {
    rt: R,
    client: C,
    options: Arc<Options>,
    tampering: Tampering,
    stack: PhantomData<(R, C)>,
}

impl<R: Clone, C: Clone> Clone for Ollama<R, C> {
    fn clone(&self) -> Self {
        Self {
            rt: self.rt.clone(),
            client: self.client.clone(),
            options: Arc::clone(&self.options),
            tampering: self.tampering.clone(),
            stack: PhantomData,
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
            tampering: Tampering::new(options.inject),
            options,
            stack: PhantomData,
        })
    }

    /// A client of another server, made as this one is and with connections of its own. A lock
    /// that was injected into this one is shared: the calls of both take turns.
    ///
    /// # Errors
    /// When the client can't be made with these options.
    pub fn beside(&self, options: Arc<Options>) -> Result<Self, ClientError> {
        Ok(Self {
            tampering: self.tampering.clone(),
            ..Self::new(self.rt.clone(), options)?
        })
    }

    /// Whether both ask the same server over the same connections.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.options, &other.options)
    }

    /// The runtime that the calls run on.
    pub fn runtime(&self) -> &R {
        &self.rt
    }

    /// Asks a question over `api`; `sink` hears the tokens.
    ///
    /// # Errors
    /// [`CallError`]; the tokens before it have been heard.
    pub async fn ask(
        &self,
        api: Api,
        question: &Question<'_>,
        sink: &mut impl Sink,
    ) -> Result<Final, CallError> {
        self.ask_and_tap(api, question, sink, |_| {}).await
    }

    /// Asks a question as [`ask`](Self::ask) does; `tap` sees the bytes of the answer as they are
    /// read, each time before they are decoded.
    ///
    /// # Errors
    /// [`CallError`]; the tokens before it have been heard.
    pub async fn ask_and_tap(
        &self,
        api: Api,
        question: &Question<'_>,
        sink: &mut impl Sink,
        tap: impl FnMut(&[u8]),
    ) -> Result<Final, CallError> {
        let body = question.body(api)?;
        match api {
            Api::Generate | Api::Raw | Api::Chat => {
                self.answer::<Ndjson>(api, body, sink, tap).await
            }
            Api::OpenAi => self.answer::<Completion>(api, body, sink, tap).await,
        }
    }

    /// `POST /api/generate` with all that it can take; `sink` hears the tokens.
    ///
    /// # Errors
    /// [`CallError`]; the tokens before it have been heard.
    pub async fn generate(
        &self,
        request: &GenerateRequest,
        sink: &mut impl Sink,
    ) -> Result<Final, CallError> {
        let body = serde_json::to_vec(request).map_err(CallError::Unwritable)?;
        self.answer::<Ndjson>(Api::Generate, body, sink, |_| {})
            .await
    }

    /// `POST /api/chat` with all that it can take; `sink` hears the tokens.
    ///
    /// # Errors
    /// [`CallError`]; the tokens before it have been heard.
    pub async fn chat(
        &self,
        request: &ChatRequest,
        sink: &mut impl Sink,
    ) -> Result<Final, CallError> {
        let body = serde_json::to_vec(request).map_err(CallError::Unwritable)?;
        self.answer::<Ndjson>(Api::Chat, body, sink, |_| {}).await
    }

    async fn answer<D: Decoder>(
        &self,
        api: Api,
        request: Vec<u8>,
        sink: &mut impl Sink,
        mut tap: impl FnMut(&[u8]),
    ) -> Result<Final, CallError> {
        let reply = self.send(Method::POST, api.path(), request.into()).await?;
        let timing = reply.timing;
        let mut body = self.accepted(api, reply).await?;
        sink.head(timing);

        let mut decoder = D::default();
        let mut heard = Heard::new(sink);
        // To the very end, not just to `done`, or the connection could not be used again.
        while let Some(piece) = body.chunk().await? {
            tap(piece);
            let began = self.options.time_decoding.then(Instant::now);
            let fed = decoder.feed(piece, |event| heard.hear(event));
            if let Some(began) = began {
                let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
                tally::add([(Count::DecodingNanos, took)]);
            }
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

    /// Opens a connection with a request that costs the server nothing: over one that is free, or a new one, which is in use until the answer
    /// is [heard out](Opening::hear): so many openings at once leave so many connections open.
    /// What the server answers does not matter, and nothing that was injected is done to it.
    ///
    /// # Errors
    /// When no connection can be made, or nothing is answered.
    pub async fn open(&self, api: Api) -> Result<Opening<R, C>, ClientError> {
        let Options {
            endpoint, limits, ..
        } = &*self.options;
        let path = match api {
            Api::Generate | Api::Raw | Api::Chat => "/api/version",
            Api::OpenAi => "/v1/models",
        };
        let head = self.client.send(Method::GET, path, Bytes::new());
        let reply = guarded(&self.rt, endpoint, *limits, head).await?;
        Ok(Opening(reply.body))
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Reply<Tampered<Guarded<R, C::Body>>>, ClientError> {
        let Options {
            endpoint, limits, ..
        } = &*self.options;
        let tamper = self.tampering.begin().await;
        let head = self.client.send(method, path, body);
        let reply = guarded(&self.rt, endpoint, *limits, head).await?;
        Ok(reply.map(|body| Tampered::new(body, tamper)))
    }

    /// The body of a reply that is what was asked for.
    async fn accepted<B: Body>(&self, api: Api, reply: Reply<B>) -> Result<B, CallError> {
        if reply.status == 200 && api.answers_as(&reply.content_type) {
            return Ok(reply.body);
        }
        let text = read_short(reply.body).await.unwrap_or_default();
        Err(self.refused(api, reply.status, &reply.content_type, &text))
    }

    /// What a reply says that is none.
    pub(super) fn refused(
        &self,
        api: Api,
        status: u16,
        content_type: &str,
        body: &[u8],
    ) -> CallError {
        let to = self.options.endpoint.clone();
        match words_of(body) {
            Some(message) => CallError::Refused {
                to,
                status,
                message,
            },
            None => CallError::NotOllama {
                to,
                api,
                status,
                content_type: content_type.to_owned(),
            },
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

/// A connection that is being opened: the server's answer on it.
pub struct Opening<R: Runtime, C: Client<R>>(Guarded<R, C::Body>);

impl<R: Runtime, C: Client<R>> Opening<R, C> {
    /// Reads it to its end, so that the connection can be used for something else.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn hear(self) -> Result<(), ClientError> {
        read_short(self.0).await.map(drop)
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
pub(super) async fn read_short(mut body: impl Body) -> Result<Vec<u8>, ClientError> {
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
