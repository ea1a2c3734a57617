//! The JSON of Ollama's API, in the order and with the omissions of the real server: a field whose
//! value is zero is left out.
//!
//! All durations are nanoseconds.

use super::timings::Timings;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Overrides of a model's options; what is absent is the server's default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Options {
    /// Layers offloaded to the GPU; negative: as many as fit. A change reloads the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_gpu: Option<i32>,
    /// Context length in tokens. A change reloads the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_ctx: Option<u32>,
    /// Prompt tokens evaluated at a time. A change reloads the model, as of the next three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_batch: Option<u32>,
    /// The GPU that holds the small tensors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main_gpu: Option<i32>,
    /// Whether the weights are mapped into memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_mmap: Option<bool>,
    /// Threads on the CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_thread: Option<u32>,
    /// Sampling temperature, 0 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Nucleus sampling, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Sample from so many tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    /// Penalty on repetition; 1 is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_penalty: Option<f64>,
    /// Seed of the sampler. A negative one counts down from the greatest.
    #[serde(
        default,
        deserialize_with = "signed_too",
        skip_serializing_if = "Option::is_none"
    )]
    pub seed: Option<u64>,
    /// Most tokens to generate; negative: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_predict: Option<i32>,
}

impl Options {
    /// Whether all is left to the server.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How long a model stays loaded after a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeepAlive {
    /// Seconds, a fraction too; 0 unloads at once, negative keeps it for good.
    Seconds(f64),
    /// Go's notation, such as `5m`.
    Text(String),
}

/// Whether a model is to reason before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Think {
    /// Yes or no.
    Switch(bool),
    /// Yes, and how much.
    Effort(Effort),
}

impl Think {
    /// Whether it is to.
    pub fn is_on(&self) -> bool {
        *self != Think::Switch(false)
    }
}

/// How much a model is to reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// Most.
    High,
    /// Between the two.
    Medium,
    /// Least.
    Low,
}

/// Go reads `null` as what a field has without it.
fn null_too<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Servers take a seed of either sign.
pub(crate) fn signed_too<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let seed = Option::<Signed>::deserialize(deserializer)?;
    Ok(seed.map(|Signed(seed)| seed))
}

/// A whole number of either sign, a negative one counted down from the greatest.
struct Signed(u64);

impl<'de> Deserialize<'de> for Signed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Signed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_u64<E>(self, seed: u64) -> Result<Signed, E> {
                Ok(Signed(seed))
            }

            fn visit_i64<E>(self, seed: i64) -> Result<Signed, E> {
                Ok(Signed(seed as u64))
            }
        }
        deserializer.deserialize_i64(Either)
    }
}

/// The body of `POST /api/generate`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GenerateRequest {
    /// The model's name.
    #[serde(default, deserialize_with = "null_too")]
    pub model: String,
    /// The prompt; an empty one only loads the model.
    #[serde(default, deserialize_with = "null_too")]
    pub prompt: String,
    /// System prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Whether to stream; the server's default is yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// No template around the prompt, and no `context` in the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<bool>,
    /// Whether to reason first; an error where the model can't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think: Option<Think>,
    /// How long the model stays loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<KeepAlive>,
    /// Overrides.
    #[serde(
        default,
        deserialize_with = "null_too",
        skip_serializing_if = "Options::is_empty"
    )]
    pub options: Options,
}

/// One message of a chat.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    #[serde(default, deserialize_with = "null_too")]
    pub role: String,
    /// What was said.
    #[serde(default, deserialize_with = "null_too")]
    pub content: String,
}

/// The body of `POST /api/chat`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChatRequest {
    /// The model's name.
    #[serde(default, deserialize_with = "null_too")]
    pub model: String,
    /// The conversation; an empty one only loads the model.
    #[serde(default, deserialize_with = "null_too")]
    pub messages: Vec<Message>,
    /// Whether to stream; the server's default is yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// Whether to reason first; an error where the model can't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think: Option<Think>,
    /// How long the model stays loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<KeepAlive>,
    /// Overrides.
    #[serde(
        default,
        deserialize_with = "null_too",
        skip_serializing_if = "Options::is_empty"
    )]
    pub options: Options,
}

/// What the last line says about the whole reply, beside `done: true`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Final {
    /// `stop`, `length`, `load` or `unload`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_reason: Option<Cow<'static, str>>,
    /// Every token id of prompt and answer (generate only).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<u32>,
    /// From the request's arrival to the end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub total_duration: u64,
    /// From the request's arrival until a runner was granted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub load_duration: u64,
    /// Tokens of the prompt, cached ones included.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub prompt_eval_count: u64,
    /// Time spent on those that were not cached.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub prompt_eval_duration: u64,
    /// Tokens generated.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub eval_count: u64,
    /// Time spent on generating them: `eval_count - 1` gaps.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub eval_duration: u64,
    /// The mock's ground truth, where the request asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tare_truth: Option<Truth>,
    /// What a recording proxy on the way saw, where the request asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tare_proxy: Option<PassedOn>,
    /// llama.cpp's account, from which the figures above were taken. No part of Ollama's line.
    #[serde(skip)]
    pub timings: Option<Timings>,
}

