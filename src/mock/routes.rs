//! What a mock answers to which request.

use super::catalog::{ModelList, Running, RunningModel, Show, Tags};
use super::fault::{Faults, Plan};
use super::go_json;
use super::json;
use super::openai;
use super::realtime::{Arrival, Realtime};
use super::replay::{Replay, Words};
use super::reply::{self, Reply, object, text};
use super::socket::Ledger;
use super::stream::{Dialect, Route, Script, Stream, Tell};
use crate::engine::text::Text;
use crate::engine::{Ask, KeepAlive, Profile, Refusal, RunnerOptions, ServerId};
use crate::ollama::wire::{KeepAlive as AskedKeepAlive, TRUTH_HEADER, Think, Version};
use crate::ollama::{ChatRequest, GenerateRequest, Options};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

/// The Ollama version that the mock stands for.
const VERSION: &str = "0.12.11";
/// The longest request that is read.
const LONGEST_REQUEST: usize = 64 << 20;
/// As far as `keep_alive` goes for good, for a clock's purposes: a hundred years.
const FOR_GOOD: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// One server, as all of its connections share it.
pub struct Server {
    pub id: ServerId,
    pub profile: Rc<Profile>,
    pub realtime: Rc<Realtime>,
    /// What it answers instead of what the profile says.
    pub replay: Option<Rc<Replay>>,
    pub faults: Rc<Faults>,
}

/// An error reply.
pub struct Error(pub StatusCode, pub Cow<'static, str>);

impl Error {
    pub fn bad(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(StatusCode::BAD_REQUEST, reason.into())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Busy => Self(
                StatusCode::SERVICE_UNAVAILABLE,
                // Two spaces, as Ollama writes it.
                Cow::Borrowed("server busy, please try again.  maximum pending requests exceeded"),
            ),
            Refusal::NoSuchServer => Self(
                StatusCode::INTERNAL_SERVER_ERROR,
                Cow::Borrowed("no such server"),
            ),
        }
    }
}

/// What the routes that speak have in common.
pub struct Asked {
    pub model: String,
    /// Empty: the model is only loaded or unloaded.
    pub prompt: String,
    pub stream: bool,
    pub think: Option<Think>,
    pub keep_alive: Option<KeepAlive>,
    pub options: Options,
    pub dialect: Dialect,
    pub truth: Tell,
}

#[derive(Deserialize)]
struct ShowRequest {
    #[serde(default)]
    model: String,
    /// What older clients call it.
    #[serde(default)]
    name: String,
}

impl Server {
    /// Answers one request.
    pub async fn answer(&self, request: Request<Incoming>, ledger: Rc<Ledger>) -> Reply {
        let arrival = Arrival::now();
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let outcome = match (&method, path.as_str()) {
            (&Method::POST, "/api/generate") => self.generate(request, arrival, ledger).await,
            (&Method::POST, "/api/chat") => self.chat(request, arrival, ledger).await,
            (&Method::POST, "/v1/chat/completions") => {
                Ok(self.chat_completions(request, arrival, ledger).await)
            }
            (&Method::POST, "/api/show") => self.show(request).await,
            (&Method::GET | &Method::HEAD, "/api/version") => Ok(object(&Version {
                version: VERSION.to_owned(),
            })),
            (&Method::GET | &Method::HEAD, "/api/tags") => {
                Ok(object(&Tags::of(&self.profile.model)))
            }
            (&Method::GET, "/api/ps") => Ok(object(&self.running())),
            (&Method::GET, "/v1/models") => Ok(self.models()),
            (&Method::GET | &Method::HEAD, "/") => Ok(text(StatusCode::OK, "Ollama is running")),
            (
                _,
                "/api/generate"
                | "/api/chat"
                | "/v1/chat/completions"
                | "/v1/models"
                | "/api/show"
                | "/api/version"
                | "/api/tags"
                | "/api/ps"
                | "/",
            ) => Ok(text(
                StatusCode::METHOD_NOT_ALLOWED,
                "405 method not allowed",
            )),
            _ => Ok(text(StatusCode::NOT_FOUND, "404 page not found")),
        };
        outcome.unwrap_or_else(|error| reply::refusal(&error))
    }

    async fn generate(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
        ledger: Rc<Ledger>,
    ) -> Result<Reply, Error> {
        let plan = self.plan(&request)?;
        let truth = wants_truth(&request);
        let asked: GenerateRequest = read(request, &go_json::GENERATE).await?;
        let keep_alive = asked.keep_alive.as_ref().map(keep_alive).transpose()?;
        let route = match asked.raw {
            Some(true) => Route::RawGenerate,
            _ => Route::Generate,
        };
        let asked = Asked {
            model: asked.model,
            prompt: asked.prompt,
            stream: asked.stream.unwrap_or(true),
            think: asked.think,
            keep_alive,
            options: asked.options,
            dialect: Dialect::Ollama(route),
            truth,
        };
        self.speak(asked, plan, arrival, ledger).await
    }

