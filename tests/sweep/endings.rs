//! However it is ended, finished runs stay whole and --resume does the rest, each run once.

use crate::place::{ALL, PLAN, Place, Running, Swept, files, published};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::fs;
use std::time::Duration;
use tare::run::{MockServer, Program};

const MOCK: [&str; 4] = ["--plan", "small.toml", "--mock", "instant"];

fn pid(running: &Running) -> Pid {
    Pid::from_raw(i32::try_from(running.child.id()).expect("a process"))
}

fn resumed(arguments: &[&'static str]) -> Vec<&'static str> {
    [arguments, &["--resume"]].concat()
}

#[test]
fn killed_at_any_moment_and_gone_on_with_every_run_is_there_once() {
    let place = Place::new();
    place.write(
        "small.toml",
        &PLAN.replace("repetitions = 3", "repetitions = 6"),
    );
    let mut kept = std::collections::BTreeMap::new();
    for sitting in 0.. {
        assert!(sitting < 100, "it gets nowhere: {} runs", kept.len());
        let arguments = match sitting {
            0 => MOCK.to_vec(),
            _ => resumed(&MOCK),
        };
        let mut running = place.start(&arguments);
        running.until("small: ");
        // Between none and two runs later, at any moment of what is then going on.
        for _ in 0..fastrand::u32(0..=2) {
            if kept.len() < 10 {
                running.until("block ");
            }
        }
        std::thread::sleep(Duration::from_micros(fastrand::u64(0..40_000)));
        kill(pid(&running), Signal::SIGKILL).expect("it is ours and was not waited for");
        running.end();

        if !place.out().join("experiment.json").exists() {
            continue;
        }
        let there = Swept::read(&place.out());
        for (name, json) in &kept {
            assert_eq!(
                there.runs.get(name),
                Some(json),
                "{name:?} is gone or was run again"
            );
        }
        kept = there.runs;
        if kept.len() >= 8 {
            break;
        }
    }
    let (said, _) = place.ends(&resumed(&MOCK), 0);
    assert!(said.contains("12 of 12 runs are finished"), "{said}");
    let there = Swept::read(&place.out());
    assert_eq!(there.runs.len(), 12);
    for (name, json) in &kept {
        assert_eq!(
            there.runs.get(name),
            Some(json),
            "{name:?} is gone or was run again"
        );
    }
    let left = files(&place.out());
    let left: Vec<&String> = left
        .iter()
        .filter(|name| !name.starts_with("published"))
        .collect();
    assert_eq!(left, ["experiment.json", "lock", "report.md", "runs.jsonl"]);
    assert_eq!(published(&place.out()).len(), 12);
    // And once more, with nothing left to do.
    let (said, _) = place.ends(&resumed(&MOCK), 0);
    assert!(said.contains("all 12 runs are finished already"), "{said}");
    assert_eq!(Swept::read(&place.out()).runs, there.runs);
}

#[test]
fn what_was_being_written_is_no_run_and_goes_away() {
    let place = Place::new();
    place.ends(&MOCK, 0);
    let runs = place.out().join("runs.jsonl");
    let whole = fs::read_to_string(&runs).expect("a file");
    fs::write(&runs, &whole[..whole.len() - 100]).expect("a file");
    let (said, _) = place.ends(&resumed(&MOCK), 0);
    assert!(said.contains("5 runs are finished already"), "{said}");
    assert_eq!(Swept::read(&place.out()).names(), ALL);
}

#[test]
fn ctrl_c_in_a_pause_keeps_what_is_finished_and_says_how_to_go_on() {
    let place = Place::new();
    place.write(
        "small.toml",
        &PLAN.replace("warm_up", "cool_down = \"1h\"\nwarm_up"),
    );
    let mut running = place.start(&MOCK);
    running.until("block 1 of 3");
    place.wait_for_runs(1);
    killpg(pid(&running), Signal::SIGINT).expect("it runs");
    let (code, said) = running.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("1 of 6 runs are finished"), "{said}");
    let next = said.lines().last().expect("a line");
    assert!(
        next.starts_with("go on with: ") && next.ends_with("--mock instant --resume"),
        "{said}"
    );
    assert!(!said.contains("error"), "{said}");
    assert_eq!(Swept::read(&place.out()).runs.len(), 1);
}

#[test]
fn ctrl_c_in_a_run_ends_it_at_once_and_leaves_nothing_of_it() {
    for group in [true, false] {
        let place = Place::new();
        let tokens = if group { "tokens = 1000" } else { "tokens = 2" };
        place.write("small.toml", &PLAN.replace("tokens = 4", tokens));
        let mock = if group { "paced-1s" } else { "paced-50ms" };
        let mut running = place.start(&["--plan", "small.toml", "--mock", mock]);
        running.until("small: ");
        match group {
            true => killpg(pid(&running), Signal::SIGINT).expect("it runs"),
            // The run in flight comes to its end, and no other begins.
            false => kill(pid(&running), Signal::SIGINT).expect("it runs"),
        }
        let (code, said) = running.end();
        assert_eq!(code, Some(130), "{said}");
        let swept = Swept::read(&place.out());
        match group {
            true => assert!(swept.runs.is_empty(), "{said}"),
            false => assert!(swept.runs.len() <= 1, "{said}"),
        }
        assert!(!said.contains("failed"), "{said}");
    }
}

/// One server that is there, with these faults.
fn faulty(fault: &str) -> MockServer {
    let program = Program::at(crate::place::TARE);
    MockServer::start_with(&program, "instant", None, &["--fault", fault]).expect("a mock")
}

#[test]
fn a_run_that_fails_is_noted_the_others_go_on_and_it_is_tried_again() {
    let place = Place::new();
    let server = faulty("status=500@2");
    let arguments = [
        "--plan",
        "small.toml",
        "--servers",
        "1",
        "--base-url",
        server.base_url(),
    ];
    let (said, _) = place.ends(&arguments, 1);
    assert!(said.contains("failed: "), "{said}");
    assert!(
        said.contains("error: 1 runs failed; try them again with: "),
        "{said}"
    );
    let there = Swept::read(&place.out());
    assert_eq!(there.runs.len(), 5);
    assert_eq!(there.failures, 1);

    place.ends(&[&arguments[..], &["--resume"]].concat(), 0);
    let again = Swept::read(&place.out());
    assert_eq!(again.names(), ALL);
    for (name, json) in &there.runs {
        assert_eq!(again.runs.get(name), Some(json), "{name:?} was run again");
    }
}

#[test]
fn where_every_run_fails_it_stops_and_says_so() {
    let place = Place::new();
    place.write(
        "small.toml",
        &PLAN.replace("repetitions = 3", "repetitions = 20"),
    );
    // Each answer takes longer than it may.
    let slow = ["--mock", "paced-50ms", "--call-timeout", "20ms"];
    let arguments = [&["--plan", "small.toml"], &slow[..]].concat();
    place.refuses(
        &arguments,
        1,
        &["runs failed, the last with: ", "go on with: ", "--resume"],
    );
    assert!(Swept::read(&place.out()).runs.is_empty());
}
