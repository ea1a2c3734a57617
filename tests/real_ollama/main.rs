//! tare end to end on a real Ollama: what each command makes of it.
//!
//! `TARE_REAL_OLLAMA` names its address, as `.ci/real-ollama cargo test --test real_ollama` does;
//! otherwise each test says that it is skipped. The server answers one command at a time. Its model
//! is small and its answers are short, so nothing here is a measurement: a test asks for what must
//! hold of any.

#[path = "../support/mod.rs"]
mod support;

mod place;

use place::{Place, Run, on_the_server};
use serde_json::Value;
use support::ask;
use tare::run::MockServer;
use tare::trace::Trace;

/// A number that must be there.
fn number(value: &Value, name: &str) -> f64 {
    let number = value[name].as_f64();
    number.unwrap_or_else(|| panic!("{name} in {value}"))
}

/// Of a call or of a whole run: what the server states to have spent is a part of what passed.
fn net_is_part_of_gross(of: &Value) {
    let (gross, net) = (number(of, "gross_ms"), number(of, "net_ms"));
    assert!(0.0 < net && net <= gross, "net {net} of gross {gross}");
    let tare = number(of, "tare_ms");
    assert!((gross - net - tare).abs() < 1e-6, "{of}");
}

/// Both sides of an agent's benchmark: its calls and its runs.
fn agent(place: &Place, url: &str, api: &str) -> [Value; 2] {
    let run = place.tare(&[
        "agent",
        "--base-url",
        url,
        "--api",
        api,
        "--model",
        "gemma3",
        "--runs",
        "1",
        "--num-predict",
        "8",
        "--seed",
        "1",
        "--chimera-top-k",
        "40",
        "--corpus",
        &place.corpus(),
        "--out",
        &place.path("agent"),
        "--replace",
    ]);
    run.is_fine();
    let metrics: Value =
        serde_json::from_str(&place.read("agent/data/metrics.json")).expect("JSON");
    ["baseline", "chimera"].map(|side| metrics[side].clone())
}

/// Two calls, each of which has the figures that need nothing but a clock, and that the server
/// states.
fn calls_of(side: &Value) -> &[Value] {
    let calls = side["individual_runs"].as_array().expect("calls");
    assert_eq!(calls.len(), 2, "analysis and report");
    for call in calls {
        let (ttft, gross) = (number(call, "ttft_ms"), number(call, "gross_ms"));
        assert!(0.0 < ttft && ttft <= gross, "{call}");
        let tokens = number(call, "tokens_generated");
        assert!((1.0..=8.0).contains(&tokens), "{call}");
        assert!(number(call, "prompt_tokens") > 10.0, "{call}");
        assert!(number(call, "load_duration_ms") > 0.0, "{call}");
        assert!(number(call, "total_duration_ms") <= gross, "{call}");
    }
    calls
}

#[test]
fn the_result_says_which_model_answered_and_how_many_at_a_time() {
    on_the_server(|url| {
        let place = Place::new();
        agent(&place, url, "chat");
        let file = std::path::Path::new(&place.path("agent")).join("data/metrics.json");
        let metrics = std::fs::read(file).expect("a result");
        let metrics: Value = serde_json::from_slice(&metrics).expect("JSON");
        let server = &metrics["provenance"]["server"];
        assert_eq!(server["model"]["quantization"], "Q4_K_M", "{server}");
        // Where the system shows how the server was started.
        let parallel = server.get("parallel").and_then(Value::as_str);
        let counts = |slots: &str| slots.starts_with(|first: char| first.is_ascii_digit());
        assert!(parallel.is_none_or(counts), "{server}");
        assert!(!cfg!(target_os = "linux") || parallel.is_some(), "{server}");
    });
}

#[test]
fn an_agent_by_chat_or_raw_has_gross_net_and_tare() {
    on_the_server(|url| {
        for side in ["chat", "raw"]
            .map(|api| agent(&Place::new(), url, api))
            .concat()
        {
            for call in calls_of(&side) {
                net_is_part_of_gross(call);
                assert_eq!(call["net_source"], "total_duration", "{call}");
            }
            let runs = side["agent_runs"].as_array().expect("runs");
            assert_eq!(runs.len(), 1);
            net_is_part_of_gross(&runs[0]);
        }
    });
}

