//! Where results come from and go to, and what is refused.

use crate::tree::{Place, Run, is, text};
use serde_json::{Value, json};
use std::fs;

fn run(number: usize) -> Value {
    Run::of(number, [10.0 + 0.01 * number as f64, 11.0]).json()
}

#[test]
fn what_cannot_be_analysed_is_refused_in_one_line() {
    let place = Place::new();
    place.put("notes/readme.txt", "nothing");
    place.refuses(
        1,
        &["import", "nowhere"],
        &["cannot read nowhere", "name a folder"],
    );
    place.refuses(1, &["import", "tree"], &["no metrics.json in tree"]);
    place.refuses(1, &["report", "sweep", "nowhere"], &["cannot read nowhere"]);
    place.refuses(
        1,
        &["report", "sweep", "tree/notes/readme.txt"],
        &["is no folder; single files are for `tare import`"],
    );
    place.put("a/metrics.json", "{}");
    place.put("b/metrics.json", "");
    let said = place.refuses(1, &["import", "tree"], &["nothing to analyse in tree"]);
    assert!(
        said.contains("skipped a/metrics.json: not a result"),
        "{said}"
    );
    assert!(said.contains("skipped b/metrics.json: empty"), "{said}");
    place.put_json("c", &run(1));
    place.refuses(
        1,
        &["import", "tree", "--metric", "efficiency"],
        &["no run there states true efficiency"],
    );
    place.refuses(
        1,
        &["import", "tree", "--out", "tree/notes/readme.txt/x"],
        &[
            "cannot write results to",
            "is no folder; name another with --out",
        ],
    );
    for wrong in [
        &["import"][..],
        &["report", "sweep"],
        &["import", "tree", "--metric", "luck"],
    ] {
        let output = place.tare(wrong);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{wrong:?}: {}",
            text(&output.stderr)
        );
    }
}

#[test]
fn files_can_be_named_one_by_one_and_in_any_order() {
    let place = Place::new();
    for number in 1..=4 {
        place.put(&format!("run{number}.json"), run(number).to_string());
    }
    let files = [1, 2, 3, 4].map(|number| format!("tree/run{number}.json"));
    let [a, b, c, d] = files.each_ref().map(String::as_str);
    let analysed = |files: &[&str]| -> Value {
        let arguments = [&["import"][..], files, &["--format", "json"]].concat();
        let output = place.tare(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let written = fs::read(place.path().join("tare-results/import/analysis.json"));
        assert_eq!(written.expect("the analysis"), output.stdout);
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let (forth, back) = (analysed(&[a, b, c, d]), analysed(&[d, b, a, c]));
    assert_eq!(forth["runs"].as_array().expect("a list").len(), 4);
    assert_eq!(forth["runs"], back["runs"]);
    assert_eq!(forth["families"], back["families"]);
    let twice = analysed(&[a, a]);
    assert_eq!(twice["runs"].as_array().expect("a list").len(), 1);
}

#[test]
fn thousands_of_files_are_read() {
    let place = Place::new();
    for number in 0..1_500 {
        place.put_json(&format!("smol/{}/{number}", number % 7), &run(number));
    }
    let imported = place.import(&["--metric", "gross"]);
    assert_eq!(imported.figure("gross")["all"]["n"], 1_500);
    let times = (0..1_500).map(|number| 0.5 * (10.0 + 0.01 * f64::from(number) + 11.0));
    is(
        &imported.figure("gross")["all"]["mean"],
        1e3 * times.sum::<f64>() / 1_500.0,
    );
}

#[test]
fn what_tare_agent_writes_is_read() {
    let place = Place::new();
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/corpus/operations");
    let folder = place.tree().join("one").display().to_string();
    let agent = [
        "agent", "--mock", "instant", "--runs", "3", "--corpus", corpus, "--out", &folder,
    ];
    let output = place.tare(&agent);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let written = fs::read_to_string(place.tree().join("one/data/metrics.json")).expect("metrics");
    let written: Value = serde_json::from_str(&written).expect("JSON");
    let imported = place.import(&[]);
    assert_eq!(imported.analysis["source"]["kinds"], json!({"side": 2}));
    for side in ["baseline", "chimera"] {
        let runs = imported.analysis["runs"].as_array().expect("a list");
        let own = runs
            .iter()
            .find(|run| run["factors"]["scenario"] == side)
            .expect(side);
        let of_runs = written[side]["agent_runs"].as_array().expect("a list");
        let gross = of_runs.iter().filter_map(|run| run["gross_ms"].as_f64());
        is(&own["figures"]["gross"], gross.sum::<f64>() / 3.0);
        let ttft = &written[side]["aggregate_metrics"]["average_ttft_ms"];
        is(&own["figures"]["ttft"], ttft.as_f64().expect("a time"));
        assert_eq!(own["factors"]["runtime"], "tokio-mt");
        assert_eq!(own["is_default"], side == "baseline");
    }
}
