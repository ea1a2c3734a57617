//! Sweeps of our own: the true efficiency beside the published one, one server against two, and
//! what the plan says is missing.

use crate::tree::{Imported, Place, Run, is, named};
use serde_json::{Value, json};

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
}

fn reported(place: &Place) -> Imported {
    place.import(&[])
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
