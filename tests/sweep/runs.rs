//! What is run, in which order, and what is kept of it.

use crate::place::{ALL, PLAN, Place, Swept, published};
use std::fs;
use tare::experiment::{Ending, Server};

const MOCK: [&str; 4] = ["--plan", "small.toml", "--mock", "instant"];

#[test]
fn every_run_is_a_record_and_experiment_json_says_under_what() {
    let place = Place::new();
    let (said, _) = place.ends(&[&MOCK[..], &["--speed", "2"]].concat(), 0);
    assert!(said.contains("6 of 6 runs are finished"), "{said}");
    let swept = Swept::read(&place.out());
    assert_eq!(swept.names(), ALL);
    let experiment = &swept.manifest.experiment;
    assert_eq!((&experiment.name[..], experiment.blocks), ("small", 3));
    assert_eq!(experiment.order_seed, 1);
    let server = experiment.servers.values().next();
    assert!(
        matches!(server, Some(Server::Mock(mock)) if mock.speed == 2.0 && mock.profile.tokens == 512)
    );
    let [sitting] = &swept.manifest.sittings[..] else {
        panic!("one sitting");
    };
    assert_eq!(sitting.ending, Some(Ending::Done));
    assert!(!sitting.provenance.build.rust_version.is_empty());
}

#[test]
fn the_agents_have_the_options_of_their_configuration_and_a_server_each() {
    let place = Place::new();
    place.ends(&MOCK, 0);
    let runs = published(&place.out());
    assert_eq!(runs.len(), 6);
    for ((name, number), run) in runs {
        let (a, b) = (run.collector.expect("two"), run.insight.expect("two"));
        let expected = match name.starts_with("pair") {
            true => (Some(512), Some(1024)),
            false => (None, Some(512)),
        };
        let contexts = (a.config.options.num_ctx, b.config.options.num_ctx);
        assert_eq!(contexts, expected, "{name}");
        assert_ne!(a.config.base_url, b.config.base_url);
        // The runs of a block have the seed in common.
        assert_eq!(a.result.configuration.seed, Some(u64::from(number)));
        assert_eq!(a.result.configuration.num_predict, Some(4));
        let truth = run.tare.expect("ours");
        assert_eq!((truth.servers.get(), truth.isolated_total_s), (2, None));
    }
}

#[test]
fn one_server_instead_of_two_is_another_experiment() {
    let place = Place::new();
    place.ends(&[&MOCK[..], &["--servers", "1"]].concat(), 0);
    for run in published(&place.out()).into_values() {
        assert_eq!(run.tare.expect("ours").servers.get(), 1);
    }
    let resumed = [&MOCK[..], &["--resume"]].concat();
    place.refuses(&resumed, 2, &["another experiment"]);
}

#[test]
fn agents_alone_are_run_where_the_plan_says_so_and_warm_ups_leave_nothing() {
    let place = Place::new();
    let text = PLAN
        .replace("isolated = false", "")
        .replace("warm_up = 0", "warm_up = 1")
        .replace("repetitions = 3", "repetitions = 1");
    place.write("small.toml", &text);
    place.ends(&MOCK, 0);
    // Of each configuration the team, and both agents alone.
    assert_eq!(Swept::read(&place.out()).runs.len(), 6);
    let runs = published(&place.out());
    assert_eq!(runs.len(), 2);
    for run in runs.into_values() {
        assert!(run.tare.expect("ours").efficiency_percent.is_some());
    }
}

#[test]
fn the_order_is_that_of_the_dry_run_and_of_its_seed() {
    let place = Place::new();
    let with = |more: &[&'static str]| [&MOCK[..], more].concat();
    let (said, dry) = place.ends(&with(&["--dry-run"]), 0);
    assert!(
        said.contains("6 runs of 2 configurations, about "),
        "{said}"
    );
    assert!(!place.out().exists(), "a dry run leaves nothing");
    let order = |dry: &str| -> Vec<(String, String)> {
        let runs = dry.lines().map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            (fields[1].to_owned(), fields[2].to_owned())
        });
        runs.collect()
    };
    assert_eq!(order(&dry).len(), 6);
    place.ends(&MOCK, 0);
    let stored = tare::experiment::Stored::read(&place.out());
    let stored = stored.expect("whole files").expect("a sweep");
    let ran = stored.records.iter();
    let ran = ran.map(|one| (one.arm.clone(), format!("block {}", one.block + 1)));
    assert_eq!(ran.collect::<Vec<_>>(), order(&dry));

    let (_, json) = place.ends(&with(&["--dry-run", "--format", "json"]), 0);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["runs"].as_array().map(Vec::len), Some(6));
    assert_eq!(json["digest"], stored.manifest.digest);
    let seeds = ["3", "4", "5", "6", "7"];
    let others = seeds.map(|seed| {
        let (_, dry) = place.ends(&with(&["--dry-run", "--order-seed", seed]), 0);
        order(&dry)
    });
    assert!(others.iter().any(|one| *one != order(&dry)), "{others:?}");
}

#[test]
fn every_shipped_plan_can_be_looked_at_without_a_server() {
    let place = Place::new();
    for (plan, teams) in [
        ("tr111", 57),
        ("tr114", 150),
        ("tr115", 150),
        ("scaling", 825),
    ] {
        let corpus = ["--corpus", "corpus"];
        let (said, dry) = place.ends(&[&["--plan", plan, "--dry-run"], &corpus[..]].concat(), 0);
        let of_teams = dry.lines().filter(|line| !line.contains(" / alone "));
        assert_eq!(of_teams.count(), teams, "{plan}: {said}");
        assert!(said.contains("about"), "{said}");
    }
    assert_eq!(fs::read_dir(place.path()).expect("the folder").count(), 2);
}

#[test]
fn the_report_of_a_sweep_that_is_not_complete_says_so() {
    let place = Place::new();
    place.ends(&[&MOCK[..], &["--partition", "1/2"]].concat(), 0);
    let folder = "tare-results/sweep/small-part-1-of-2";
    let output = std::process::Command::new(crate::place::TARE)
        .args(["report", "sweep", folder])
        .current_dir(place.path())
        .output()
        .expect("the program runs");
    let report = crate::place::text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}");
    for told in [
        "4 of 6 runs of the plan `small` are there (2 runs of 3 in baseline_vs_chimera-ctx512, and 1 more)",
        "this folder is for a part of it, and `tare merge` joins the parts",
    ] {
        assert!(report.contains(told), "{report}");
    }
}

#[test]
fn what_is_reported_of_a_sweep_is_what_an_import_of_its_export_says() {
    let place = Place::new();
    place.ends(&MOCK, 0);
    let tare = |arguments: &[&str]| {
        let mut command = std::process::Command::new(crate::place::TARE);
        let output = command.args(arguments).current_dir(place.path()).output();
        let output = output.expect("the program runs");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    };
    let out = "tare-results/sweep/small";
    tare(&["report", "sweep", out, "--out", "reported"]);
    tare(&["import", &format!("{out}/published"), "--out", "imported"]);
    let [reported, imported] = ["reported", "imported"].map(|folder| {
        let text = fs::read_to_string(place.path().join(folder).join("analysis.json"));
        let json: serde_json::Value = serde_json::from_str(&text.expect("a file")).expect("JSON");
        json
    });
    assert_eq!(reported["families"], imported["families"]);
    assert_eq!(reported["source"]["plan"]["planned"], 6);
    let factors = |folder: &str| fs::read(place.path().join(folder).join("factors.csv"));
    assert_eq!(
        factors("reported").expect("a file"),
        factors("imported").expect("a file")
    );
}
