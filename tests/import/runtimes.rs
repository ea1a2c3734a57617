//! A tree like that of TR115: five runtimes, one of which has a lock around its agents, and two
//! configurations of ten runs each.

use crate::tree::{Imported, Place, Run, is, mean, named, options};
use std::fs;
use std::sync::LazyLock;

/// Four that work, at whatever depth, and one that makes its agents take turns.
const RUNTIMES: [(&str, &str); 5] = [
    ("tokio-default", "tr115/tokio-default/runs"),
    ("tokio-localset", "tr115/deep/er/tokio_localset"),
    ("smol-1kb", "tr115/smol-1kb/x/y/z"),
    ("smol", "smol"),
    ("async-std", "tr115/async-std-runs"),
];

/// The times of a run, s: any numbers will do, if they can be told again elsewhere.
fn times(place: usize) -> [f64; 2] {
    let step = |by: usize, of: usize| ((place * by) % of) as f64;
    [10.0 + step(37, 29) / 7.0, 10.0 + step(53, 31) / 6.0]
}

fn runs() -> Vec<(&'static str, String, Run)> {
    let mut runs = Vec::new();
    for (runtime, folder) in RUNTIMES {
        for run in 0..20 {
            let place = runs.len();
            let mut one = Run::of(run / 2 + 1, times(place));
            if run % 2 == 1 {
                one.options = [options(60, 512, 0.8), options(80, 1024, 0.8)];
                one.scenario = "chimera_hetero";
            }
            if runtime == "async-std" {
                one.wall = one.times[0] + one.times[1];
            }
            runs.push((runtime, format!("{folder}/{}/run_{run}", one.scenario), one));
        }
    }
    runs
}

/// Imported once for all tests.
fn imported() -> &'static Imported {
    static IMPORTED: LazyLock<Imported> = LazyLock::new(import);
    &IMPORTED
}

fn import() -> Imported {
    let place = Place::new();
    for (_, folder, run) in runs() {
        place.put_json(&folder, &run.json());
    }
    let imported = place.import(&[]);
    let table = fs::read_to_string(imported.folder.join("runs.csv")).expect("a table");
    assert_eq!(table.lines().count(), 101);
    imported
}

fn balances(runtime: &str) -> Vec<f64> {
    let all = runs();
    let of_runtime = all.iter().filter(|(name, ..)| *name == runtime);
    of_runtime.map(|(.., run)| run.balance()).collect()
}

#[test]
fn runs_are_summed_up_by_runtime_configuration_and_level() {
    let imported = imported();
    assert!(
        imported.stderr.contains("read 100, skipped 0"),
        "{}",
        imported.stderr
    );
    let runtime = imported.factor("balance", "runtime");
    for (name, _) in RUNTIMES {
        let level = named(&runtime["levels"], "name", name);
        assert_eq!(level["n"], 20);
        is(&level["mean"], mean(&balances(name)));
    }
    let configurations = imported.figure("balance")["configurations"].as_array();
    assert_eq!(configurations.expect("a list").len(), 10);
    let hetero = "smol chimera_hetero collector(num_gpu=60 num_ctx=512 temperature=0.8) \
                  insight(num_gpu=80 num_ctx=1024 temperature=0.8)";
    let hetero = named(
        &imported.figure("balance")["configurations"],
        "name",
        hetero,
    );
    let expected: Vec<f64> = balances("smol").into_iter().skip(1).step_by(2).collect();
    is(&hetero["mean"], mean(&expected));
    // The scenario, and what is set with it, group the runs alike: one row, and not crossed with none.
    let scenario = imported.factor("balance", "scenario");
    let same: Vec<&str> = scenario["same_as"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|factor| factor.as_str())
        .collect();
    assert_eq!(same, ["collector num_gpu", "insight num_ctx"]);
    assert!(runtime["not_crossed_with"].is_null(), "{runtime}");
}

#[test]
fn tests_are_those_of_scipy() {
    let imported = imported();
    let runtime = imported.factor("balance", "runtime");
    // scipy.stats.kruskal and f_oneway of the balances of all five, then of the four that overlap.
    let all = &runtime["test"];
    is(&all["kruskal_wallis"]["h"], KRUSKAL_OF_FIVE.0);
    is(&all["kruskal_wallis"]["p"], KRUSKAL_OF_FIVE.1);
    is(&all["anova"]["f"], ANOVA_OF_FIVE.0);
    is(&all["anova"]["eta_squared"], ANOVA_OF_FIVE.1);
    assert_eq!(all["verdict"], "differ");
    let four = &runtime["overlapping"];
    assert_eq!(four["without"], serde_json::json!(["async-std"]));
    is(&four["test"]["kruskal_wallis"]["h"], KRUSKAL_OF_FOUR.0);
    is(&four["test"]["kruskal_wallis"]["p"], KRUSKAL_OF_FOUR.1);
    let line = imported.line("balance (published efficiency) by runtime: levels differ");
    assert!(
        line.contains("without async-std, whose agents took turns"),
        "{line}"
    );
}

const KRUSKAL_OF_FIVE: (f64, f64) = (49.051938106414404, 5.694940818040024e-10);
const ANOVA_OF_FIVE: (f64, f64) = (615.6817594964633, 0.9628576472042887);
const KRUSKAL_OF_FOUR: (f64, f64) = (1.768416240798924, 0.6218319132541461);

#[test]
fn a_lock_is_told_from_a_runtime() {
    let imported = imported();
    let runtime = imported.factor("balance", "runtime");
    let level = named(&runtime["levels"], "name", "async-std");
    is(&level["mean"], 50.0);
    is(&level["sd"], 0.0);
    let serial = named(&imported.published()["serial"], "runtime", "async-std");
    assert_eq!((&serial["serial"], &serial["of"]), (&20.into(), &20.into()));
    is(&serial["overlap"]["mean"], 0.0);
    let smol = named(&imported.published()["serial"], "runtime", "smol");
    assert_eq!(smol["serial"], 0);
    is(&smol["overlap"]["mean"], 100.0);
    imported.line("In 20 of 20 runs of async-std the two agents took turns");
}

#[test]
fn balance_is_explained_by_the_two_durations_alone() {
    let imported = imported();
    let fits = imported.published()["fits"].as_array().expect("a list");
    let fit = |on: &str, runtime: &str| {
        let mut all = fits.iter().filter(|fit| fit["on"] == on);
        all.find(|fit| fit["runtime"] == runtime).cloned()
    };
    for runtime in ["tokio-default", "tokio-localset", "smol-1kb", "smol"] {
        let own = fit("duration_balance", runtime).expect("a line");
        is(&own["r_squared"], 1.0);
        is(&own["slope"], 0.5);
        is(&own["intercept"], 50.0);
        // The server's time is nine tenths of each agent's, and the formula does not know it.
        is(
            &fit("server_time_balance", runtime).expect("a line")["r_squared"],
            1.0,
        );
    }
    assert!(
        fit("duration_balance", "async-std").is_none(),
        "50 % does not vary"
    );
    assert!(
        fit("token_balance", "smol").is_none(),
        "all got as many tokens"
    );
    for share in imported.published()["server_share"]
        .as_array()
        .expect("a list")
    {
        is(&share["mean"], 90.0);
    }
}
