//! `POST /api/create`: a model made from another one, or from files that were uploaded.
//!
//! What a client sees is Ollama's: the steps, the layers and their digests, the refusals, and
//! afterwards a model that `/api/show` describes. Weights are not looked into, converted or
//! quantised.

use super::go_json;
use super::json;
use super::manage;
use super::models::{Layer, LayerKind, Message, Model, Name, Weights, digest};
use super::progress::{Progress, failure};
use super::reply::Reply;
use super::routes::{self, Error, Server};
use super::show::BLOBS;
use super::template;
use hyper::Request;
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What Ollama can quantise to.
const QUANTIZATIONS: [&str; 5] = ["F32", "F16", "Q4_K_S", "Q4_K_M", "Q8_0"];

#[derive(Default, Deserialize)]
#[serde(default)]
struct CreateRequest {
    model: String,
    /// What older clients call it.
    name: String,
    stream: Option<bool>,
    from: String,
    remote_host: String,
    /// Digests by file names.
    files: Option<BTreeMap<String, String>>,
    adapters: Option<BTreeMap<String, String>>,
    template: String,
    system: String,
    license: Value,
    parameters: Map<String, Value>,
    messages: Vec<Message>,
    quantize: String,
    /// What older clients call it.
    quantization: String,
}

/// The model that another one is made of, as far as it goes over.
struct Base {
    weights: Rc<Weights>,
    parent: String,
    layers: Vec<Layer>,
}

impl Server {
    pub async fn create(&self, request: Request<Incoming>) -> Result<Reply, Error> {
        let asked: CreateRequest = routes::read(request, &go_json::CREATE).await?;
        let mut files = asked.files.iter().flatten();
        if !files.all(|(path, _)| is_relative(path)) {
            return Err(Error::bad("file path must be relative"));
        }
        let name = Name::parse(either(&asked.model, &asked.name));
        if !name.is_valid() {
            return Err(Error::bad("invalid model name"));
        }
        let name = self.models.spelled(name);
        let mut progress = Progress::default();
        let outcome = self.make(name, &asked, &mut progress);
        Ok(progress.ended(outcome).reply(asked.stream.unwrap_or(true)))
    }

    /// Makes a model, as far as it comes.
    fn make(
        &self,
        name: Name,
        asked: &CreateRequest,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        let base = self.base(asked, progress)?;
        for digest in asked.adapters.iter().flat_map(BTreeMap::values) {
            self.weights(digest, progress)?;
        }
        check_quantization(either(&asked.quantize, &asked.quantization))?;
        let mut model = Model {
            name,
            weights: base.weights,
            parent: base.parent,
            layers: base.layers,
            modified: jiff::Timestamp::now(),
        };
        add_layers(&mut model, asked)?;
        for digest in model.files() {
            let how = match self.models.file(digest) {
                Some(_) => "using existing",
                None => "creating new",
            };
            progress.step(format!("{how} layer {digest}"));
        }
        progress.step("writing manifest");
        self.models.put(model)?;
        Ok(())
    }

    /// What the model is made from.
    fn base(&self, asked: &CreateRequest, progress: &mut Progress) -> Result<Base, Error> {
        if !asked.from.is_empty() {
            return self.base_model(asked, progress);
        }
        let Some(files) = &asked.files else {
            return Err(Error::bad("neither 'from' or 'files' was specified"));
        };
        match self.kind(files) {
            Some(Kind::Safetensors) => {
                progress.step("converting model");
                Err(failure("open config.json: no such file or directory"))
            }
            Some(Kind::Gguf) => {
                let mut last = None;
                for digest in files.values() {
                    last = Some(self.weights(digest, progress)?);
                }
                let weights = last.ok_or(Error::bad("no files provided to convert"))?;
                Ok(Base {
                    parent: path_of(&weights.digest),
                    weights,
                    layers: Vec::new(),
                })
            }
            None => Err(Error::bad("unknown type")),
        }
    }

    fn base_model(&self, asked: &CreateRequest, progress: &mut Progress) -> Result<Base, Error> {
        let name = Name::parse(&asked.from);
        if !name.is_valid() {
            return Err(Error::bad("invalid model name"));
        }
        // Models on other servers are not there.
        if !asked.remote_host.is_empty() {
            return Err(Error::bad("bad remote"));
        }
        match self.models.get(&name) {
            Some(model) => Ok(Base {
                weights: Rc::clone(&model.weights),
                parent: model.name.shortest(),
                layers: model.layers.clone(),
            }),
            None => {
                manage::pull(&name, false, progress)?;
                Err(routes::missing(&asked.from))
            }
        }
    }

