//! The programs that answer Ollama's API or OpenAI's, as results and traces name them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An inference server's software.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Software {
    /// Ollama, or a mock of one.
    Ollama,
    /// llama.cpp's server.
    LlamaCpp,
    /// vLLM.
    Vllm,
    /// It does not say.
    Unstated,
}

impl fmt::Display for Software {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ollama => "Ollama",
            Self::LlamaCpp => "llama.cpp",
            Self::Vllm => "vLLM",
            Self::Unstated => "a server of OpenAI's API",
        })
    }
}
