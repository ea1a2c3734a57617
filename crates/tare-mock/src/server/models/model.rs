//! A model as a server has it: weights and, in layers beside them, what a Modelfile says.

use super::digest;
use super::name::Name;
use super::weights::{QUANTIZATION, Weights};
use crate::engine::Capability;
use crate::protocol::Options;
use crate::server::json;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::rc::Rc;

/// What a model without a template of its own has.
const PLAIN_TEMPLATE: &str = "{{ .Prompt }}";

/// The parameters of a model whose template marks the turns.
const TURN_ENDS: &str = r#"{"stop":["<end_of_turn>"]}"#;

/// A model of a server.
#[derive(Clone)]
pub struct Model {
    pub name: Name,
    pub weights: Rc<Weights>,
    /// The model that it was made from, under its short name.
    pub parent: String,
    pub layers: Vec<Layer>,
    pub modified: jiff::Timestamp,
}

/// What a model has beside its weights.
#[derive(Clone)]
pub struct Layer {
    pub kind: LayerKind,
    pub digest: String,
    pub text: Rc<str>,
}

/// What a layer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    Template,
    System,
    /// A JSON object.
    Params,
    /// A JSON list.
    Messages,
    /// There may be several.
    License,
}

/// A message that a model begins each chat with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    #[serde(default)]
    pub role: String,
    #[serde(default)]
    pub content: String,
}

impl Layer {
    pub fn new(kind: LayerKind, text: String) -> Self {
        Self {
            kind,
            digest: digest::of(text.as_bytes()),
            text: text.into(),
        }
    }
}

impl LayerKind {
    fn media_type(self) -> &'static str {
        match self {
            Self::Template => "application/vnd.ollama.image.template",
            Self::System => "application/vnd.ollama.image.system",
            Self::Params => "application/vnd.ollama.image.params",
            Self::Messages => "application/vnd.ollama.image.messages",
            Self::License => "application/vnd.ollama.image.license",
        }
    }
}

impl Model {
    /// A model that can do this, with a template that shows it.
    pub fn new(
        name: Name,
        weights: Rc<Weights>,
        capabilities: &[Capability],
        modified: jiff::Timestamp,
    ) -> Self {
        let template = template_for(capabilities);
        let layers = match template.as_str() {
            PLAIN_TEMPLATE => Vec::new(),
            _ => vec![
                Layer::new(LayerKind::Template, template),
                Layer::new(LayerKind::Params, TURN_ENDS.to_owned()),
            ],
        };
        Self {
            name,
            weights,
            parent: String::new(),
            layers,
            modified,
        }
    }

    /// What it can do, in Ollama's order: what its weights can, and what its template provides for.
    pub fn capabilities(&self) -> Vec<Capability> {
        let decided = self.weights.capabilities.iter().copied();
        let template = self.template();
        let thinks = template.contains(".Thinking") && template.contains("</think>");
        let provided = [
            (template.contains(".Tools"), Capability::Tools),
            (template.contains(".Suffix"), Capability::Insert),
            (thinks, Capability::Thinking),
        ];
        let provided = provided.into_iter();
        decided
            .chain(provided.filter_map(|(is_provided, what)| is_provided.then_some(what)))
            .collect()
    }

    fn texts(&self, kind: LayerKind) -> impl Iterator<Item = &str> {
        let layers = self.layers.iter().filter(move |layer| layer.kind == kind);
        layers.map(|layer| &*layer.text)
    }

    pub fn template(&self) -> &str {
        let template = self.texts(LayerKind::Template).next();
        template.unwrap_or(PLAIN_TEMPLATE)
    }

    pub fn system(&self) -> &str {
        self.texts(LayerKind::System).next().unwrap_or_default()
    }

    pub fn licenses(&self) -> Vec<&str> {
        self.texts(LayerKind::License).collect()
    }

    /// The options that it is run with where a request has no others.
    pub fn parameters(&self) -> Map<String, Value> {
        let text = self.texts(LayerKind::Params).next();
        let parameters = text.and_then(|text| serde_json::from_str(text).ok());
        parameters.unwrap_or_default()
    }

    pub fn messages(&self) -> Vec<Message> {
        let text = self.texts(LayerKind::Messages).next();
        let messages = text.and_then(|text| serde_json::from_str(text).ok());
        messages.unwrap_or_default()
    }

    /// The options of a request, with the model's own where it has none.
    pub fn options(&self, asked: Options) -> Options {
        let mut options = self.parameters();
        if options.is_empty() {
            return asked;
        }
        if let Ok(Value::Object(asked)) = serde_json::to_value(&asked) {
            options.extend(asked);
        }
        // Where they are none, they are as good as not there.
        serde_json::from_value(Value::Object(options)).unwrap_or(asked)
    }

