//! What the reports say, and what they must not.

use crate::place::{Place, REPORTS, text, two_runs};

#[test]
fn reports_have_their_sections_and_claim_nothing_that_was_not_shown() {
    let place = Place::new();
    two_runs(&place, &[]);
    let comparison = place.read(REPORTS[2]);
    for heading in [
        "## Key findings",
        "## Aggregate",
        "## Verdicts",
        "## Configurations",
        "## System information",
    ] {
        assert!(comparison.contains(heading), "{heading} is missing");
    }
    for name in REPORTS {
        let report = place.read(name);
        for row in ["Date", "Model", "Runs", "Language", "System", "Hostname"] {
            assert!(report.contains(&format!("| {row} ")), "{name}: no {row}");
        }
        assert!(
            report.contains("can't change it"),
            "{name}: whose clock is the throughput's?"
        );
        let lower = report.to_lowercase();
        for word in [
            "improve",
            "significan",
            "stable",
            "stability",
            "better",
            "worse",
        ] {
            assert!(!lower.contains(word), "{name} says {word}");
        }
    }
    // Every verdict is the judge's, on every metric that both sides have.
    let judged = place.json()["verdicts"]
        .as_array()
        .expect("verdicts")
        .clone();
    assert!(!judged.is_empty());
    for metric in judged {
        for arm in metric["arms"].as_array().expect("arms") {
            assert_eq!(arm["arm"], "chimera");
            assert!(arm["verdict"].is_string(), "{arm}");
        }
    }
}

#[test]
fn one_run_concludes_nothing() {
    let place = Place::new();
    let corpus = place.corpus();
    let left = place.agent(&[
        "--mock",
        "instant",
        "--runs",
        "1",
        "--corpus",
        text(&corpus),
    ]);
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let comparison = place.read(REPORTS[2]);
    assert!(
        !comparison.contains(" higher") && !comparison.contains(" lower"),
        "{comparison}"
    );
    let aggregate = &place.json()["baseline"]["agent_runs"];
    assert_eq!(aggregate.as_array().map(Vec::len), Some(1));
    for metric in place.json()["verdicts"].as_array().expect("verdicts") {
        for arm in metric["arms"].as_array().expect("arms") {
            assert_eq!(arm["verdict"], "undecided", "{arm}");
            assert_eq!(arm.get("ratio"), None, "of one block");
        }
    }
}

#[test]
fn overrides_that_nobody_chose_are_said_to_be_defaults() {
    let place = Place::new();
    for (given, told) in [(&[][..], true), (&["--chimera-top-p", "0.9"], false)] {
        two_runs(&place, given);
        for name in ["reports/chimera_report.md", "reports/comparison_report.md"] {
            let report = place.read(name);
            assert_eq!(
                report.contains("No `--chimera` option was given"),
                told,
                "{name}"
            );
        }
    }
}
