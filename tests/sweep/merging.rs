//! Parts of a plan, run apart, are together the whole.

use crate::place::{ALL, PLAN, Place, Swept, files, plan};
use std::fs;
use tare::plan::Part;

const MOCK: [&str; 4] = ["--plan", "small.toml", "--mock", "instant"];

/// Both parts of the plan, in `one` and `two`.
fn halves(place: &Place) {
    for (part, out) in [("1/2", "one"), ("2/2", "two")] {
        place.ends(
            &[&MOCK[..], &["--partition", part, "--out", out]].concat(),
            0,
        );
    }
}

#[test]
fn parts_have_no_run_in_common_and_joined_are_the_whole() {
    let place = Place::new();
    halves(&place);
    let parts = ["one", "two"].map(|out| Swept::read(&place.path().join(out)));
    assert_eq!(parts.each_ref().map(|part| part.runs.len()), [3, 3]);
    let (said, _) = place.ends(&["--merge", "two", "one", "--out", "whole/"], 0);
    assert!(said.contains("6 runs of 2 parts joined"), "{said}");
    let whole = Swept::read(&place.path().join("whole"));
    assert_eq!(whole.names(), ALL);
    for part in &parts {
        for (name, json) in &part.runs {
            assert_eq!(whole.runs.get(name), Some(json));
        }
    }
    assert_eq!((whole.sweep.part, &whole.sweep.plan), (None, &plan()));
    let of: Vec<Option<Part>> = whole.sweep.sittings.iter().map(|it| it.part).collect();
    assert_eq!(of, [parts[0].sweep.part, parts[1].sweep.part]);
    // The whole is done: there is nothing to go on with.
    let resumed = [&MOCK[..], &["--resume", "--out", "whole"]].concat();
    let (said, _) = place.ends(&resumed, 0);
    assert!(said.contains("all 6 runs are finished already"), "{said}");
    assert!(
        !files(place.path())
            .iter()
            .any(|name| name.contains("unfinished"))
    );
}

#[test]
fn what_is_no_whole_is_refused_with_the_reason_and_leaves_nothing() {
    let place = Place::new();
    halves(&place);
    place.ends(&[&MOCK[..], &["--out", "all"]].concat(), 0);
    place.ends(
        &[&MOCK[..], &["--partition", "1/3", "--out", "third"]].concat(),
        0,
    );
    let other = PLAN.replace("repetitions = 3", "repetitions = 3\nseed = 9");
    place.write("other.toml", &other);
    let part = [
        "--plan",
        "other.toml",
        "--mock",
        "instant",
        "--partition",
        "2/2",
    ];
    place.ends(&[&part[..], &["--out", "other"]].concat(), 0);
    fs::create_dir(place.path().join("empty")).expect("a folder");

    let refuse = |parts: &[&str], told: &[&str]| {
        let arguments = [&["--merge"], parts, &["--out", "whole"]].concat();
        place.refuses(&arguments, 2, told);
        assert!(!place.path().join("whole").exists());
    };
    refuse(
        &["one", "other"],
        &[
            "one and other are of different plans",
            "seed: 1 here, 9 there",
        ],
    );
    refuse(&["one"], &["part 2/2 is missing"]);
    refuse(&["one", "one"], &["one and one are both part 1/2"]);
    refuse(
        &["one", "third"],
        &["part 1/2", "part 1/3", "different divisions"],
    );
    refuse(&["one", "all"], &["all holds a whole sweep"]);
    refuse(&["one", "empty"], &["empty holds no sweep"]);
    refuse(&["one", "nowhere"], &["nowhere holds no sweep"]);

    place.refuses(
        &["--merge", "one", "two", "--out", "all"],
        2,
        &["all is not empty"],
    );
    let run = files(&place.path().join("two/runs")).remove(0);
    fs::remove_file(place.path().join("two/runs").join(run)).expect("a file");
    refuse(
        &["one", "two"],
        &["two (part 2/2) lacks 1 of its 3 runs", "--resume"],
    );
}

#[test]
fn parts_that_other_servers_answered_are_joined_only_on_purpose() {
    let place = Place::new();
    let part = |part, mock, out| {
        let arguments = [
            "--plan",
            "small.toml",
            "--mock",
            mock,
            "--partition",
            part,
            "--out",
            out,
        ];
        place.ends(&arguments, 0);
    };
    part("1/2", "instant", "one");
    part("2/2", "paced-1ms", "two");
    let merge = ["--merge", "one", "two", "--out", "whole"];
    let told = [
        "other circumstances",
        "server's ",
        "instant here, paced-1ms there",
    ];
    place.refuses(&merge, 2, &told);
    place.ends(&[&merge[..], &["--accept-differences"]].concat(), 0);
    let whole = Swept::read(&place.path().join("whole"));
    assert_eq!(whole.names(), ALL);
    let accepted: Vec<bool> = whole
        .sweep
        .sittings
        .iter()
        .map(|it| it.accepted.is_empty())
        .collect();
    assert_eq!(accepted, [true, false]);
}

#[test]
fn parts_of_different_machines_are_joined_and_the_difference_told() {
    let place = Place::new();
    halves(&place);
    let path = place.path().join("two/sweep.json");
    let text = fs::read_to_string(&path).expect("a file");
    let mut sweep: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    sweep["sittings"][0]["provenance"]["cpu_model"] = "Abacus".into();
    fs::write(&path, sweep.to_string()).expect("a file");
    let (said, _) = place.ends(&["--merge", "one", "two", "--out", "whole"], 0);
    assert!(
        said.contains("machines differ: processor: ") && said.contains("Abacus"),
        "{said}"
    );
}
