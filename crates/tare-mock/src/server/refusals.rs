//! What Ollama refuses although it can read it, in its words and in its order: first what the
//! handler of a route sees, then what its runner finds when the answer was to begin.

use super::answer::Asked;
use super::form::{Dialect, Route};
use super::routes::Error;
use super::schema::Schema;
use super::template;
use crate::engine::{Capability, count_tokens};
use crate::protocol::wire::Think;
use hyper::StatusCode;
use serde_json::Value;

/// The longest context that an answer's limit is reckoned from, tokens. Longer ones are asked for
/// by mistake only, and an answer must end.
const LONGEST_CONTEXT: u32 = 1 << 15;
/// An answer may be so many times as long as the context.
const CONTEXTS: u32 = 10;
/// The most alternatives that a token may have.
const MOST_ALTERNATIVES: i64 = 20;

/// A model, as far as it decides what is refused.
pub struct Model<'a> {
    /// With host and namespace: as some of Ollama's messages name it.
    pub full_name: &'a str,
    pub capabilities: &'a [Capability],
}

impl Model<'_> {
    fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// Whether it thinks before it answers. One that can does so unless it is told not to.
    pub fn thinks(&self, asked: &Asked) -> bool {
        self.can(Capability::Thinking) && asked.think.as_ref().is_none_or(Think::is_on)
    }

    /// What the handler refuses.
    ///
    /// # Errors
    /// With the first reason that Ollama would name.
    pub fn takes(&self, asked: &Asked) -> Result<(), Error> {
        let wants = &asked.wants;
        let generates = is_generate(asked.form.dialect());
        let raw = asked.form.dialect() == Dialect::Ollama(Route::RawGenerate);
        if raw && (!wants.template.is_empty() || wants.has_system || wants.has_context) {
            return Err(Error::bad(
                "raw mode does not support template, system, or context",
            ));
        }
        let level = asked
            .think
            .as_ref()
            .filter(|think| matches!(think, Think::Effort(_)));
        if let Some(level) = level
            && (generates || (self.can(Capability::Thinking) && !asked.prompt.is_empty()))
        {
            let level = serde_json::json!(level);
            return Err(Error::bad(format!(
                "think value {level} is not supported for this model"
            )));
        }
        let thinks = asked.think.as_ref().is_some_and(Think::is_on);
        if thinks && !self.can(Capability::Thinking) && !wants.relaxes_thinking {
            let model = &asked.model;
            return Err(Error::bad(format!("{model:?} does not support thinking")));
        }
        self.is_able(asked, generates)?;
        let internal = |words: String| Error(StatusCode::INTERNAL_SERVER_ERROR, words.into());
        if let Some(words) = &wants.bad_option {
            return Err(internal(words.clone()));
        }
        if asked.prompt.is_empty() || raw {
            return Ok(());
        }
        template::check(&wants.template).map_err(internal)
    }

    fn is_able(&self, asked: &Asked, generates: bool) -> Result<(), Error> {
        if !self.can(Capability::Completion) {
            let verb = if generates { "generate" } else { "chat" };
            let model = &asked.model;
            return Err(Error::bad(format!("{model:?} does not support {verb}")));
        }
        let wanted = [
            (!asked.wants.tools.is_empty(), Capability::Tools),
            (!asked.wants.suffix.is_empty(), Capability::Insert),
        ];
        for (is_wanted, capability) in wanted {
            if is_wanted && !self.can(capability) {
                return Err(Error::bad(format!(
                    "{} does not support {}",
                    self.full_name,
                    capability.name()
                )));
            }
        }
        Ok(())
    }

    /// The schema that the answer is to fit, if any, and what the runner refuses.
    ///
    /// # Errors
    /// With the reason that Ollama would name.
    pub fn begins(&self, asked: &Asked) -> Result<Option<Schema>, Error> {
        let internal = |words: String| Error(StatusCode::INTERNAL_SERVER_ERROR, words.into());
        let schema = match &asked.wants.format {
            Value::Null => None,
            Value::String(none) if none.is_empty() => None,
            Value::String(json) if json == "json" => Some(Schema::free()),
            schema @ Value::Object(_) => {
                let schema = Schema::new(schema.clone());
                Some(schema.map_err(|error| internal(error.to_string()))?)
            }
            other => {
                return Err(internal(format!(
                    "invalid format: {:?}; expected \"json\" or a valid JSON Schema object",
                    other.to_string()
                )));
            }
        };
        if asked.wants.has_images && !self.can(Capability::Vision) {
            return Err(internal(
                "Failed to create new sequence: failed to process inputs: this model is missing \
                 data required for image input"
                    .to_owned(),
            ));
        }
        if !asked.wants.truncates && count_tokens(&asked.prompt) > context(asked) {
            return Err(Error::bad("the input length exceeds the context length"));
        }
        Ok(schema)
    }
}

/// Whether it ends at the handler of generate.
pub fn is_generate(dialect: Dialect) -> bool {
    matches!(
        dialect,
        Dialect::Ollama(Route::Generate | Route::RawGenerate) | Dialect::Completion
    )
}

/// Refuses a number of alternatives, before the model is looked for.
///
/// # Errors
/// When there are too many, or fewer than none.
pub fn check_alternatives(asked: &Asked) -> Result<(), Error> {
    if (0..=MOST_ALTERNATIVES).contains(&asked.wants.top_logprobs) {
        return Ok(());
    }
    Err(Error::bad("top_logprobs must be between 0 and 20"))
}

fn context(asked: &Asked) -> u32 {
    let default = crate::engine::RunnerOptions::default().num_ctx;
    asked.options.num_ctx.unwrap_or(default)
}

/// The most tokens of an answer: as many as were asked for, up to ten times the context, or what
/// the prompt leaves of a context that does not move on. Without a positive limit the model decides
/// when it has said all.
pub fn limit(asked: &Asked) -> Option<u32> {
    let context = context(asked).clamp(1, LONGEST_CONTEXT);
    let asked_for = asked.options.num_predict.map(u32::try_from);
    let asked_for = asked_for.and_then(Result::ok).filter(|limit| *limit > 0);
    let limit = asked_for.map(|limit| limit.min(context * CONTEXTS));
    if asked.wants.shifts || asked.prompt.is_empty() {
        return limit;
    }
    let left = context.saturating_sub(count_tokens(&asked.prompt)).max(1);
    Some(limit.map_or(left, |limit| limit.min(left)))
}
