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
        "## What the pairs show",
        "## Configurations",
        "## Coefficients of variation",
        "### Analysis call, baseline",
        "### Report call, chimera",
        "## System information",
        "## Conclusion",
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
    let decided = |word: &str| {
        comparison
            .matches(&format!("; {word}: the interval"))
            .count()
    };
    let metrics = place.json();
    let figures = metrics["comparison"]["figures"]
        .as_array()
        .expect("figures");
    for verdict in ["higher", "lower", "undecided"] {
        let expected = figures
            .iter()
            .filter(|figure| figure["verdict"] == verdict)
            .count();
        assert_eq!(decided(verdict), expected, "{verdict}");
    }
    for figure in figures {
        let [low, high] = ["low", "high"].map(|end| figure["ratio"][end].as_f64());
        if let (Some(low), Some(high)) = (low, high) {
            let excludes = low > 1.0 || high < 1.0;
            assert_eq!(excludes, figure["verdict"] != "undecided", "{figure}");
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
    assert!(comparison.contains("nothing can be concluded"));
    assert!(!comparison.contains("the interval ["));
    let aggregate = &place.json()["baseline"]["agent_runs"];
    assert_eq!(aggregate.as_array().map(Vec::len), Some(1));
    for verdict in place.json()["comparison"]["figures"]
        .as_array()
        .expect("figures")
    {
        assert_eq!(verdict["verdict"], "too_few");
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
