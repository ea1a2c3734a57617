//! The models that a server has, in memory: each server of a mock has its own.
//!
//! | file | question |
//! |---|---|
//! | `name`, `alias` | which model a name means |
//! | `model` | what a model is made of, and what it can do |
//! | `weights` | what its weights' file says of itself |
//! | `digest` | by which name a file is known |
//!
//! They are those that the profile names, until a client copies, makes or deletes some. Nothing is
//! written to disk, and of an uploaded file only the digest and the first bytes are kept.

mod alias;
pub mod digest;
mod model;
mod name;
mod weights;

use crate::engine::{Capability, Profile};
use std::cell::{Ref, RefCell, RefMut};
use std::collections::HashMap;
use std::rc::Rc;

pub use alias::{Alias, AliasError, Aliases, shown};
pub use model::{Layer, LayerKind, Message, Model};
pub use name::Name;
pub use weights::{Detail, QUANTIZATION, Tensor, Weights};

/// When a profile's models were last changed, seconds since 1970: on 1 November 2025.
const MODIFIED: i64 = 1_761_984_000;
/// The most models, and the most that they say beside their weights, bytes.
const MOST_MODELS: usize = 1024;
const MOST_TEXT: usize = 64 << 20;
/// The most uploaded files that are remembered.
const MOST_UPLOADS: usize = 1024;

/// The models of one server.
pub struct Store {
    models: RefCell<Vec<Rc<Model>>>,
    /// The uploaded files that no model uses yet, and what each is.
    uploads: RefCell<HashMap<String, Upload>>,
    aliases: RefCell<Aliases>,
}

/// What is known of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Whether it is weights in the format that Ollama takes.
    pub is_gguf: bool,
    /// Bytes.
    pub size: u64,
}

/// There is no room for more.
#[derive(Debug)]
pub struct Full;

/// Why a profile's models can't be served.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// Ollama would not take it for a name.
    #[error("`{name}` is not a valid model name; valid are `gemma3` and `me/mine:4b`")]
    NoName {
        /// As the profile has it.
        name: String,
    },
    /// A model is to have the weights of one that is not there.
    #[error("model `{name}` is to have the weights of `{of}`, but no model above it has that name")]
    NoSuchWeights {
        /// The one that is to have them.
        name: String,
        /// The one that is not there.
        of: String,
    },
}

impl Store {
    /// A profile's models.
    ///
    /// # Errors
    /// When one has no name that Ollama takes, or no weights.
    pub fn new(profile: &Profile) -> Result<Self, ModelsError> {
        let modified = jiff::Timestamp::from_second(MODIFIED).unwrap_or_default();
        let store = Self {
            models: RefCell::default(),
            uploads: RefCell::default(),
            aliases: RefCell::default(),
        };
        let add = |name, weights, capabilities: &[Capability]| {
            let model = Model::new(name, weights, capabilities, modified);
            store.models.borrow_mut().push(Rc::new(model));
        };
        let first = sound(&profile.model)?;
        let weights = Rc::new(Weights::of(&first, &profile.capabilities));
        add(first, weights, &profile.capabilities);
        for also in &profile.also {
            let name = sound(&also.name)?;
            let weights = match &also.weights_of {
                None => Rc::new(Weights::of(&name, &also.capabilities)),
                Some(of) => match store.find(of) {
                    Some(model) => Rc::clone(&model.weights),
                    None => {
                        return Err(ModelsError::NoSuchWeights {
                            name: also.name.clone(),
                            of: of.clone(),
                        });
                    }
                },
            };
            add(name, weights, &also.capabilities);
        }
        Ok(store)
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

    /// The model that answers under a name: one that has it, or one that it is a further name of.
    pub fn speaker(&self, name: &str) -> Option<Rc<Model>> {
        self.find(name).or_else(|| {
            let other = self.aliases.borrow().resolved(&Name::parse(name))?;
            self.get(&self.spelled(other))
        })
    }

    /// Further names of its models.
    pub fn aliases(&self) -> Ref<'_, Aliases> {
        self.aliases.borrow()
    }

