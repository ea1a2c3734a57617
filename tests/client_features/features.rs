//! The features, and what each must give: from the mock exactly what it is known to say, from a real
//! Ollama, whose model says what it likes, something of the same form.

use serde_json::{Value, json};
use tare_mock::Text;

/// Tokens that the drivers ask for, and the sampler's seed.
const TOKENS: usize = 8;
const SEED: u64 = 5;
const UNKNOWN: &str = "model 'no-such-model' not found";
const NO_IMAGES: &str = "Failed to create new sequence: failed to process inputs: \
    this model is missing data required for image input";
const NO_EMBEDDINGS: &str = "this model does not support embeddings";

/// Which server the driver ran against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Mock,
    Real,
}

pub struct Feature {
    /// As the drivers call it.
    pub name: &'static str,
    /// Whether what it gave is as it must be.
    right: fn(&Value, Server) -> bool,
    /// Whether an error that it ended with is as it must be.
    right_error: fn(&str, Server) -> bool,
}

impl Feature {
    /// # Errors
    /// What it gave, if that is not as it must be.
    pub fn check(&self, outcome: &Value, server: Server) -> Result<(), String> {
        let right = match outcome.get("raised") {
            None => (self.right)(&outcome["gave"], server),
            Some(raised) => (self.right_error)(raised[1].as_str().unwrap_or_default(), server),
        };
        if right {
            Ok(())
        } else {
            Err(outcome.to_string())
        }
    }
}

const fn feature(name: &'static str, right: fn(&Value, Server) -> bool) -> Feature {
    Feature {
        name,
        right,
        right_error: |_, _| false,
    }
}

/// A feature for which the real server lacks a model.
const fn embedding(name: &'static str, right: fn(&Value, Server) -> bool) -> Feature {
    Feature {
        name,
        right,
        right_error: |words, server| server == Server::Real && words.contains(NO_EMBEDDINGS),
    }
}

/// A feature for which some clients insist that the answer has come to its end. The tiny model may go on
/// until it is cut off.
const fn to_the_end(name: &'static str, right: fn(&Value, Server) -> bool) -> Feature {
    Feature {
        name,
        right,
        right_error: |words, server| {
            let cut_off = ["length limit was reached", "could not parse the response"];
            server == Server::Real && cut_off.iter().any(|said| words.contains(said))
        },
    }
}

/// In the order of the table.
pub const FEATURES: [Feature; 32] = [
    feature("heartbeat", |gave, _| *gave == true),
    feature("version", |gave, _| *gave == "0.17.4"),
    feature("list", |gave, _| contains(gave, "gemma3:latest")),
    feature("retrieve", |gave, _| {
        *gave == json!({"id": "gemma3", "object": "model", "owner": "library"})
    }),
    feature("show", |gave, _| shown(gave)),
    feature("load and unload", |gave, _| {
        gave["reasons"] == json!(["load", "unload"]) && contains(&gave["running"], "gemma3:latest")
    }),
    feature("generate", said),
    feature("generate, streamed", said_in_parts),
    feature("chat", said),
    feature("chat, streamed", said_in_parts),
    feature("completions", said),
    feature("completions, streamed", said_in_parts),
    feature("responses", answered),
    feature("responses, streamed", |gave, server| {
        answered(gave, server) && in_parts(gave)
    }),
    feature("abandoned stream", |gave, server| {
        gave["first"].is_string() && said(&gave["then"], server)
    }),
    feature("refusal", |gave, _| refused(gave, 404, UNKNOWN)),
    feature("refusal, streamed", |gave, _| refused(gave, 404, UNKNOWN)),
    feature("thinking", thought),
    feature("tools", called),
    to_the_end("tools, streamed", called),
    feature("tool's result", |gave, server| {
        // The tiny model may have nothing to say.
        server == Server::Real && gave["pieces"].is_array() || said(gave, server)
    }),
    to_the_end("JSON", is_json),
    to_the_end("schema", is_capital),
    to_the_end("responses, schema", is_capital),
    feature("logprobs", probable),
    feature("image", |gave, _| refused(gave, 500, NO_IMAGES)),
    embedding("embeddings", |gave, _| vectors(gave, 2)),
    embedding("embeddings, older route", |gave, _| vectors(gave, 1)),
    feature("copy", |gave, _| changed(gave, true)),
    feature("create", |gave, _| changed(gave, true)),
    feature("delete", |gave, _| changed(gave, false)),
    feature("pull", |gave, _| {
        let words = gave[1].as_str().unwrap_or_default();
        // The rest says why the registry is not there.
        words.starts_with("pull model manifest: ")
    }),
];

fn contains(list: &Value, name: &str) -> bool {
    list.as_array()
        .is_some_and(|list| list.contains(&json!(name)))
}

