//! Embeddings: `/api/embed`, `/api/embeddings` and `/v1/embeddings`.
//!
//! A text waits for runner, slot and reading of the prompt as any prompt does, several texts side by
//! side; then there is its vector. It has the length that the model's weights say and the norm 1,
//! and depends on text and weights alone: the same again is the same vector, and any other text's is
//! about as far away as the next. A model that can't embed is loaded all the same, and refuses, as
//! Ollama's runner does.

use super::form::Dialect;
use super::go_json;
use super::log::Tell;
use super::models::{Model, Name, digest};
use super::realtime::{Arrival, News, Visit};
use super::reply::{self, Reply};
use super::routes::{self, Error, Server, runner_options};
use super::stream::{nanos, terms};
use crate::engine::{Account, Ask, Capability, KeepAlive, RunnerOptions, count_tokens};
use crate::protocol::Options;
use crate::protocol::wire::{KeepAlive as AskedKeepAlive, Truth};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use fastrand::Rng;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::rc::Rc;

/// What Ollama's runner says of a model that can't.
const CANNOT: &str = "this model does not support embeddings";
const TOO_LONG: &str = "the input length exceeds the context length";

#[derive(Default, Deserialize)]
#[serde(default)]
struct EmbedRequest {
    model: String,
    input: Value,
    keep_alive: Option<AskedKeepAlive>,
    truncate: Option<bool>,
    dimensions: i64,
    options: Options,
}

#[derive(Serialize)]
struct EmbedResponse {
    model: String,
    embeddings: Vec<Vec<f32>>,
    #[serde(skip_serializing_if = "is_zero")]
    total_duration: u64,
    #[serde(skip_serializing_if = "is_zero")]
    load_duration: u64,
    #[serde(skip_serializing_if = "is_zero")]
    prompt_eval_count: u64,
    /// Where the request asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    tare_truth: Option<Truth>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EmbeddingRequest {
    model: String,
    prompt: String,
    keep_alive: Option<AskedKeepAlive>,
    options: Options,
}

#[derive(Serialize)]
struct EmbeddingResponse {
    embedding: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tare_truth: Option<Truth>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OpenAiRequest {
    model: String,
    input: Value,
    dimensions: i64,
    encoding_format: String,
}

#[derive(Serialize)]
struct OpenAiList {
    object: &'static str,
    data: Vec<OpenAiEmbedding>,
    model: String,
    usage: Usage,
    #[serde(skip_serializing_if = "Option::is_none")]
    tare_truth: Option<Truth>,
}

#[derive(Serialize)]
struct OpenAiEmbedding {
    object: &'static str,
    embedding: Encoded,
    index: usize,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Encoded {
    Floats(Vec<f32>),
    /// Four bytes a number, the lowest first, in base64.
    Base64(String),
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// Texts to be read, and how.
struct Reading<'a> {
    texts: &'a [&'a str],
    keep_alive: Option<KeepAlive>,
    runner: RunnerOptions,
    arrival: Arrival,
}

/// What came of it.
struct Read {
    /// Of the text that was read first.
    first: Account,
    /// Of the text that was read last, whose terms add up to the whole.
    last: Account,
    tokens: u64,
}

impl Server {
    /// `POST /api/embed`
    pub async fn embed(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
    ) -> Result<Reply, Error> {
        let truth = Tell::of(&request);
        let asked: EmbedRequest = routes::read(request, &go_json::EMBED).await?;
        let response = self.embedded(asked, truth, arrival).await?;
        Ok(reply::object(&response))
    }

    /// `POST /v1/embeddings`
    pub async fn embed_for_openai(&self, request: Request<Incoming>, arrival: Arrival) -> Reply {
        let truth = Tell::of(&request);
        let dialect = Dialect::ChatCompletion;
        let (asked, encoding) = match read_openai(request).await {
            Ok(asked) => asked,
            Err(error) => return reply::early_refusal(dialect, &error),
        };
        match self.embedded(asked, truth, arrival).await {
            Ok(response) => reply::line(&response.for_openai(encoding)),
            Err(error) => reply::refused(dialect, &error),
        }
    }

