//! What is measured, kept and read back.

use crate::support::place::{Place, TARE, runs};
use crate::{FOLDER, SMALL};
use serde_json::Value;
use std::fs;
use std::thread::available_parallelism;
use tare::experiment::{Cadence, METRICS, Record, Role, Server, Stored};
use tare::protocol::Software;
use tare::run::{MockServer, Program};

const TWO: [&str; 2] = ["--stacks", "tokio-mt/hyper,smol/hyper"];

fn compares(place: &Place, arguments: &[&str]) -> (String, Stored) {
    let runs = match arguments.contains(&"--runs") {
        true => &SMALL[..7],
        false => &SMALL[..],
    };
    let stdout = place.does(&[runs, arguments].concat());
    (stdout, place.stored(FOLDER))
}

#[test]
fn every_arm_is_a_process_per_block_and_a_line_per_process() {
    let place = Place::new();
    let (_, stored) = compares(&place, &[&TWO[..], &["--runs", "3"]].concat());
    let [workload] = &stored.manifest.experiment.workloads[..] else {
        panic!("one workload")
    };
    let names: Vec<&str> = workload.arms.iter().map(|arm| arm.name.as_str()).collect();
    let expected = [
        "threads/raw",
        "tokio-mt/hyper",
        "tokio-mt/hyper (A/A)",
        "smol/hyper",
    ];
    assert_eq!(names, expected);
    let timed: Vec<&Record> = stored.records.iter().filter(|it| !it.profiled).collect();
    let positions: Vec<usize> = timed.iter().map(|record| record.position).collect();
    assert_eq!(positions, (0..12).collect::<Vec<_>>());
    for (block, of) in timed.chunks(4).enumerate() {
        let mut arms: Vec<&str> = of.iter().map(|record| record.arm.as_str()).collect();
        arms.sort_unstable();
        let mut all = expected;
        all.sort_unstable();
        assert_eq!(arms, all);
        assert!(of.iter().all(|record| record.block == block));
    }
    for name in expected {
        for run in runs(&stored, name) {
            assert_eq!((run.iterations, run.tokens), (4, 4 * 8));
            for metric in ["gross", "net", "tare", "delivery", "cpu", "memory"] {
                assert!(run.value(metric).is_some_and(|it| it > 0.0), "{metric}");
            }
            assert_eq!(run.delivery_histogram_ns.count(), 32);
            assert_eq!(run.itl_histogram_ns.count(), 32 - 4);
        }
    }
    // Each also under the profiler, where only what that counts is known.
    let profiled = stored.records.iter().filter(|it| it.profiled);
    let values = profiled.map(|it| it.run().expect("it ran").values.keys().cloned().collect());
    let values: Vec<Vec<String>> = values.collect();
    assert_eq!(values.len(), 12);
    let counted = |id: &String| id == "decoding" || id == "system-calls";
    assert!(
        values
            .iter()
            .all(|ids| !ids.is_empty() && ids.iter().all(counted))
    );
    let command_line = stored.manifest.sittings[0]
        .provenance
        .occasion
        .command_line
        .join(" ");
    assert!(
        command_line.contains("compare --workload stream"),
        "{command_line}"
    );
}

#[test]
fn the_report_is_printed_again_from_what_is_stored() {
    let place = Place::new();
    let (printed, _) = compares(&place, &TWO);
    assert_eq!(place.does(&["report", FOLDER]), printed);
    assert_eq!(place.read(&format!("{FOLDER}/report.md")), {
        place.does(&["report", FOLDER, "--format", "markdown"])
    });
    assert!(
        printed.lines().all(|line| line.chars().count() <= 100),
        "{printed}"
    );
    let csv = place.does(&["report", FOLDER, "--format", "csv"]);
    assert!(
        csv.lines()
            .next()
            .is_some_and(|head| head.contains("delivery-p99")),
        "{csv}"
    );
    let json: Value =
        serde_json::from_str(&place.does(&["report", FOLDER, "--format", "json"])).expect("JSON");
    assert!(json["manifest"]["experiment"].is_object(), "{json}");
}