    async fn chat(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
        ledger: Rc<Ledger>,
    ) -> Result<Reply, Error> {
        let plan = self.plan(&request)?;
        let truth = wants_truth(&request);
        let asked: ChatRequest = read(request, &go_json::CHAT).await?;
        let keep_alive = asked.keep_alive.as_ref().map(keep_alive).transpose()?;
        named(&asked.model)?;
        let said = asked
            .messages
            .iter()
            .map(|message| message.content.as_str());
        let asked = Asked {
            prompt: prompt(&said.collect::<Vec<_>>()),
            model: asked.model,
            stream: asked.stream.unwrap_or(true),
            think: asked.think,
            keep_alive,
            options: asked.options,
            dialect: Dialect::Ollama(Route::Chat),
            truth,
        };
        self.speak(asked, plan, arrival, ledger).await
    }

    async fn chat_completions(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
        ledger: Rc<Ledger>,
    ) -> Reply {
        let outcome = async {
            let plan = self.plan(&request)?;
            let asked = openai::read(request).await?;
            named(&asked.model)?;
            self.speak(asked, plan, arrival, ledger).await
        };
        outcome
            .await
            .unwrap_or_else(|error| reply::openai_refusal(&error))
    }

    /// The faults that strike a request.
    fn plan(&self, request: &Request<Incoming>) -> Result<Option<Box<Plan>>, Error> {
        let struck = self.faults.strike(request.headers());
        struck.map_err(|error| Error::bad(error.to_string()))
    }

    /// Answers, with the faults that strike.
    async fn speak(
        &self,
        asked: Asked,
        plan: Option<Box<Plan>>,
        arrival: Arrival,
        ledger: Rc<Ledger>,
    ) -> Result<Reply, Error> {
        self.known(&asked.model)?;
        let Some(plan) = plan else {
            return self.begin(asked, None, arrival, ledger).await;
        };
        let reply = match plan.status {
            Some(status) => reply::struck(asked.dialect, status, &asked.model),
            None => self.begin(asked, Some(&plan), arrival, ledger).await?,
        };
        if !plan.slow_head.is_zero() {
            tokio::time::sleep(plan.slow_head).await;
        }
        Ok(reply::typed_by(&plan, reply))
    }

    /// Hands a request to the engine, waits until the reply begins, and begins it.
    async fn begin(
        &self,
        asked: Asked,
        plan: Option<&Plan>,
        arrival: Arrival,
        ledger: Rc<Ledger>,
    ) -> Result<Reply, Error> {
        let keep_alive = asked.keep_alive;
        let unloads = asked.prompt.is_empty() && keep_alive == Some(KeepAlive::NONE);
        if asked.think.as_ref().is_some_and(Think::is_on) && !unloads {
            let model = asked.model;
            return Err(Error::bad(format!("{model:?} does not support thinking")));
        }
        let limit = asked.options.num_predict;
        let limit = limit.and_then(|limit| u32::try_from(limit).ok());
        let replay = self.replay.as_ref().filter(|_| !asked.prompt.is_empty());
        let played = replay.map(|replay| replay.play(asked.dialect, asked.stream, limit));
        let ask = Ask {
            // One file, whichever of its names was used.
            model: &self.profile.model,
            form: asked.dialect.form(),
            prompt: &asked.prompt,
            output: limit,
            runner: runner_options(&asked.options),
            keep_alive,
            recording: played.as_ref().map(|played| &played.recording),
        };
        let visit = self.realtime.arrive(self.id, arrival, ask);
        let words = match played {
            Some(played) => played.words,
            None => Words::Made(Text::new(asked.options.seed.unwrap_or(self.profile.seed))),
        };
        visit.begun().await?;
        let script = Script {
            arrival,
            number: visit.number(),
            model: asked.model,
            dialect: asked.dialect,
            truth: asked.truth,
        };
        let dialect = script.dialect;
        if !asked.stream || asked.prompt.is_empty() {
            let object = script.whole(words, visit).await;
            return Ok(reply::in_one_piece(dialect, object, plan, ledger));
        }
        let stream = Stream::new(script, words, visit, Rc::clone(&ledger));
        Ok(reply::streamed(dialect, stream, plan, ledger))
    }