    /// `POST /api/embeddings`, the older form: one text.
    pub async fn embed_one(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
    ) -> Result<Reply, Error> {
        let truth = Tell::of(&request);
        let asked: EmbeddingRequest = routes::read(request, &go_json::EMBEDDINGS).await?;
        let name = Name::parse(&asked.model);
        if !name.is_valid() {
            return Err(Error::bad("model is required"));
        }
        // Here the case of a name matters.
        let model = self.models.get(&name).ok_or(not_pulled(&asked.model))?;
        let keep_alive = asked.keep_alive.as_ref();
        let prompt = match asked.prompt.as_str() {
            "" => None,
            prompt => Some(prompt),
        };
        let reading = Reading {
            texts: prompt.as_slice(),
            keep_alive: keep_alive.map(routes::keep_alive).transpose()?,
            runner: runner_options(&model.options(asked.options)),
            arrival,
        };
        let context = context(&model, &reading.runner);
        let read = self.read_texts(&model, reading).await?;
        let embedding = match prompt {
            None => Vec::new(),
            Some(prompt) => {
                can_embed(&model).map_err(Error::internal)?;
                if count_tokens(prompt) > context {
                    return Err(Error::internal(TOO_LONG));
                }
                vector(prompt, &model).into_iter().map(f64::from).collect()
            }
        };
        Ok(reply::object(&EmbeddingResponse {
            embedding,
            tare_truth: read.truth(&truth, arrival),
        }))
    }

    async fn embedded(
        &self,
        asked: EmbedRequest,
        truth: Tell,
        arrival: Arrival,
    ) -> Result<EmbedResponse, Error> {
        let texts = texts(&asked.input)?;
        // Ollama reads the name that it has read once more.
        let name = Name::parse(&Name::parse(&asked.model).to_string());
        if !name.is_valid() {
            return Err(Error::internal(format!("unqualified name: {name}")));
        }
        let model = self.models.find(&asked.model);
        let model = model.ok_or(not_pulled(&asked.model))?;
        let keep_alive = asked.keep_alive.as_ref();
        let runner = runner_options(&model.options(asked.options));
        let context = context(&model, &runner);
        let cut: Vec<_> = texts.iter().map(|text| start(text, context)).collect();
        let reading = Reading {
            texts: &cut,
            keep_alive: keep_alive.map(routes::keep_alive).transpose()?,
            runner,
            arrival,
        };
        let read = self.read_texts(&model, reading).await?;
        if texts.is_empty() {
            return Ok(EmbedResponse {
                model: asked.model,
                embeddings: Vec::new(),
                total_duration: 0,
                load_duration: 0,
                prompt_eval_count: 0,
                tare_truth: read.truth(&truth, arrival),
            });
        }
        can_embed(&model).map_err(|words| Error(StatusCode::NOT_IMPLEMENTED, words.into()))?;
        let truncates = asked.truncate.unwrap_or(true);
        if !truncates && cut.iter().zip(&texts).any(|(cut, text)| cut != text) {
            return Err(Error::bad(TOO_LONG));
        }
        let dimensions = usize::try_from(asked.dimensions).unwrap_or(0);
        let embeddings = cut
            .iter()
            .map(|text| shortened(vector(text, &model), dimensions));
        Ok(EmbedResponse {
            model: asked.model,
            embeddings: embeddings.collect(),
            load_duration: nanos(read.first.load()),
            prompt_eval_count: read.tokens,
            tare_truth: read.truth(&truth, arrival),
            total_duration: nanos(arrival.elapsed()),
        })
    }

