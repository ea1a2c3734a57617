//! Claim C10: 13 of 18 configurations are above the default, and one of them is the best.

use crate::tree::{Imported, Place, Run, call, is, mean, named, options, result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

/// Differences of 18 configurations to the default, %: 13 above it, 0.138 on average.
const PERCENT: [f64; 18] = [
    0.9, 0.7, 0.6, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05, -0.2, -0.416, -0.5, -0.6,
    -0.75,
];
/// The default's throughput, tokens/s.
const DEFAULT: f64 = 100.0;

/// The 18 configurations of TR111 and its default, each one result of three calls.
fn imported() -> &'static Imported {
    static IMPORTED: LazyLock<Imported> = LazyLock::new(import);
    &IMPORTED
}

fn import() -> Imported {
    let place = Place::new();
    let around = |middle: f64| [-1.0, 0.0, 1.0].map(|off| call(300, middle + off, 600.0, 4000.0));
    let put = |name: String, own: &Value, agent: &str, middle: f64| {
        place.put_json(&name, &result(own, agent, &around(middle)));
    };
    put("default".to_owned(), &Value::Null, "baseline", DEFAULT);
    let mut percents = PERCENT.iter();
    for num_gpu in [60, 80, 120] {
        for num_ctx in [256, 512, 1024] {
            for temperature in [0.6, 0.8] {
                let percent = percents.next().expect("eighteen");
                let name = format!("gpu{num_gpu}/ctx{num_ctx}_temp{temperature}/data");
                let own = options(num_gpu, num_ctx, temperature);
                put(name, &own, "chimera", DEFAULT * (1.0 + percent / 100.0));
            }
        }
    }
    place.import(&[])
}

#[test]
fn thirteen_of_eighteen_is_held_against_chance() {
    let imported = imported();
    let against = &imported.figure("throughput")["against_default"];
    let success = &against["configurations"];
    assert_eq!(
        (&success["better"], &success["of"]),
        (&13.into(), &18.into())
    );
    // scipy.stats.binomtest(13, 18): p = 0.096, exact interval 46.5 to 90.3 %.
    is(&success["p"], 0.09625244140625);
    is(&success["interval"][0], 0.465198034416938);
    is(&success["interval"][1], 0.9030507874744693);
    is(&against["mean_percent"]["estimate"], mean(&PERCENT));
    // scipy.stats.ttest_1samp of the differences against 0.
    is(&against["t_test"]["t"], T_TEST.0);
    is(&against["t_test"]["p"], T_TEST.1);
    let line = imported.line("13 of 18 configurations are better than the default");
    assert!(
        line.contains("72.2 % [46.5, 90.3]; chance gives 1/2, p = 0.096"),
        "{line}"
    );
    let line = imported.line("the mean difference of 18 configurations");
    assert!(line.contains("the interval includes 0"), "{line}");
    // By level: 12 configurations have num_gpu 60 or 80, 11 of them above.
    let levels = against["by_level"].as_array().expect("a list");
    let gpu = levels.iter().filter(|level| level["factor"] == "num_gpu");
    let gpu: Vec<(&str, u64)> = gpu
        .map(|level| {
            (
                level["level"].as_str().expect("a level"),
                level["better"].as_u64().expect("a count"),
            )
        })
        .collect();
    assert_eq!(gpu, [("60", 6), ("80", 6), ("120", 1)]);
}

const T_TEST: (f64, f64) = (1.2609189422785132, 0.22436894151174008);

#[test]
fn the_best_of_eighteen_is_what_chance_gives() {
    let imported = imported();
    let best = &imported.figure("throughput")["best"];
    assert_eq!(best["among"], 19);
    assert_eq!(
        best["of_calls"], true,
        "one process each, so that calls must do"
    );
    assert_eq!(best["verdict"], "undecided");
    let chance = &best["chance"];
    // Means of three values with an sd of about 0.9 vary by 0.5; the best of 19 lies 1.8 times that
    // above the average.
    let overall = chance["overall"].as_f64().expect("a mean");
    let expected = chance["expected_by_chance"].as_f64().expect("a mean");
    assert!((0.7..1.2).contains(&(expected - overall)), "{chance}");
    assert!(chance["p"].as_f64().expect("a p") > 0.2, "{chance}");
    let line = imported.line("the best of 19 configurations is");
    assert!(
        line.contains("**Best of 19 is what chance gives:**"),
        "{line}"
    );
    // Exchanging the default as well, 13 of 18 are nothing rare.
    let exchanged = &imported.figure("throughput")["against_default"]["exchanged"];
    assert!(exchanged["p"].as_f64().expect("a p") > 0.2, "{exchanged}");
}

