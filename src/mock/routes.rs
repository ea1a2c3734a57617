//! The routes that speak: what they have in common, from the request to the first line.

use super::asked::{ChatRequest, GenerateRequest};
use super::composed::{Content, Wish};
use super::fault::{Faults, Plan};
use super::form::{Dialect, Form, Route};
use super::go_json;
use super::logprobs::Logprobs;
use super::models::{Full, Model, Name, Store};
use super::native;
use super::realtime::{Arrival, Realtime};
use super::refusals;
use super::replay::{Replay, Words};
use super::reply::{self, Reply};
use super::schema::Schema;
use super::socket::Ledger;
use super::stream::{Script, Stream, Tell};
use super::tools::Tool;
use crate::engine::text::Text;
use crate::engine::{Ask, KeepAlive, Profile, Refusal, RunnerOptions, ServerId, ToolCalls};
use crate::ollama::Options;
use crate::ollama::wire::{KeepAlive as AskedKeepAlive, TRUTH_HEADER, Think};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// The longest request that is read.
const LONGEST_REQUEST: usize = 64 << 20;

/// One server, as all of its connections share it.
pub struct Server {
    pub id: ServerId,
    /// Where it listens.
    pub address: SocketAddr,
    pub profile: Rc<Profile>,
    pub realtime: Rc<Realtime>,
    /// What it answers instead of what the profile says.
    pub replay: Option<Rc<Replay>>,
    pub faults: Rc<Faults>,
    pub models: Store,
    /// As which model each file of weights was loaded, by digest.
    pub loaded_as: RefCell<HashMap<String, Rc<Model>>>,
}

