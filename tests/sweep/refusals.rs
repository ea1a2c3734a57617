//! What is refused, and what is then to do.

use crate::place::{ALL, PLAN, Place, Swept, files};
use std::fs;

const MOCK: [&str; 4] = ["--plan", "small.toml", "--mock", "instant"];
const AGAIN: [&str; 5] = ["--plan", "small.toml", "--mock", "instant", "--resume"];

#[test]
fn a_plan_that_is_none_is_wrong_usage_and_named_by_line_and_field() {
    let place = Place::new();
    place.write("bad.toml", &PLAN.replace("num_ctx = 512", "num_ctx = 0"));
    let told = [
        "bad.toml",
        "line 13 (`num_ctx = 0`)",
        "`num_ctx` must be a whole number from 1",
    ];
    place.refuses(&["--plan", "bad.toml", "--mock"], 2, &told);
    place.refuses(
        &["--plan", "tr999"],
        2,
        &["no plan `tr999`", "tr111, tr114, tr115, scaling"],
    );
    assert_eq!(files(place.path()).len(), 3, "nothing is left behind");
}

#[test]
fn flags_that_do_not_go_together_are_wrong_usage() {
    let place = Place::new();
    let plan = ["--plan", "small.toml"];
    for (flags, told) in [
        (&["--mock", "warp"][..], "no profile `warp`"),
        (
            &["--mock", "--partition", "6/9"],
            "part 6/9 of plan small has no block",
        ),
        (
            &["--mock", "--servers", "1", "--gpus", "2"],
            "one server has one GPU",
        ),
        (
            &["--insight-ollama-url", "http://127.0.0.1:11434"],
            "both have the address",
        ),
        (
            &[
                "--servers",
                "1",
                "--insight-ollama-url",
                "http://127.0.0.1:1",
            ],
            "there are two addresses",
        ),
    ] {
        place.refuses(&[&plan[..], flags].concat(), 2, &[told]);
    }
    let nowhere = [&plan[..], &["--mock", "--corpus", "nowhere"]].concat();
    place.refuses(
        &nowhere,
        1,
        &["cannot read corpus folder nowhere: No such file"],
    );
    for flags in [
        &["--speed", "2"][..],
        &["--mock", "--partition", "3/2"],
        &["--mock", "--servers", "3"],
        &["--mock", "--base-url", "http://127.0.0.1:1"],
        &["--mock", "--speed", "0"],
    ] {
        let output = place.run(&[&plan[..], flags].concat());
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
    }
    assert_eq!(files(place.path()).len(), 2, "nothing is left behind");
}

#[test]
fn where_nobody_answers_nothing_is_begun() {
    let place = Place::new();
    let nobody = [
        "--plan",
        "small.toml",
        "--servers",
        "1",
        "--base-url",
        "http://127.0.0.1:1",
    ];
    place.refuses(&nobody, 1, &["no Ollama answers", "--mock"]);
    assert!(!place.out().join("experiment.json").exists());
    // So it can be begun.
    place.ends(&MOCK, 0);
}

#[test]
fn a_folder_that_has_a_sweep_is_not_begun_anew() {
    let place = Place::new();
    place.ends(&MOCK, 0);
    let told = [
        "holds experiment small already",
        "6 of 6 runs",
        "--resume",
        "--out",
    ];
    place.refuses(&MOCK, 2, &told);
}

#[test]
fn a_folder_without_a_sweep_is_not_gone_on_with() {
    let place = Place::new();
    place.refuses(&AGAIN, 2, &["leave out --resume"]);
    assert!(!place.out().exists());
}

#[test]
fn another_plan_or_part_is_not_mixed_in() {
    let place = Place::new();
    let half = ["--partition", "1/2", "--out", "half"];
    place.ends(&[&MOCK[..], &half].concat(), 0);
    let told = ["holds part 1/2 of the experiment, and this is part 2/2"];
    let other = ["--partition", "2/2", "--out", "half"];
    place.refuses(&[&AGAIN[..], &other].concat(), 2, &told);
    let told = ["and this is the whole"];
    place.refuses(&[&AGAIN[..], &["--out", "half"]].concat(), 2, &told);

    place.write(
        "small.toml",
        &PLAN.replace("[[512, 1024]]", "[[512, 2048]]"),
    );
    let told = [
        "another experiment",
        "pair-chimera_hetero-ctx512_1024 of team: only there",
    ];
    place.refuses(&[&AGAIN[..], &half].concat(), 2, &told);
    // A description may change.
    place.write("small.toml", &PLAN.replace("for tests", "for all tests"));
    place.ends(&[&AGAIN[..], &half].concat(), 0);
}

#[test]
fn other_circumstances_are_named_and_accepted_only_on_purpose() {
    let place = Place::new();
    place.ends(&MOCK, 0);
    let manifest = place.out().join("experiment.json");
    let text = fs::read_to_string(&manifest).expect("a file");
    let runs = place.out().join("runs.jsonl");
    let lose = || {
        let whole = fs::read_to_string(&runs).expect("a file");
        let last = whole.trim_end().rfind('\n').expect("several lines");
        fs::write(&runs, &whole[..=last]).expect("a file");
    };
    lose();
    type Change = fn(&mut serde_json::Value);
    let changes: [(&str, Change); 3] = [
        ("processor: ", |it| {
            it["provenance"]["cpu_model"] = "Abacus".into()
        }),
        ("compiler: ", |it| {
            it["provenance"]["rust_version"] = "rustc 1.0.0".into()
        }),
        ("commit: ", |it| {
            it["provenance"]["commit"] = "another".into()
        }),
    ];
    for (told, change) in changes {
        let mut other: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        change(&mut other["sittings"][0]);
        fs::write(&manifest, other.to_string()).expect("a file");
        place.refuses(
            &AGAIN,
            2,
            &["other circumstances", told, "--accept-differences"],
        );
        assert_eq!(Swept::read(&place.out()).runs.len(), 5);
    }
    place.ends(&[&AGAIN[..], &["--accept-differences"]].concat(), 0);
    let swept = Swept::read(&place.out());
    assert_eq!(swept.names(), ALL);
    let [first, second] = &swept.manifest.sittings[..] else {
        panic!("two sittings");
    };
    assert!(first.accepted.is_empty());
    assert!(
        second.accepted[0].starts_with("commit: "),
        "{:?}",
        second.accepted
    );
    // From there on it is as it is.
    lose();
    place.ends(&AGAIN, 0);
}

#[test]
fn a_record_of_something_else_stops_it() {
    let place = Place::new();
    place.ends(&MOCK, 0);
    let runs = place.out().join("runs.jsonl");
    let whole = fs::read_to_string(&runs).expect("a file");
    let stray = whole.replacen("pair-chimera_hetero", "other", 1);
    fs::write(&runs, stray).expect("a file");
    place.refuses(
        &AGAIN,
        2,
        &["runs.jsonl, line ", "has no arm `other-ctx512_1024`"],
    );
    fs::write(&runs, format!("{{\n{whole}")).expect("a file");
    place.refuses(&AGAIN, 1, &["runs.jsonl: line 1: "]);
    fs::write(&runs, whole).expect("a file");
    place.ends(&AGAIN, 0);
}
