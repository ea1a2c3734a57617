//! The routes that speak: from what a request asks for to the reply that begins.
//!
//! Each route, and each API that Ollama translates, reads a request of its own kind; all of them
//! become the same [`Asked`]. Then the order is Ollama's: the model is found, the request refused
//! where it must be (`refusals.rs`), the answer made up, the engine asked for its time.

use super::asked::{ChatRequest, GenerateRequest};
use super::composed::{Content, Wish};
use super::fault::Plan;
use super::form::{Dialect, Form, Route};
use super::go_json;
use super::log::Tell;
use super::logprobs::Logprobs;
use super::models::{Model, Name};
use super::native;
use super::realtime::Arrival;
use super::refusals;
use super::replay::Words;
use super::reply::{self, Reply};
use super::routes::{Error, Server, keep_alive, missing, read_leniently, runner_options};
use super::schema::Schema;
use super::socket::Ledger;
use super::stream::{Script, Stream};
use super::tools::{Call, Tool};
use crate::engine::text::Text;
use crate::engine::{Ask, KeepAlive, ToolCalls};
use crate::protocol::Options;
use crate::protocol::wire::Think;
use hyper::Request;
use hyper::body::Incoming;
use serde_json::Value;
use std::rc::Rc;

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
    /// Whether the context moves on where an answer fills it, so that the answer goes on too.
    pub shifts: bool,
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
            shifts: true,
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
        let truth = Tell::of(&request);
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
                shifts: asked.shift.unwrap_or(true),
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
        let truth = Tell::of(&request);
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
                shifts: asked.shift.unwrap_or(true),
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
            form: asked.form.dialect().handling(),
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
        let tools = if calls { &asked.wants.tools[..] } else { &[] };
        let number = asked.prompt.len() as u64;
        let logprobs = asked.wants.logprobs.then(|| Logprobs {
            top: usize::try_from(asked.wants.top_logprobs).unwrap_or(0),
            seed,
        });
        let wish = Wish {
            seed,
            limit: refusals::limit(asked),
            usual: self.profile.tokens,
            thinks,
            content: match (schema, tools) {
                (Some(schema), tools) => {
                    match Call::read(&schema.value(seed), tools, seed, number) {
                        Some(call) => Content::Call(call),
                        None => Content::Json(schema),
                    }
                }
                (None, [tool, ..]) => Content::Call(tool.call(seed, number)),
                (None, []) => Content::Text,
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