    async fn show(&self, request: Request<Incoming>) -> Result<Reply, Error> {
        let asked: ShowRequest = read(request, &go_json::SHOW).await?;
        let name = match asked.model.as_str() {
            "" => &asked.name,
            name => name,
        };
        named(name)?;
        self.known(name)?;
        Ok(object(&Show::of(name)))
    }

    fn models(&self) -> Reply {
        let list = json::bytes(&ModelList::of(&self.profile.model));
        reply::with_type(reply::whole(list), "application/json")
    }

    fn running(&self) -> Running {
        let mut models = Vec::new();
        self.realtime.loaded(self.id, |loaded, left| {
            let left = left.unwrap_or(self.profile.keep_alive);
            models.push(RunningModel::new(loaded, left.min(FOR_GOOD)));
        });
        Running { models }
    }

    /// A name without a tag means `latest`.
    fn known(&self, model: &str) -> Result<(), Error> {
        let served = &self.profile.model;
        if model == served || served.strip_suffix(":latest") == Some(model) {
            return Ok(());
        }
        Err(Error(
            StatusCode::NOT_FOUND,
            Cow::Owned(format!("model '{model}' not found")),
        ))
    }
}

/// Only generate looks for a model without a name.
fn named(model: &str) -> Result<(), Error> {
    if model.is_empty() {
        return Err(Error::bad("model is required"));
    }
    Ok(())
}

/// The prompt of a conversation. It is empty only where there is no message at all: the template
/// that a server puts around each is never empty.
pub fn prompt(messages: &[&str]) -> String {
    let prompt = messages.join("\n");
    if prompt.is_empty() && !messages.is_empty() {
        return "\n".to_owned();
    }
    prompt
}

/// The options that a runner is started with, Ollama's defaults where the request has none.
fn runner_options(options: &Options) -> RunnerOptions {
    let default = RunnerOptions::default();
    RunnerOptions {
        num_ctx: options.num_ctx.unwrap_or(default.num_ctx),
        num_batch: options.num_batch.unwrap_or(default.num_batch),
        num_gpu: options.num_gpu.unwrap_or(default.num_gpu),
        main_gpu: options.main_gpu.unwrap_or(default.main_gpu),
        use_mmap: options.use_mmap.or(default.use_mmap),
        num_thread: options.num_thread.unwrap_or(default.num_thread),
    }
}

/// Seconds, or Go's notation such as `5m` or `1h30m`.
fn keep_alive(asked: &AskedKeepAlive) -> Result<KeepAlive, Error> {
    let duration = match asked {
        AskedKeepAlive::Seconds(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
        AskedKeepAlive::Text(text) => go_json::parse_duration(text).map_err(Error::bad)?,
    };
    // A negative one, or one that is longer than time, can't be converted: it means for good.
    Ok(duration.map_or(KeepAlive::Forever, KeepAlive::For))
}

/// Whether a request asks for it.
pub fn wants_truth(request: &Request<Incoming>) -> Tell {
    let (name, value) = TRUTH_HEADER;
    let given = request.headers().get(name);
    if given.is_some_and(|given| given == value) {
        Tell::Truth
    } else {
        Tell::NoMoreThanOllama
    }
}

/// A request's body.
pub async fn body(request: Request<Incoming>) -> Result<Bytes, Error> {
    let body = Limited::new(request.into_body(), LONGEST_REQUEST).collect();
    let body = body.await.map_err(|error| Error::bad(error.to_string()))?;
    Ok(body.to_bytes())
}

/// A request that is a `shape` in Ollama.
async fn read<T: DeserializeOwned>(
    request: Request<Incoming>,
    shape: &go_json::Struct,
) -> Result<T, Error> {
    let body = body(request).await?;
    go_json::read(&body, shape).map_err(|refusal| refusal.into_error("missing request body"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_alive_is_seconds_or_gos_notation_and_negative_for_good() {
        let of = |asked| keep_alive(&asked).ok();
        let text = |text: &str| AskedKeepAlive::Text(text.to_owned());
        let secs = |secs| Some(KeepAlive::For(Duration::from_secs(secs)));
        assert_eq!(of(AskedKeepAlive::Seconds(0.0)), secs(0));
        assert_eq!(of(AskedKeepAlive::Seconds(90.0)), secs(90));
        assert_eq!(of(AskedKeepAlive::Seconds(-1.0)), Some(KeepAlive::Forever));
        assert_eq!(of(text("5m")), secs(300));
        assert_eq!(of(text("1h30m")), secs(5400));
        assert_eq!(of(text("-1s")), Some(KeepAlive::Forever));
        assert_eq!(of(text("soon")), None);
    }
}
