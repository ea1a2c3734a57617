//! The run protocol from outside: another program as an arm, and the published schemas.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tare::experiment::{Role, Stored};
use tempfile::TempDir;

const DOCUMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");

fn compare(place: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tare"));
    command.args(["compare", "--workload", "stream", "--cadence", "burst"]);
    command.args(["--stacks", "tokio-mt/hyper", "--tokens", "5", "--runs", "1"]);
    command
        .args(["--iterations", "4", "--out", "out"])
        .args(arguments);
    command
        .current_dir(place)
        .output()
        .expect("the program runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The example of the document, as it stands there.
fn example() -> TempDir {
    let text = fs::read_to_string(format!("{DOCUMENTS}/run-protocol.md")).expect("a document");
    let code = text.split("```python\n").nth(1).expect("an example");
    let code = code.split("```").next().expect("its end");
    let place = tempfile::tempdir().expect("a folder");
    fs::write(place.path().join("arm.py"), code).expect("a file");
    place
}

#[test]
fn the_example_of_the_document_is_an_arm_like_others() {
    let place = example();
    let output = compare(place.path(), &["--peer", "python=python3 arm.py"]);
    assert!(output.status.success(), "{}", said(&output));
    let stored = Stored::read(&place.path().join("out")).expect("readable");
    let stored = stored.expect("an experiment");
    let (_, arm) = stored.manifest.experiment.arms().last().expect("arms");
    assert_eq!((&arm.role, arm.name.as_str()), (&Role::Compared, "python"));
    let mut records = stored.records.iter();
    let record = records.find(|it| it.arm == "python" && !it.profiled);
    let run = record.and_then(|it| it.run()).expect("a run");
    assert_eq!((run.iterations, run.tokens), (4, 20));
    for metric in ["gross", "net", "cpu"] {
        assert!(run.value(metric).is_some_and(|it| it > 0.0), "{metric}");
    }
}

#[test]
fn what_a_peer_says_is_wrong_is_why_it_failed() {
    let place = tempfile::tempdir().expect("a folder");
    let peer = "broken=echo on my way >&2; echo error: out of luck >&2; exit 3";
    let output = compare(place.path(), &["--peer", peer]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("out of luck"), "{said}");
    assert!(!said.contains("error: error"), "{said}");
    let output = compare(place.path(), &["--peer", "nameless"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_is_written_follows_the_published_schemas() {
    let place = example();
    let load = [
        "load",
        "--mock",
        "instant",
        "--requests",
        "20",
        "--fault",
        "status=503@3",
    ];
    let load = Command::new(env!("CARGO_BIN_EXE_tare"))
        .args(load)
        .args(["--slo", "ttft=1s", "--out", "load"])
        .current_dir(place.path())
        .output()
        .expect("the program runs");
    assert!(load.status.success(), "{}", said(&load));
    let output = compare(place.path(), &[]);
    assert!(output.status.success(), "{}", said(&output));
    let validator = |file: &str| {
        let schema = fs::read(format!("{DOCUMENTS}/schema/{file}")).expect(file);
        jsonschema::validator_for(&serde_json::from_slice(&schema).expect(file)).expect(file)
    };
    let [manifest, record, spec] =
        ["experiment-1.json", "record-1.json", "run-spec-1.json"].map(validator);
    let is_valid = |schema: &jsonschema::Validator, value: &Value| {
        let wrong: Vec<String> = schema
            .iter_errors(value)
            .map(|it| format!("{it} at {}", it.instance_path()))
            .collect();
        assert_eq!(wrong, [""; 0]);
    };
    for folder in ["out", "load"].map(|folder| place.path().join(folder)) {
        let text = fs::read(folder.join("experiment.json")).expect("a file");
        let mut value: Value = serde_json::from_slice(&text).expect("JSON");
        is_valid(&manifest, &value);
        is_valid(
            &spec,
            &value["experiment"]["workloads"][0]["arms"][0]["spec"],
        );
        // And it is not one that lets everything pass.
        value["schema"] = "tare.experiment/0".into();
        assert!(!manifest.is_valid(&value));
        let lines = fs::read_to_string(folder.join("runs.jsonl")).expect("a file");
        assert!(!lines.contains("null"), "what is not known is absent");
        for line in lines.lines() {
            let mut value: Value = serde_json::from_str(line).expect("JSON");
            is_valid(&record, &value);
            value["run"]["tokens"] = "many".into();
            assert!(!record.is_valid(&value));
        }
    }
}
