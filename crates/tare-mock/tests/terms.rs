//! Where a request's time goes besides prefill and decoding, as a client sees it: over real
//! connections to a real mock. The engine's own tests have each term under a virtual clock;
//! here it is shown that the mock puts them on the wire, in what it states and in when it writes.
//!
//! Times are compared with the truth that each answer carries, or with a least: nothing here fails
//! because the machine is busy.

mod support;

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{Servers, term};
use tare_mock::Gpus;

const MS: u64 = 1_000_000;

const TERMS: [&str; 11] = [
    "handling",
    "queue",
    "drain",
    "recovery",
    "loading",
    "fitting",
    "slot_wait",
    "tokenizing",
    "prefill",
    "decode",
    "context",
];

const TOKENIZING: &str = r#"
description = "tokenizes, and makes a context"
model = "m"
load = "150ms"
tokens = 3
gap = "1ms"
seed = 1
parallel = 1
tokenize = { fixed = "20ms", per_token = "1ms" }
context = { fixed = "40ms", per_token = "1ms" }
prefill = { fixed = "3ms", per_token = "0s" }
reload = { vram_min = "0s", vram_max = "0s", start = "0s", weights = "10ms", poll = "0s" }
"#;

const CHAT: &str = "/api/chat";
const GENERATE: &str = "/api/generate";

/// Asks for three tokens by a prompt of two, and says how long that took the client.
fn ask(servers: &Servers, path: &str, more: &Value) -> (Value, Duration) {
    let mut body = json!({"model": "m", "options": {"num_predict": 3}});
    match path {
        CHAT => body["messages"] = json!([{"role": "user", "content": "Why?"}]),
        _ => body["prompt"] = "Why?".into(),
    }
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    let start = Instant::now();
    let last = servers.ask(0, path, &body).last();
    (last, start.elapsed())
}

fn stated(last: &Value, name: &str) -> u64 {
    let stated = last[name].as_u64();
    stated.unwrap_or_else(|| panic!("no {name} in {last}"))
}

fn done(last: &Value) -> u64 {
    last["tare_truth"]["done"].as_u64().expect("a time")
}

#[test]
fn generates_last_line_leaves_later_than_its_total_by_the_time_of_its_context() {
    let servers = Servers::start(TOKENIZING, 1, Gpus::Shared);
    for more in [json!({}), json!({"stream": false})] {
        let (last, took) = ask(&servers, GENERATE, &more);
        let context = term(&last, "context");
        assert_eq!(context, 45 * MS, "2 tokens and 3: {last}");
        assert_eq!(last["context"].as_array().map(Vec::len), Some(5), "{last}");
        let total = stated(&last, "total_duration");
        assert!(done(&last) >= total + context, "{last}");
        assert!(
            took.as_nanos() >= (total + context).into(),
            "{took:?}: {last}"
        );
    }
}

#[test]
fn only_generate_makes_a_context_and_raw_is_not_looked_at_before_its_slot() {
    let servers = Servers::start(TOKENIZING, 1, Gpus::Shared);
    for (path, more, fitting, context) in [
        (GENERATE, json!({}), 22, 45),
        (GENERATE, json!({"raw": true}), 0, 0),
        (CHAT, json!({}), 22, 0),
        (CHAT, json!({"stream": false}), 22, 0),
    ] {
        let (last, _) = ask(&servers, path, &more);
        let terms = ["fitting", "tokenizing", "context"].map(|name| term(&last, name));
        assert_eq!(
            terms,
            [fitting * MS, 22 * MS, context * MS],
            "{path} {more}"
        );
        assert_eq!(last["context"].is_null(), context == 0, "{path} {more}");
    }
}