#[test]
fn words_go_no_further_than_verdicts() {
    let report = &imported().report;
    for word in [
        "significant",
        "improve",
        "stable",
        "no difference",
        "proves",
    ] {
        assert!(!report.contains(word), "{word}: {report}");
    }
}

/// The 30 rows of TR114 as 150 runs whose efficiencies lie evenly around the published mean.
#[test]
fn the_published_configurations_come_out_as_published() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/reference/tr114_configs.csv"
    );
    let place = Place::new();
    let mut expected: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let table = fs::read_to_string(file).expect("the reference");
    for (row, line) in table.lines().skip(1).enumerate() {
        let stacks: Vec<&str> = line.split(',').collect();
        let agent = |gpu: &str, ctx: &str| match gpu {
            "" => Value::Null,
            _ => options(
                gpu.parse().expect("layers"),
                ctx.parse().expect("tokens"),
                stacks[6].parse().expect("a temperature"),
            ),
        };
        let speedup: f64 = stacks[7].parse().expect("a speed-up");
        for number in 1..=5 {
            let own = speedup + 0.02 * (number as f64 - 3.0);
            // Told apart by their lengths, so that no file is another's copy.
            let wall = 10.0 + 0.01 * (row * 5 + number) as f64;
            let mut run = Run::of(number, [wall, (own - 1.0) * wall]);
            run.options = [agent(stacks[2], stacks[3]), agent(stacks[4], stacks[5])];
            run.scenario = match stacks[1] {
                "baseline_vs_chimera" => "baseline_vs_chimera",
                "chimera_hetero" => "chimera_hetero",
                _ => "chimera_homo",
            };
            expected
                .entry(stacks[1..7].join(","))
                .or_default()
                .push(50.0 * own);
            place.put_json(
                &format!("phase{}/{row}/run_{number}", stacks[0]),
                &run.json(),
            );
        }
    }
    let imported = place.import(&[]);
    let balance = imported.figure("balance");
    let configurations = balance["configurations"].as_array().expect("a list");
    // Six rows repeat the settings of another phase.
    assert_eq!(configurations.len(), expected.len());
    for (settings, values) in [
        (
            "baseline_vs_chimera collector(default) insight(num_gpu=60 num_ctx=512 temperature=0.8)",
            &expected["baseline_vs_chimera,,,60,512,0.8"],
        ),
        (
            "chimera_homo num_gpu=80 num_ctx=2048 temperature=1",
            &expected["chimera_homo,80,2048,80,2048,1.0"],
        ),
        (
            "chimera_hetero collector(num_gpu=60 num_ctx=1024 temperature=0.8) insight(num_gpu=80 num_ctx=2048 temperature=0.8)",
            &expected["chimera_hetero,60,1024,80,2048,0.8"],
        ),
    ] {
        let own = named(&balance["configurations"], "name", settings);
        assert_eq!(own["n"], values.len());
        is(&own["mean"], mean(values));
    }
    let all: Vec<f64> = expected.values().flatten().copied().collect();
    assert_eq!((all.len(), balance["all"]["n"].as_u64()), (150, Some(150)));
    is(&balance["all"]["mean"], mean(&all));
    // The mean over configurations is 89.1 %, as fixtures/README.md has it.
    assert!((mean(&all) - 89.1).abs() < 0.05, "{}", mean(&all));
    for run in imported.analysis["runs"].as_array().expect("a list") {
        assert_eq!(run["factors"]["servers"], "2");
    }
    let fit = named(&imported.published()["fits"], "on", "duration_balance");
    assert!(
        fit["r_squared"].as_f64().expect("a share") > 0.9994,
        "{fit}"
    );
}
