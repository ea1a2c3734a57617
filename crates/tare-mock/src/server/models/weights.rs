//! The file of a model's weights: what kind it is, how large, and what it says of itself.
//!
//! No weights are there. The figures are those of models that people have: Gemma 3 of 270 million
//! and of 4 billion parameters and Qwen 2.5 of 7 billion, in 4-bit quantisation. The name says which;
//! one that says nothing is taken for the second.

use super::digest;
use super::name::Name;
use crate::engine::Capability;
use crate::engine::text::Text;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What `file_type` and the details call the quantisation.
pub const QUANTIZATION: &str = "Q4_K_M";
/// The mean over a text's tokens, as `pooling_type` numbers it.
const MEAN: u32 = 1;
/// The tokens that a detailed description lists. A real one has a quarter of a million.
const LISTED_TOKENS: usize = 256;

/// A file of weights.
pub struct Weights {
    /// With `sha256:` in front.
    pub digest: String,
    /// The architecture.
    pub family: &'static str,
    /// What the weights decide: completion or embedding, and vision.
    pub capabilities: Vec<Capability>,
    /// Of the file, bytes.
    pub size: u64,
    shape: &'static Shape,
}

/// The figures of a model.
struct Shape {
    family: &'static str,
    /// As `general.size_label` says it.
    label: &'static str,
    parameters: u64,
    /// Of the file, bytes.
    size: u64,
    blocks: u32,
    context: u32,
    embedding: u32,
    feed_forward: u32,
    heads: u32,
    kv_heads: u32,
    key_length: u32,
    sliding_window: u32,
    vocabulary: u32,
}

const SMALL: Shape = Shape {
    family: "gemma3",
    label: "270M",
    parameters: 268_098_176,
    size: 253_112_960,
    blocks: 18,
    context: 32_768,
    embedding: 640,
    feed_forward: 2_048,
    heads: 4,
    kv_heads: 1,
    key_length: 256,
    sliding_window: 512,
    vocabulary: 262_144,
};

const MIDDLE: Shape = Shape {
    family: "gemma3",
    label: "4B",
    parameters: 4_299_915_632,
    size: 3_338_792_448,
    blocks: 34,
    context: 131_072,
    embedding: 2_560,
    feed_forward: 10_240,
    heads: 8,
    kv_heads: 4,
    key_length: 256,
    sliding_window: 1_024,
    vocabulary: 262_145,
};

const LARGE: Shape = Shape {
    family: "qwen2",
    label: "7B",
    parameters: 7_615_616_512,
    size: 4_683_073_952,
    blocks: 28,
    context: 32_768,
    embedding: 3_584,
    feed_forward: 18_944,
    heads: 28,
    kv_heads: 4,
    key_length: 128,
    sliding_window: 131_072,
    vocabulary: 152_064,
};

/// A tensor, as a description lists it.
#[derive(Serialize)]
pub struct Tensor {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    shape: Vec<u32>,
}

/// How much a description says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Long lists are left out.
    Brief,
    /// With the tokens.
    Verbose,
}

impl Weights {
    /// The weights of a model of this name.
    pub fn of(name: &Name, capabilities: &[Capability]) -> Self {
        let model = name.model.to_lowercase();
        let tag = name.tag.to_lowercase();
        let shape = match () {
            () if model.starts_with("qwen") => &LARGE,
            () if tag.starts_with("270m") => &SMALL,
            () => &MIDDLE,
        };
        let decided = |capability: &&Capability| {
            use Capability::{Completion, Embedding, Vision};
            matches!(capability, Completion | Embedding | Vision)
        };
        Self {
            digest: digest::of(format!("weights of {name}").as_bytes()),
            family: shape.family,
            capabilities: capabilities.iter().filter(decided).copied().collect(),
            size: shape.size,
            shape,
        }
    }

    /// The weights in a file that was uploaded. What is in it is not known; they complete texts.
    pub fn uploaded(digest: String, size: u64) -> Self {
        Self {
            digest,
            size,
            ..Self::of(&Name::parse("gemma3"), &[Capability::Completion])
        }
    }

    /// In memory with a context of so many tokens, bytes: the file and, for each token, a key and a
    /// value of two bytes a number in each block.
    pub fn size_loaded(&self, context: u32) -> u64 {
        let shape = self.shape;
        let per_token = 2 * 2 * u64::from(shape.blocks * shape.kv_heads * shape.key_length);
        self.size + per_token * u64::from(context)
    }

    /// The longest context, tokens.
    pub fn context(&self) -> u32 {
        self.shape.context
    }

    /// The length of an embedding.
    pub fn embedding(&self) -> u32 {
        self.shape.embedding
    }

    /// How many parameters, as a person reads it.
    pub fn parameter_size(&self) -> String {
        match self.shape.parameters {
            count @ 1_000_000_000.. => format!("{:.1}B", count as f64 / 1e9),
            count => format!("{:.2}M", count as f64 / 1e6),
        }
    }

