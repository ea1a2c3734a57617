//! Sweeps of our own: the true efficiency beside the published one, one server against two, and
//! what the plan says is missing.

use crate::tree::{Imported, Place, Run, is, named, text};
use serde_json::{Value, json};
use std::fs;

/// Six runs on one server, whose queue the published efficiency does not see, and six on two.
const ONE: [(f64, f64); 6] = [
    (87.1, 50.2),
    (86.4, 49.8),
    (87.9, 50.6),
    (87.3, 50.1),
    (86.8, 49.7),
    (87.5, 50.3),
];
const TWO: [(f64, f64); 6] = [
    (97.8, 95.1),
    (98.9, 96.0),
    (96.2, 94.3),
    (99.4, 95.6),
    (98.1, 95.0),
    (97.0, 94.9),
];

fn truth(configuration: &str, servers: usize, makespan: f64, (balance, real): (f64, f64)) -> Value {
    let waited = servers == 1;
    json!({
        "schema": "tare.team/1",
        "configuration": configuration,
        "stack": "tokio-mt/hyper/spawn",
        "io": "native",
        "threads": 2,
        "servers": servers,
        "fixed_length": 64,
        "makespan_s": makespan,
        "isolated_total_s": 2.0 * makespan * real / 100.0,
        "speedup": 2.0 * real / 100.0,
        "efficiency_percent": real,
        "balance_percent": balance,
        "tokens_per_s": 25.6,
        "queueing_s": if waited { 4.0 } else { 0.0 },
        "reload_s": 0.0,
        "fairness": 1.0,
        "tare_per_agent_ms": 6.0,
        "contention": {"speedup_below_1_5": false, "ttft_3s_over_baseline": waited, "waited": waited},
        "mock_late": false,
    })
}

fn sweep(place: &Place, drop: usize) {
    let sides = [("one-server", 1, ONE), ("two-servers", 2, TWO)];
    for (configuration, servers, runs) in sides {
        for (number, both) in (1..).zip(runs).take(6 - drop) {
            // (10 + t) / 20 is the balance.
            let mut run = Run::of(number, [10.0, 0.2 * both.0 - 10.0]);
            if servers == 1 {
                run.servers = [run.servers[0]; 2];
            }
            let mut json = run.json();
            json["tare"] = truth(configuration, servers, 10.0, both);
            place.put_json(&format!("runs/{configuration}/run_{number}"), &json);
        }
    }
    let configurations =
        sides.map(|(name, ..)| json!({"name": name, "repetitions": 6, "more": []}));
    let plan = json!({"schema": "tare.sweep/1", "plan": {"name": "servers", "configurations": configurations}});
    place.put("sweep.json", plan.to_string());
}

fn reported(place: &Place) -> Imported {
    let output = place.tare(&["report", "sweep", "tree"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let reported = Imported::at(&place.tree().join("report"), said);
    assert_eq!(text(&output.stdout), reported.report);
    reported
}

#[test]
fn one_server_is_held_against_two_by_both_measures() {
    let place = Place::new();
    sweep(&place, 0);
    let reported = reported(&place);
    let servers = reported.factor("efficiency", "servers");
    let two = &servers["two"];
    assert_eq!((&two["from"], &two["to"]), (&"1".into(), &"2".into()));
    // scipy.stats.ttest_ind(TWO, ONE, equal_var=False) of the true and of the published efficiency.
    is(&two["welch"]["t"], WELCH_TRUE.0);
    is(&two["welch"]["p"], WELCH_TRUE.1);
    assert_eq!(two["verdict"], "differ");
    let balance = &reported.factor("balance", "servers")["two"];
    is(&balance["welch"]["t"], WELCH_PUBLISHED.0);
    is(&balance["difference"]["low"], WELCH_PUBLISHED.1);
    let rows = &reported.published()["beside_true"];
    let one = named(rows, "configuration", "one-server");
    let mean = |values: [f64; 6]| values.iter().sum::<f64>() / 6.0;
    is(&one["published"]["mean"], mean(ONE.map(|both| both.0)));
    is(&one["true"]["mean"], mean(ONE.map(|both| both.1)));
    is(
        &one["excess"]["estimate"],
        mean(ONE.map(|both| both.0 - both.1)),
    );
    // The code's rule sees nothing, the text's and ours see the queue.
    let contention = reported.published()["contention"]
        .as_array()
        .expect("a list");
    let of_one = contention.iter().filter(|rule| rule["servers"] == "1");
    let found: Vec<(&Value, &Value)> = of_one.map(|rule| (&rule["rule"], &rule["found"])).collect();
    let expected = [
        json!("speedup_below1_5"),
        json!("ttft3s_over_baseline"),
        json!("waited"),
    ];
    assert_eq!(
        found
            .iter()
            .map(|(rule, _)| (*rule).clone())
            .collect::<Vec<_>>(),
        expected
    );
    assert_eq!(
        found
            .iter()
            .map(|(_, found)| found.as_u64())
            .collect::<Vec<_>>(),
        [Some(0), Some(6), Some(6)]
    );
    reported.line("true efficiency, servers 2 less 1: 45.");
    reported.line("True efficiency is 72.");
}

const WELCH_TRUE: (f64, f64) = (163.23378961781387, 3.509188420681447e-15);
const WELCH_PUBLISHED: (f64, f64) = (20.292147422622467, 9.479450804863603);

#[test]
fn a_sweep_that_is_not_complete_says_so() {
    let place = Place::new();
    sweep(&place, 0);
    let whole = reported(&place);
    assert_eq!(whole.analysis["source"]["plan"]["there"], 12);
    assert!(!whole.report.contains("not complete"), "{}", whole.report);

    let place = Place::new();
    sweep(&place, 2);
    place.put_json("runs/stranger/run_1", &Run::of(1, [3.0, 4.0]).json());
    let reported = reported(&place);
    let line = reported.line("the sweep is not complete");
    assert!(
        line.contains(
            "8 of 12 runs of the plan `servers` are there (4 runs of 6 in one-server, and 1 more)"
        ),
        "{line}"
    );
    assert!(
        line.contains("1 run in the folder is of no configuration of the plan"),
        "{line}"
    );
    // What the report wrote is not read as a result the next time.
    let again = super::servers::reported(&place);
    assert_eq!(again.analysis["runs"], reported.analysis["runs"]);
    assert_eq!(again.analysis["families"], reported.analysis["families"]);

    assert!(
        line.contains("`tare sweep --resume` does the rest"),
        "{line}"
    );
    let file = place.tree().join("sweep.json");
    let mut part: Value =
        serde_json::from_str(&fs::read_to_string(file).expect("a plan")).expect("JSON");
    part["part"] = json!("1/2");
    place.put("sweep.json", part.to_string());
    let of_part = super::servers::reported(&place);
    let line = of_part.line("the sweep is not complete");
    assert!(line.contains("this folder is for a part of it"), "{line}");

    place.put("sweep.json", "{\"plan\": 3}");
    let reported = super::servers::reported(&place);
    reported.line("whether all runs are there is not known: sweep.json cannot be used");
}

#[test]
fn import_reads_our_own_runs_as_well_and_says_the_same() {
    let place = Place::new();
    sweep(&place, 0);
    let reported = reported(&place);
    fs::remove_dir_all(place.tree().join("report")).expect("the report");
    let imported = place.import(&[]);
    assert_eq!(imported.analysis["families"], reported.analysis["families"]);
}
