//! Every API, and a server that was there.

use crate::place::{BURST, Place, is_whole, text};
use crate::support;
use tare::protocol::{Api, Software};

#[test]
fn every_api_is_asked_and_its_tokens_are_checked() {
    for api in Api::ALL {
        let flags = ["--api", api.name(), "--requests", "10", "--tokens", "7"];
        let record = Place::new().loads(&[&BURST[..], &flags].concat());
        assert_eq!(record.spec().api, api);
        is_whole(&record, 10, 7);
        let delivery = record.latencies.delivery.as_ref().expect("a mock tells");
        assert_eq!(delivery.count, 70, "{api}");
    }
}

#[test]
fn a_server_that_was_there_tells_no_truth() {
    let mock = support::mock("instant");
    for (api, software, path) in [
        ("generate", Software::Ollama, ""),
        ("openai", Software::Ollama, "/v1"),
    ] {
        let base_url = format!("{}{path}", mock.base_url());
        let flags = [
            "--base-url",
            &base_url,
            "--api",
            api,
            "--requests",
            "10",
            "--tokens",
            "7",
        ];
        let record = Place::new().loads(&flags);
        is_whole(&record, 10, 7);
        assert!(record.latencies.delivery.is_none());
        assert!(record.server_lateness.is_none());
        let sitting = &record.stored.manifest.sittings[0];
        let found = &sitting.servers["server"];
        assert_eq!(found.software, software);
        assert_eq!(found.model.is_some(), software == Software::Ollama);
    }
}

#[test]
fn the_report_says_what_it_is_of() {
    let place = Place::new();
    let closed = place.run(&[&BURST[..], &["--requests", "5"]].concat());
    let report = text(&closed.stdout);
    assert!(report.starts_with("# Load\n"), "{report}");
    for said in [
        "8 streams, closed loop",
        "5 answered, 0 failed",
        "Closed loop: each stream",
    ] {
        assert!(report.contains(said), "{said}: {report}");
    }
    assert!(
        report.lines().all(|line| line.chars().count() <= 100),
        "{report}"
    );
    let ttft = report.lines().find(|line| line.starts_with("| TTFT"));
    let stacks: Vec<&str> = ttft.expect("a row").split('|').map(str::trim).collect();
    assert_eq!(
        (stacks[2], stacks[7], stacks[8]),
        ("5", "-", "-"),
        "no p99 of five"
    );
    let open = ["--requests", "5", "--rate", "100", "--out", "open"];
    let open = place.run(&[&BURST[..], &open].concat());
    let report = text(&open.stdout);
    assert!(report.contains("open loop, constant arrivals"), "{report}");
    assert!(
        report.contains("from when a request was to start"),
        "{report}"
    );
}
