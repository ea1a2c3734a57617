//! `tare team` as its users meet it: what it writes.

use crate::place::Place;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use tare::published::{TeamRun, TeamSummary};

const HOMO: [&str; 10] = [
    "--servers",
    "2",
    "--gpus",
    "2",
    "--scenario",
    "chimera_homo",
    "--fixed-length",
    "4",
    "--runs",
    "2",
];

fn files(place: &Place) -> BTreeSet<String> {
    let results = place.results().join("published");
    let entries = walkdir::WalkDir::new(&results).into_iter();
    let files = entries
        .map(|entry| entry.expect("readable"))
        .filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(&results).expect("below");
            path.to_str().expect("UTF-8").to_owned()
        })
        .collect()
}

#[test]
fn a_pair_leaves_a_record_per_run_a_summary_a_transcript_and_four_reports() {
    let place = Place::new();
    let left = place.team_command(&[&place.mock()[..], &HOMO].concat());
    assert_eq!(left.code, Some(0), "{}", left.stderr);
    let expected = [
        "collector_report.md",
        "combined_report.md",
        "insight_report.md",
        "runs/run_1/metrics.json",
        "runs/run_2/metrics.json",
        "summary.json",
        "summary.md",
        "transcript.jsonl",
    ];
    assert_eq!(files(&place), expected.map(str::to_owned).into());
    let read =
        |name: &str| fs::read_to_string(place.results().join("published").join(name)).expect(name);

    let summary: TeamSummary = serde_json::from_str(&read("summary.json")).expect("a summary");
    assert_eq!((summary.runs, summary.agents), (2, 2));
    assert_eq!(summary.provenance.seed, Some(1));
    let runs = [1, 2].map(|run| -> TeamRun {
        serde_json::from_str(&read(&format!("runs/run_{run}/metrics.json"))).expect("a record")
    });
    let mean = |figure: fn(&TeamRun) -> f64| runs.iter().map(figure).sum::<f64>() / 2.0;
    let makespan = mean(|run| run.tare.as_ref().expect("ours").makespan_s);
    let stated = summary.true_figure("makespan_s").expect("a figure").mean;
    assert!((makespan - stated).abs() < 1e-12);
    let published = mean(|run| run.summary.as_ref().expect("theirs").efficiency_percent);
    let stated = summary.published("efficiency_percent").expect("a figure");
    assert!((published - stated.mean).abs() < 1e-9);

    let lines: Vec<Value> = read("transcript.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let calls: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {} {}", line["run"], line["agent"], line["stage"]))
        .collect();
    assert_eq!(calls.len(), 8);
    assert_eq!(calls[3], r#"1 "Insight" "report""#);

    for report in ["combined_report.md", "summary.md"] {
        let text = read(report);
        for words in [
            "published efficiency",
            "true efficiency",
            "one after the other",
        ] {
            assert!(text.contains(words), "{report}: {words}");
        }
    }
    assert!(read("collector_report.md").starts_with("# DataCollector: chimera (num_gpu=80"));
}

#[test]
fn another_team_in_the_same_folder_leaves_nothing_of_the_first() {
    let place = Place::new();
    let first = place.team_command(&[&place.mock()[..], &HOMO].concat());
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let three = ["--agents", "3", "--runs", "1", "--fixed-length", "4"];
    let refused = place.team_command(&[&place.mock()[..], &three].concat());
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("holds experiment team already"),
        "{}",
        refused.stderr
    );
    let second =
        place.team_command(&[&place.mock()[..], &three, &["--no-isolated", "--replace"]].concat());
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    let expected = [
        "combined_report.md",
        "runs/run_1/metrics.json",
        "summary.json",
        "summary.md",
        "transcript.jsonl",
    ];
    assert_eq!(files(&place), expected.map(str::to_owned).into());
    let record =
        fs::read_to_string(place.results().join("published").join(expected[1])).expect("a record");
    let run: TeamRun = serde_json::from_str(&record).expect("a record");
    assert_eq!((run.scenario.as_str(), run.agents.len()), ("equal", 3));
    assert!(run.summary.is_none() && run.collector.is_none());
    let short =
        fs::read_to_string(place.results().join("published/summary.md")).expect("a summary");
    assert!(short.contains("no agent was run alone"), "{short}");
}
