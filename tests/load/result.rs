//! The result as JSON.

use crate::place::{BURST, Place, text};
use serde_json::Value;
use std::fs;
use std::time::Duration;
use tare::load::{Latency, Record, SCHEMA};
use tare::meter::Histogram;
use tare::report::load::report;

#[test]
fn a_result_follows_its_schema() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/load-1.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(file).expect(file)).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let place = Place::new();
    let closed = [
        "--requests",
        "20",
        "--slo",
        "ttft=1s",
        "--fault",
        "status=503@3",
    ];
    let open = [
        "--rate",
        "100",
        "--warm-up",
        "50ms",
        "--measure",
        "200ms",
        "--prompt-tokens",
        "9",
    ];
    for flags in [&closed[..], &open] {
        let output = place.run(&[&BURST[..], flags, &["--format", "json"]].concat());
        let mut result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let wrong: Vec<String> = schema
            .iter_errors(&result)
            .map(|it| format!("{it} at {}", it.instance_path()))
            .collect();
        assert_eq!(wrong, [""; 0]);
        assert!(
            !text(&output.stdout).contains("null"),
            "what is not known is absent"
        );
        // And it is not one that lets everything pass.
        let mut broken = result.clone();
        broken["outcome"]["requests"]["answered"] = "many".into();
        assert!(!schema.is_valid(&broken));
        result["schema"] = "tare.load/2".into();
        assert!(!schema.is_valid(&result));
    }
}

#[test]
fn out_writes_what_format_json_prints_and_the_report_is_made_of_it() {
    let place = Place::new();
    let flags = ["--requests", "5", "--out", "deep/load.json"];
    let output = place.run(&[&BURST[..], &flags].concat());
    let written = fs::read_to_string(place.path().join("deep/load.json")).expect("a file");
    let record: Record = serde_json::from_str(&written).expect("a record");
    assert_eq!(record.schema, SCHEMA);
    assert_eq!(
        serde_json::to_string(&record).expect("JSON") + "\n",
        written
    );
    assert_eq!(text(&output.stdout), report(&record));
    let both = ["--requests", "5", "--out", "again.json", "--format", "json"];
    let output = place.run(&[&BURST[..], &both].concat());
    let written = fs::read_to_string(place.path().join("again.json")).expect("a file");
    assert_eq!(text(&output.stdout), written);
    let command_line = record.provenance.occasion.command_line.join(" ");
    assert!(
        command_line.contains("load --mock instant"),
        "{command_line}"
    );
}

#[test]
fn two_results_add_up_to_one_of_both() {
    let place = Place::new();
    let ttft = |requests: &str| {
        let record = place.loads(&[&BURST[..], &["--requests", requests]].concat());
        record.outcome.latencies.ttft.expect("answers")
    };
    let (one, other) = (ttft("30"), ttft("12"));
    let both = one.merged(&other);
    // Against a histogram of every single value of both.
    let pairs = |latency: &Latency| -> Vec<(u64, u64)> {
        let json = serde_json::to_value(&latency.histogram_ns).expect("pairs");
        serde_json::from_value(json).expect("pairs")
    };
    let mut expected = Histogram::new();
    for (nanos, count) in pairs(&one).into_iter().chain(pairs(&other)) {
        (0..count).for_each(|_| expected.record(Duration::from_nanos(nanos)));
    }
    assert_eq!((both.count, &both.histogram_ns), (42, &expected));
    let median = expected.quantile(0.5).map(|it| it.as_nanos() as u64);
    assert_eq!(both.p50_ns, median);
    let mean = (30.0 * one.mean_ns + 12.0 * other.mean_ns) / 42.0;
    assert!((both.mean_ns / mean - 1.0).abs() < 1e-9);
}