    /// What the file says of the model, by its keys.
    pub fn info(&self, detail: Detail) -> BTreeMap<String, Value> {
        let Shape {
            label,
            parameters,
            blocks,
            context,
            embedding,
            feed_forward,
            heads,
            kv_heads,
            key_length,
            sliding_window,
            ..
        } = self.shape;
        let family = self.family;
        let own = [
            ("attention.head_count", json!(heads)),
            ("attention.head_count_kv", json!(kv_heads)),
            ("attention.key_length", json!(key_length)),
            ("attention.layer_norm_rms_epsilon", json!(1e-6)),
            ("attention.sliding_window", json!(sliding_window)),
            ("attention.value_length", json!(key_length)),
            ("block_count", json!(blocks)),
            ("context_length", json!(context)),
            ("embedding_length", json!(embedding)),
            ("feed_forward_length", json!(feed_forward)),
            ("rope.freq_base", json!(1_000_000)),
        ];
        // Only a model that embeds says how.
        let embeds = self.capabilities.contains(&Capability::Embedding);
        let pooling = embeds.then_some(("pooling_type", json!(MEAN)));
        let own = own.into_iter().chain(pooling);
        let own = own.map(|(key, value)| (format!("{family}.{key}"), value));
        let general = [
            ("architecture", json!(family)),
            ("basename", json!(family)),
            ("file_type", json!(15)),
            ("license", json!(family)),
            ("parameter_count", json!(parameters)),
            ("quantization_version", json!(2)),
            ("size_label", json!(label)),
            ("tags", self.list(detail, |_| vec![json!(family)])),
            ("type", json!("model")),
        ];
        let general = general.map(|(key, value)| (format!("general.{key}"), value));
        let listed = |detail| {
            self.list(detail, |tokens| {
                tokens.into_iter().map(Value::from).collect()
            })
        };
        let each =
            |detail, value: i32| self.list(detail, |tokens| vec![json!(value); tokens.len()]);
        let tokenizer = [
            ("add_bos_token", json!(true)),
            ("add_eos_token", json!(false)),
            ("add_sep_token", json!(false)),
            ("add_space_prefix", json!(false)),
            ("bos_token_id", json!(2)),
            ("eos_token_id", json!(1)),
            ("model", json!("llama")),
            ("padding_token_id", json!(0)),
            ("pre", json!("default")),
            ("scores", each(detail, -1000)),
            ("token_type", each(detail, 1)),
            ("tokens", listed(detail)),
            ("unknown_token_id", json!(3)),
        ];
        let tokenizer = tokenizer.map(|(key, value)| (format!("tokenizer.ggml.{key}"), value));
        own.chain(general).chain(tokenizer).collect()
    }

    /// A list that only a detailed description has, of what the tokens make.
    fn list(&self, detail: Detail, of: impl Fn(Vec<String>) -> Vec<Value>) -> Value {
        match detail {
            Detail::Brief => Value::Null,
            Detail::Verbose => {
                let tokens = Text::new(0).take(LISTED_TOKENS).map(str::to_owned);
                Value::Array(of(tokens.collect()))
            }
        }
    }

    /// The tensors, in the file's order.
    pub fn tensors(&self) -> Vec<Tensor> {
        let Shape {
            blocks,
            embedding,
            feed_forward,
            heads,
            kv_heads,
            key_length,
            vocabulary,
            ..
        } = *self.shape;
        let tensor = |name: String, kind, shape: &[u32]| Tensor {
            name,
            kind,
            shape: shape.to_vec(),
        };
        let head = [
            tensor("output_norm.weight".to_owned(), "F32", &[embedding]),
            tensor(
                "token_embd.weight".to_owned(),
                "Q8_0",
                &[embedding, vocabulary],
            ),
        ];
        let (query, key) = (heads * key_length, kv_heads * key_length);
        let block = |number: u32| {
            let parts: [(&str, &'static str, &[u32]); 13] = [
                ("attn_k", "Q4_K", &[embedding, key]),
                ("attn_k_norm", "F32", &[key_length]),
                ("attn_norm", "F32", &[embedding]),
                ("attn_output", "Q4_K", &[query, embedding]),
                ("attn_q", "Q4_K", &[embedding, query]),
                ("attn_q_norm", "F32", &[key_length]),
                ("attn_v", "Q6_K", &[embedding, key]),
                ("ffn_down", "Q6_K", &[feed_forward, embedding]),
                ("ffn_gate", "Q4_K", &[embedding, feed_forward]),
                ("ffn_norm", "F32", &[embedding]),
                ("ffn_up", "Q4_K", &[embedding, feed_forward]),
                ("post_attention_norm", "F32", &[embedding]),
                ("post_ffw_norm", "F32", &[embedding]),
            ];
            parts.map(|(name, kind, shape)| {
                tensor(format!("blk.{number}.{name}.weight"), kind, shape)
            })
        };
        head.into_iter()
            .chain((0..blocks).flat_map(block))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_the_figures() {
        let of = |name| Weights::of(&Name::parse(name), &[Capability::Completion]);
        for (name, family, size) in [
            ("gemma3", "gemma3", "4.3B"),
            ("gemma3:270m", "gemma3", "268.10M"),
            ("qwen2.5:7b", "qwen2", "7.6B"),
            ("me/Mine", "gemma3", "4.3B"),
        ] {
            let weights = of(name);
            assert_eq!(
                (weights.family, weights.parameter_size().as_str()),
                (family, size),
                "{name}"
            );
        }
        assert_ne!(of("a").digest, of("b").digest);
        assert_eq!(of("a").digest, of("a:latest").digest);
    }

    #[test]
    fn a_description_has_the_33_keys_of_a_gemma_and_lists_only_where_asked_for() {
        let weights = Weights::of(&Name::parse("gemma3"), &[]);
        let brief = weights.info(Detail::Brief);
        assert_eq!(brief.len(), 33);
        assert_eq!(brief["gemma3.context_length"], 131_072);
        assert_eq!(brief["tokenizer.ggml.tokens"], Value::Null);
        let verbose = weights.info(Detail::Verbose);
        assert!(brief.keys().eq(verbose.keys()));
        let tokens = verbose["tokenizer.ggml.tokens"].as_array().expect("a list");
        assert_eq!(tokens.len(), LISTED_TOKENS);
        assert_eq!(weights.tensors().len(), 2 + 34 * 13);
    }
}
