//! The scheduler's rules as a client sees them: over real connections to a real mock. The
//! engine's own tests have every rule under a virtual clock; here it is shown that the mock puts
//! them on the wire, and that a client which goes away frees what it held.
//!
//! Nothing here measures time: what happened is read off the truth that each answer carries, and
//! order is forced by waiting for an answer before the next request.

mod support;

use serde_json::{Value, json};
use std::sync::mpsc;
use std::thread;
use support::{Servers, term};
use tare_mock::Gpus;

fn models(servers: &Servers) -> Vec<Value> {
    let ps = servers.ask(0, "/api/ps", &Value::Null).last();
    ps["models"].as_array().expect("a list").clone()
}

/// When the first token was due and when the last was, by the mock's clock.
fn span(last: &Value) -> (u64, u64) {
    let truth = &last["tare_truth"];
    let received = truth["received"].as_u64().expect("a time");
    let due = truth["due"].as_array().expect("a list");
    let at = |due: Option<&Value>| received + due.and_then(Value::as_u64).expect("a time");
    (at(due.first()), at(due.last()))
}

const ONE_SLOT: &str = r#"
description = "one slot, nothing to load"
model = "m"
load = "0s"
tokens = 5
gap = "1ms"
seed = 1
parallel = 1
[prefill]
fixed = "1ms"
per_token = "0s"
"#;

/// Longer than any test: it ends when its client goes away.
const ENDLESS: u32 = 100_000_000;

#[test]
fn a_client_that_goes_away_frees_its_slot_for_the_next_in_line() {
    let servers = Servers::start(ONE_SLOT, 1, Gpus::Shared);
    let mut first = servers.generate(0, ENDLESS, json!({}));
    first.first_token();
    let second = servers.generate(0, 3, json!({}));
    let third = servers.generate(0, 3, json!({}));
    servers.settle();
    drop(first);
    let (second, third) = (second.last(), third.last());
    let (mut earlier, mut later) = (span(&second), span(&third));
    if later.0 < earlier.0 {
        (earlier, later) = (later, earlier);
    }
    assert!(
        earlier.1 <= later.0,
        "one after the other: {second} {third}"
    );
    for waited in [&second, &third] {
        assert!(term(waited, "slot_wait") > 0, "{waited}");
        assert_eq!(
            waited["load_duration"],
            Value::Null,
            "a slot's wait is no load"
        );
    }
}

#[test]
fn a_client_that_goes_away_while_it_waits_is_forgotten() {
    let servers = Servers::start(ONE_SLOT, 1, Gpus::Shared);
    let mut first = servers.generate(0, ENDLESS, json!({}));
    first.first_token();
    for _ in 0..3 {
        drop(servers.generate(0, ENDLESS, json!({})));
    }
    let last = servers.generate(0, 3, json!({}));
    drop(first);
    assert_eq!(last.last()["eval_count"], 3);
}

#[test]
fn only_requests_that_wait_for_a_load_count_against_the_queue() {
    let profile = ONE_SLOT.to_owned()
        + "[reload]\nvram_min = \"0s\"\nvram_max = \"0s\"\nstart = \"0s\"\nweights = \"1h\"\n";
    let profile = profile.replace("parallel = 1", "parallel = 1\nmax_queue = 1");
    let servers = Servers::start(&profile, 1, Gpus::Shared);
    // One is being loaded for, one waits, and one is too many: whichever is read last.
    let (tell, told) = mpsc::channel();
    for _ in 0..3 {
        let mut answer = servers.generate(0, 3, json!({}));
        let tell = tell.clone();
        thread::spawn(move || {
            let status = answer.line().expect("a reply");
            let _ = tell.send((status, answer.last()));
        });
    }
    let (status, body) = told.recv().expect("one is refused");
    assert_eq!(status.trim(), "HTTP/1.1 503 Service Unavailable");
    assert_eq!(
        body["error"],
        "server busy, please try again.  maximum pending requests exceeded"
    );
    drop(servers);
}

