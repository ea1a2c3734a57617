//! Embeddings of the mock on the wire: their vectors, their times, and what is refused.

mod support;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use support::{Reply, ask, own};
use tare_mock::Mock;

/// A mock with one slot whose model embeds, and one that does not.
fn embedding() -> Mock {
    own(r#"
description = "embeds"
model = "embed:270m"
capabilities = ["embedding"]
load = "3ms"
tokens = 8
gap = "0s"
seed = 1
parallel = 1
prefill = { fixed = "5ms", per_token = "0s" }
also = [{ name = "gemma3" }]
"#)
}

fn post(server: &Mock, path: &str, body: &Value) -> Reply {
    ask(server, &format!("POST {path}"), &body.to_string())
}

fn vector(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().expect("a list").iter();
    numbers
        .map(|number| number.as_f64().expect("a number"))
        .collect()
}

fn norm(vector: &[f64]) -> f64 {
    vector
        .iter()
        .map(|number| number * number)
        .sum::<f64>()
        .sqrt()
}

fn embed(server: &Mock, further: Value) -> Reply {
    let mut body = json!({ "model": "embed:270m" });
    let object = body.as_object_mut().expect("an object");
    object.extend(further.as_object().expect("an object").clone());
    post(server, "/api/embed", &body)
}

#[test]
fn the_same_text_has_the_same_vector_over_every_route() {
    let server = embedding();
    let reply = embed(&server, json!({ "input": ["hello", "there", "hello"] })).json();
    let vectors: Vec<_> = reply["embeddings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(vector)
        .collect();
    assert_eq!(vectors.len(), 3);
    assert_eq!(vectors[0], vectors[2]);
    assert_ne!(vectors[0], vectors[1]);
    for vector in &vectors {
        assert_eq!(vector.len(), 640, "as long as the model says");
        assert!((norm(vector) - 1.0).abs() < 1e-3);
    }
    let close = |one: &[f64], other: &[f64]| {
        one.len() == other.len() && one.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-6)
    };
    let single = embed(&server, json!({ "input": "hello" })).json();
    assert!(close(&vector(&single["embeddings"][0]), &vectors[0]));
    let older = post(
        &server,
        "/api/embeddings",
        &json!({ "model": "embed:270m", "prompt": "hello" }),
    );
    assert!(close(&vector(&older.json()["embedding"]), &vectors[0]));

    let openai = |format: &str| {
        let body = json!({ "model": "Embed:270m", "input": "hello", "encoding_format": format });
        post(&server, "/v1/embeddings", &body)
    };
    let reply = openai("float");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(reply.body().ends_with("}}\n"));
    let list = reply.json();
    assert_eq!(
        (&list["object"], &list["model"]),
        (&json!("list"), &json!("Embed:270m"))
    );
    assert!(
        list["usage"]["prompt_tokens"]
            .as_u64()
            .is_some_and(|tokens| tokens > 0)
    );
    let floats = vector(&list["data"][0]["embedding"]);
    assert!(close(&floats, &vectors[0]));
    let encoded = openai("base64").json();
    let encoded = encoded["data"][0]["embedding"].as_str().expect("base64");
    let bytes = BASE64_STANDARD.decode(encoded).expect("base64");
    let decoded: Vec<_> = bytes
        .chunks(4)
        .map(|four| f64::from(f32::from_le_bytes(four.try_into().expect("four bytes"))))
        .collect();
    assert!(close(&decoded, &vectors[0]));
}

#[test]
fn fewer_dimensions_are_the_first_ones_at_norm_1() {
    let server = embedding();
    let short = embed(&server, json!({ "input": "hello", "dimensions": 4 })).json();
    let short = vector(&short["embeddings"][0]);
    assert_eq!(short.len(), 4);
    assert!((norm(&short) - 1.0).abs() < 1e-3);
    for all in [0, 100_000, -1] {
        let reply = embed(&server, json!({ "input": "hello", "dimensions": all })).json();
        assert_eq!(vector(&reply["embeddings"][0]).len(), 640, "{all}");
    }
}

#[test]
fn an_embedding_waits_for_runner_slot_and_prefill_and_says_where_its_time_went() {
    let server = embedding();
    let body = json!({ "model": "embed:270m", "input": ["hello", "there"] }).to_string();
    let reply = ask(&server, "POST /api/embed\nx-tare-truth: 1", &body).json();
    let nanos = |name: &str| reply[name].as_u64().expect("a number");
    assert_eq!(nanos("load_duration"), 3_000_000);
    assert!(
        nanos("total_duration") >= 13_000_000,
        "one text after the other: {reply}"
    );
    assert_eq!(nanos("prompt_eval_count"), 4);
    let terms = &reply["tare_truth"]["terms"];
    assert_eq!(terms["handling"], 3_000_000);
    assert_eq!(
        (&terms["slot_wait"], &terms["prefill"]),
        (&json!(5_000_000), &json!(5_000_000))
    );
    assert!(
        reply["tare_truth"]["received"]
            .as_u64()
            .is_some_and(|at| at > 0)
    );
    let untold = embed(&server, json!({ "input": "hello" })).body();
    assert!(!untold.contains("truth"));
    let openai = json!({ "model": "embed:270m", "input": "hello" }).to_string();
    let openai = ask(&server, "POST /v1/embeddings\nx-tare-truth: 1", &openai).json();
    assert_eq!(openai["tare_truth"]["terms"]["prefill"], 5_000_000);
    let older = json!({ "model": "embed:270m", "prompt": "hello" }).to_string();
    let older = ask(&server, "POST /api/embeddings\nx-tare-truth: 1", &older).json();
    assert_eq!(older["tare_truth"]["terms"]["prefill"], 5_000_000);
}

#[test]
fn without_a_text_the_model_is_only_loaded_as_long_as_was_asked_for() {
    let server = embedding();
    let running = || {
        let running = ask(&server, "GET /api/ps", "").json();
        running["models"].as_array().expect("a list").len()
    };
    for (input, loaded) in [
        (json!({}), 1),
        (json!({ "input": "", "keep_alive": 0 }), 0),
        (json!({ "input": [] }), 1),
    ] {
        let reply = embed(&server, input.clone());
        assert_eq!(
            reply.body(),
            r#"{"model":"embed:270m","embeddings":[]}"#,
            "{input}"
        );
        assert_eq!(running(), loaded, "{input}");
    }
    let reply = post(
        &server,
        "/api/embeddings",
        &json!({ "model": "embed:270m" }),
    );
    assert_eq!(reply.body(), r#"{"embedding":[]}"#);
}

#[test]
fn a_text_too_long_is_cut_unless_it_must_not_be() {
    let server = embedding();
    let long = "word ".repeat(1_000);
    let options = json!({ "num_ctx": 64 });
    let cut = embed(&server, json!({ "input": long, "options": options })).json();
    assert_eq!(cut["prompt_eval_count"], 64);
    let refused = embed(
        &server,
        json!({ "input": long, "options": options, "truncate": false }),
    );
    assert_eq!(refused.status, "400 Bad Request");
    assert_eq!(
        refused.json()["error"],
        "the input length exceeds the context length"
    );
}

#[test]
fn what_cannot_be_embedded_is_refused_in_ollamas_words() {
    let server = embedding();
    let cannot = "this model does not support embeddings";
    let wrong = "invalid input type";
    let unknown = "model \"none\" not found, try pulling it first";
    for (path, body, status, words) in [
        (
            "/api/embed",
            json!({ "model": "gemma3", "input": "x" }),
            501,
            cannot,
        ),
        (
            "/api/embed",
            json!({ "model": "embed:270m", "input": 1 }),
            400,
            wrong,
        ),
        (
            "/api/embed",
            json!({ "model": "embed:270m", "input": ["a", 1] }),
            400,
            wrong,
        ),
        (
            "/api/embed",
            json!({ "model": "none", "input": "x" }),
            404,
            unknown,
        ),
        (
            "/api/embed",
            json!({ "model": "embed:270m", "input": "x", "options": { "num_ctx": "x" } }),
            500,
            "option \"num_ctx\" must be of type integer",
        ),
        (
            "/api/embeddings",
            json!({ "model": "gemma3", "prompt": "x" }),
            500,
            cannot,
        ),
        (
            "/api/embeddings",
            json!({ "model": "EMBED:270m", "prompt": "x" }),
            404,
            "model \"EMBED:270m\" not found, try pulling it first",
        ),
        ("/api/embeddings", json!({}), 400, "model is required"),
    ] {
        let reply = post(&server, path, &body);
        assert!(
            reply.status.starts_with(&status.to_string()),
            "{path} {body}: {}",
            reply.status
        );
        assert_eq!(reply.json()["error"], words, "{path} {body}");
    }
    for (body, status, kind, words) in [
        (json!({}), 400, "invalid_request_error", "invalid input"),
        (
            json!({ "model": "gemma3", "input": [] }),
            400,
            "invalid_request_error",
            "invalid input",
        ),
        (
            json!({ "model": "gemma3", "input": "x", "encoding_format": "xx" }),
            400,
            "invalid_request_error",
            "Invalid value for 'encoding_format' = xx. Supported values: ['float', 'base64'].",
        ),
        (
            json!({ "model": "gemma3", "input": "x" }),
            501,
            "api_error",
            cannot,
        ),
        (
            json!({ "model": "gemma3", "input": [1, 2] }),
            400,
            "api_error",
            wrong,
        ),
        (
            json!({ "model": "none", "input": "x" }),
            404,
            "api_error",
            unknown,
        ),
    ] {
        let reply = post(&server, "/v1/embeddings", &body);
        assert!(
            reply.status.starts_with(&status.to_string()),
            "{body}: {}",
            reply.status
        );
        let error = &reply.json()["error"];
        assert_eq!(
            (&error["type"], &error["message"]),
            (&json!(kind), &json!(words)),
            "{body}"
        );
        assert_eq!(reply.body().ends_with('\n'), kind == "api_error", "{body}");
    }
    assert_eq!(
        ask(&server, "POST /api/embed", "").json()["error"],
        "missing request body"
    );
    assert_eq!(
        ask(&server, "POST /v1/embeddings", "").json()["error"]["message"],
        "EOF"
    );
}
