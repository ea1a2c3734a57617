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
            "part 6/9 of plan small has no run",
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
        &["--merge", "one", "--out", "two"],
    ] {
        let output = place.run(&[&plan[..], flags].concat());
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
    }
    assert_eq!(place.run(&["--merge", "one"]).status.code(), Some(2));
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
    assert!(!place.out().join("sweep.json").exists());
    // So it can be begun.
    place.ends(&MOCK, 0);
}

#[test]
fn a_folder_that_has_a_sweep_is_not_begun_anew() {
    let place = Place::new();
    place.ends(&MOCK, 0);
    let told = [
        "holds a sweep of small already",
        "6 of 6 runs",
        "--resume",
        "--out",
    ];
    place.refuses(&MOCK, 2, &told);
}

#[test]
fn a_folder_without_a_sweep_is_not_gone_on_with() {
    let place = Place::new();
    place.refuses(&AGAIN, 2, &["there is no sweep in", "leave out --resume"]);
    assert!(!place.out().exists());
    fs::create_dir_all(place.out().join("runs/old/run_1")).expect("a folder");
    place.refuses(&MOCK, 2, &["holds runs but no sweep.json"]);
    place.refuses(&AGAIN, 2, &["holds runs but no sweep.json"]);
}

#[test]
fn another_plan_or_part_is_not_mixed_in() {
    let place = Place::new();
    let half = ["--partition", "1/2", "--out", "half"];
    place.ends(&[&MOCK[..], &half].concat(), 0);
    let told = ["holds part 1/2 of the plan, and this is part 2/2"];
    let other = ["--partition", "2/2", "--out", "half"];
    place.refuses(&[&AGAIN[..], &other].concat(), 2, &told);
    let told = ["and this is the whole"];
    place.refuses(&[&AGAIN[..], &["--out", "half"]].concat(), 2, &told);

    place.write(
        "small.toml",
        &PLAN.replace("[[512, 1024]]", "[[512, 2048]]"),
    );
    let told = [
        "another plan",
        "pair-chimera_hetero-ctx512_1024: only there",
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
    let sweep = place.out().join("sweep.json");
    let text = fs::read_to_string(&sweep).expect("a file");
    let lose = || {
        let run = place
            .out()
            .join("runs")
            .join(&files(&place.out().join("runs"))[0]);
        fs::remove_file(run).expect("a file");
    };
    lose();
    type Change = fn(&mut serde_json::Value);
    let changes: [(&str, Change); 4] = [
        ("processor: ", |it| {
            it["provenance"]["cpu_model"] = "Abacus".into()
        }),
        ("compiler: ", |it| {
            it["provenance"]["rust_version"] = "rustc 1.0.0".into()
        }),
        ("commit: ", |it| {
            it["provenance"]["commit"] = "another".into()
        }),
        ("server's gap of profile: 0s here, 5ms there", |it| {
            it["server"]["profile"]["gap"] = "5ms".into()
        }),
    ];
    for (told, change) in changes {
        let mut other: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        change(&mut other["sittings"][0]);
        fs::write(&sweep, other.to_string()).expect("a file");
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
    let [first, second] = &swept.sweep.sittings[..] else {
        panic!("two sittings");
    };
    assert!(first.accepted.is_empty());
    assert_eq!(
        second.accepted,
        ["server's gap of profile: 0s here, 5ms there"]
    );
    // From there on it is as it is.
    lose();
    place.ends(&AGAIN, 0);
}

#[test]
fn what_is_no_run_of_the_plan_stops_it() {
    let place = Place::new();
    place.ends(&MOCK, 0);
    let runs = place.out().join("runs");
    let first = runs.join("baseline_vs_chimera-ctx512");
    let copy = |to: &str| {
        fs::create_dir_all(runs.join(to)).expect("a folder");
        let json = fs::read_to_string(first.join("run_1/metrics.json")).expect("a file");
        fs::write(runs.join(to).join("metrics.json"), json).expect("a file");
    };
    copy("baseline_vs_chimera-ctx512/run_4");
    place.refuses(&AGAIN, 1, &["run_4 is no run of plan small"]);
    fs::remove_dir_all(first.join("run_4")).expect("a folder");

    copy("baseline_vs_chimera-ctx512/run_2");
    let told = [
        "run_2/metrics.json is not what its name says: it is run 1 of",
        "move it away",
    ];
    place.refuses(&AGAIN, 1, &told);
    fs::write(first.join("run_2/metrics.json"), "{").expect("a file");
    place.refuses(
        &AGAIN,
        1,
        &["run_2/metrics.json is not what its name says: EOF"],
    );
    fs::remove_file(first.join("run_2/metrics.json")).expect("a file");
    place.ends(&AGAIN, 0);
}