#[test]
fn another_context_length_reloads_and_another_temperature_does_not() {
    let profile = ONE_SLOT.to_owned()
        + "[reload]\nvram_min = \"1ms\"\nvram_max = \"2ms\"\nstart = \"1ms\"\nweights = \"3ms\"\npoll = \"5ms\"\n";
    let servers = Servers::start(&profile, 1, Gpus::Shared);
    let ask = |options| servers.generate(0, 3, options).last();
    let cold = ask(json!({"num_ctx": 4096}));
    assert_eq!(
        (term(&cold, "loading"), term(&cold, "recovery")),
        (5_000_000, 0)
    );
    let warm = ask(json!({"num_ctx": 4096}));
    assert_eq!(term(&warm, "loading"), 0);
    let sampled = ask(json!({"num_ctx": 4096, "temperature": 0.1, "top_p": 0.5, "seed": 3}));
    assert_eq!(term(&sampled, "loading"), 0);
    let automatic = ask(json!({"num_ctx": 4096, "num_gpu": -1}));
    assert_eq!(term(&automatic, "loading"), 0);
    for changed in [
        json!({"num_ctx": 8192}),
        json!({"num_ctx": 8192, "num_gpu": 20}),
        json!({"num_ctx": 8192, "num_gpu": 20, "num_thread": 4}),
        json!({"num_ctx": 8192, "num_gpu": 20, "num_thread": 4, "use_mmap": false}),
        json!({"num_ctx": 8192, "num_gpu": 20, "num_thread": 4, "use_mmap": false, "num_batch": 64}),
    ] {
        let reloaded = ask(changed.clone());
        // Both are noticed at the next poll.
        assert_eq!(
            (term(&reloaded, "recovery"), term(&reloaded, "loading")),
            (5_000_000, 5_000_000),
            "{changed}"
        );
        assert_eq!(reloaded["load_duration"], 10_000_000, "{changed}");
    }
}

#[test]
fn a_model_is_listed_while_it_is_loaded() {
    let servers = Servers::start(ONE_SLOT, 1, Gpus::Shared);
    assert_eq!(models(&servers), Vec::<Value>::new());
    let load = json!({"model": "m", "keep_alive": "10m", "options": {"num_ctx": 2048}});
    let reply = servers.ask(0, "/api/generate", &load).last();
    assert_eq!(reply["done_reason"], "load");
    let loaded = models(&servers);
    assert_eq!(loaded.len(), 1);
    assert_eq!(
        (&loaded[0]["name"], &loaded[0]["context_length"]),
        (&json!("m:latest"), &json!(2048))
    );
    for field in [
        "model",
        "size",
        "digest",
        "details",
        "expires_at",
        "size_vram",
    ] {
        assert!(!loaded[0][field].is_null(), "{field}");
    }
    let unload = json!({"model": "m", "keep_alive": 0});
    let unloaded = servers.ask(0, "/api/generate", &unload).last();
    assert_eq!(unloaded["done_reason"], "unload");
    assert_eq!(models(&servers), Vec::<Value>::new());
}

#[test]
fn servers_on_one_gpu_slow_each_other_and_servers_on_two_do_not() {
    let profile = ONE_SLOT.replace("parallel = 1", "parallel = 1\nshared_gpu = 3.0");
    for (gpus, gap) in [(Gpus::Shared, 3_000_000), (Gpus::OneEach, 1_000_000)] {
        let servers = Servers::start(&profile, 2, gpus);
        let mut neighbour = servers.generate(0, ENDLESS, json!({}));
        neighbour.first_token();
        let last = servers.generate(1, 5, json!({})).last();
        assert_eq!(term(&last, "decode"), 4 * gap, "{gpus:?}");
        assert_eq!(
            term(&last, "slot_wait"),
            0,
            "each server has a slot of its own"
        );
    }
}
