//! The files that a run writes, and the numbers in them.

use crate::place::{Place, REPORTS, server, text, two_runs, two_runs_of};
use serde_json::Value;
use std::collections::BTreeSet;
use tare::meter::Digest;
use tare::published::agent::Metrics;
use tare_mock::Text;

#[test]
fn a_run_writes_five_files_and_prints_what_it_was_asked_to() {
    let place = Place::new();
    two_runs(&place, &[]);
    let old = place.read("data/metrics.json");
    for name in REPORTS {
        assert!(place.read(name).starts_with("# "), "{name}");
    }
    let files = walkdir::WalkDir::new(place.out()).into_iter().flatten();
    let exported = 5;
    let stored = ["experiment.json", "lock", "report.md", "runs.jsonl"].len();
    assert_eq!(
        files.filter(|entry| entry.file_type().is_file()).count(),
        exported + stored
    );

    let printed = two_runs(&place, &["--format", "json"]).stdout;
    let printed: Value = serde_json::from_str(&printed).expect("JSON");
    let records = printed["records"].as_array().expect("records");
    let run: Vec<u64> = records
        .iter()
        .filter_map(|it| it["position"].as_u64())
        .collect();
    assert_eq!(run, [0, 1, 2, 3], "a process per run of each side");
    assert!(
        old != place.read("data/metrics.json"),
        "the old result was replaced"
    );
}

#[test]
fn metrics_have_the_published_fields_with_their_types() {
    let place = Place::new();
    // Not `instant`: a burst takes the server no time, and so has no throughput.
    two_runs_of("paced-1ms", &place, &["--chimera-top-k", "40"]);
    let metrics = place.json();
    assert_eq!(metrics["schema"], "tare.agent/2");
    for side in ["baseline", "chimera"] {
        let of = &metrics[side];
        assert_eq!(of["agent_type"], side);
        assert_eq!(of["model"], "gemma3:latest");
        assert_eq!(of["runs"], 2);
        assert!(
            of["prompt"]
                .as_str()
                .is_some_and(|prompt| prompt.contains("101 files"))
        );
        assert!(of["timestamp"].is_string());
        for field in ["os", "arch", "hostname", "rust_version"] {
            assert!(
                of["system_info"][field].is_string(),
                "{side} system_info.{field}"
            );
        }
        for field in [
            "average_tokens_per_second",
            "average_ttft_ms",
            "stddev_throughput",
            "stddev_ttft",
            "prompt_eval_duration_ms",
            "eval_duration_ms",
            "load_duration_ms",
            "total_duration_ms",
        ] {
            assert!(
                of["aggregate_metrics"][field].is_f64(),
                "{side} aggregate_metrics.{field}"
            );
        }
        assert_eq!(of["aggregate_metrics"]["total_tokens_generated"], 160);
        let calls = of["individual_runs"].as_array().expect("calls");
        assert_eq!(calls.len(), 4, "analysis and report of each run");
        for call in calls {
            for field in [
                "ttft_ms",
                "throughput_tokens_per_sec",
                "total_duration_ms",
                "load_duration_ms",
                "prompt_eval_duration_ms",
                "eval_duration_ms",
            ] {
                assert!(call[field].is_f64(), "{side} individual_runs.{field}");
            }
            assert_eq!(call["tokens_generated"], 40);
        }
    }
    assert_eq!(
        metrics["baseline"]["configuration"],
        serde_json::json!({"seed": 9, "num_predict": 40})
    );
    assert_eq!(
        metrics["chimera"]["configuration"],
        serde_json::json!({"top_k": 40, "seed": 9, "num_predict": 40})
    );
}

#[test]
fn gross_is_net_and_tare_and_every_token_is_the_one_that_was_sent() {
    let place = Place::new();
    two_runs(&place, &[]);
    let metrics = place.json();
    let expected = Digest::of(Text::new(9).take(40)).to_string();
    for side in ["baseline", "chimera"] {
        let of = &metrics[side];
        for call in of["individual_runs"].as_array().expect("calls") {
            assert_eq!(call["digest"], expected.as_str());
            assert_eq!(call["pieces"], 40);
            assert_eq!(call["cold"], false);
        }
        let all = [&of["individual_runs"], &of["agent_runs"]];
        for timed in all
            .into_iter()
            .flat_map(|list| list.as_array().expect("a list"))
        {
            let [gross, net, tare] =
                ["gross_ms", "net_ms", "tare_ms"].map(|field| timed[field].as_f64().expect(field));
            assert!((gross - net - tare).abs() < 1e-5, "{timed}");
        }
    }
    let order: Vec<_> = metrics["order"]
        .as_array()
        .expect("an order")
        .iter()
        .collect();
    assert_eq!(order.len(), 4);
    assert!(
        order[0] != order[1] && order[2] != order[3],
        "each block has both sides"
    );
}

