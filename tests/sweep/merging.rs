//! Parts of a plan, run apart, are together the whole.

use crate::place::{ALL, PLAN, Place, Swept, files, published, text};
use std::fs;
use std::process::Output;
use tare::experiment::Part;

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
    assert_eq!(parts.each_ref().map(|part| part.runs.len()), [4, 2]);
    let said = joined(place.merge(&["two", "one"], "whole/", &[]));
    assert!(said.contains("6 runs of 2 parts joined"), "{said}");
    let whole = Swept::read(&place.path().join("whole"));
    assert_eq!(whole.names(), ALL);
    for part in &parts {
        for (name, json) in &part.runs {
            // But for the index of its sitting it is the same record.
            let [merged, own] = [&whole.runs[name], json].map(|line| {
                let mut line: serde_json::Value = serde_json::from_str(line).expect("JSON");
                line["sitting"] = 0.into();
                line
            });
            assert_eq!(merged, own);
        }
    }
    assert_eq!(whole.manifest.part, None);
    let [one, two] = parts.map(|part| part.manifest);
    assert_eq!(whole.manifest.experiment, one.experiment);
    let of: Vec<Option<Part>> = whole.manifest.sittings.iter().map(|it| it.part).collect();
    assert_eq!(of, [one.part, two.part]);
    assert_eq!(published(&place.path().join("whole")).len(), 6);
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
        refused(place.merge(parts, "whole", &[]), told);
        assert!(!place.path().join("whole").exists());
    };
    refuse(
        &["one", "other"],
        &[
            "one and other are of different experiments",
            "1 here, 9 there",
        ],
    );
    refuse(&["one"], &["part 2/2 is missing"]);
    refuse(&["one", "one"], &["one and one are both part 1/2"]);
    refuse(
        &["one", "third"],
        &["part 1/2", "part 1/3", "different divisions"],
    );
    refuse(&["one", "all"], &["all holds a whole experiment"]);
    refuse(&["one", "empty"], &["empty holds no experiment"]);
    refuse(&["one", "nowhere"], &["nowhere holds no experiment"]);
    assert_eq!(files(&place.path().join("empty")).len(), 0);

    refused(
        place.merge(&["one", "two"], "all", &[]),
        &["all is not empty"],
    );
    let runs = place.path().join("two/runs.jsonl");
    let lines = fs::read_to_string(&runs).expect("a file");
    let first = lines.lines().next().expect("a line").to_owned() + "\n";
    fs::write(&runs, first).expect("a file");
    refuse(
        &["one", "two"],
        &["two (part 2/2) lacks 1 of its 2 runs", "--resume"],
    );
}

fn joined(output: Output) -> String {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    said
}

fn refused(output: Output, told: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for part in told {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
}

/// Changes what the first sitting of a part says.
fn alter(place: &Place, part: &str, change: impl FnOnce(&mut serde_json::Value)) {
    let path = place.path().join(part).join("experiment.json");
    let text = fs::read_to_string(&path).expect("a file");
    let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    change(&mut manifest["sittings"][0]);
    fs::write(&path, manifest.to_string()).expect("a file");
}

#[test]
fn parts_of_other_builds_are_joined_only_on_purpose() {
    let place = Place::new();
    halves(&place);
    alter(&place, "two", |it| {
        it["provenance"]["commit"] = "another".into()
    });
    let parts = ["one", "two"];
    refused(
        place.merge(&parts, "whole", &[]),
        &["other circumstances", "commit: ", "another there"],
    );
    joined(place.merge(&parts, "whole", &["--accept-differences"]));
    let whole = Swept::read(&place.path().join("whole"));
    assert_eq!(whole.names(), ALL);
    let sittings = whole.manifest.sittings.iter();
    let accepted: Vec<bool> = sittings.map(|it| it.accepted.is_empty()).collect();
    assert_eq!(accepted, [true, false]);
}

#[test]
fn parts_of_different_machines_are_joined_and_the_difference_told() {
    let place = Place::new();
    halves(&place);
    alter(&place, "two", |it| {
        it["provenance"]["cpu_model"] = "Abacus".into()
    });
    let said = joined(place.merge(&["one", "two"], "whole", &[]));
    assert!(
        said.contains("machines differ: processor: ") && said.contains("Abacus"),
        "{said}"
    );
}