    /// What kind of files these are; `None` where they do not make a model.
    fn kind(&self, files: &BTreeMap<String, String>) -> Option<Kind> {
        for (path, digest) in files {
            if path.ends_with(".safetensors") {
                return Some(Kind::Safetensors);
            }
            if path.ends_with(".gguf") || self.models.file(digest)?.is_gguf {
                return Some(Kind::Gguf);
            }
        }
        None
    }

    /// The weights in an uploaded file.
    fn weights(&self, digest: &str, progress: &mut Progress) -> Result<Rc<Weights>, Error> {
        progress.step("parsing GGUF");
        if !digest::is_sound(digest) {
            return Err(failure("invalid digest format"));
        }
        let Some(file) = self.models.file(digest) else {
            let path = path_of(digest);
            return Err(failure(format!("open {path}: no such file or directory")));
        };
        if !file.is_gguf {
            return Err(Error::bad("supplied file was not in GGUF format"));
        }
        Ok(self.models.weights(digest, file))
    }
}

/// The format of a model's files.
enum Kind {
    Gguf,
    Safetensors,
}

/// The path of a file among Ollama's own.
fn path_of(digest: &str) -> String {
    format!("{BLOBS}/{}", digest.replace(':', "-"))
}

fn either<'a>(first: &'a str, second: &'a str) -> &'a str {
    match first {
        "" => second,
        first => first,
    }
}

/// Whether a path leads to nowhere but below the place that it starts from.
fn is_relative(path: &str) -> bool {
    path == "." || path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn check_quantization(kind: &str) -> Result<(), Error> {
    if kind.is_empty() {
        return Ok(());
    }
    let kind = kind.to_uppercase();
    if QUANTIZATIONS.contains(&kind.as_str()) {
        // The weights here are quantised already.
        return Err(failure(
            "quantization is only supported for F16 and F32 models",
        ));
    }
    let supported = QUANTIZATIONS.join(", ");
    Err(failure(format!(
        "unsupported quantization type {kind} - supported types are {supported}"
    )))
}

/// Adds what a request gives the model beside its weights.
fn add_layers(model: &mut Model, asked: &CreateRequest) -> Result<(), Error> {
    if !asked.template.is_empty() {
        let wrong = |words| Error::bad(format!("template error: {words}"));
        template::check(&asked.template).map_err(wrong)?;
        model.add(Layer::new(LayerKind::Template, asked.template.clone()));
    }
    if !asked.system.is_empty() {
        model.add(Layer::new(LayerKind::System, asked.system.clone()));
    }
    for license in licenses(&asked.license)? {
        model.add(Layer::new(LayerKind::License, license.to_owned()));
    }
    let mut parameters = model.parameters();
    parameters.extend(asked.parameters.clone());
    if !parameters.is_empty() {
        model.add(Layer::new(LayerKind::Params, text_of(&parameters)));
    }
    if !asked.messages.is_empty() {
        model.add(Layer::new(LayerKind::Messages, text_of(&asked.messages)));
    }
    Ok(())
}

/// One license, or several.
fn licenses(license: &Value) -> Result<Vec<&str>, Error> {
    let kind = |value: &Value| match value {
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::Null | Value::String(_) => "string",
    };
    let misfit = |value, wanted| {
        let kind = kind(value);
        failure(format!(
            "json: cannot unmarshal {kind} into Go value of type {wanted}"
        ))
    };
    match license {
        Value::Null => Ok(Vec::new()),
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        Value::String(text) => Ok(vec![text]),
        Value::Array(list) => {
            let texts = list.iter();
            let texts = texts.map(|text| text.as_str().ok_or_else(|| misfit(text, "string")));
            texts.collect()
        }
        other => Err(misfit(other, "[]string")),
    }
}

/// A value as Go writes it into a file.
fn text_of(value: &impl Serialize) -> String {
    let mut text = json::bytes(value);
    text.push(b'\n');
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_below_the_start_are_taken() {
        for path in ["model.gguf", "a/b.safetensors", "a..b"] {
            assert!(is_relative(path), "{path}");
        }
        for path in ["", "/etc/passwd", "../x", "a/../x", "a//b", "./a", "a/"] {
            assert!(!is_relative(path), "{path}");
        }
    }

    #[test]
    fn licenses_are_a_text_or_a_list_of_texts() {
        let of = |license: Value| {
            let texts = licenses(&license).map(|texts| texts.join("|"));
            texts.map_err(|error| error.1.into_owned())
        };
        assert_eq!(of(Value::Null), Ok(String::new()));
        assert_eq!(of("MIT".into()), Ok("MIT".to_owned()));
        assert_eq!(of(vec!["A", "B"].into()), Ok("A|B".to_owned()));
        let words = "json: cannot unmarshal number into Go value of type []string";
        assert_eq!(of(3.into()), Err(words.to_owned()));
    }
}
