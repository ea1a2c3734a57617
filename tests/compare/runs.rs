//! What is measured, written and read back.

use crate::place::{CORPUS, Place, SMALL, TARE, text};
use serde_json::Value;
use std::fs;
use std::thread::available_parallelism;
use tare::protocol::{Api, Software};
use tare::run::{MockServer, Program};
use tare::weighing::{Role, SCHEMA, Served, Workload};

const TWO: [&str; 2] = ["--stacks", "tokio-mt/hyper,smol/hyper"];

#[test]
fn a_comparison_is_written_and_reads_back_the_same() {
    let place = Place::new();
    let flags = [
        "--workload",
        "stream",
        "--invocations",
        "3",
        "--tokens",
        "16",
    ];
    let compared = place.compares(&[&flags[..], &TWO].concat());
    compared.is_whole();
    assert_eq!(compared.stdout, compared.report);
    let record = compared.record();
    assert_eq!(record.schema, SCHEMA);
    let [part] = &record.parts[..] else {
        panic!("one workload is one part")
    };
    assert_eq!((part.workload, part.tokens), (Workload::Stream, 16));
    let names: Vec<String> = part
        .weighed
        .iter()
        .map(|one| one.subject.to_string())
        .collect();
    let expected = [
        "threads/raw",
        "tokio-mt/hyper",
        "tokio-mt/hyper (again)",
        "smol/hyper",
    ];
    assert_eq!(names, expected);
    let mut positions = Vec::new();
    for one in &part.weighed {
        let blocks: Vec<usize> = one.invocations.iter().map(|it| it.block).collect();
        assert_eq!(blocks, [0, 1, 2]);
        positions.extend(one.invocations.iter().map(|it| it.position));
        for invocation in &one.invocations {
            assert_eq!(invocation.tokens, part.iterations * 16);
            assert!(invocation.tare_ns().expect("the mock tells net") > 0.0);
            assert!(invocation.delivery_ns.expect("and when it wrote") > 0.0);
        }
        let tokens = 3 * part.iterations * 16;
        assert_eq!(one.delivery_histogram_ns.count(), tokens);
        assert_eq!(one.itl_histogram_ns.count(), tokens - 3 * part.iterations);
    }
    positions.sort_unstable();
    assert_eq!(positions, (0..12).collect::<Vec<_>>());
    let command_line = record.provenance.occasion.command_line.join(" ");
    assert!(
        command_line.contains("compare --workload stream"),
        "{command_line}"
    );
}

#[test]
fn a_result_follows_its_schema() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/result-1.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(file).expect(file)).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let place = Place::new();
    let inject = ["--inject", "delay=2ms/chunk"];
    let compared = place.compares(&[&SMALL[..], &TWO, &inject].concat());
    let result: Value = serde_json::from_str(&compared.json).expect("JSON");
    let wrong: Vec<String> = schema
        .iter_errors(&result)
        .map(|it| format!("{it} at {}", it.instance_path()))
        .collect();
    assert_eq!(wrong, [""; 0]);
    // And it is not one that lets everything pass.
    let mut broken = result.clone();
    broken["parts"][0]["weighed"][0]["invocations"]["gross_ns"][0] = "long".into();
    assert!(!schema.is_valid(&broken));
    let mut other = result;
    other["schema"] = "tare.result/2".into();
    assert!(!schema.is_valid(&other));
}

#[test]
fn json_on_stdout_is_the_result() {
    let place = Place::new();
    let json = [&SMALL[..], &["--stacks", "smol/hyper", "--format", "json"]].concat();
    let compared = place.compares(&json);
    assert_eq!(compared.stdout, compared.json);
    compared.is_whole();
}

#[test]
fn a_second_comparison_replaces_the_first() {
    let place = Place::new();
    let flags = [&SMALL[..], &["--stacks", "tokio-mt/hyper", "--seed"]].concat();
    for seed in ["5", "6"] {
        let compared = place.compares(&[&flags[..], &[seed]].concat());
        assert_eq!(compared.record().setup.order_seed.to_string(), seed);
        compared.line(&format!("(seed {seed})"));
    }
    let files = fs::read_dir(place.results()).expect("results").count();
    assert_eq!(files, 2);
}

#[test]
fn a_servers_own_statement_is_net_where_there_is_one() {
    let server = MockServer::start(&Program::at(TARE), "paced-1ms", None).expect("a mock");
    let place = Place::new();
    let flags = [&SMALL[..], &TWO, &["--base-url", server.base_url()]].concat();
    let compared = place.compares(&flags);
    compared.is_whole();
    let record = compared.record();
    let part = &record.parts[0];
    let Served::There {
        base_url,
        described,
    } = &part.server
    else {
        panic!("a server that was there: {:?}", part.server)
    };
    assert_eq!(
        (base_url.as_str(), described.software),
        (server.base_url(), Software::Ollama)
    );
    for invocation in part.weighed.iter().flat_map(|one| &one.invocations) {
        assert!(invocation.net_ns.is_some_and(|net| net > 0.0));
        assert_eq!(invocation.delivery_ns, None, "nobody tells when it wrote");
    }
    let said = compared.line("The server: ");
    assert!(
        said.starts_with("The server: Ollama, version 0.17.4, model ") && said.contains("(Q4_K_M)")
    );
    assert!(compared.line("| gross ms |").contains("| net ms |"));
    assert!(
        !compared.report.contains("delivery µs"),
        "{}",
        compared.report
    );
    compared.line(&format!("against Ollama at {}", server.base_url()));

    // What speaks OpenAI's API states no time: there is no net, and nothing is made of it.
    let openai = place.compares(&[&flags[..], &["--api", "openai"]].concat());
    openai.is_whole();
    let record = openai.record();
    let mut all = record.parts[0]
        .weighed
        .iter()
        .flat_map(|one| &one.invocations);
    assert!(all.all(|invocation| invocation.net_ns.is_none()));
    assert!(!openai.report.contains("tare ms"), "{}", openai.report);
}

