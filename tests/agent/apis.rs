//! The same agent over each API, against the mock and against servers that only have OpenAI's.

use crate::place::{Place, REPORTS, server, text, two_runs, two_runs_of};
use mockito::{Matcher, ServerGuard};
use serde_json::{Value, json};
use tare::meter::Digest;
use tare::protocol::{Api, Software};
use tare::published::agent::{Metrics, Server};
use tare_mock::Text;

/// The calls of both sides.
fn calls(metrics: &Value) -> Vec<&Value> {
    let sides = ["baseline", "chimera"].map(|side| &metrics[side]["individual_runs"]);
    let calls = sides.into_iter().filter_map(Value::as_array);
    calls.flatten().collect()
}

#[test]
fn the_mock_is_exact_over_every_api() {
    let expected = Digest::of(Text::new(9).take(40)).to_string();
    for api in Api::ALL {
        let place = Place::new();
        two_runs_of("paced-1ms", &place, &["--api", api.name()]);
        let metrics = place.json();
        assert_eq!(metrics["provenance"]["api"], api.name());
        assert_eq!(metrics["provenance"]["server"]["kind"], "mock");
        let calls = calls(&metrics);
        assert_eq!(calls.len(), 8);
        for call in calls {
            assert_eq!(call["digest"], expected.as_str());
            assert_eq!(call["net_source"], "mock_truth");
            assert_eq!(call["tokens_generated"], 40);
            assert!(call["mock_late"].is_boolean() && call["late_tokens"].is_u64());
            let [gross, net, tare] =
                ["gross_ms", "net_ms", "tare_ms"].map(|field| call[field].as_f64().expect(field));
            assert!((gross - net - tare).abs() < 1e-5, "{call}");
            assert!(net > 39.0, "39 gaps of a millisecond: {call}");
            // What OpenAI's API has no field for is unknown there.
            let stated = api != Api::OpenAi;
            for field in ["cold", "load_duration_ms", "throughput_tokens_per_sec"] {
                assert_eq!(call.get(field).is_some(), stated, "{api} {field}");
            }
        }
        let comparison = place.read(REPORTS[2]);
        let row = format!("{api} ({})", api.path());
        assert!(comparison.contains(&row), "{row}");
        assert!(comparison.contains("read from the clock that both processes share"));
    }
}

#[test]
fn over_openai_chimera_is_what_can_be_said_there_and_the_reports_say_so() {
    let place = Place::new();
    two_runs(&place, &["--api", "openai"]);
    let metrics = place.json();
    assert_eq!(
        metrics["chimera"]["configuration"],
        json!({"temperature": 0.8, "seed": 9, "num_predict": 40})
    );
    for name in ["reports/chimera_report.md", "reports/comparison_report.md"] {
        let report = place.read(name);
        assert!(report.contains("num_gpu 80 and num_ctx 512, are left out"));
        assert!(
            report.contains("OpenAI's API does not tell"),
            "{name}: of a load"
        );
    }
}

/// An event with this delta or these further fields.
fn event(choices: Value, further: Value) -> String {
    let mut chunk = json!({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices});
    let further = further.as_object().expect("an object").clone();
    chunk.as_object_mut().expect("an object").extend(further);
    format!("data: {chunk}\n\n")
}

/// An answer of three tokens with this account at its end.
fn answer(account: Value) -> String {
    let choice = |delta: Value| json!([{"index": 0, "delta": delta, "finish_reason": null}]);
    let mut stream = event(
        choice(json!({"role": "assistant", "content": null})),
        json!({}),
    );
    for token in ["One", " two", " three"] {
        stream += &event(choice(json!({"content": token})), json!({}));
    }
    stream += ": ping\n\n";
    stream += &event(
        json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]),
        json!({}),
    );
    stream + &event(json!([]), account) + "data: [DONE]\n\n"
}

fn page(other: &mut ServerGuard, path: &str, body: &str) {
    let page = other.mock("GET", path);
    page.with_header("content-type", "application/json")
        .with_body(body)
        .create();
}