/// A client may pass on the context alone, and would make one up of 3,900 tokens if it found none.
fn shown(gave: &Value) -> bool {
    let family = gave.get("family");
    gave["context"].as_u64() >= Some(8_192)
        && family.is_none_or(|family| family == "gemma3")
        && (family.is_none() || gave["capabilities"] == json!(["completion", "tools"]))
}

fn text(gave: &Value) -> String {
    let pieces = gave["pieces"].as_array().into_iter().flatten();
    pieces.filter_map(Value::as_str).collect()
}

/// An answer of any text; a client may keep to itself why it ended, and how many tokens it has.
fn answered(gave: &Value, server: Server) -> bool {
    let reason = match gave["reason"].as_str() {
        None | Some("length" | "completed") => true,
        Some("stop") => server == Server::Real,
        Some(_) => false,
    };
    let tokens = match gave["tokens"].as_u64() {
        None => gave["tokens"].is_null(),
        Some(tokens) if server == Server::Real => (1..=TOKENS as u64).contains(&tokens),
        Some(tokens) => tokens == TOKENS as u64,
    };
    reason && tokens && !text(gave).is_empty()
}

/// An answer of the text that the seed makes.
fn said(gave: &Value, server: Server) -> bool {
    let expected: String = Text::new(SEED).take(TOKENS).collect();
    answered(gave, server) && (server == Server::Real || text(gave) == expected)
}

fn in_parts(gave: &Value) -> bool {
    let pieces = gave["pieces"].as_array().into_iter().flatten();
    pieces.filter(|piece| **piece != "").count() > 1
}

fn said_in_parts(gave: &Value, server: Server) -> bool {
    said(gave, server) && in_parts(gave)
}

/// Words of an error that a client may wrap in its own, and the status where it passes it on.
fn refused(gave: &Value, status: u16, words: &str) -> bool {
    (gave[0].is_null() || gave[0] == status)
        && gave[1].as_str().is_some_and(|said| said.contains(words))
}

/// The tiny model knows nothing of thinking; it need only be possible to ask for it.
fn thought(gave: &Value, server: Server) -> bool {
    let long = |what: &str| gave[what].as_str().map_or(0, str::len);
    match server {
        Server::Mock => long("thinking") > 0 && long("text") > 0,
        Server::Real => gave["thinking"].is_string() && gave["text"].is_string(),
    }
}

/// The tiny model hardly ever calls a tool; where it does, the call is of the same form.
fn called(gave: &Value, server: Server) -> bool {
    let Some(calls) = gave.as_array() else {
        return false;
    };
    let is_call = |call: &Value| call["name"].is_string() && call["arguments"].is_object();
    match (server, calls.as_slice()) {
        (Server::Mock, [call]) => {
            call["name"] == "weather" && call["arguments"]["city"].is_string()
        }
        (Server::Mock, _) => false,
        (Server::Real, calls) => calls.iter().all(is_call),
    }
}

/// An object, which the real model need not bring to an end within the tokens that it is given.
fn is_json(gave: &Value, server: Server) -> bool {
    let text = gave.as_str().unwrap_or_default().trim_start();
    let whole = serde_json::from_str(text).is_ok_and(|value: Value| value.is_object());
    whole || server == Server::Real && text.starts_with('{')
}

fn is_capital(gave: &Value, _: Server) -> bool {
    gave["city"].is_string() && gave["large"].is_boolean()
}

/// Tokens that spell the answer, each with its probability and the two likeliest.
fn probable(gave: &Value, server: Server) -> bool {
    let Some(tokens) = gave.as_array() else {
        return false;
    };
    let spelt: String = tokens
        .iter()
        .filter_map(|one| one["token"].as_str())
        .collect();
    let expected: String = Text::new(SEED).take(TOKENS).collect();
    !tokens.is_empty()
        && (server == Server::Real || spelt == expected)
        && tokens
            .iter()
            .all(|one| one["top"] == 2 && one["logprob"].as_f64().is_some_and(|value| value <= 0.0))
}

/// So many vectors of the same dimensions, none of them zero.
fn vectors(gave: &Value, count: usize) -> bool {
    let Some(vectors) = gave.as_array() else {
        return false;
    };
    vectors.len() == count
        && vectors.iter().all(|vector| {
            vector["dimensions"] == vectors[0]["dimensions"]
                && vector["dimensions"].as_u64() > Some(1)
                && vector["length"].as_f64().is_some_and(|length| length > 0.0)
        })
}

/// A change of the models that succeeded, after which a model is there or not.
fn changed(gave: &Value, there: bool) -> bool {
    *gave == json!({"status": "success", "there": there})
}
