//! `--proxy`: delivery from a server that does not tell when it wrote.

use crate::place::{Place, server, two_runs};
use serde_json::Value;

fn calls(metrics: &Value) -> Vec<&Value> {
    ["baseline", "chimera"]
        .iter()
        .flat_map(|side| metrics[side]["individual_runs"].as_array().expect("calls"))
        .collect()
}

#[test]
fn a_proxy_gives_delivery_for_a_server_that_does_not_tell_and_net_stays_the_servers() {
    let server = server("paced-1ms", "gemma3:latest");
    for api in ["generate", "raw", "chat", "openai"] {
        let place = Place::new();
        let corpus = place.corpus();
        let flags = [
            "--base-url",
            server.base_url(),
            "--api",
            api,
            "--corpus",
            corpus.to_str().expect("a path"),
            "--runs",
            "1",
            "--num-predict",
            "16",
            "--chimera-temperature",
            "0.5",
        ];
        let direct = place.agent(&flags);
        assert_eq!(direct.code, Some(0), "{}", direct.stderr);
        let metrics = place.json();
        assert_eq!(metrics["provenance"].get("proxied"), None);
        for call in calls(&metrics) {
            assert_eq!(call.get("delivery_p50_ms"), None, "nobody tells");
        }

        let left = place.agent(&[&flags[..], &["--proxy"]].concat());
        assert_eq!(left.code, Some(0), "{}", left.stderr);
        let metrics = place.json();
        assert_eq!(metrics["provenance"]["proxied"], true);
        assert_eq!(
            metrics["provenance"]["server"]["base_url"],
            server.base_url()
        );
        for call in calls(&metrics) {
            assert_eq!(call["pieces"], 16);
            assert!(call["delivery_p50_ms"].as_f64().is_some_and(|ms| ms > 0.0));
            assert_eq!(call.get("delivery_p99_ms"), None, "of 16 tokens");
            assert_eq!(call.get("mock_late"), None, "no mock tells");
            match api {
                // OpenAI's API states no time, and generate's line has a context.
                "openai" | "generate" => assert_eq!(call["net_source"], "proxy"),
                _ => assert_eq!(call["net_source"], "total_duration"),
            }
        }
        let report = place.read("reports/baseline_report.md");
        assert!(report.contains("a recording proxy before the server"));
        assert!(report.contains("delivery, p50 of a call"), "{report}");
    }
}

#[test]
fn with_a_mock_behind_it_the_proxy_tells_of_the_same_tokens_and_net_is_the_mocks() {
    let place = Place::new();
    two_runs(&place, &["--proxy"]);
    for call in calls(&place.json()) {
        assert_eq!(call["net_source"], "mock_truth");
        assert!(call["delivery_p50_ms"].is_f64());
        assert!(call["tare_ms"].as_f64().is_some_and(|tare| tare > 0.0));
    }
}

#[test]
fn no_server_behind_the_proxy_is_said_in_one_line() {
    let place = Place::new();
    let flags = ["--base-url", "http://127.0.0.1:1", "--proxy"];
    place.fails(1, &flags, &["cannot connect to http://127.0.0.1:1"]);
}
