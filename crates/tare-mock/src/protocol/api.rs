//! Which of four ways to ask a server for an answer, and what each can't say.

use super::wire::Options;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An API of inference servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// Ollama's `/api/generate`: a prompt. Ollama tokenizes prompt and answer again after it has set
    /// `total_duration`, so a real one does not give net.
    Generate,
    /// Ollama's `/api/generate` with `raw`: a prompt without the model's template, and a last line
    /// without `context`.
    Raw,
    /// Ollama's `/api/chat`: messages.
    #[default]
    Chat,
    /// OpenAI's `/v1/chat/completions`: messages, for llama.cpp's server, vLLM, LM Studio and Ollama.
    OpenAi,
}

/// Not the name of an API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no API `{0}`: there are chat, generate, raw and openai")]
pub struct ApiError(String);

impl Api {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Generate, Self::Raw, Self::Chat, Self::OpenAi];

    /// Its name on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Raw => "raw",
            Self::Chat => "chat",
            Self::OpenAi => "openai",
        }
    }

    /// Where it asks.
    pub fn path(self) -> &'static str {
        match self {
            Self::Generate | Self::Raw => "/api/generate",
            Self::Chat => "/api/chat",
            Self::OpenAi => "/v1/chat/completions",
        }
    }

    /// Whether a reply of this content type (without parameters, lower case) can be an answer.
    pub fn answers_as(self, content_type: &str) -> bool {
        content_type.ends_with("json")
            || self == Self::OpenAi && content_type == "text/event-stream"
    }

    /// The base URL less what this API's paths have themselves: people know the base URL of an
    /// OpenAI API with its `/v1`.
    pub fn base_url(self, url: &str) -> &str {
        let bare = url.trim_end_matches('/');
        match self {
            Self::OpenAi => bare.strip_suffix("/v1").unwrap_or(url),
            Self::Generate | Self::Raw | Self::Chat => url,
        }
    }

    /// The options among these that it has no field for, by Ollama's names.
    pub fn inexpressible(self, options: &Options) -> Vec<&'static str> {
        let given = [
            ("num_gpu", options.num_gpu.is_some()),
            ("num_ctx", options.num_ctx.is_some()),
            ("num_batch", options.num_batch.is_some()),
            ("main_gpu", options.main_gpu.is_some()),
            ("use_mmap", options.use_mmap.is_some()),
            ("num_thread", options.num_thread.is_some()),
        ];
        let given = given.into_iter().filter(|_| self == Self::OpenAi);
        given
            .filter_map(|(name, given)| given.then_some(name))
            .collect()
    }

    /// What a server is that answers something else.
    pub fn denied(self) -> &'static str {
        match self {
            Self::Generate | Self::Raw | Self::Chat => "is not an Ollama server",
            Self::OpenAi => "does not answer OpenAI's API",
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Api {
    type Err = ApiError;

    fn from_str(name: &str) -> Result<Self, ApiError> {
        let known = Self::ALL.into_iter().find(|api| api.name() == name);
        known.ok_or_else(|| ApiError(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_api_is_found_by_its_name_in_text_and_in_json() {
        for api in Api::ALL {
            assert_eq!(api.to_string().parse(), Ok(api));
            let json = serde_json::to_value(api).expect("a name");
            assert_eq!(json, api.name());
        }
        let error = "completions".parse::<Api>().expect_err("another API");
        assert!(error.to_string().contains("chat, generate, raw and openai"));
    }

    #[test]
    fn an_openai_base_url_may_have_its_v1() {
        for (api, url, base) in [
            (Api::OpenAi, "http://h:1/v1/", "http://h:1"),
            (Api::OpenAi, "http://h:1/x/v1", "http://h:1/x"),
            (Api::OpenAi, "http://h:1/", "http://h:1/"),
            (Api::Chat, "http://h:1/v1", "http://h:1/v1"),
        ] {
            assert_eq!(api.base_url(url), base);
        }
    }

    #[test]
    fn what_openai_has_no_field_for_is_named() {
        let options = Options {
            num_ctx: Some(512),
            num_gpu: Some(80),
            temperature: Some(0.8),
            ..Options::default()
        };
        assert_eq!(Api::OpenAi.inexpressible(&options), ["num_gpu", "num_ctx"]);
        assert!(Api::Chat.inexpressible(&options).is_empty());
    }
}