#[test]
fn provenance_tells_build_machine_seeds_and_server() {
    let place = Place::new();
    two_runs(&place, &["--stack", "smol/hyper-1k", "--threads", "1"]);
    let metrics = place.json();
    let provenance = &metrics["provenance"];
    for field in [
        "tare_version",
        "rust_version",
        "profile",
        "os",
        "arch",
        "hostname",
        "timestamp",
    ] {
        assert!(provenance[field].is_string(), "{field}");
    }
    for (field, value) in [
        ("stack", "smol/hyper-1k"),
        ("io", "native"),
        ("model", "gemma3:latest"),
    ] {
        assert_eq!(provenance[field], value);
    }
    for (field, value) in [("threads", 1), ("order_seed", 1)] {
        assert_eq!(provenance[field], value);
    }
    assert_eq!(provenance["server"]["kind"], "mock");
    assert_eq!(provenance["server"]["profile"]["tokens"], 512);
    assert!(provenance["dependencies"]["tokio"].is_string());
    let findings = provenance["findings"].as_array().expect("findings");
    let build = findings.iter().find(|finding| finding["check"] == "build");
    let build = build.expect("a finding on the build");
    assert_eq!(build["found"], provenance["profile"]);
    let line = provenance["command_line"]
        .as_array()
        .expect("a command line");
    assert!(line.iter().any(|argument| argument == "smol/hyper-1k"));
    let read: Metrics = serde_json::from_value(metrics).expect("what is written can be read");
    assert_eq!(read.baseline.configuration.seed, Some(9));
}

#[test]
fn the_transcript_has_every_prompt_and_answer_and_what_was_found_in_it() {
    let place = Place::new();
    two_runs(&place, &[]);
    let transcript = place.read("data/transcript.jsonl");
    let lines: Vec<Value> = transcript
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let answer: String = Text::new(9).take(40).collect();
    let mut calls = BTreeSet::new();
    for line in &lines {
        assert_eq!(line["answer"], answer.as_str());
        let sections = line["sections"].as_array().expect("sections");
        assert!(!sections.is_empty());
        assert!(line["metrics"].is_array() && line["recommendations"].is_array());
        let prompt = line["prompt"].as_str().expect("a prompt");
        assert_eq!(line["stage"] == "report", prompt.contains(&answer));
        calls.insert((
            line["run"].as_u64(),
            line["side"].to_string(),
            line["stage"].to_string(),
        ));
    }
    assert_eq!((lines.len(), calls.len()), (8, 8));
}

#[test]
#[cfg(debug_assertions)]
fn what_spoils_a_measurement_is_said_in_one_line_and_in_the_reports() {
    let place = Place::new();
    let left = two_runs(&place, &[]);
    let warnings = left.stderr.lines();
    let warnings: Vec<&str> = warnings
        .filter(|line| line.starts_with("warning: "))
        .collect();
    assert_eq!(warnings.len(), 1, "{}", left.stderr);
    assert!(warnings[0].contains("spoilt by build"), "{}", warnings[0]);
    assert!(warnings[0].contains("`tare doctor`"), "{}", warnings[0]);
    for name in REPORTS {
        assert!(
            place
                .read(name)
                .contains("spoils measurements (see `tare doctor`)")
        );
    }
}

#[test]
fn every_kind_of_stack_does_the_work() {
    for stack in ["threads/raw", "tokio-local/hyper", "async-std/reqwest"] {
        let place = Place::new();
        two_runs(&place, &["--stack", stack]);
        assert_eq!(place.json()["provenance"]["stack"], stack);
    }
}