/// A server that answers each question so, and some paths with JSON.
fn other(pages: &[(&str, &str)], account: Value) -> ServerGuard {
    let mut other = mockito::Server::new();
    for (path, body) in pages {
        page(&mut other, path, body);
    }
    let route = other.mock("POST", "/v1/chat/completions");
    route
        .match_header("content-type", "application/json")
        .match_header("x-tare-truth", Matcher::Missing)
        .match_body(Matcher::PartialJson(json!({
            "model": "mine", "stream": true, "stream_options": {"include_usage": true},
        })))
        .with_header("content-type", "text/event-stream")
        .with_body(answer(account))
        .create();
    other
}

/// Two runs against it, and what they measured.
fn ask(other: &ServerGuard, place: &Place) -> Value {
    let url = other.url() + "/v1";
    let corpus = place.corpus();
    let left = place.agent(&[
        "--api",
        "openai",
        "--base-url",
        &url,
        "--model",
        "mine",
        "--num-predict",
        "3",
        "--runs",
        "2",
        "--corpus",
        text(&corpus),
    ]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    place.json()
}

#[test]
fn llama_cpps_timings_are_net() {
    let other = other(
        &[(
            "/props",
            r#"{"default_generation_settings":{},"total_slots":1,"build_info":"b6881-8b11deea4"}"#,
        )],
        json!({
            "usage": {"completion_tokens": 3, "prompt_tokens": 20, "total_tokens": 23},
            "timings": {"cache_n": 8, "prompt_n": 12, "prompt_ms": 0.25, "predicted_n": 3, "predicted_ms": 0.5},
        }),
    );
    let place = Place::new();
    let metrics = ask(&other, &place);
    let server = &metrics["provenance"]["server"];
    assert_eq!(
        *server,
        json!({"kind": "llama_cpp", "base_url": other.url(), "version": "b6881-8b11deea4"})
    );
    for call in calls(&metrics) {
        assert_eq!(call["net_source"], "timings");
        assert_eq!(call["net_ms"], 0.75);
        assert_eq!(
            (&call["prompt_eval_duration_ms"], &call["eval_duration_ms"]),
            (&json!(0.25), &json!(0.5))
        );
        assert_eq!(call["throughput_tokens_per_sec"], 6000.0);
        assert_eq!(call["prompt_tokens"], 20);
        for unknown in ["cold", "load_duration_ms", "mock_late"] {
            assert!(call.get(unknown).is_none(), "{unknown}");
        }
    }
    for name in REPORTS {
        let report = place.read(name);
        assert!(
            report.contains("llama.cpp, version b6881-8b11deea4"),
            "{name}"
        );
        assert!(
            report.contains("They leave out its own queue and its HTTP"),
            "{name}"
        );
    }
    let read: Metrics = serde_json::from_value(metrics).expect("what is written can be read");
    let Server::There { software, .. } = read.provenance.server else {
        panic!("{:?}", read.provenance.server);
    };
    assert_eq!(software, Software::LlamaCpp);
}

#[test]
fn a_server_that_states_no_time_gives_no_tare_and_the_reports_say_why() {
    let usage = json!({"usage": {"completion_tokens": 3, "prompt_tokens": 20, "total_tokens": 23}});
    for (pages, kind, version, told) in [
        (
            &[("/version", r#"{"version":"0.11.0"}"#)][..],
            "vllm",
            Some("0.11.0"),
            "vLLM, version 0.11.0",
        ),
        (
            // LM Studio answers anything with status 200.
            &[
                (
                    "/api/version",
                    r#"{"error":"Unexpected endpoint or method. (GET /api/version)"}"#,
                ),
                (
                    "/props",
                    r#"{"error":"Unexpected endpoint or method. (GET /props)"}"#,
                ),
                (
                    "/version",
                    r#"{"error":"Unexpected endpoint or method. (GET /version)"}"#,
                ),
                (
                    "/v1/models",
                    r#"{"data":[{"id":"mine","object":"model"}],"object":"list"}"#,
                ),
            ][..],
            "unstated",
            None,
            "version not stated",
        ),
    ] {
        let other = other(pages, usage.clone());
        let place = Place::new();
        let metrics = ask(&other, &place);
        let server = &metrics["provenance"]["server"];
        assert_eq!(server["kind"], kind);
        assert_eq!(server["version"].as_str(), version);
        for call in calls(&metrics) {
            assert_eq!(call["tokens_generated"], 3);
            for unknown in [
                "net_ms",
                "net_source",
                "tare_ms",
                "total_duration_ms",
                "throughput_tokens_per_sec",
            ] {
                assert!(call.get(unknown).is_none(), "{kind} {unknown}");
            }
        }
        for name in REPORTS {
            let report = place.read(name);
            assert!(report.contains(told), "{name}");
            assert!(
                report.contains(
                    "OpenAI's API has no field for it, and only llama.cpp's server adds one"
                ),
                "{name}"
            );
        }
        assert!(place.read(REPORTS[2]).contains("Throughput is unknown"));
    }
}

#[test]
fn an_ollama_is_known_over_openais_api_too_and_its_chat_has_a_net() {
    let server = server("paced-1ms", "mine");
    for (api, net) in [("openai", None), ("chat", Some("total_duration"))] {
        let place = Place::new();
        let corpus = place.corpus();
        let left = place.agent(&[
            "--api",
            api,
            "--base-url",
            server.base_url(),
            "--model",
            "mine",
            "--num-predict",
            "4",
            "--runs",
            "1",
            "--corpus",
            text(&corpus),
        ]);
        assert_eq!(left.code, Some(0), "{}", left.stderr);
        let metrics = place.json();
        assert_eq!(metrics["provenance"]["server"]["kind"], "ollama");
        for call in calls(&metrics) {
            assert_eq!(call["net_source"].as_str(), net);
            assert!(
                call.get("mock_late").is_none(),
                "the truth was not asked for"
            );
        }
    }
}

#[test]
fn calls_in_which_the_mock_was_late_are_marked_and_explained() {
    let mut late = mockito::Server::new();
    page(&mut late, "/api/version", r#"{"version":"0"}"#);
    let truth = json!({
        "received": 1, "due": [0, 1_000_000], "sent": [10, 9_000_000], "done": 9_500_000, "late": 1,
        "most_late": 8_000_000,
        "terms": {"handling": 0, "queue": 0, "drain": 0, "recovery": 0, "loading": 0, "slot_wait": 0, "prefill": 0, "decode": 0, "cached_tokens": 0},
    });
    let last = json!({"response": "", "done": true, "done_reason": "stop", "tare_truth": truth});
    let route = late.mock("POST", "/api/chat");
    route
        .with_header("content-type", "application/x-ndjson")
        .with_body(format!(
            "{{\"response\":\"a\",\"done\":false}}\n{{\"response\":\"b\",\"done\":false}}\n{last}\n"
        ))
        .create();
    let place = Place::new();
    let corpus = place.corpus();
    let left = place.agent(&[
        "--base-url",
        &late.url(),
        "--runs",
        "2",
        "--corpus",
        text(&corpus),
    ]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let metrics = place.json();
    for call in calls(&metrics) {
        assert_eq!(call["mock_late"], true);
        assert_eq!(call["late_tokens"], 1);
        assert_eq!(call["most_late_ms"], 8.0);
    }
    assert_eq!(metrics["baseline"]["agent_runs"][0]["mock_late"], true);
    for (name, told) in REPORTS
        .into_iter()
        .zip(["In 4 of 4", "In 4 of 4", "In 8 of 8"])
    {
        let report = place.read(name);
        assert!(
            report.contains(&format!("{told} calls the mock was late")),
            "{name}"
        );
        assert!(report.contains("load unstated, mock late |"), "{name}");
    }
}