#[test]
fn a_proxy_tells_delivery_for_a_server_that_does_not() {
    let server = MockServer::start(&Program::at(TARE), "paced-1ms", None).expect("a mock");
    let place = Place::new();
    let there = ["--base-url", server.base_url(), "--proxy"];
    let compared = place.compares(&[&SMALL[..], &TWO, &there].concat());
    compared.is_whole();
    let record = compared.record();
    assert!(record.setup.proxied);
    let part = &record.parts[0];
    assert!(
        matches!(&part.server, Served::There { base_url, .. } if base_url == server.base_url()),
        "{:?}",
        part.server
    );
    for one in &part.weighed {
        let tokens: u64 = one.invocations.iter().map(|it| it.tokens).sum();
        assert_eq!(one.delivery_histogram_ns.count(), tokens);
        assert!(one.invocations.iter().all(|it| it.net_ns.is_some()));
    }
    compared.line("A recording proxy stood before the server");
    assert!(compared.line("| gross ms |").contains("delivery µs/token"));

    // With a mock behind it every token is checked, and net is the mock's truth.
    let mocked = place.compares(&[&SMALL[..], &TWO, &["--proxy", "--pin"]].concat());
    mocked.is_whole();
    let record = mocked.record();
    assert!(record.setup.proxied);
    assert!(matches!(record.parts[0].server, Served::Mock { .. }));
}

#[test]
fn a_mock_is_asked_by_openais_api_too() {
    let compared = Place::new().compares(&[&SMALL[..], &TWO, &["--api", "openai"]].concat());
    let record = compared.record();
    assert_eq!(record.setup.api, Api::OpenAi);
    let invocation = &record.parts[0].weighed[0].invocations[0];
    assert!(invocation.net_ns.is_some() && invocation.delivery_ns.is_some());
}

#[test]
fn an_answer_in_one_piece_has_no_delivery_of_tokens() {
    let compared = Place::new().compares(&[&SMALL[..], &TWO, &["--cadence", "whole"]].concat());
    compared.is_whole();
    assert_eq!(compared.record().parts[0].workload, Workload::Whole);
    compared.line("## Answers of 8 tokens in one piece, against the mock `instant`");
    assert!(
        !compared.report.contains("delivery µs"),
        "{}",
        compared.report
    );
}

#[test]
fn pinned_processes_leave_the_last_processor_to_the_mock() {
    let processors = available_parallelism().expect("a count").get();
    if processors < 2 || !cfg!(target_os = "linux") {
        return;
    }
    let compared = Place::new().compares(&[&SMALL[..], &TWO, &["--pin"]].concat());
    let kept: Vec<usize> = (0..processors - 1).collect();
    assert_eq!(compared.record().setup.processors, kept);
}

#[test]
fn until_decided_ends_at_the_limit_where_nothing_decides() {
    let flags = [
        "--workload",
        "stream",
        "--tokens",
        "8",
        "--until-decided",
        "--time-limit",
        "2s",
    ];
    let place = Place::new();
    let compared = place.compares(&[&flags[..], &TWO].concat());
    let record = compared.record();
    let stack = record.parts[0]
        .weighed
        .iter()
        .find(|one| one.subject.role == Role::Stack);
    assert!(stack.expect("smol/hyper").invocations.len() >= 2);
}

#[test]
fn progress_and_prose_go_to_stderr() {
    let place = Place::new();
    let output = place.run(&[&SMALL[..], &["--stacks", "smol/hyper"]].concat());
    let said = text(&output.stderr);
    for told in [
        "comparing: 4 processes per block, at most 2 blocks",
        "\nblock 2",
        "wrote result.json and report.md to tare-results/compare",
    ] {
        assert!(said.contains(told), "{said}");
    }
}

#[test]
fn a_team_of_one_beside_larger_ones_shares_its_cell_with_nobody() {
    let flags = ["--workload", "team", "--agents", "1,2", "--tokens", "4"];
    let with = [
        "--stacks",
        "smol/hyper/*",
        "--base",
        "tokio-mt/hyper/spawn",
        "--invocations",
        "2",
        "--corpus",
        CORPUS,
    ];
    let record = Place::new()
        .compares(&[&flags[..], &with].concat())
        .record();
    let names = |part: &tare::weighing::Part| -> Vec<String> {
        let weighed = part.weighed.iter();
        weighed.map(|one| one.subject.to_string()).collect()
    };
    let again = |name: &str| format!("{name} (again)");
    let alone = [
        "threads/raw".to_owned(),
        "tokio-mt/hyper".to_owned(),
        again("tokio-mt/hyper"),
        "smol/hyper".to_owned(),
    ];
    assert_eq!(names(&record.parts[0]), alone);
    let two = [
        "threads/raw/spawn".to_owned(),
        "tokio-mt/hyper/spawn".to_owned(),
        again("tokio-mt/hyper/spawn"),
        "smol/hyper/join".to_owned(),
        "smol/hyper/spawn".to_owned(),
    ];
    assert_eq!(names(&record.parts[1]), two);
}