    /// Adds a layer at the end, in the place of those of its kind; only licenses add up.
    pub fn add(&mut self, layer: Layer) {
        let stays = |other: &Layer| other.kind != layer.kind || layer.kind == LayerKind::License;
        self.layers.retain(stays);
        self.layers.push(layer);
    }

    /// The digests of its files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let layers = self.layers.iter().map(|layer| layer.digest.as_str());
        std::iter::once(self.weights.digest.as_str()).chain(layers)
    }

    /// Of all that it says beside its weights, bytes.
    pub fn text_size(&self) -> usize {
        self.layers.iter().map(|layer| layer.text.len()).sum()
    }

    /// What Ollama keeps of the model beside its layers.
    fn config(&self) -> Vec<u8> {
        let family = self.weights.family;
        let layers: Vec<_> = self.files().collect();
        json::bytes(&json!({
            "model_format": "gguf",
            "model_family": family,
            "model_families": [family],
            "model_type": self.weights.parameter_size(),
            "file_type": QUANTIZATION,
            "architecture": "amd64",
            "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": layers },
        }))
    }

    /// Of all its files, bytes.
    pub fn size(&self) -> u64 {
        self.weights.size + self.text_size() as u64 + self.config().len() as u64
    }

    /// Of its manifest, without the kind of digest in front: the same for models that have all the
    /// same.
    pub fn digest(&self) -> String {
        let weights = json!({
            "mediaType": "application/vnd.ollama.image.model",
            "digest": self.weights.digest,
            "size": self.weights.size,
        });
        let layers = self.layers.iter().map(|layer| {
            json!({
                "mediaType": layer.kind.media_type(),
                "digest": layer.digest,
                "size": layer.text.len(),
            })
        });
        let layers: Vec<_> = std::iter::once(weights).chain(layers).collect();
        let config = self.config();
        let manifest = json::bytes(&json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "digest": digest::of(&config),
                "size": config.len(),
            },
            "layers": layers,
        }));
        digest::of(&manifest).replace("sha256:", "")
    }
}

/// A template that Ollama would find these capabilities in.
fn template_for(capabilities: &[Capability]) -> String {
    let can = |capability| capabilities.contains(&capability);
    let (tools, thinks) = (can(Capability::Tools), can(Capability::Thinking));
    let insert = "{{ if .Suffix }}{{ .Prompt }}{{ .Suffix }}{{ else }}";
    let mut template = String::new();
    if can(Capability::Insert) {
        template.push_str(insert);
    }
    if tools || thinks {
        template.push_str("{{- range $i, $_ := .Messages }}<start_of_turn>{{ .Role }}\n");
        if tools {
            template.push_str("{{ if eq $i 0 }}{{ $.Tools }}{{ end }}");
        }
        if thinks {
            template.push_str("{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}");
        }
        template.push_str("{{ .Content }}<end_of_turn>\n{{ end }}<start_of_turn>model\n");
    } else {
        template.push_str(PLAIN_TEMPLATE);
    }
    if can(Capability::Insert) {
        template.push_str("{{ end }}");
    }
    template
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::template;
    use Capability::{Completion, Embedding, Insert, Thinking, Tools, Vision};

    fn model(capabilities: &[Capability]) -> Model {
        let name = Name::parse("gemma3");
        let weights = Rc::new(Weights::of(&name, capabilities));
        Model::new(name, weights, capabilities, jiff::Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_model_can_do_what_it_was_made_for() {
        for capabilities in [
            &[Completion][..],
            &[Completion, Tools],
            &[Completion, Thinking],
            &[Completion, Vision, Tools, Insert, Thinking],
            &[Embedding],
        ] {
            let model = model(capabilities);
            assert_eq!(model.capabilities(), capabilities);
            assert_eq!(template::check(model.template()), Ok(()));
        }
    }

    #[test]
    fn its_parameters_hold_where_a_request_has_no_others() {
        let mut model = model(&[Completion]);
        let asked = Options {
            num_ctx: Some(512),
            ..Options::default()
        };
        assert_eq!(model.options(asked.clone()), asked);
        let parameters = r#"{"num_ctx":2048,"seed":3,"stop":["a"]}"#.to_owned();
        model.add(Layer::new(LayerKind::Params, parameters));
        let options = model.options(asked);
        assert_eq!((options.num_ctx, options.seed), (Some(512), Some(3)));
    }

    #[test]
    fn the_digest_is_that_of_all_that_is_in_it_but_not_of_its_name() {
        let plain = model(&[Completion]);
        let mut other = plain.clone();
        other.name = Name::parse("other");
        assert_eq!(plain.digest(), other.digest());
        other.add(Layer::new(LayerKind::System, "Be brief.".to_owned()));
        assert_ne!(plain.digest(), other.digest());
        assert!(other.size() > plain.size());
    }
}
