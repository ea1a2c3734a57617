//! What a server says of its models: `/api/tags`, `/api/ps`, `/api/show`, `/v1/models`.
//!
//! A mock has one model, under the name that its profile gives; sizes, digest and details are those
//! of gemma3 4B in 4-bit quantisation, whatever the name.

use crate::engine::Loaded;
use serde::Serialize;
use std::time::{Duration, SystemTime};

const SIZE: u64 = 3_338_801_804;
const PARAMETERS: u64 = 4_299_915_632;
const DIGEST: &str = "a2af6cc3eb7fa8be8504abaf9b04e88f17a119ec3f04a3addf55f92841195f5a";
/// When the model was last changed: as Ollama writes it, and in seconds since 1970.
const MODIFIED: (&str, i64) = ("2025-11-01T08:00:00Z", 1_761_984_000);

/// `/api/tags`
#[derive(Serialize)]
pub struct Tags<'a> {
    models: [Tag<'a>; 1],
}

#[derive(Serialize)]
struct Tag<'a> {
    name: &'a str,
    model: &'a str,
    modified_at: &'static str,
    size: u64,
    digest: &'static str,
    details: Details<'a>,
    capabilities: [&'static str; 1],
}

/// `/v1/models`: the same list in OpenAI's words.
#[derive(Serialize)]
pub struct ModelList<'a> {
    object: &'static str,
    data: [ListedModel<'a>; 1],
}

#[derive(Serialize)]
struct ListedModel<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    owned_by: &'static str,
}

/// `/api/ps`
#[derive(Serialize)]
pub struct Running {
    pub models: Vec<RunningModel>,
}

/// A model that is loaded.
#[derive(Serialize)]
pub struct RunningModel {
    name: String,
    model: String,
    size: u64,
    digest: &'static str,
    details: Details<'static>,
    expires_at: String,
    size_vram: u64,
    context_length: u32,
}

/// `/api/show`
#[derive(Serialize)]
pub struct Show<'a> {
    details: Details<'a>,
    model_info: ModelInfo<'a>,
    capabilities: [&'static str; 1],
}

#[derive(Serialize)]
struct ModelInfo<'a> {
    #[serde(rename = "general.architecture")]
    architecture: &'a str,
    #[serde(rename = "general.parameter_count")]
    parameter_count: u64,
}

#[derive(Serialize)]
struct Details<'a> {
    parent_model: &'static str,
    format: &'static str,
    family: &'a str,
    families: [&'a str; 1],
    parameter_size: &'static str,
    quantization_level: &'static str,
}

impl<'a> Details<'a> {
    fn of(family: &'a str) -> Self {
        Self {
            parent_model: "",
            format: "gguf",
            family,
            families: [family],
            parameter_size: "4.3B",
            quantization_level: "Q4_K_M",
        }
    }
}

impl<'a> Tags<'a> {
    pub fn of(name: &'a str) -> Self {
        let tag = Tag {
            name,
            model: name,
            modified_at: MODIFIED.0,
            size: SIZE,
            digest: DIGEST,
            details: Details::of(family(name)),
            capabilities: ["completion"],
        };
        Self { models: [tag] }
    }
}

impl<'a> ModelList<'a> {
    pub fn of(name: &'a str) -> Self {
        let model = ListedModel {
            id: name,
            object: "model",
            created: MODIFIED.1,
            owned_by: "library",
        };
        Self {
            object: "list",
            data: [model],
        }
    }
}

impl RunningModel {
    /// A loaded model that is to be unloaded in such a time, counted from now.
    pub fn new(loaded: Loaded<'_>, left: Duration) -> Self {
        let expires = SystemTime::now().checked_add(left);
        let expires = expires.and_then(|at| jiff::Timestamp::try_from(at).ok());
        Self {
            name: loaded.model.to_owned(),
            model: loaded.model.to_owned(),
            size: SIZE,
            digest: DIGEST,
            details: Details::of("gemma3"),
            expires_at: expires.unwrap_or(jiff::Timestamp::MAX).to_string(),
            size_vram: SIZE,
            context_length: loaded.options.num_ctx,
        }
    }
}

impl<'a> Show<'a> {
    pub fn of(name: &'a str) -> Self {
        Self {
            details: Details::of(family(name)),
            model_info: ModelInfo {
                architecture: family(name),
                parameter_count: PARAMETERS,
            },
            capabilities: ["completion"],
        }
    }
}

/// `gemma3:latest` is of the family `gemma3`.
fn family(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}