    /// The same, to be changed.
    pub fn aliases_mut(&self) -> RefMut<'_, Aliases> {
        self.aliases.borrow_mut()
    }

    /// The model of a name, letter by letter.
    pub fn get(&self, name: &Name) -> Option<Rc<Model>> {
        let models = self.models.borrow();
        models.iter().find(|model| model.name == *name).cloned()
    }

    /// Adds a model, in the place of one of the same name.
    ///
    /// # Errors
    /// When there are too many, or they say too much.
    pub fn put(&self, model: Model) -> Result<(), Full> {
        let mut models = self.models.borrow_mut();
        let others = models.iter().filter(|other| other.name != model.name);
        let others = others.map(|other| other.text_size());
        let (count, size) = others.fold((0, 0), |(count, sum), size| (count + 1, sum + size));
        if count >= MOST_MODELS || size + model.text_size() > MOST_TEXT {
            return Err(Full);
        }
        models.retain(|other| other.name != model.name);
        models.push(Rc::new(model));
        Ok(())
    }

    /// Takes a model away, and those of its files that no other model has; whether there was one.
    pub fn remove(&self, name: &Name) -> bool {
        let mut models = self.models.borrow_mut();
        let Some(at) = models.iter().position(|model| model.name == *name) else {
            return false;
        };
        let removed = models.remove(at);
        let mut uploads = self.uploads.borrow_mut();
        for file in removed.files() {
            let kept = models
                .iter()
                .any(|model| model.files().any(|other| other == file));
            if !kept {
                uploads.remove(file);
            }
        }
        true
    }

    /// Remembers an uploaded file.
    ///
    /// # Errors
    /// When there are too many.
    pub fn upload(&self, digest: String, upload: Upload) -> Result<(), Full> {
        let mut uploads = self.uploads.borrow_mut();
        if uploads.len() >= MOST_UPLOADS && !uploads.contains_key(&digest) {
            return Err(Full);
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
        models.iter().find_map(|model| {
            if model.weights.digest == digest {
                return Some(Upload {
                    is_gguf: true,
                    size: model.weights.size,
                });
            }
            let layer = model.layers.iter().find(|layer| layer.digest == digest)?;
            Some(Upload {
                is_gguf: false,
                size: layer.text.len() as u64,
            })
        })
    }

    /// The weights in a file: those of a model that has the same, or else unknown ones.
    pub fn weights(&self, digest: &str, file: Upload) -> Rc<Weights> {
        let digest = digest.replace('-', ":");
        let models = self.models.borrow();
        let known = models.iter().find(|model| model.weights.digest == digest);
        match known {
            Some(model) => Rc::clone(&model.weights),
            None => Rc::new(Weights::uploaded(digest, file.size)),
        }
    }
}

fn sound(name: &str) -> Result<Name, ModelsError> {
    let parsed = Name::parse(name);
    match parsed.is_valid() {
        true => Ok(parsed),
        false => Err(ModelsError::NoName {
            name: name.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        let mut profile = Profile::find("instant").expect("a shipped profile");
        profile.also = serde_json::from_value(serde_json::json!([
            { "name": "tools", "capabilities": ["completion", "tools"], "weights_of": "gemma3" },
            { "name": "me/Other:V1" },
        ]))
        .expect("models");
        Store::new(&profile).expect("sound models")
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
    fn models_without_a_sound_name_or_weights_are_refused() {
        let with = |also| {
            let mut profile = Profile::find("instant").expect("a shipped profile");
            profile.also = serde_json::from_value(also).expect("models");
            Store::new(&profile).err().map(|error| error.to_string())
        };
        let nameless = with(serde_json::json!([{ "name": "a b" }]));
        assert!(nameless.is_some_and(|error| error.contains("`a b`")));
        let weightless = with(serde_json::json!([{ "name": "a", "weights_of": "b" }]));
        assert!(weightless.is_some_and(|error| error.contains("`b`")));
    }

    #[test]
    fn there_is_room_for_many_models_but_not_for_any_number() {
        let store = store();
        let model = store.find("gemma3").expect("a model");
        let copy = |number: usize| Model {
            name: Name::parse(&format!("copy:{number}")),
            ..Model::clone(&model)
        };
        let put = (0..2 * MOST_MODELS).take_while(|&number| store.put(copy(number)).is_ok());
        assert_eq!(put.count(), MOST_MODELS - 3);
        store.put(copy(0)).expect("the same again");
        assert!(store.remove(&Name::parse("copy:0")));
        store.put(copy(MOST_MODELS)).expect("room again");
    }

    #[test]
    fn files_are_remembered_by_their_digest_up_to_a_bound() {
        let store = store();
        let [gguf, other] = [true, false].map(|is_gguf| Upload { is_gguf, size: 8 });
        let digest = |number: usize| digest::of(&number.to_le_bytes());
        for number in 0..MOST_UPLOADS {
            store.upload(digest(number), other).expect("room");
        }
        assert!(store.upload(digest(MOST_UPLOADS), other).is_err());
        store.upload(digest(0), gguf).expect("known");
        assert_eq!(store.file(&digest(0).replace(':', "-")), Some(gguf));
        let weights = &store.find("gemma3").expect("a model").weights;
        assert!(store.file(&weights.digest).is_some_and(|file| file.is_gguf));
        assert_eq!(store.file(&digest(MOST_UPLOADS)), None);
    }

    #[test]
    fn the_files_of_a_model_go_with_the_last_that_has_them() {
        let store = store();
        let digest = digest::of(b"weights");
        let gguf = Upload {
            is_gguf: true,
            size: 7,
        };
        store.upload(digest.clone(), gguf).expect("room");
        let model = store.find("gemma3").expect("a model");
        let names = ["one", "two"].map(Name::parse);
        for name in &names {
            let model = Model {
                name: name.clone(),
                weights: store.weights(&digest, gguf),
                ..Model::clone(&model)
            };
            store.put(model).expect("room");
        }
        for (name, left) in names.iter().zip([Some(gguf), None]) {
            assert!(store.remove(name));
            assert_eq!(store.file(&digest), left);
        }
    }
}