/// An error reply.
pub struct Error(pub StatusCode, pub Cow<'static, str>);

impl Error {
    pub fn bad(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(StatusCode::BAD_REQUEST, reason.into())
    }

    pub fn internal(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, reason.into())
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

impl From<Full> for Error {
    fn from(Full: Full) -> Self {
        Self::internal("no space left on device")
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
    pub form: Form,
    pub truth: Tell,
    pub wants: Wants,
}

/// What shapes an answer, or gets a request refused.
pub struct Wants {
    /// Texts before which the answer ends.
    pub stop: Vec<String>,
    /// As Ollama takes it: `"json"` or a schema; null is none.
    pub format: Value,
    pub tools: Vec<Tool>,
    /// Whether the last message says what a tool gave.
    pub has_result: bool,
    pub logprobs: bool,
    pub top_logprobs: i64,
    pub has_images: bool,
    pub suffix: String,
    pub template: String,
    pub has_system: bool,
    pub has_context: bool,
    /// Whether too long a prompt is cut and not refused.
    pub truncates: bool,
    /// Whether a model that does not think is not asked to.
    pub relaxes_thinking: bool,
    /// What is to be said of an option of the wrong type.
    pub bad_option: Option<String>,
    /// Whether only the prompt is to be told, as the template makes it.
    pub renders_only: bool,
}

impl Default for Wants {
    fn default() -> Self {
        Self {
            stop: Vec::new(),
            format: Value::Null,
            tools: Vec::new(),
            has_result: false,
            logprobs: false,
            top_logprobs: 0,
            has_images: false,
            suffix: String::new(),
            template: String::new(),
            has_system: false,
            has_context: false,
            truncates: true,
            relaxes_thinking: false,
            bad_option: None,
            renders_only: false,
        }
    }
}

impl Server {
    pub async fn generate(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
        ledger: Rc<Ledger>,
    ) -> Result<Reply, Error> {
        let plan = self.plan(&request)?;
        let truth = wants_truth(&request);
        let (asked, bad_option) = read_leniently(request, &go_json::GENERATE).await?;
        let asked: GenerateRequest = asked;
        let keep_alive = asked.keep_alive.as_ref().map(keep_alive).transpose()?;
        let route = match asked.raw {
            Some(true) => Route::RawGenerate,
            _ => Route::Generate,
        };
        let options = asked.options.unwrap_or_default();
        let asked = Asked {
            model: asked.model.unwrap_or_default(),
            prompt: asked.prompt.unwrap_or_default(),
            stream: asked.stream.unwrap_or(true),
            think: asked.think,
            keep_alive,
            options: options.options,
            form: Form::Ollama(route),
            truth,
            wants: Wants {
                stop: options.stop.unwrap_or_default(),
                format: asked.format,
                logprobs: asked.logprobs.unwrap_or(false),
                top_logprobs: asked.top_logprobs.unwrap_or(0),
                has_images: asked.images.is_some_and(|images| !images.is_empty()),
                suffix: asked.suffix.unwrap_or_default(),
                template: asked.template.unwrap_or_default(),
                has_system: asked.system.is_some_and(|system| !system.is_empty()),
                has_context: asked.context.is_some_and(|context| !context.is_empty()),
                truncates: asked.truncate.unwrap_or(true),
                bad_option,
                renders_only: asked.renders_only.unwrap_or(false),
                ..Wants::default()
            },
        };
        self.speak(asked, plan, arrival, ledger).await
    }

    pub async fn chat(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
        ledger: Rc<Ledger>,
    ) -> Result<Reply, Error> {
        let plan = self.plan(&request)?;
        let truth = wants_truth(&request);
        let (asked, bad_option) = read_leniently(request, &go_json::CHAT).await?;
        let asked: ChatRequest = asked;
        let keep_alive = asked.keep_alive.as_ref().map(keep_alive).transpose()?;
        let messages = asked.messages.unwrap_or_default();
        let said = messages
            .iter()
            .map(|message| message.content.as_deref().unwrap_or_default());
        let last = messages.last().and_then(|last| last.role.as_deref());
        let mut images = messages.iter().flat_map(|message| &message.images);
        let options = asked.options.unwrap_or_default();
        let asked = Asked {
            prompt: prompt(&said.collect::<Vec<_>>()),
            model: asked.model.unwrap_or_default(),
            stream: asked.stream.unwrap_or(true),
            think: asked.think,
            keep_alive,
            options: options.options,
            form: Form::Ollama(Route::Chat),
            truth,
            wants: Wants {
                stop: options.stop.unwrap_or_default(),
                format: asked.format,
                tools: asked.tools.unwrap_or_default(),
                has_result: last.is_some_and(|role| role.eq_ignore_ascii_case("tool")),
                logprobs: asked.logprobs.unwrap_or(false),
                top_logprobs: asked.top_logprobs.unwrap_or(0),
                has_images: images.any(|images| !images.is_empty()),
                truncates: asked.truncate.unwrap_or(true),
                bad_option,
                renders_only: asked.renders_only.unwrap_or(false),
                ..Wants::default()
            },
        };
        self.speak(asked, plan, arrival, ledger).await
    }

    /// Answers a request of an API that Ollama translates.
    pub async fn translated<F: Future<Output = Result<Asked, Error>>>(
        &self,
        dialect: Dialect,
        read: impl FnOnce(Request<Incoming>) -> F,
        request: Request<Incoming>,
        arrival: Arrival,
        ledger: Rc<Ledger>,
    ) -> Reply {
        let plan = self.plan(&request);
        let asked = match plan {
            Ok(plan) => read(request).await.map(|asked| (asked, plan)),
            Err(error) => Err(error),
        };
        let (asked, plan) = match asked {
            Ok(sound) => sound,
            Err(error) => return reply::early_refusal(dialect, &error),
        };
        let streams = asked.stream;
        let reply = self.speak(asked, plan, arrival, ledger).await;
        let reply = reply.unwrap_or_else(|error| reply::refused(dialect, &error));
        reply::with_stream_headers(dialect, streams, reply)
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
        let dialect = asked.form.dialect();
        refusals::check_alternatives(&asked)?;
        if !refusals::is_generate(dialect) {
            named(&asked.model)?;
        }
        let model = self.models.speaker(&asked.model);
        let model = model.ok_or_else(|| missing(&asked.model))?;
        let Some(plan) = plan else {
            return self.begin(asked, &model, None, arrival, ledger).await;
        };
        let reply = match plan.status {
            Some(status) => reply::struck(dialect, status, &asked.model),
            None => {
                let plan = Some(&*plan);
                self.begin(asked, &model, plan, arrival, ledger).await?
            }
        };
        if !plan.slow_head.is_zero() {
            tokio::time::sleep(plan.slow_head).await;
        }
        Ok(reply::typed_by(&plan, reply))
    }

    /// Hands a request to the engine, waits until the reply begins, and begins it.
    async fn begin(
        &self,
        mut asked: Asked,
        served: &Rc<Model>,
        plan: Option<&Plan>,
        arrival: Arrival,
        ledger: Rc<Ledger>,
    ) -> Result<Reply, Error> {
        asked.options = served.options(asked.options);
        let keep_alive = asked.keep_alive;
        let unloads = asked.prompt.is_empty() && keep_alive == Some(KeepAlive::NONE);
        let dialect = asked.form.dialect();
        let model = refusals::Model {
            full_name: &served.name.to_string(),
            capabilities: &served.capabilities(),
        };
        if !unloads {
            model.takes(&asked)?;
        }
        let mut schema = None;
        if !asked.prompt.is_empty() {
            if let (true, Form::Ollama(route)) = (asked.wants.renders_only, &asked.form) {
                let rendered = native::rendered(*route, &asked.model, &asked.prompt);
                return Ok(reply::in_one_piece(dialect, rendered, plan, ledger));
            }
            schema = match model.begins(&asked) {
                Ok(schema) => schema,
                Err(error) if asked.stream => return Ok(reply::refused_stream(dialect, &error)),
                Err(error) => return Err(error),
            };
        }
        let limit = refusals::limit(&asked);
        let replay = self.replay.as_ref().filter(|_| !asked.prompt.is_empty());
        let played = replay.map(|replay| replay.play(dialect, asked.stream, limit));
        let (words, recording) = match played {
            Some(played) => (played.words, Some(played.recording)),
            None => (
                self.words(&asked, model.thinks(&asked), schema.as_ref()),
                None,
            ),
        };
        let (answer, first) = match &words {
            Words::Composed(composed) => (
                Some(composed.known()),
                composed
                    .first_piece()
                    .map_or(usize::MAX, |with| with as usize),
            ),
            _ => (None, 1),
        };
        let ask = Ask {
            // One file, whichever of its names was used.
            model: &served.weights.digest,
            prompt: &asked.prompt,
            output: limit,
            answer,
            runner: runner_options(&asked.options),
            keep_alive,
            recording: recording.as_ref(),
        };
        self.note_load(served, &ask);
        let visit = self.realtime.arrive(self.id, arrival, ask);
        visit.begun(first).await?;
        let script = Script {
            arrival,
            number: visit.number(),
            model: asked.model,
            form: asked.form,
            truth: asked.truth,
        };
        if !asked.stream || asked.prompt.is_empty() {
            let object = script.whole(words, visit).await;
            return Ok(reply::in_one_piece(dialect, object, plan, ledger));
        }
        let stream = Stream::new(script, words, visit, Rc::clone(&ledger));
        Ok(reply::streamed(dialect, stream, plan, ledger))
    }

    /// What an answer says that is not played.
    fn words(&self, asked: &Asked, thinks: bool, schema: Option<&Schema>) -> Words {
        let seed = asked.options.seed.unwrap_or(self.profile.seed);
        let calls = self.profile.tool_calls == ToolCalls::Always && !asked.wants.has_result;
        let tool = asked.wants.tools.first().filter(|_| calls);
        let logprobs = asked.wants.logprobs.then(|| Logprobs {
            top: usize::try_from(asked.wants.top_logprobs).unwrap_or(0),
            seed,
        });
        let wish = Wish {
            seed,
            limit: refusals::limit(asked),
            usual: self.profile.tokens,
            thinks,
            content: match (schema, tool) {
                (Some(schema), _) => Content::Json(schema),
                (None, Some(tool)) => Content::Call(tool, asked.prompt.len() as u64),
                (None, None) => Content::Text,
            },
            stop: &asked.wants.stop,
            logprobs,
        };
        // What has no prompt has no answer.
        if wish.is_plain() || asked.prompt.is_empty() {
            return Words::Made(Text::new(seed));
        }
        Words::Composed(Box::new(wish.composed()))
    }

    /// The model of a name.
    pub fn known(&self, name: &str) -> Result<Rc<Model>, Error> {
        self.models.find(name).ok_or_else(|| missing(name))
    }

    /// Remembers under which name a model is loaded, where a request loads one.
    pub fn note_load(&self, model: &Rc<Model>, ask: &Ask<'_>) {
        let mut is_loaded = false;
        self.realtime.loaded(self.id, |loaded, _| {
            is_loaded |= loaded.model == ask.model && loaded.options == ask.runner;
        });
        if !is_loaded {
            let mut loaded_as = self.loaded_as.borrow_mut();
            loaded_as.insert(ask.model.to_owned(), Rc::clone(model));
        }
    }
}

/// There is no such model.
pub fn missing(name: &str) -> Error {
    Error(
        StatusCode::NOT_FOUND,
        Cow::Owned(format!("model '{name}' not found")),
    )
}

/// Only generate looks for a model whose name is none.
fn named(model: &str) -> Result<(), Error> {
    if !Name::parse(model).is_valid() {
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
pub fn runner_options(options: &Options) -> RunnerOptions {
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
pub fn keep_alive(asked: &AskedKeepAlive) -> Result<KeepAlive, Error> {
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
pub async fn read<T: DeserializeOwned>(
    request: Request<Incoming>,
    shape: &go_json::Struct,
) -> Result<T, Error> {
    let body = body(request).await?;
    go_json::read(&body, shape).map_err(|refusal| refusal.into_error("missing request body"))
}

/// The same for an API that Ollama translates, which says otherwise that there is none.
pub async fn read_translated<T: DeserializeOwned>(
    request: Request<Incoming>,
    shape: &go_json::Struct,
) -> Result<T, Error> {
    let body = body(request).await?;
    go_json::read(&body, shape).map_err(|refusal| refusal.into_error("EOF"))
}

/// The same, with what is to be said of an option of the wrong type.
async fn read_leniently<T: DeserializeOwned>(
    request: Request<Incoming>,
    shape: &go_json::Struct,
) -> Result<(T, Option<String>), Error> {
    let body = body(request).await?;
    let request = go_json::read_leniently(&body, shape);
    request.map_err(|refusal| refusal.into_error("missing request body"))
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