#[test]
fn an_agent_by_generate_has_gross_and_first_tokens_and_no_net() {
    on_the_server(|url| {
        for side in agent(&Place::new(), url, "generate") {
            assert_eq!(calls_of(&side).len(), 2);
            for call in calls_of(&side) {
                assert_eq!(call.get("net_ms").or(call.get("tare_ms")), None, "{call}");
            }
            let runs = side["agent_runs"].as_array().expect("runs");
            assert!(number(&runs[0], "gross_ms") > 0.0);
        }
    });
}

#[test]
fn an_agent_by_openai_s_api_has_gross_and_first_tokens() {
    on_the_server(|url| {
        let place = Place::new();
        let run = place.tare(&[
            "agent",
            "--base-url",
            url,
            "--api",
            "openai",
            "--model",
            "gemma3",
            "--runs",
            "1",
            "--num-predict",
            "8",
            "--chimera-temperature",
            "0.5",
            "--corpus",
            &place.corpus(),
            "--out",
            &place.path("agent"),
        ]);
        run.is_fine();
        let metrics: Value =
            serde_json::from_str(&place.read("agent/data/metrics.json")).expect("JSON");
        for side in ["baseline", "chimera"] {
            let calls = metrics[side]["individual_runs"].as_array().expect("calls");
            assert_eq!(calls.len(), 2);
            for call in calls {
                assert!(
                    number(call, "ttft_ms") <= number(call, "gross_ms"),
                    "{call}"
                );
            }
        }
    });
}

#[test]
fn a_team_of_two_shares_the_server() {
    on_the_server(|url| {
        let place = Place::new();
        let run = place.tare(&[
            "team",
            "--base-url",
            url,
            "--api",
            "chat",
            "--model",
            "gemma3",
            "--agents",
            "2",
            "--fixed-length",
            "6",
            "--runs",
            "1",
            "--corpus",
            &place.corpus(),
            "--out",
            &place.path("team"),
        ]);
        run.is_fine();
        let summary: Value =
            serde_json::from_str(&place.read("team/published/summary.json")).expect("JSON");
        assert_eq!(
            (&summary["runs"], &summary["agents"]),
            (&1.into(), &2.into())
        );
        let record = place.read("team/published/runs/run_1/metrics.json");
        let record: Value = serde_json::from_str(&record).expect("a record");
        let truth = &record["tare"];
        assert!(number(truth, "makespan_s") > 0.0, "{truth}");
    });
}

#[test]
fn a_comparison_of_two_stacks_ends_with_a_report() {
    on_the_server(|url| {
        let place = Place::new();
        let run = place.tare(&[
            "compare",
            "--base-url",
            url,
            "--api",
            "chat",
            "--model",
            "gemma3",
            "--stacks",
            "threads/raw,tokio-mt/hyper",
            "--workload",
            "stream",
            "--tokens",
            "4",
            "--iterations",
            "2",
            "--runs",
            "2",
            "--out",
            &place.path("compare"),
        ]);
        run.is_fine();
        let report = place.read("compare/report.md");
        assert!(report.contains("tokio-mt/hyper"), "{report}");
        let records = place.read("compare/runs.jsonl");
        let records: Vec<Value> = records
            .lines()
            .map(|line| serde_json::from_str(line).expect("a record"))
            .collect();
        let timed = records
            .iter()
            .filter(|record| record.get("profiled").is_none());
        let mut runs = 0;
        for record in timed {
            runs += 1;
            let values = &record["run"]["values"];
            let (gross, net) = (number(values, "gross"), number(values, "net"));
            assert!(0.0 < net && net <= gross, "{record}");
            assert!(number(&record["run"], "tokens") > 0.0, "{record}");
        }
        assert_eq!(runs, 2 * 3, "the floor, the base and the base again, twice");
    });
}