#[test]
fn all_done_is_done_and_what_is_finished_makes_room_only_where_nobody_named_the_folder() {
    let place = Place::new();
    let one = ["--stacks", "tokio-mt/hyper", "--order-seed"];
    for seed in ["5", "6"] {
        let (_, stored) = compares(&place, &[&one[..], &[seed]].concat());
        assert_eq!(stored.manifest.experiment.order_seed.to_string(), seed);
    }
    let named = [&SMALL[..], &one, &["5", "--out", "mine"]].concat();
    place.does(&named);
    let told = ["mine holds experiment compare already", "--resume"];
    place.refuses(2, &named, &told);
    let before = place.read("mine/runs.jsonl");
    place.does(&[&named[..], &["--resume"]].concat());
    assert_eq!(
        place.read("mine/runs.jsonl"),
        before,
        "there was nothing left to do"
    );
    place.does(&[&named[..], &["--replace"]].concat());
    assert_ne!(place.read("mine/runs.jsonl"), before);
}

#[test]
fn a_part_has_every_second_block_and_parts_are_joined() {
    let place = Place::new();
    let flags = [
        "--stacks",
        "tokio-mt/hyper",
        "--order-seed",
        "7",
        "--runs",
        "4",
    ];
    for part in ["1/2", "2/2"] {
        let folder = part.replace('/', "-of-");
        let with = ["--partition", part, "--out", &folder];
        place.does(&[&SMALL[..7], &flags, &with].concat());
        let stored = place.stored(&folder);
        let first = usize::from(part == "2/2");
        assert!(
            stored.records.iter().all(|it| it.block % 2 == first),
            "{part}"
        );
    }
    place.does(&["merge", "1-of-2", "2-of-2", "--out", "whole"]);
    let whole = place.stored("whole");
    let timed = whole.records.iter().filter(|it| !it.profiled).count();
    assert_eq!((timed, whole.manifest.part), (3 * 4, None));
    assert_eq!(
        whole.finished().len(),
        whole.manifest.experiment.order(None).len()
    );
    assert!(place.does(&["report", "whole"]).contains("tokio-mt/hyper"));
}

#[test]
fn a_servers_own_statement_is_net_where_there_is_one() {
    let server = MockServer::start(&Program::at(TARE), "paced-1ms", None).expect("a mock");
    let place = Place::new();
    let there = [&TWO[..], &["--base-url", server.base_url()]].concat();
    let (report, stored) = compares(&place, &there);
    let asked = stored.manifest.experiment.servers.values().next();
    assert!(
        matches!(asked, Some(Server::Real { base_url }) if base_url == server.base_url()),
        "{asked:?}"
    );
    let described = stored.manifest.sittings[0].servers.values().next();
    assert_eq!(described.expect("it answered").software, Software::Ollama);
    for run in runs(&stored, "smol/hyper") {
        assert!(run.value("net").is_some_and(|net| net > 0.0));
        assert_eq!(run.value("delivery"), None, "nobody tells when it wrote");
    }
    assert!(!report.contains("delivery"), "{report}");

    // What speaks OpenAI's API states no time: there is no net, and nothing is made of it.
    let (report, stored) = compares(&place, &[&there[..], &["--api", "openai"]].concat());
    assert!(
        runs(&stored, "smol/hyper")
            .iter()
            .all(|run| run.value("net").is_none())
    );
    assert!(!report.contains("tare ms"), "{report}");
}

#[test]
fn a_proxy_tells_delivery_for_a_server_that_does_not() {
    let server = MockServer::start(&Program::at(TARE), "paced-1ms", None).expect("a mock");
    let place = Place::new();
    let there = ["--base-url", server.base_url(), "--proxy"];
    let (_, stored) = compares(&place, &[&TWO[..], &there].concat());
    assert!(stored.manifest.experiment.proxied);
    for run in runs(&stored, "smol/hyper") {
        assert_eq!(run.delivery_histogram_ns.count(), run.tokens);
        assert!(run.value("net").is_some());
    }
    // With a mock behind it every token is checked, and net is the mock's truth.
    let (_, stored) = compares(&place, &[&TWO[..], &["--proxy", "--pin"]].concat());
    assert!(stored.manifest.experiment.proxied);
    assert!(
        runs(&stored, "smol/hyper")
            .iter()
            .all(|run| run.value("net").is_some())
    );
}

#[test]
fn a_mock_is_asked_by_openais_api_too() {
    let (_, stored) = compares(&Place::new(), &[&TWO[..], &["--api", "openai"]].concat());
    for run in runs(&stored, "threads/raw") {
        assert!(run.value("net").is_some() && run.value("delivery").is_some());
    }
}

