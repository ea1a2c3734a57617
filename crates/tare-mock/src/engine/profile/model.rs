//! What a served model can do, and whether it does.

use serde::{Deserialize, Serialize};

/// Something that a model can do, under Ollama's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// Answers prompts.
    Completion,
    /// Calls tools.
    Tools,
    /// Thinks before it answers.
    Thinking,
    /// Sees images.
    Vision,
    /// Writes between a prompt and a suffix.
    Insert,
    /// Makes embeddings of texts.
    Embedding,
}

impl Capability {
    /// As Ollama's API names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completion => "completion",
            Self::Tools => "tools",
            Self::Thinking => "thinking",
            Self::Vision => "vision",
            Self::Insert => "insert",
            Self::Embedding => "embedding",
        }
    }
}

/// A model that a server has beside the one that its profile is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AlsoServed {
    /// Its name, as Ollama reads names.
    pub name: String,
    /// What it can do. Default: completion alone.
    #[serde(default = "completion")]
    pub capabilities: Vec<Capability>,
    /// The model above it whose weights it has, and so whose runner serves it too. Default: it has
    /// weights of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_of: Option<String>,
}

/// What a model without further ado can do.
pub fn completion() -> Vec<Capability> {
    vec![Capability::Completion]
}

/// Whether an answer calls a tool where a request offers some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ToolCalls {
    /// The first one, unless the last message says what a tool gave.
    #[default]
    Always,
    /// It answers in text.
    Never,
}