#[test]
fn openais_route_is_chat() {
    let servers = Servers::start(TOKENIZING, 1, Gpus::Shared);
    let body = json!({
        "model": "m",
        "max_tokens": 3,
        "messages": [{"role": "user", "content": "Why?"}],
    });
    let last = servers.ask(0, "/v1/chat/completions", &body).last();
    let terms = ["fitting", "tokenizing", "context"].map(|name| term(&last, name));
    assert_eq!(terms, [22 * MS, 22 * MS, 0]);
}

#[test]
fn what_is_stated_agrees_with_the_terms_and_leaves_tokenization_and_waiting_over() {
    let servers = Servers::start(TOKENIZING, 1, Gpus::Shared);
    for (path, more) in [
        (GENERATE, json!({})),
        (GENERATE, json!({"raw": true})),
        (CHAT, json!({})),
    ] {
        let (last, _) = ask(&servers, path, &more);
        let load = ["handling", "queue", "drain", "recovery", "loading"];
        let load: u64 = load.iter().map(|name| term(&last, name)).sum();
        assert_eq!(stated(&last, "load_duration"), load);
        assert_eq!(
            stated(&last, "prompt_eval_duration"),
            term(&last, "prefill")
        );
        let work = load + term(&last, "prefill") + stated(&last, "eval_duration");
        let remainder = stated(&last, "total_duration") - work;
        assert!(
            remainder >= term(&last, "fitting") + term(&last, "tokenizing"),
            "{last}"
        );
        let whole: u64 = TERMS.iter().map(|name| term(&last, name)).sum();
        assert!(done(&last) >= whole, "{last}");
        let due = last["tare_truth"]["due"].as_array().expect("a list");
        let last_due = due.last().and_then(Value::as_u64).expect("a time");
        assert_eq!(last_due, whole - term(&last, "context"), "{last}");
    }
}

#[test]
fn a_hot_load_of_150_ms_is_handling_and_only_another_context_length_reloads() {
    let servers = Servers::start(TOKENIZING, 1, Gpus::Shared);
    let with_ctx = |num_ctx: u32| {
        let options = json!({"num_predict": 3, "num_ctx": num_ctx});
        ask(&servers, CHAT, &json!({ "options": options })).0
    };
    let loads = [4096, 4096, 4096, 8192, 8192].map(with_ctx);
    for (last, loading) in loads.iter().zip([10, 0, 0, 10, 0]) {
        assert_eq!(term(last, "handling"), 150 * MS);
        assert_eq!(term(last, "loading"), loading * MS, "{last}");
        assert_eq!(term(last, "queue") + term(last, "drain"), 0, "{last}");
        assert_eq!(stated(last, "load_duration"), (150 + loading) * MS);
    }
}

/// How long after a request was sent, whose client went away during its prefill of 400 ms, the next
/// one had its first token, which has as long a prefill.
fn after_a_cancelled_prefill(cancelled_prefill: &str) -> (Duration, Value) {
    let profile = TOKENIZING
        .replace("150ms", "0s")
        .replace("tokenize =", "#")
        .replace("\"3ms\"", "\"400ms\"")
        .replace("seed = 1", &format!("seed = 1\n{cancelled_prefill}"));
    let servers = Servers::start(&profile, 1, Gpus::Shared);
    let load = servers.ask(0, GENERATE, &json!({"model": "m"})).last();
    assert_eq!(load["done_reason"], "load");
    let start = Instant::now();
    let leaves = servers.generate(0, 3, json!({}));
    servers.settle();
    drop(leaves);
    servers.settle();
    let (last, _) = ask(&servers, GENERATE, &json!({}));
    (start.elapsed(), last)
}

#[test]
fn a_cancelled_prefill_keeps_the_next_request_waiting_where_the_profile_says_so() {
    let (took, last) = after_a_cancelled_prefill("cancelled_prefill = \"reads-on\"");
    assert!(took >= Duration::from_millis(800), "{took:?}: {last}");
    let (_, last) = after_a_cancelled_prefill("");
    assert_eq!(term(&last, "slot_wait"), 0, "{last}");
}
