//! Whatever lies in a tree: what is no result is named with the reason, and the rest is read.

use crate::tree::{Place, Run, call, is, options, result};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

fn run(number: usize) -> Value {
    let step = number as f64;
    Run::of(number, [10.0 + 0.1 * step, 12.0 - 0.2 * step]).json()
}

#[test]
fn each_broken_file_is_named_and_the_rest_is_read() {
    let place = Place::new();
    for number in 1..=3 {
        place.put_json(&format!("good/run_{number}"), &run(number));
    }
    let whole = run(4).to_string();
    place.put("empty/metrics.json", "");
    place.put("cut/metrics.json", &whole[..whole.len() / 2]);
    place.put("list/metrics.json", "[1, 2]");
    place.put(
        "else/metrics.json",
        r#"{"name": "web-server", "requests": 12}"#,
    );
    place.put(
        "nan/metrics.json",
        whole.replace("12.0", "NaN").replace("10.4", "NaN"),
    );
    place.put("vast/metrics.json", whole.replacen("10.4", "1e999", 1));
    place.put("bytes/metrics.json", b"{\"a\": \"\xff\xfe\"}");
    place.put(
        "wide/metrics.json",
        "\u{feff}{\0"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>(),
    );
    place.put("word/metrics.json", whole.replacen("10.4", "\"long\"", 1));
    place.put(
        "half/metrics.json",
        json!({"collector": run(5)["collector"]}).to_string(),
    );
    place.put("later/metrics.json", r#"{"schema": "tare.agent/7"}"#);
    place.put(
        "nothing/metrics.json",
        r#"{"collector": {}, "insight": {}}"#,
    );
    place.put("deep/metrics.json", "[".repeat(50_000));
    place.put("good/copy/metrics.json", run(2).to_string());
    fs::create_dir_all(place.tree().join("folder/metrics.json")).expect("a folder");
    fs::create_dir_all(place.tree().join("pipe")).expect("a folder");
    let pipe = place.tree().join("pipe/metrics.json");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    place.put("notes.txt", "not looked at");

    let imported = place.import(&[]);
    assert_eq!(imported.analysis["source"]["read"], 3);
    assert!(
        imported.stderr.contains("read 3, skipped 15"),
        "{}",
        imported.stderr
    );
    for (file, reason) in [
        ("empty", "empty"),
        ("cut", "not JSON: EOF"),
        ("list", "not a result: no object"),
        ("else", "not a result: it has neither collector and insight"),
        ("nan", "not JSON: expected value"),
        ("vast", "not JSON: number out of range"),
        ("bytes", "not UTF-8, from byte 7"),
        ("wide", "not UTF-8, from byte 0"),
        (
            "word",
            "not as the schema has it: invalid type: string \"long\"",
        ),
        ("half", "one of its two agents is missing"),
        (
            "later",
            "its format is `tare.agent/7`, which this tare does not know",
        ),
        ("nothing", "no figure in it"),
        ("deep", "recursion limit"),
        ("pipe", "not a plain file"),
    ] {
        let file = format!("{file}/metrics.json");
        let told = imported.skipped(&file);
        assert!(told.contains(reason), "{file}: {told}");
        assert!(
            imported.stderr.contains(&format!("skipped {file}: ")),
            "{file}"
        );
        assert!(
            imported
                .line(&format!("| {file} "))
                .contains(reason.split('`').next().unwrap_or(""))
        );
    }
    let copy = imported.skipped("good/run_2/metrics.json");
    assert!(
        copy.contains("the same bytes as good/copy/metrics.json"),
        "{copy}"
    );
}

#[test]
fn older_files_may_lack_fields_and_have_others() {
    let place = Place::new();
    let mut one = run(1);
    one["collector"]["config"]["options"] = Value::Null;
    one["insight"]["config"] =
        json!({"top": [1, null], "options": {"num_gpu": 80.0, "mirostat": 2}});
    one["insight"]["result"]["configuration"] = json!({});
    one["summary"]["efficiency_percent"] = Value::Null;
    one["notes"] = json!("ours");
    place.put("a/metrics.json", format!("\u{feff}{one}"));
    let imported = place.import(&[]);
    is(
        &imported.figure("balance")["all"]["mean"],
        100.0 * (10.1 + 11.8) / 23.6,
    );
    let factors = &imported.analysis["runs"][0]["factors"];
    assert_eq!(factors["insight num_gpu"], "80");
    assert!(factors["servers"].is_null(), "one address is not known");
}

#[test]
fn what_is_stated_and_does_not_follow_is_reported_and_not_used() {
    let place = Place::new();
    let mut one = Run::of(1, [8.0, 16.0]).json();
    one["summary"]["efficiency_percent"] = json!(98.7);
    one["summary"]["resource_contention_detected"] = json!(true);
    one["collector"]["result"]["aggregate_metrics"]["average_ttft_ms"] = json!(250.0);
    // Rounding is no contradiction.
    one["summary"]["concurrency_speedup"] = json!(1.5);
    place.put_json("a", &one);
    let mut short = Run::of(2, [9.0, 10.0]);
    short.wall = 9.5;
    place.put_json("b", &short.json());
    let imported = place.import(&[]);
    is(&imported.analysis["runs"][0]["figures"]["balance"], 75.0);
    is(&imported.analysis["runs"][0]["figures"]["ttft"], 600.0);
    let all = imported.analysis["source"]["disagreements"]
        .as_array()
        .expect("a list");
    let whats: Vec<&str> = all.iter().filter_map(|one| one["what"].as_str()).collect();
    assert_eq!(
        whats,
        [
            "collector.aggregate_metrics.average_ttft_ms",
            "summary.efficiency_percent",
            "summary.resource_contention_detected",
            "summary.ttft_delta_ms",
            "summary.concurrent_wall_time_s",
        ]
    );
    assert!(imported.line("| a/metrics.json ").contains("250"));
    let line = imported.line("| b/metrics.json ");
    assert!(line.contains("longer than the whole run"), "{line}");
    imported.line("5 figures stated in the files do not follow from what they hold");
}

#[test]
fn times_that_cannot_be_are_no_figures() {
    let place = Place::new();
    place.put_json("a", &Run::of(1, [-3.0, 10.0]).json());
    place.put_json("b", &Run::of(2, [1e308, 1e308]).json());
    place.put_json("c", &Run::of(3, [9.0, 10.0]).json());
    let imported = place.import(&["--metric", "duration-balance"]);
    let figure = imported.figure("duration_balance");
    assert_eq!(figure["all"]["n"], 2, "{figure}");
    assert!(imported.report.contains("a time is not negative"));
    let words = ["NaN", "inf"];
    assert!(
        words.iter().all(|word| !imported.report.contains(word)),
        "{}",
        imported.report
    );
}

#[test]
fn one_agent_is_told_by_its_content() {
    let place = Place::new();
    let calls = [
        call(100, 80.0, 500.0, 2000.0),
        call(200, 82.0, 700.0, 3000.0),
    ];
    place.put_json("single", &result(&options(60, 512, 0.6), "chimera", &calls));
    let both = json!({
        "baseline": result(&Value::Null, "baseline", &calls),
        "chimera": result(&options(80, 512, 0.8), "chimera", &[calls[0].clone(), calls[0].clone()]),
    });
    place.put_json("both", &both);
    let imported = place.import(&[]);
    assert_eq!(
        imported.analysis["source"]["kinds"],
        json!({"agent": 1, "side": 2})
    );
    is(
        &imported.figure("throughput")["all"]["mean"],
        (81.0 + 81.0 + 80.0) / 3.0,
    );
    is(&imported.figure("ttft")["all"]["least"], 500.0);
    let against = &imported.figure("throughput")["against_default"];
    assert_eq!(against["defaults"][0]["configuration"], "baseline");
    assert_eq!(
        against["configurations"]["of"], 1,
        "one has the default's mean: {against}"
    );
    imported.line(
        "Read 2 files, skipped 0: 1 result of one agent, 2 sides of a baseline/chimera result.",
    );
}
