//! One question to a model, and the request that each API makes of it.
//!
//! The requests borrow, so that a long prompt is copied once only: into the body.

use super::api::Api;
use super::call::CallError;
use super::wire::{KeepAlive, Options};
use serde::Serialize;

/// How an answer is to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Token by token.
    #[default]
    Stream,
    /// In one piece.
    Whole,
}

/// A prompt for a model.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The model's name.
    pub model: &'a str,
    /// What is asked: a prompt, or the one message of a user.
    pub prompt: &'a str,
    /// Overrides.
    pub options: &'a Options,
    /// How long the model stays loaded; `None` leaves it to the server. OpenAI's API can't say it.
    pub keep_alive: Option<&'a KeepAlive>,
    /// How the answer is to come.
    pub form: Form,
}

#[derive(Serialize)]
struct Generate<'a> {
    model: &'a str,
    prompt: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<bool>,
    #[serde(flatten)]
    rest: Rest<'a>,
}

#[derive(Serialize)]
struct Chat<'a> {
    model: &'a str,
    messages: [Message<'a>; 1],
    #[serde(flatten)]
    rest: Rest<'a>,
}

/// What Ollama's two routes have in common.
#[derive(Serialize)]
struct Rest<'a> {
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_alive: Option<&'a KeepAlive>,
    #[serde(skip_serializing_if = "Options::is_empty")]
    options: &'a Options,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

/// OpenAI's request, with the names that llama.cpp, vLLM and LM Studio give to what OpenAI has not.
/// A server ignores a name that it does not know.
#[derive(Serialize)]
struct ChatCompletion<'a> {
    model: &'a str,
    messages: [Message<'a>; 1],
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    /// llama.cpp's and LM Studio's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_penalty: Option<f64>,
    /// vLLM's.
    #[serde(skip_serializing_if = "Option::is_none")]
    repetition_penalty: Option<f64>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl Question<'_> {
    /// The body of the request.
    ///
    /// # Errors
    /// When the API can't express what is asked for.
    pub fn body(&self, api: Api) -> Result<Vec<u8>, CallError> {
        let body = match api {
            Api::Generate | Api::Raw => serde_json::to_vec(&Generate {
                model: self.model,
                prompt: self.prompt,
                raw: (api == Api::Raw).then_some(true),
                rest: self.rest(),
            }),
            Api::Chat => serde_json::to_vec(&Chat {
                model: self.model,
                messages: self.messages(),
                rest: self.rest(),
            }),
            Api::OpenAi => serde_json::to_vec(&self.chat_completion()?),
        };
        body.map_err(CallError::Unwritable)
    }

    fn rest(&self) -> Rest<'_> {
        Rest {
            stream: self.form == Form::Stream,
            keep_alive: self.keep_alive,
            options: self.options,
        }
    }

    fn messages(&self) -> [Message<'_>; 1] {
        [Message {
            role: "user",
            content: self.prompt,
        }]
    }

    fn chat_completion(&self) -> Result<ChatCompletion<'_>, CallError> {
        let options = self.options;
        let keep_alive = self.keep_alive.map(|_| "keep_alive");
        let mut unsaid = Api::OpenAi.inexpressible(options).into_iter();
        if let Some(option) = unsaid.next().or(keep_alive) {
            return Err(CallError::Inexpressible { option });
        }
        Ok(ChatCompletion {
            model: self.model,
            messages: self.messages(),
            stream: self.form == Form::Stream,
            // Only a stream has options.
            stream_options: (self.form == Form::Stream).then_some(StreamOptions {
                include_usage: true,
            }),
            // OpenAI has no negative number for "no limit": that is to say nothing.
            max_tokens: options.num_predict.filter(|limit| *limit >= 0),
            seed: options.seed,
            temperature: options.temperature,
            top_p: options.top_p,
            top_k: options.top_k,
            repeat_penalty: options.repeat_penalty,
            repetition_penalty: options.repeat_penalty,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn body(api: Api, options: &Options) -> Result<Value, CallError> {
        let question = Question {
            model: "m",
            prompt: "Why?",
            options,
            keep_alive: None,
            form: Form::Stream,
        };
        let body = question.body(api)?;
        Ok(serde_json::from_slice(&body).expect("JSON"))
    }

    #[test]
    fn each_api_gets_its_own_request() {
        let options = Options {
            temperature: Some(0.5),
            top_p: Some(0.9),
            top_k: Some(40),
            repeat_penalty: Some(1.1),
            seed: Some(7),
            num_predict: Some(64),
            ..Options::default()
        };
        let sent = |api| body(api, &options).expect("all APIs can say this");
        let ollamas = json!({"temperature": 0.5, "top_p": 0.9, "top_k": 40, "repeat_penalty": 1.1, "seed": 7, "num_predict": 64});
        let messages = json!([{"role": "user", "content": "Why?"}]);
        assert_eq!(
            sent(Api::Generate),
            json!({"model": "m", "prompt": "Why?", "stream": true, "options": ollamas})
        );
        assert_eq!(
            sent(Api::Raw),
            json!({"model": "m", "prompt": "Why?", "raw": true, "stream": true, "options": ollamas})
        );
        assert_eq!(
            sent(Api::Chat),
            json!({"model": "m", "messages": messages, "stream": true, "options": ollamas})
        );
        assert_eq!(
            sent(Api::OpenAi),
            json!({
                "model": "m", "messages": messages, "stream": true, "stream_options": {"include_usage": true},
                "max_tokens": 64, "seed": 7, "temperature": 0.5, "top_p": 0.9, "top_k": 40,
                "repeat_penalty": 1.1, "repetition_penalty": 1.1,
            })
        );
    }

    #[test]
    fn what_was_not_asked_for_is_not_sent() {
        let sent = |api| body(api, &Options::default()).expect("all APIs can say nothing");
        for api in Api::ALL {
            let fields = sent(api);
            let fields = fields.as_object().expect("an object").len();
            let expected = match api {
                Api::Generate | Api::Chat => 3,
                Api::Raw | Api::OpenAi => 4,
            };
            assert_eq!(fields, expected, "{api}");
        }
    }

    #[test]
    fn what_openai_can_not_express_is_an_error_and_not_left_out() {
        let options = Options {
            num_ctx: Some(512),
            ..Options::default()
        };
        let error = body(Api::OpenAi, &options).expect_err("no such field");
        assert!(error.to_string().contains("`num_ctx`"), "{error}");
        assert!(body(Api::Chat, &options).is_ok());
    }
}