    /// Waits until all texts are read; without any the model is only loaded. A model that can't
    /// embed refuses as soon as it is loaded.
    async fn read_texts(&self, model: &Rc<Model>, reading: Reading<'_>) -> Result<Read, Error> {
        let only_load = [""];
        let texts = match reading.texts {
            texts if can_embed(model).is_ok() && !texts.is_empty() => texts,
            _ => &only_load,
        };
        let load = Ask {
            model: &model.weights.digest,
            output: Some(0),
            runner: reading.runner,
            keep_alive: reading.keep_alive,
            ..Ask::default()
        };
        self.note_load(model, &load);
        let asks = texts.iter().map(|&text| Ask {
            prompt: text,
            ..load
        });
        let visits = self
            .realtime
            .arrive_together(self.id, reading.arrival, asks);
        let mut accounts = Vec::with_capacity(visits.len());
        for visit in visits {
            accounts.push(done(&visit).await?);
        }
        let by_end = |account: &&Account| account.total();
        let (Some(first), Some(last)) = (accounts.first(), accounts.iter().max_by_key(by_end))
        else {
            return Err(Error::internal("no text was read"));
        };
        let tokens = accounts.iter().map(|account| account.prompt_tokens);
        Ok(Read {
            first: *first,
            last: *last,
            tokens: tokens.map(u64::from).sum(),
        })
    }
}

impl Read {
    fn truth(&self, tell: &Tell, arrival: Arrival) -> Option<Truth> {
        tell.complete(|| Truth {
            received: arrival.moment.0,
            done: nanos(arrival.elapsed()),
            terms: terms(&self.last),
            ..Truth::default()
        })
    }
}

impl EmbedResponse {
    fn for_openai(self, encoding: Encoding) -> OpenAiList {
        let encoded = |vector: Vec<f32>| match encoding {
            Encoding::Float => Encoded::Floats(vector),
            Encoding::Base64 => {
                let bytes: Vec<u8> = vector
                    .iter()
                    .flat_map(|number| number.to_le_bytes())
                    .collect();
                Encoded::Base64(BASE64_STANDARD.encode(&bytes))
            }
        };
        let data = self.embeddings.into_iter().enumerate();
        OpenAiList {
            object: "list",
            data: data
                .map(|(index, vector)| OpenAiEmbedding {
                    object: "embedding",
                    embedding: encoded(vector),
                    index,
                })
                .collect(),
            model: self.model,
            usage: Usage {
                prompt_tokens: self.prompt_eval_count,
                total_tokens: self.prompt_eval_count,
            },
            tare_truth: self.tare_truth,
        }
    }
}

#[derive(Clone, Copy)]
enum Encoding {
    Float,
    Base64,
}

async fn read_openai(request: Request<Incoming>) -> Result<(EmbedRequest, Encoding), Error> {
    let asked: OpenAiRequest =
        routes::read_translated(request, &go_json::OPENAI_EMBEDDINGS).await?;
    let encoding = match asked.encoding_format.to_lowercase().as_str() {
        "" | "float" => Encoding::Float,
        "base64" => Encoding::Base64,
        _ => {
            let given = asked.encoding_format;
            return Err(Error::bad(format!(
                "Invalid value for 'encoding_format' = {given}. Supported values: ['float', 'base64']."
            )));
        }
    };
    let input = match asked.input {
        Value::Null => return Err(Error::bad("invalid input")),
        Value::Array(list) if list.is_empty() => return Err(Error::bad("invalid input")),
        Value::String(text) if text.is_empty() => Value::from(vec![""]),
        other => other,
    };
    let asked = EmbedRequest {
        model: asked.model,
        input,
        dimensions: asked.dimensions,
        ..EmbedRequest::default()
    };
    Ok((asked, encoding))
}

/// The texts of an input.
fn texts(input: &Value) -> Result<Vec<&str>, Error> {
    let wrong = || Error::bad("invalid input type");
    match input {
        Value::Null => Ok(Vec::new()),
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        Value::String(text) => Ok(vec![text]),
        Value::Array(list) => {
            let texts = list.iter();
            texts.map(|text| text.as_str().ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

fn not_pulled(name: &str) -> Error {
    let quoted = go_json::quote(name);
    let words = format!("model {quoted} not found, try pulling it first");
    Error(StatusCode::NOT_FOUND, words.into())
}

fn can_embed(model: &Model) -> Result<(), &'static str> {
    match model.weights.capabilities.contains(&Capability::Embedding) {
        true => Ok(()),
        false => Err(CANNOT),
    }
}

/// The most tokens that a text may have.
fn context(model: &Model, runner: &RunnerOptions) -> u32 {
    runner.num_ctx.min(model.weights.context())
}

/// So much of a text's start as has so many tokens at most. A text without any is read as one that
/// has one, which Ollama puts before each.
fn start(text: &str, tokens: u32) -> &str {
    let mut start = match text {
        "" => " ",
        text => text,
    };
    while count_tokens(start) > tokens {
        let share = u64::from(tokens) * start.len() as u64 / u64::from(count_tokens(start));
        let share = usize::try_from(share).unwrap_or(0);
        start = &start[..start.floor_char_boundary(share.min(start.len() - 1))];
    }
    start
}

async fn done(visit: &Visit) -> Result<Account, Error> {
    loop {
        match visit.news().await {
            News::Done(account) => return Ok(account),
            News::Refused(refusal) => return Err(refusal.into()),
            News::Token(_) => {}
        }
    }
}

/// The embedding of a text.
fn vector(text: &str, model: &Model) -> Vec<f32> {
    let weights = &model.weights;
    let digest = digest::of(format!("{} {text}", weights.digest).as_bytes());
    let digits = digest.trim_start_matches("sha256:").get(..16);
    let seed = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let mut rng = Rng::with_seed(seed.unwrap_or_default());
    let numbers = (0..weights.embedding()).map(|_| rng.f32() * 2.0 - 1.0);
    normalized(numbers.collect())
}

/// A vector's first numbers, where it has more; none is all.
fn shortened(mut vector: Vec<f32>, dimensions: usize) -> Vec<f32> {
    if dimensions == 0 || dimensions >= vector.len() {
        return vector;
    }
    vector.truncate(dimensions);
    normalized(vector)
}

fn normalized(mut vector: Vec<f32>) -> Vec<f32> {
    let sum: f32 = vector.iter().map(|number| number * number).sum();
    let norm = (1.0 / f64::from(sum).sqrt().max(1e-12)) as f32;
    for number in &mut vector {
        *number *= norm;
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::models::Weights;

    fn model() -> Model {
        let name = Name::parse("embeddinggemma");
        let can = [Capability::Embedding];
        let weights = Rc::new(Weights::of(&name, &can));
        Model::new(name, weights, &can, jiff::Timestamp::UNIX_EPOCH)
    }

    fn product(one: &[f32], other: &[f32]) -> f32 {
        one.iter().zip(other).map(|(one, other)| one * other).sum()
    }

    #[test]
    fn a_text_has_one_vector_of_norm_1() {
        let model = model();
        let one = vector("Why is the sky blue?", &model);
        assert_eq!(one.len(), 2_560);
        assert_eq!(one, vector("Why is the sky blue?", &model));
        assert!((product(&one, &one) - 1.0).abs() < 1e-4);
        let other = vector("Why is the sky red?", &model);
        assert!(product(&one, &other).abs() < 0.2);
    }

    #[test]
    fn a_shorter_vector_is_the_start_of_the_long_one_at_norm_1() {
        let long = vector("x", &model());
        let short = shortened(long.clone(), 8);
        assert_eq!(short.len(), 8);
        assert!((product(&short, &short) - 1.0).abs() < 1e-4);
        assert!((short[0] / short[1] - long[0] / long[1]).abs() < 1e-3);
        assert_eq!(shortened(long.clone(), 0), long);
        assert_eq!(shortened(long.clone(), 10_000), long);
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_between_characters() {
        let long = "é".repeat(1_000);
        let cut = start(&long, 10);
        assert!(!cut.is_empty() && count_tokens(cut) <= 10);
        assert_eq!(start("short", 10), "short");
        assert_eq!(count_tokens(start("", 10)), 1);
        assert_eq!(start("x", 0), "");
    }

    #[test]
    fn an_input_is_a_text_or_a_list_of_texts() {
        let of = |input: Value| {
            let texts = texts(&input).map(|texts| texts.len());
            texts.map_err(|error| error.1.into_owned())
        };
        assert_eq!(of(Value::Null), Ok(0));
        assert_eq!(of("".into()), Ok(0));
        assert_eq!(of("a".into()), Ok(1));
        assert_eq!(of(vec!["a", ""].into()), Ok(2));
        for wrong in [
            Value::from(1),
            serde_json::json!(["a", 1]),
            serde_json::json!({}),
        ] {
            assert_eq!(of(wrong), Err("invalid input type".to_owned()));
        }
    }
}
