//! What a server says of its models in lists: `/api/tags`, `/api/ps`, `/v1/models`.

use super::form::Dialect;
use super::models::{Model, QUANTIZATION};
use super::reply::{self, Reply};
use super::routes::Server;
use crate::engine::Loaded;
use serde::Serialize;
use std::cmp::Reverse;
use std::time::{Duration, SystemTime};

/// As far as `keep_alive` goes for good, for a clock's purposes: a hundred years.
const FOR_GOOD: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// `/api/tags`
#[derive(Serialize)]
pub struct Tags {
    models: Vec<Tag>,
}

/// A model that is there.
#[derive(Serialize)]
pub struct Tag {
    name: String,
    model: String,
    modified_at: String,
    size: u64,
    digest: String,
    details: Details,
}

/// `/v1/models`: the same list in OpenAI's words.
#[derive(Serialize)]
pub struct ModelList {
    object: &'static str,
    data: Vec<ListedModel>,
}

/// A model of it, and `/v1/models/X`.
#[derive(Serialize)]
pub struct ListedModel {
    id: String,
    object: &'static str,
    created: i64,
    owned_by: String,
}

/// `/api/ps`
#[derive(Serialize)]
pub struct Running {
    models: Vec<RunningModel>,
}

/// A model that is loaded.
#[derive(Serialize)]
pub struct RunningModel {
    name: String,
    model: String,
    size: u64,
    digest: String,
    details: Details,
    expires_at: jiff::Timestamp,
    size_vram: u64,
    context_length: u32,
}

/// What kind of model it is.
#[derive(Serialize)]
pub struct Details {
    parent_model: String,
    format: &'static str,
    family: &'static str,
    families: [&'static str; 1],
    parameter_size: String,
    quantization_level: &'static str,
}

impl Server {
    /// `/api/tags`
    pub fn tags(&self) -> Tags {
        let models = self.models.all();
        Tags {
            models: models.iter().map(|model| Tag::of(model)).collect(),
        }
    }

    /// `/api/ps`, the one that stays longest first.
    pub fn running(&self) -> Running {
        let loaded_as = self.loaded_as.borrow();
        let mut models = Vec::new();
        self.realtime.loaded(self.id, |loaded, left| {
            let left = left.unwrap_or(self.profile.keep_alive);
            if let Some(model) = loaded_as.get(loaded.model) {
                models.push(RunningModel::new(model, loaded, left));
            }
        });
        models.sort_by_key(|model| Reverse(model.expires_at.as_second()));
        Running { models }
    }

    /// `/v1/models`
    pub fn models(&self) -> Reply {
        let models = self.models.all();
        let listed = models.iter();
        reply::line(&ModelList {
            object: "list",
            data: listed
                .map(|model| ListedModel::of(model, model.name.shortest()))
                .collect(),
        })
    }

    /// `/v1/models/X`
    pub fn model(&self, name: &str) -> Reply {
        match self.shown(name) {
            Ok(model) => reply::line(&ListedModel::of(&model, name.to_owned())),
            Err(error) => reply::refused(Dialect::ChatCompletion, &error),
        }
    }
}

impl Details {
    pub fn of(model: &Model) -> Self {
        let family = model.weights.family;
        Self {
            parent_model: String::new(),
            format: "gguf",
            family,
            families: [family],
            parameter_size: model.weights.parameter_size(),
            quantization_level: QUANTIZATION,
        }
    }

    /// With the model that it was made from, which lists leave out.
    pub fn with_parent(model: &Model) -> Self {
        Self {
            parent_model: model.parent.clone(),
            ..Self::of(model)
        }
    }
}

impl Tag {
    pub fn of(model: &Model) -> Self {
        let name = model.name.shortest();
        Self {
            model: name.clone(),
            name,
            modified_at: model.modified.to_string(),
            size: model.size(),
            digest: model.digest(),
            details: Details::of(model),
        }
    }
}

impl ListedModel {
    /// A model under the name that it is to have here.
    pub fn of(model: &Model, name: String) -> Self {
        Self {
            id: name,
            object: "model",
            created: model.modified.as_second(),
            owned_by: model.name.namespace.clone(),
        }
    }
}

impl RunningModel {
    /// A model that is loaded, to be unloaded in such a time, counted from now.
    pub fn new(model: &Model, loaded: Loaded<'_>, left: Duration) -> Self {
        let expires = SystemTime::now().checked_add(left.min(FOR_GOOD));
        let expires = expires.and_then(|at| jiff::Timestamp::try_from(at).ok());
        let name = model.name.shortest();
        let size = model.weights.size_loaded(loaded.options.num_ctx);
        Self {
            model: name.clone(),
            name,
            size,
            digest: model.digest(),
            details: Details::of(model),
            expires_at: expires.unwrap_or(jiff::Timestamp::MAX),
            size_vram: size,
            context_length: loaded.options.num_ctx,
        }
    }
}