#[test]
fn an_answer_in_one_piece_has_no_delivery_and_a_burst_no_tare() {
    for (cadence, named) in [("whole", Cadence::Whole), ("burst", Cadence::Burst)] {
        let (report, stored) =
            compares(&Place::new(), &[&TWO[..], &["--cadence", cadence]].concat());
        assert_eq!(stored.manifest.experiment.workloads[0].cadence, named);
        let delivered = runs(&stored, "smol/hyper")
            .iter()
            .all(|run| run.value("delivery").is_some());
        assert_eq!(delivered, named == Cadence::Burst);
        assert!(!report.contains("tare ms"), "{report}");
    }
}

#[test]
fn pinned_processes_leave_the_last_processor_to_the_mock() {
    let processors = available_parallelism().expect("a count").get();
    if processors < 2 || !cfg!(target_os = "linux") {
        return;
    }
    let (_, stored) = compares(&Place::new(), &[&TWO[..], &["--pin"]].concat());
    let experiment = stored.manifest.experiment;
    assert_eq!(experiment.mock_processor, Some(processors - 1));
    let kept: Vec<usize> = (0..processors - 1).collect();
    assert!(
        experiment
            .arms()
            .all(|(_, arm)| arm.spec.processors == kept)
    );
}

#[test]
fn a_time_limit_ends_it_after_two_blocks_at_the_earliest() {
    let place = Place::new();
    let flags = ["--runs", "1000", "--time-limit", "10ms"];
    let (_, stored) = compares(&place, &[&TWO[..], &flags].concat());
    let blocks = stored
        .records
        .iter()
        .filter(|it| !it.profiled)
        .map(|it| it.block);
    assert_eq!(blocks.max(), Some(1));
}

#[test]
fn metrics_are_listed_and_chosen() {
    let place = Place::new();
    let listed = place.does(&["compare", "--list-metrics"]);
    assert_eq!(listed.lines().count(), METRICS.len());
    assert!(METRICS.iter().all(|metric| listed.contains(metric.meaning)));
    let (report, stored) = compares(&place, &[&TWO[..], &["--metric", "memory,cpu"]].concat());
    assert_eq!(stored.manifest.experiment.metrics, ["cpu", "memory"]);
    assert!(
        report.contains("peak memory") && !report.contains("gross"),
        "{report}"
    );
    let unknown = [&SMALL[..], &["--metric", "speed"]].concat();
    place.refuses(2, &unknown, &["no metric `speed`", "delivery-p99"]);
}

#[test]
fn a_team_of_one_beside_larger_ones_shares_its_stack_with_nobody() {
    let flags = [
        "compare",
        "--workload",
        "team",
        "--agents",
        "1,2",
        "--tokens",
        "4",
        "--stacks",
        "smol/hyper/*",
        "--base",
        "tokio-mt/hyper/spawn",
        "--runs",
        "2",
    ];
    let place = Place::new();
    place.does(&flags);
    let experiment = place.stored(FOLDER).manifest.experiment;
    let names = |workload: usize| -> Vec<String> {
        let arms = experiment.workloads[workload].arms.iter();
        let compared = arms.filter(|arm| arm.role != Role::BaseAgain);
        compared.map(|arm| arm.name.clone()).collect()
    };
    assert_eq!(names(0), ["threads/raw", "tokio-mt/hyper", "smol/hyper"]);
    assert_eq!(
        names(1),
        [
            "threads/raw/spawn",
            "tokio-mt/hyper/spawn",
            "smol/hyper/join",
            "smol/hyper/spawn"
        ]
    );
}

#[test]
fn progress_goes_to_stderr_and_results_where_it_says() {
    let place = Place::new();
    let ended = place
        .start(&[&SMALL[..], &["--stacks", "smol/hyper"]].concat())
        .end();
    for told in [
        "compare: 4 arms, at most 2 blocks",
        "\nblock 2 of 2",
        FOLDER,
    ] {
        assert!(ended.said.contains(told), "{}", ended.said);
    }
    let mut files: Vec<String> = fs::read_dir(place.path().join(FOLDER))
        .expect("results")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    files.sort_unstable();
    assert_eq!(
        files,
        ["experiment.json", "lock", "report.md", "runs.jsonl"]
    );
}