#[test]
fn a_load_of_two_streams_is_answered_whole() {
    on_the_server(|url| {
        let place = Place::new();
        let run = place.tare(&[
            "load",
            "--base-url",
            url,
            "--api",
            "chat",
            "--model",
            "gemma3",
            "--streams",
            "2",
            "--requests",
            "4",
            "--tokens",
            "6",
            "--prompt",
            "Count to ten.",
            "--out",
            &place.path("load"),
        ]);
        run.is_fine();
        let record: Value =
            serde_json::from_str(place.read("load/runs.jsonl").trim()).expect("one run");
        let outcome = &record["run"]["load"];
        let requests = &outcome["requests"];
        let counts = ["begun", "answered", "failed", "unfinished"].map(|of| number(requests, of));
        assert_eq!(counts, [4.0, 4.0, 0.0, 0.0], "{outcome}");
        assert_eq!(number(&outcome["latencies"]["ttft"], "count"), 4.0);
    });
}

/// Records two calls and plays them on a mock.
fn record_and_replay(url: &str, api: &str, path: &str, body: &str) {
    let place = Place::new();
    let file = place.path("trace");
    let run = place.tare(&[
        "record",
        "--base-url",
        url,
        "--api",
        api,
        "--model",
        "gemma3",
        "--prompt",
        "Count to ten.",
        "--prompt",
        "Name the days of the week.",
        "--num-predict",
        "6",
        "--temperature",
        "0",
        "--out",
        &file,
    ]);
    run.is_fine();
    let trace = Trace::find(&file).expect("a sound trace");
    assert_eq!(trace.exchanges.len(), 2);
    let player = MockServer::replay(&support::program(), &file, &[]).expect("the mock starts");
    for exchange in &trace.exchanges {
        assert!(!exchange.answer().tokens.is_empty(), "{api}");
        let recorded: String = exchange
            .pieces()
            .iter()
            .map(|piece| piece.data.as_str())
            .collect();
        let played = ask(&player, path, body);
        assert_eq!(played.body(), recorded, "{api}: byte by byte");
    }
}

#[test]
fn what_is_recorded_by_chat_is_played_byte_by_byte() {
    on_the_server(|url| {
        let body = r#"{"model":"gemma3","messages":[{"role":"user","content":"x"}]}"#;
        record_and_replay(url, "chat", "POST /api/chat", body);
    });
}

#[test]
fn what_is_recorded_by_generate_is_played_byte_by_byte() {
    on_the_server(|url| {
        let body = r#"{"model":"gemma3","prompt":"x"}"#;
        record_and_replay(url, "generate", "POST /api/generate", body);
    });
}

#[test]
fn an_agent_on_the_recorded_server_hears_what_was_recorded() {
    on_the_server(|url| {
        let place = Place::new();
        let file = place.path("trace");
        let recorded = place.tare(&[
            "record",
            "--base-url",
            url,
            "--api",
            "chat",
            "--model",
            "gemma3",
            "--corpus",
            &place.corpus(),
            "--num-predict",
            "8",
            "--temperature",
            "0",
            "--out",
            &file,
        ]);
        recorded.is_fine();
        let player = MockServer::replay(&support::program(), &file, &[]).expect("the mock starts");
        let sides = agent(&place, player.base_url(), "chat");
        for side in &sides {
            for call in calls_of(side) {
                net_is_part_of_gross(call);
            }
        }
        let digest = |side: &Value| side["individual_runs"][0]["digest"].clone();
        assert_eq!(digest(&sides[0]), digest(&sides[1]), "both heard the same");
    });
}

#[test]
fn a_model_that_the_server_does_not_have_ends_in_one_line() {
    on_the_server(|url| {
        let place = Place::new();
        let run: Run = place.tare(&[
            "agent",
            "--base-url",
            url,
            "--api",
            "chat",
            "--model",
            "nope",
            "--runs",
            "1",
            "--corpus",
            &place.corpus(),
            "--out",
            &place.path("agent"),
        ]);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        let errors = run.stderr.matches("error: ").count();
        assert_eq!(errors, 1, "{}", run.stderr);
        assert!(
            run.stderr.contains("model 'nope' not found"),
            "{}",
            run.stderr
        );
    });
}
