//! What the mock answers to which request.

use super::alarm::Alarm;
use super::json;
use super::socket::Ledger;
use super::stream::{Arrival, Dialect, Script, Stream};
use crate::engine::{Asked, Plan, Profile};
use crate::ollama::wire::TRUTH_HEADER;
use crate::ollama::{ChatRequest, GenerateRequest, Options};
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Either, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::convert::Infallible;
use std::rc::Rc;

/// The Ollama version that the mock stands for.
const VERSION: &str = "0.12.11";
/// The longest request that is read.
const LONGEST_REQUEST: usize = 64 << 20;
/// Ollama gives a length for what its web framework can hold back, and sends longer in chunks.
const LONGEST_SIZED: usize = 2048;

type Reply = Response<Either<Stream, UnsyncBoxBody<Bytes, Infallible>>>;

/// What all connections share.
pub struct Server {
    profile: Profile,
    alarm: Alarm,
}

/// An error reply.
struct Refusal(StatusCode, Cow<'static, str>);

impl Server {
    pub fn new(profile: Profile, alarm: Alarm) -> Self {
        Self { profile, alarm }
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Incoming>, ledger: Rc<Ledger>) -> Reply {
        let arrival = Arrival::now();
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let outcome = match (&method, path.as_str()) {
            (&Method::POST, "/api/generate") => self.generate(request, arrival, ledger).await,
            (&Method::POST, "/api/chat") => self.chat(request, arrival, ledger).await,
            (&Method::POST, "/api/show") => self.show(request).await,
            (&Method::GET, "/api/version") => Ok(object(&Version { version: VERSION })),
            (&Method::GET, "/api/tags") => Ok(object(&Tags {
                models: [Model::new(&self.profile.model)],
            })),
            (&Method::GET | &Method::HEAD, "/") => Ok(text(StatusCode::OK, "Ollama is running")),
            (
                _,
                "/api/generate" | "/api/chat" | "/api/show" | "/api/version" | "/api/tags" | "/",
            ) => Ok(text(
                StatusCode::METHOD_NOT_ALLOWED,
                "405 method not allowed",
            )),
            _ => Ok(text(StatusCode::NOT_FOUND, "404 page not found")),
        };
        outcome.unwrap_or_else(|Refusal(status, error)| {
            let mut reply = object(&crate::ollama::wire::ErrorBody { error });
            *reply.status_mut() = status;
            reply
        })
    }

    async fn generate(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
        ledger: Rc<Ledger>,
    ) -> Result<Reply, Refusal> {
        let truth = wants_truth(&request);
        let asked: GenerateRequest = read(request).await?;
        self.known(&asked.model)?;
        let script = Script {
            plan: self.plan(&asked.prompt, &asked.options),
            model: asked.model,
            dialect: Dialect::Generate,
            truth,
        };
        Ok(self.speak(script, asked.stream, arrival, ledger).await)
    }

    async fn chat(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
        ledger: Rc<Ledger>,
    ) -> Result<Reply, Refusal> {
        let truth = wants_truth(&request);
        let asked: ChatRequest = read(request).await?;
        if asked.model.is_empty() {
            return Err(Refusal(
                StatusCode::BAD_REQUEST,
                Cow::Borrowed("model is required"),
            ));
        }
        self.known(&asked.model)?;
        let said: Vec<_> = asked.messages.iter().map(|m| m.content.as_str()).collect();
        let script = Script {
            plan: self.plan(&said.join("\n"), &asked.options),
            model: asked.model,
            dialect: Dialect::Chat,
            truth,
        };
        Ok(self.speak(script, asked.stream, arrival, ledger).await)
    }

    async fn show(&self, request: Request<Incoming>) -> Result<Reply, Refusal> {
        let asked: ShowRequest = read(request).await?;
        let name = if asked.model.is_empty() {
            asked.name
        } else {
            asked.model
        };
        self.known(&name)?;
        Ok(object(&Show {
            details: Details::of(&name),
            model_info: ModelInfo {
                architecture: family(&name),
                parameter_count: PARAMETERS,
            },
            capabilities: ["completion"],
        }))
    }

    /// Waits until the reply begins, and begins it.
    async fn speak(
        &self,
        script: Script,
        stream: Option<bool>,
        arrival: Arrival,
        ledger: Rc<Ledger>,
    ) -> Reply {
        if stream == Some(false) {
            self.alarm.until(arrival.plus(script.plan.end())).await;
            return json_reply(script.whole(arrival));
        }
        self.alarm.until(arrival.plus(script.plan.due(0))).await;
        let stream = Stream::new(script, arrival, ledger, self.alarm.clone());
        with_type(Either::Left(stream), "application/x-ndjson")
    }

    fn plan(&self, prompt: &str, options: &Options) -> Plan {
        Plan::new(&self.profile, Asked { prompt, options })
    }

    /// A name without a tag means `latest`.
    fn known(&self, model: &str) -> Result<(), Refusal> {
        let served = &self.profile.model;
        if model == served || served.strip_suffix(":latest") == Some(model) {
            return Ok(());
        }
        Err(Refusal(
            StatusCode::NOT_FOUND,
            Cow::Owned(format!("model '{model}' not found")),
        ))
    }
}

fn wants_truth(request: &Request<Incoming>) -> bool {
    let (name, value) = TRUTH_HEADER;
    request
        .headers()
        .get(name)
        .is_some_and(|given| given == value)
}

async fn read<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, Refusal> {
    let bad = |reason: String| Refusal(StatusCode::BAD_REQUEST, Cow::Owned(reason));
    let body = Limited::new(request.into_body(), LONGEST_REQUEST).collect();
    let body = body
        .await
        .map_err(|error| bad(error.to_string()))?
        .to_bytes();
    if body.is_empty() {
        return Err(bad("missing request body".to_owned()));
    }
    serde_json::from_slice(&body).map_err(|error| bad(error.to_string()))
}

fn object(value: &impl Serialize) -> Reply {
    json_reply(json::bytes(value))
}

fn json_reply(text: Vec<u8>) -> Reply {
    let text = Bytes::from(text);
    let body = if text.len() <= LONGEST_SIZED {
        Full::new(text).boxed_unsync()
    } else {
        let frame = futures::stream::once(async { Ok(Frame::data(text)) });
        BodyExt::boxed_unsync(StreamBody::new(frame))
    };
    with_type(Either::Right(body), "application/json; charset=utf-8")
}

fn text(status: StatusCode, text: &'static str) -> Reply {
    let body = Full::new(Bytes::from_static(text.as_bytes())).boxed_unsync();
    let mut reply = with_type(Either::Right(body), "text/plain; charset=utf-8");
    *reply.status_mut() = status;
    reply
}

fn with_type(
    body: Either<Stream, UnsyncBoxBody<Bytes, Infallible>>,
    content_type: &'static str,
) -> Reply {
    let mut reply = Response::new(body);
    reply
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

const PARAMETERS: u64 = 4_299_915_632;

#[derive(Serialize)]
struct Version {
    version: &'static str,
}

#[derive(Serialize)]
struct Tags<'a> {
    models: [Model<'a>; 1],
}

#[derive(Serialize)]
struct Model<'a> {
    name: &'a str,
    model: &'a str,
    modified_at: &'static str,
    size: u64,
    digest: &'static str,
    details: Details<'a>,
}

impl<'a> Model<'a> {
    fn new(name: &'a str) -> Self {
        Self {
            name,
            model: name,
            modified_at: "2025-11-01T08:00:00Z",
            size: 3_338_801_804,
            digest: "a2af6cc3eb7fa8be8504abaf9b04e88f17a119ec3f04a3addf55f92841195f5a",
            details: Details::of(name),
        }
    }
}

#[derive(Serialize)]
struct Details<'a> {
    parent_model: &'static str,
    format: &'static str,
    family: &'a str,
    families: [&'a str; 1],
    parameter_size: &'static str,
    quantization_level: &'static str,
}

impl<'a> Details<'a> {
    fn of(name: &'a str) -> Self {
        Self {
            parent_model: "",
            format: "gguf",
            family: family(name),
            families: [family(name)],
            parameter_size: "4.3B",
            quantization_level: "Q4_K_M",
        }
    }
}

/// `gemma3:latest` is of the family `gemma3`.
fn family(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

#[derive(serde::Deserialize)]
struct ShowRequest {
    #[serde(default)]
    model: String,
    #[serde(default)]
    name: String,
}

#[derive(Serialize)]
struct Show<'a> {
    details: Details<'a>,
    model_info: ModelInfo<'a>,
    capabilities: [&'static str; 1],
}

#[derive(Serialize)]
struct ModelInfo<'a> {
    #[serde(rename = "general.architecture")]
    architecture: &'a str,
    #[serde(rename = "general.parameter_count")]
    parameter_count: u64,
}
