//! `tare doctor` on whatever machine the tests run on: it answers in time, in both forms, and its
//! findings are in results.

use assert_cmd::Command;
use serde_json::Value;
use std::process::Output;
use std::time::{Duration, Instant};
use tare::doctor::{Check, Diagnosis, quick};
use tare::provenance::{Fingerprint, Provenance, Verdict};

fn doctor(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tare"))
        .arg("doctor")
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .expect("the program runs")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

#[test]
fn it_lists_every_check_the_worst_first_and_ends_with_a_summary() {
    let started = Instant::now();
    let output = doctor(&[]);
    // It means to take less than five seconds, where it is not kept waiting for a core.
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(output.status.success());
    let text = stdout(&output);
    assert!(!text.contains('\u{1b}'), "no colours");
    let mut verdicts = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with(' ')) {
        verdicts.extend(line.split_whitespace().next());
    }
    let rank = |verdict: &&str| {
        let order = ["bad", "note", "unknown", "good"];
        order.iter().position(|known| known == verdict)
    };
    let ranks: Vec<usize> = verdicts.iter().map_while(rank).collect();
    assert_eq!(ranks.len(), Check::ALL.len(), "{text}");
    assert!(ranks.is_sorted(), "{text}");
    for check in Check::ALL {
        let line = text
            .lines()
            .find(|line| line.split_whitespace().nth(1) == Some(check.name()));
        let line = line.unwrap_or_else(|| panic!("no line for {check}"));
        assert!(line.split_whitespace().count() > 2, "{line}");
    }
    let last = text.lines().last().expect("a summary");
    assert!(
        last.contains(&format!(
            "of {} checks would spoil a measurement",
            Check::ALL.len()
        )),
        "{last}"
    );
}

#[test]
fn its_json_has_every_check_with_its_meaning_and_names_its_units() {
    let output = doctor(&["--format", "json"]);
    assert!(output.status.success());
    let json: Value = serde_json::from_str(stdout(&output)).expect("JSON");
    assert_eq!(json["schema"], "tare.doctor/1");
    let provenance: Provenance =
        serde_json::from_value(json["provenance"].clone()).expect("a provenance");
    assert!(provenance.machine.cores.is_some());
    let checks: Vec<Diagnosis> = serde_json::from_value(json["checks"].clone()).expect("checks");
    for check in Check::ALL {
        let of: Vec<&Diagnosis> = checks.iter().filter(|found| found.check == check).collect();
        assert_eq!(of.len(), 1, "{check}");
        assert_eq!(of[0].meaning, check.meaning());
        assert!(!of[0].found.is_empty());
        let needs = [Verdict::Bad, Verdict::Note].contains(&of[0].verdict);
        assert!(!needs || of[0].remedy.is_some(), "{check}");
    }
    for (check, value) in [
        (Check::Clock, "read_ns"),
        (Check::Timer, "p50_us"),
        (Check::Loopback, "p50_us"),
        (Check::Pauses, "longest_us"),
    ] {
        let found = checks.iter().find(|found| found.check == check);
        let found = found.expect("a check");
        // On a machine that is too busy there are too few samples to tell of.
        let told = found.verdict != Verdict::Unknown;
        assert_eq!(found.values.contains_key(value), told, "{found:?}");
    }
    let bad = checks
        .iter()
        .filter(|check| check.verdict == Verdict::Bad)
        .count();
    let summary = json["summary"].as_str().expect("a summary");
    match bad {
        0 => assert!(summary.starts_with("None of "), "{summary}"),
        bad => assert!(summary.starts_with(&format!("{bad} of ")), "{summary}"),
    }
}

#[test]
fn strict_fails_where_anything_is_bad_and_says_what() {
    let output = doctor(&["--strict", "--format", "json"]);
    let json: Value = serde_json::from_str(stdout(&output)).expect("the result is printed first");
    let checks = json["checks"].as_array().expect("checks");
    let bad = checks.iter().any(|check| check["verdict"] == "bad");
    assert_eq!(output.status.code(), Some(i32::from(bad)));
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(said.contains("error: "), bad, "{said}");
    if cfg!(debug_assertions) {
        assert!(
            bad && said.contains("build"),
            "a debug build is bad: {said}"
        );
    }
}

#[test]
fn its_help_ends_with_examples_and_unknown_words_are_wrong_usage() {
    let output = doctor(&["--help"]);
    let last = stdout(&output).lines().last().expect("help");
    assert!(last.trim().starts_with("tare doctor"), "{last}");
    assert_eq!(doctor(&["--frobnicate"]).status.code(), Some(2));
    assert_eq!(doctor(&["--format", "xml"]).status.code(), Some(2));
}

#[test]
fn a_results_findings_are_read_in_no_time() {
    let started = Instant::now();
    let findings = quick();
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "it only reads files"
    );
    let names: Vec<&str> = findings
        .iter()
        .map(|finding| finding.check.as_str())
        .collect();
    for name in ["build", "load", "cores", "governor", "virtual-machine"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    for name in ["timer", "loopback", "pauses", "port"] {
        assert!(!names.contains(&name), "{name} takes time");
    }
}

#[test]
fn this_process_can_be_compared_with_itself() {
    let two = 2.try_into().expect("2 is not 0");
    let of = || Fingerprint::of(&Provenance::here(), two);
    assert!(of().differences(&of()).is_empty());
}
