//! What is run, in which order, and what is kept of it.

use crate::place::{ALL, Place, Swept, files, plan};
use std::fs;
use tare::plan::Served;
use tare::report::published::TeamRun;

const MOCK: [&str; 4] = ["--plan", "small.toml", "--mock", "instant"];

#[test]
fn every_run_is_a_file_and_sweep_json_says_under_what() {
    let place = Place::new();
    let (said, stdout) = place.ends(&[&MOCK[..], &["--speed", "2"]].concat(), 0);
    assert!(stdout.is_empty(), "{stdout}");
    let swept = Swept::read(&place.out());
    assert_eq!(swept.names(), ALL);
    assert_eq!(swept.sweep.plan, plan());
    let [sitting] = &swept.sweep.sittings[..] else {
        panic!("one sitting");
    };
    assert!(
        matches!(&sitting.server, Served::Mock { speed: 2.0, profile, .. } if profile.tokens == 512)
    );
    assert_eq!(sitting.order_seed, 1);
    assert!(!sitting.provenance.build.rust_version.is_empty());
    for place in 1..=6 {
        assert!(said.contains(&format!("run {place} of 6: ")), "{said}");
    }
    assert!(
        said.contains("left") && said.contains("6 of 6 runs are finished"),
        "{said}"
    );
    let others: Vec<String> = files(&place.out());
    assert_eq!(
        others.len(),
        6 + 2,
        "runs, sweep.json and the lock: {others:?}"
    );
}

#[test]
fn the_agents_have_the_options_of_their_configuration_and_a_server_each() {
    let place = Place::new();
    place.ends(&MOCK, 0);
    let swept = Swept::read(&place.out());
    for ((name, number), json) in &swept.runs {
        let run: TeamRun = serde_json::from_str(json).expect("a run");
        let (a, b) = (run.collector.expect("two"), run.insight.expect("two"));
        let expected = match name.starts_with("pair") {
            true => (Some(512), Some(1024)),
            false => (None, Some(512)),
        };
        let contexts = (a.config.options.num_ctx, b.config.options.num_ctx);
        assert_eq!(contexts, expected, "{name}");
        assert_ne!(a.config.base_url, b.config.base_url);
        // The runs of a block have the seed in common.
        assert_eq!(a.result.configuration.seed, Some(u64::from(*number)));
        assert_eq!(a.result.configuration.num_predict, Some(4));
        let truth = run.tare.expect("ours");
        assert_eq!((truth.servers.get(), truth.isolated_total_s), (2, None));
    }
}

#[test]
fn one_server_instead_of_two_is_another_plan_and_so_recorded() {
    let place = Place::new();
    place.ends(&[&MOCK[..], &["--servers", "1"]].concat(), 0);
    let swept = Swept::read(&place.out());
    assert_eq!(swept.sweep.plan.servers.get(), 1);
    for json in swept.runs.values() {
        let run: TeamRun = serde_json::from_str(json).expect("a run");
        assert_eq!(run.tare.expect("ours").servers.get(), 1);
    }
    let resumed = [&MOCK[..], &["--resume"]].concat();
    place.refuses(&resumed, 2, &["another plan", "servers: 2 here, 1 there"]);
}

#[test]
fn agents_alone_are_run_where_the_plan_says_so_and_warm_ups_leave_nothing() {
    let place = Place::new();
    let text = crate::place::PLAN
        .replace("isolated = false", "")
        .replace("warm_up = 0", "warm_up = 1")
        .replace("repetitions = 3", "repetitions = 1");
    place.write("small.toml", &text);
    place.ends(&MOCK, 0);
    let swept = Swept::read(&place.out());
    assert_eq!(swept.runs.len(), 2);
    for json in swept.runs.values() {
        let run: TeamRun = serde_json::from_str(json).expect("a run");
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
    let order = |dry: &str| -> Vec<String> {
        let runs = dry.lines().map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            format!("{}, {}", fields[1], fields[2].trim_start_matches("run "))
        });
        runs.collect()
    };
    assert_eq!(order(&dry).len(), 6);
    let (said, _) = place.ends(&MOCK, 0);
    let ran: Vec<String> = said
        .lines()
        .filter_map(|line| line.strip_prefix("run ")?.split_once(": "))
        .map(|(_, rest)| rest.split(" of ").next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(ran, order(&dry));

    let (_, json) = place.ends(&with(&["--dry-run", "--format", "json"]), 0);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["runs"].as_array().map(Vec::len), Some(6));
    let seeds = ["3", "4", "5", "6", "7"];
    let shuffled = seeds.map(|seed| {
        let (_, dry) = place.ends(&with(&["--dry-run", "--shuffle", seed]), 0);
        order(&dry)
    });
    assert!(
        shuffled.iter().any(|one| *one != order(&dry)),
        "{shuffled:?}"
    );
}

#[test]
fn every_shipped_plan_can_be_looked_at_without_a_server() {
    let place = Place::new();
    for (plan, runs) in [
        ("tr111", 57),
        ("tr114", 150),
        ("tr115", 150),
        ("scaling", 825),
    ] {
        let (said, dry) = place.ends(&["--plan", plan, "--dry-run"], 0);
        assert_eq!(dry.lines().count(), runs, "{plan}: {said}");
        assert!(said.contains("about"), "{said}");
    }
    assert_eq!(fs::read_dir(place.path()).expect("the folder").count(), 2);
}

#[test]
fn the_account_goes_to_stdout_where_it_is_asked_for() {
    let place = Place::new();
    let (_, json) = place.ends(&[&MOCK[..], &["--format", "json"]].concat(), 0);
    let account: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(account["runs"], 6);
    assert_eq!(account["finished"], 6);
    assert_eq!(account["digest"], plan().digest());
    assert_eq!(account["failures"], serde_json::json!([]));
}
