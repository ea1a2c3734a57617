//! What is kept, and what is made of it.

use crate::place::{BURST, Loaded, Place, text};
use tare::experiment::Role;
use tare::report::load::report;

#[test]
fn the_report_is_made_of_what_is_kept() {
    let place = Place::new();
    let flags = ["--requests", "5", "--out", "deep/load"];
    let output = place.run(&[&BURST[..], &flags].concat());
    let kept = Loaded::of(place.path().join("deep/load"));
    assert_eq!(text(&output.stdout), report(&kept.stored));
    let sitting = &kept.stored.manifest.sittings[0];
    let command_line = sitting.provenance.occasion.command_line.join(" ");
    assert!(
        command_line.contains("load --mock instant"),
        "{command_line}"
    );
}

#[test]
fn a_folder_that_holds_a_load_is_not_written_over_but_gone_on_with() {
    let place = Place::new();
    let flags = [&BURST[..], &["--requests", "5", "--rate", "900"]].concat();
    let first = place.loads(&flags);
    let folder = first.folder.to_str().expect("UTF-8");
    let again = [&flags[..], &["--out", folder]].concat();
    place.fails(2, &again, &["--resume"]);
    // With the same arrivals, although their seed was drawn.
    let output = place.run(&[&again[..], &["--resume"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(Loaded::of(first.folder.clone()).stored, first.stored);
}

#[test]
fn several_stacks_are_compared_with_the_first_in_blocks() {
    let place = Place::new();
    let flags = ["--stack", "tokio-mt/hyper,threads/raw", "--runs", "2"];
    let load = ["--requests", "8", "--streams", "2", "--tokens", "3"];
    let record = place.loads(&[&BURST[..], &flags, &load].concat());
    let experiment = &record.stored.manifest.experiment;
    let roles: Vec<&Role> = experiment.arms().map(|(_, arm)| &arm.role).collect();
    assert_eq!(roles, [&Role::Base, &Role::BaseAgain, &Role::Compared]);
    assert_eq!(record.stored.records.len(), 6);
    for record in &record.stored.records {
        let run = record.timed().expect("it ended well");
        assert_eq!((run.iterations, run.tokens), (8, 24));
    }
    let report = report(&record.stored);
    for heading in [
        "## tokio-mt/hyper (2 worker threads, 2 runs)",
        "## threads/raw",
        "16 answered",
    ] {
        assert!(report.contains(heading), "{heading}: {report}");
    }
}

#[test]
fn compare_has_loads_as_a_workload() {
    let place = Place::new();
    let output = std::process::Command::new(crate::place::TARE)
        .args([
            "compare",
            "--workload",
            "load",
            "--streams",
            "3",
            "--cadence",
            "burst",
        ])
        .args([
            "--iterations",
            "12",
            "--tokens",
            "4",
            "--stacks",
            "smol/hyper",
        ])
        .args(["--runs", "1", "--out", "out"])
        .current_dir(place.path())
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let kept = Loaded::of(place.path().join("out"));
    assert_eq!(
        kept.stored.manifest.experiment.workloads[0].name,
        "3 streams in a burst"
    );
    for record in kept.stored.records.iter().filter(|it| !it.profiled) {
        let run = record.timed().expect("it ended well");
        assert_eq!((run.iterations, run.tokens), (12, 48), "{}", record.arm);
        assert!(run.value("throughput").is_some_and(|it| it > 0.0));
    }
    let mut profiled = kept.stored.records.iter().filter(|it| it.profiled);
    assert!(profiled.any(|it| it.run().is_some_and(|run| run.profile_run.is_some())));
}