impl Final {
    /// The server's own generation rate, tokens per second; `None` where it gave no duration.
    pub fn tokens_per_second(&self) -> Option<f64> {
        (self.eval_duration > 0).then(|| self.eval_count as f64 / (self.eval_duration as f64 / 1e9))
    }
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// The request header that asks the mock for its ground truth, and the value it takes.
pub const TRUTH_HEADER: (&str, &str) = ("x-tare-truth", "1");

/// The request header that asks a recording proxy for its times, and the value it takes. The proxy
/// does not pass it on.
pub const PROXY_HEADER: (&str, &str) = ("x-tare-proxy", "1");

/// When a recording proxy passed on the parts of a reply, by the same clock as [`Truth`]. It says
/// nothing about what the server was to do and when: only what came out of it. Nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOn {
    /// When the head of the request was there: a reading of the clock. The others count from here.
    pub received: u64,
    /// When each token was written to the client: the clock as read just before that `write`.
    pub sent: Vec<u64>,
    /// The same of the last line.
    pub done: u64,
}

/// What really happened, by the clock of the mock: `CLOCK_MONOTONIC`, which a client on the same
/// machine shares. Nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// When the request arrived: a reading of the clock. The others count from here.
    pub received: u64,
    /// When each token was due.
    pub due: Vec<u64>,
    /// When each token was written to the socket: the clock as read just before that `write`.
    pub sent: Vec<u64>,
    /// When the last line was made, all tokens being written and the `context` there.
    pub done: u64,
    /// How many tokens were written more than [`LATE`] after they were due. Tokens that are all due
    /// at once have no schedule to keep, and none of them is late.
    #[serde(default)]
    pub late: u64,
    /// How late the latest token of a schedule was.
    #[serde(default)]
    pub most_late: u64,
    /// Where the time was to go, by the mock's model of a server.
    pub terms: TruthTerms,
}

/// A token that is written more than this after it was due is late, ns: a millisecond, ten times
/// what a mock on an idle machine takes, and the gap of the fastest paced profile.
pub const LATE: u64 = 1_000_000;

impl Truth {
    /// The same, with the lateness of its tokens reckoned.
    pub fn with_lateness(self) -> Self {
        let paced = self.due.first() != self.due.last();
        let tokens = self.due.iter().zip(&self.sent).filter(|_| paced);
        let lateness = tokens.map(|(due, sent)| sent.saturating_sub(*due));
        Self {
            late: lateness.clone().filter(|&late| late > LATE).count() as u64,
            most_late: lateness.max().unwrap_or_default(),
            ..self
        }
    }

    /// Whether the mock did not keep its schedule: more than 1 % of the tokens were late.
    pub fn is_off_schedule(&self) -> bool {
        const LATE_PER_HUNDRED: u64 = 1;
        self.late * 100 > self.sent.len() as u64 * LATE_PER_HUNDRED
    }
}

/// The terms of a request's time, as the mock's engine reckoned them. Each begins where the one
/// before it ended. Nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TruthTerms {
    /// HTTP, parsing, the template.
    pub handling: u64,
    /// In the scheduler's queue.
    pub queue: u64,
    /// Reload: until the runner in the way had served its last.
    pub drain: u64,
    /// Reload: until its memory was free.
    pub recovery: u64,
    /// Reload: start and weights.
    pub loading: u64,
    /// Tokenization of the prompt by the handler, to see whether it fits the context.
    #[serde(default)]
    pub fitting: u64,
    /// For a slot of the runner.
    pub slot_wait: u64,
    /// Tokenization of the prompt by the runner, in the slot.
    #[serde(default)]
    pub tokenizing: u64,
    /// Reading of the prompt.
    pub prefill: u64,
    /// From the first token to the last.
    pub decode: u64,
    /// Tokenization of prompt and answer for `context`: in no duration that is stated.
    #[serde(default)]
    pub context: u64,
    /// Tokens of the prompt that needed no reading.
    pub cached_tokens: u64,
}

/// The body of an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody<'a> {
    /// What went wrong.
    #[serde(borrow)]
    pub error: Cow<'a, str>,
}

/// The body of `GET /api/version`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Such as `0.12.11`.
    pub version: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(due: &[u64], sent: &[u64]) -> Truth {
        let truth = Truth {
            due: due.to_vec(),
            sent: sent.to_vec(),
            ..Truth::default()
        };
        truth.with_lateness()
    }

    #[test]
    fn a_token_is_late_that_was_written_more_than_a_millisecond_after_it_was_due() {
        let told = truth(&[0, 10, 20], &[LATE, 11 + LATE, 19]);
        assert_eq!((told.late, told.most_late), (1, LATE + 1));
    }

    #[test]
    fn tokens_that_are_all_due_at_once_have_no_schedule() {
        let told = truth(&[5; 4], &[5 + 9 * LATE; 4]);
        assert_eq!((told.late, told.most_late), (0, 0));
        assert!(!told.is_off_schedule());
        assert_eq!(truth(&[], &[]).most_late, 0);
    }

    #[test]
    fn a_schedule_counts_as_kept_while_one_token_in_a_hundred_is_late() {
        let due: Vec<u64> = (0..100).collect();
        let late = |count: usize| {
            let sent = due.iter().map(|due| match (*due as usize) < count {
                true => due + 2 * LATE,
                false => *due,
            });
            truth(&due, &sent.collect::<Vec<_>>()).is_off_schedule()
        };
        assert_eq!([0, 1, 2].map(late), [false, false, true]);
    }
}
