//! The models that a server has, in memory: each server of a mock has its own.
//!
//! | file | question |
//! |---|---|
//! | `name` | which model a name means |
//! | `model` | what a model is made of, and what it can do |
//! | `weights` | what its weights' file says of itself |
//! | `digest` | by which name a file is known |
//!
//! They are those that the profile names, until a client copies, makes or deletes some. Nothing is
//! written to disk, and of an uploaded file only the digest and the first bytes are kept.

pub mod digest;
mod model;
mod name;
mod weights;

use crate::engine::Profile;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

pub use model::{Layer, LayerKind, Message, Model};
pub use name::Name;
pub use weights::{Detail, QUANTIZATION, Tensor, Weights};

/// When a profile's models were last changed, seconds since 1970: on 1 November 2025.
const MODIFIED: i64 = 1_761_984_000;
/// The most uploaded files that are remembered.
const MOST_UPLOADS: usize = 1024;

/// The models of one server.
pub struct Store {
    models: RefCell<Vec<Rc<Model>>>,
    /// The uploaded files that are no part of a model yet, and what each is.
    uploads: RefCell<HashMap<String, Upload>>,
}

/// What is known of an uploaded file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upload {
    /// Weights in the format that Ollama takes.
    Gguf,
    /// Anything else.
    Other,
}

impl Store {
    /// A profile's models.
    pub fn new(profile: &Profile) -> Self {
        let modified = jiff::Timestamp::from_second(MODIFIED).unwrap_or_default();
        let store = Self {
            models: RefCell::default(),
            uploads: RefCell::default(),
        };
        let first = Name::parse(&profile.model);
        let weights = Rc::new(Weights::of(&first, &profile.capabilities));
        store.put(Model::new(first, weights, &profile.capabilities, modified));
        for also in &profile.also {
            let name = Name::parse(&also.name);
            let shared = also.weights_of.as_deref().and_then(|of| store.find(of));
            let weights = match shared {
                Some(model) => Rc::clone(&model.weights),
                None => Rc::new(Weights::of(&name, &also.capabilities)),
            };
            store.put(Model::new(name, weights, &also.capabilities, modified));
        }
        store
    }

    /// All of them, the last changed first.
    pub fn all(&self) -> Vec<Rc<Model>> {
        let mut models = self.models.borrow().clone();
        models.sort_by_key(|model| std::cmp::Reverse(model.modified.as_second()));
        models
    }

    /// A name as the models spell it: each part is taken over from a model that has it too.
    pub fn spelled(&self, mut name: Name) -> Name {
        for model in &*self.models.borrow() {
            name.spelled_like(&model.name);
        }
        name
    }

    /// The model of a name, in whatever case.
    pub fn find(&self, name: &str) -> Option<Rc<Model>> {
        self.get(&self.spelled(Name::parse(name)))
    }

    /// The model of a name, letter by letter.
    pub fn get(&self, name: &Name) -> Option<Rc<Model>> {
        let models = self.models.borrow();
        models.iter().find(|model| model.name == *name).cloned()
    }

    /// Adds a model, in the place of one of the same name.
    pub fn put(&self, model: Model) {
        self.remove(&model.name);
        self.models.borrow_mut().push(Rc::new(model));
    }

    /// Takes a model away; whether there was one.
    pub fn remove(&self, name: &Name) -> bool {
        let mut models = self.models.borrow_mut();
        let before = models.len();
        models.retain(|model| model.name != *name);
        models.len() < before
    }

    /// Remembers an uploaded file.
    ///
    /// # Errors
    /// When there are too many.
    pub fn upload(&self, digest: String, upload: Upload) -> Result<(), TooMany> {
        let mut uploads = self.uploads.borrow_mut();
        if uploads.len() >= MOST_UPLOADS && !uploads.contains_key(&digest) {
            return Err(TooMany);
        }
        uploads.insert(digest, upload);
        Ok(())
    }

    /// What a file is, by its digest; `None` if there is none such.
    pub fn file(&self, digest: &str) -> Option<Upload> {
        let digest = digest.replace('-', ":");
        if let Some(upload) = self.uploads.borrow().get(&digest) {
            return Some(*upload);
        }
        let models = self.models.borrow();
        if models.iter().any(|model| model.weights.digest == digest) {
            return Some(Upload::Gguf);
        }
        let mut layers = models.iter().flat_map(|model| &model.layers);
        let found = layers.any(|layer| layer.digest == digest);
        found.then_some(Upload::Other)
    }
}

/// As many files were uploaded as are remembered.
#[derive(Debug)]
pub struct TooMany;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Capability;

    fn store() -> Store {
        let mut profile = Profile::find("instant").expect("a shipped profile");
        profile.also = serde_json::from_value(serde_json::json!([
            { "name": "tools", "capabilities": ["completion", "tools"], "weights_of": "gemma3" },
            { "name": "me/Other:V1" },
        ]))
        .expect("models");
        Store::new(&profile)
    }

    #[test]
    fn a_model_is_found_under_each_form_of_its_name() {
        let store = store();
        for name in [
            "gemma3",
            "GEMMA3:latest",
            "library/gemma3",
            "registry.ollama.ai/library/gemma3:latest",
        ] {
            let model = store.find(name).expect(name);
            assert_eq!(model.name.shortest(), "gemma3:latest");
        }
        assert!(store.find("ME/other:v1").is_some());
        assert!(store.get(&Name::parse("GEMMA3")).is_none());
        for name in ["", "gemma", "x/gemma3", "gemma3:v1", "other:v1"] {
            assert!(store.find(name).is_none(), "{name}");
        }
    }

    #[test]
    fn models_of_a_profile_have_weights_of_their_own_unless_it_says_whose() {
        let store = store();
        let weights = |name| store.find(name).expect(name).weights.digest.clone();
        assert_eq!(weights("tools"), weights("gemma3"));
        assert_ne!(weights("me/other:v1"), weights("gemma3"));
        let tools = store.find("tools").expect("a model");
        let can = [Capability::Completion, Capability::Tools];
        assert_eq!(tools.capabilities(), can);
    }

    #[test]
    fn files_are_remembered_by_their_digest_up_to_a_bound() {
        let store = store();
        let digest = |number: usize| digest::of(&number.to_le_bytes());
        for number in 0..MOST_UPLOADS {
            store.upload(digest(number), Upload::Other).expect("room");
        }
        assert!(store.upload(digest(MOST_UPLOADS), Upload::Gguf).is_err());
        store.upload(digest(0), Upload::Gguf).expect("known");
        assert_eq!(store.file(&digest(0).replace(':', "-")), Some(Upload::Gguf));
        let weights = &store.find("gemma3").expect("a model").weights;
        assert_eq!(store.file(&weights.digest), Some(Upload::Gguf));
        assert_eq!(store.file(&digest(MOST_UPLOADS)), None);
    }
}