#[test]
fn a_server_of_ones_own_is_asked_without_the_truth_header() {
    let place = Place::new();
    let corpus = place.corpus();
    let profile = place.file(
        "slow-hot-load.toml",
        b"description = \"is slow to begin each call\"\nmodel = \"x\"\nload = \"260ms\"\ntokens = 5\ngap = \"0s\"\nseed = 1\n[prefill]\nfixed = \"0s\"\nper_token = \"0s\"\n",
    );
    let server = server(text(&profile), "mine:7b");
    let left = place.agent(&[
        "--base-url",
        server.base_url(),
        "--model",
        "mine:7b",
        "--runs",
        "1",
        "--corpus",
        text(&corpus),
    ]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let metrics = place.json();
    assert_eq!(metrics["provenance"]["server"]["kind"], "ollama");
    assert_eq!(
        metrics["provenance"]["server"]["base_url"],
        server.base_url()
    );
    for call in metrics["chimera"]["individual_runs"]
        .as_array()
        .expect("calls")
    {
        assert_eq!(call["cold"], false, "260 ms are what a hot call takes here");
        assert_eq!(
            call["net_ms"], call["total_duration_ms"],
            "net is what the server states"
        );
    }
    let comparison = place.read(REPORTS[2]);
    assert!(comparison.contains("TTFT, analysis call, warm"));
    let row = comparison.lines().find(|line| line.starts_with("| Server"));
    let row = row.expect("a server");
    assert!(row.contains("version 0.17.4, model ") && row.contains("(Q4_K_M)"));
    // A mock's slots are its profile's.
    assert!(!row.contains("OLLAMA_NUM_PARALLEL"), "{row}");
}

#[test]
fn by_generate_net_is_unknown_and_the_reports_say_why_and_by_raw_it_is_what_the_server_states() {
    let place = Place::new();
    let corpus = place.corpus();
    let server = server("instant", "gemma3:latest");
    let run = |api: &str| {
        let further = [
            "--num-predict",
            "8",
            "--seed",
            "1",
            "--runs",
            "2",
            "--api",
            api,
        ];
        let there = ["--base-url", server.base_url(), "--corpus", text(&corpus)];
        let left = place.agent(&[&there[..], &further[..]].concat());
        assert_eq!(left.code, Some(0), "{}", left.stderr);
        place.json()
    };
    let metrics = run("generate");
    for side in ["baseline", "chimera"] {
        for call in metrics[side]["individual_runs"].as_array().expect("calls") {
            for field in ["net_ms", "tare_ms", "net_source"] {
                assert!(call.get(field).is_none(), "{field}: {call}");
            }
            for field in ["gross_ms", "ttft_ms", "tpot_ms"] {
                assert!(call[field].is_f64(), "{field}: {call}");
            }
        }
    }
    for report in REPORTS {
        assert!(
            place.read(report).contains("once more, for `context`"),
            "{report}"
        );
    }
    let metrics = run("raw");
    for call in metrics["baseline"]["individual_runs"]
        .as_array()
        .expect("calls")
    {
        assert_eq!(call["net_source"], "total_duration");
        assert_eq!(call["net_ms"], call["total_duration_ms"]);
    }
}

#[test]
fn broken_files_are_named_and_the_rest_is_read() {
    let place = Place::new();
    let corpus = place.corpus();
    for number in 0..12 {
        place.file(&format!("corpus/broken/{number:02}.json"), b"{\"x\": ");
    }
    let left = place.agent(&[
        "--mock",
        "instant",
        "--runs",
        "1",
        "--corpus",
        text(&corpus),
    ]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let said = left.said();
    let skipped = said
        .iter()
        .filter(|line| line.starts_with("skipped broken/"));
    assert_eq!(skipped.count(), 10, "{}", left.stderr);
    assert!(said.contains(&"and 2 more skipped"), "{}", left.stderr);
    for name in REPORTS {
        let report = place.read(name);
        assert!(report.contains("## Skipped files") && report.contains("broken/11.json"));
    }
    assert_eq!(
        place.json()["corpus"]["skipped"].as_array().map(Vec::len),
        Some(12)
    );
}

#[test]
fn what_a_server_does_not_state_is_absent_and_not_zero() {
    let place = Place::new();
    let corpus = place.corpus();
    let mut other = mockito::Server::new();
    let version = other.mock("GET", "/api/version");
    version
        .with_header("content-type", "application/json")
        .with_body("{\"version\":\"0.1\"}")
        .create();
    let answer = other.mock("POST", "/api/chat");
    answer
        .with_header("content-type", "application/x-ndjson")
        .with_body("{\"response\":\"a\",\"done\":false}\n{\"response\":\"b\",\"done\":false}\n{\"response\":\"\",\"done\":true}\n")
        .create();
    let url = other.url();
    let left = place.agent(&["--base-url", &url, "--runs", "2", "--corpus", text(&corpus)]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let metrics = place.json();
    for call in metrics["baseline"]["individual_runs"]
        .as_array()
        .expect("calls")
    {
        let call = call.as_object().expect("an object");
        for field in [
            "net_ms",
            "tare_ms",
            "cold",
            "load_duration_ms",
            "total_duration_ms",
        ] {
            assert!(!call.contains_key(field), "{field} is unknown");
        }
        assert_eq!(call["tokens_generated"], 2);
    }
    let aggregate = &metrics["baseline"]["aggregate_metrics"];
    assert!(aggregate.get("average_tokens_per_second").is_none());
    let comparison = place.read(REPORTS[2]);
    assert!(comparison.contains("net and tare are unknown"));
    assert!(comparison.contains("Throughput is unknown"));
}
