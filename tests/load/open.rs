//! An open loop: requests start by a schedule that knows nothing of the answers.

use crate::place::{BURST, Loaded, Place, is_whole};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;
use tare::load::{Arrivals, Mode, Schedule};
use tare::report::load::report;

#[test]
fn a_constant_rate_has_exactly_its_requests_in_the_window() {
    for stack in ["tokio-mt/hyper", "smol/hyper", "threads/raw"] {
        let flags = ["--stack", stack, "--rate", "200", "--tokens", "4"];
        let times = ["--warm-up", "50ms", "--measure", "250ms"];
        let record = Place::new().loads(&[&BURST[..], &flags, &times].concat());
        is_whole(&record, 50, 4);
        let late = record
            .start_lateness
            .as_ref()
            .expect("a schedule is kept or not");
        assert_eq!(late.latency.count, 50, "{stack}");
        assert_eq!(late.off_schedule, late.late * 100 > 50, "{stack}");
    }
}

#[test]
fn poissons_requests_are_those_of_the_seed() {
    let flags = [
        "--rate",
        "300",
        "--arrivals",
        "poisson",
        "--seed",
        "7",
        "--tokens",
        "2",
    ];
    let times = ["--warm-up", "100ms", "--measure", "300ms"];
    let record = Place::new().loads(&[&BURST[..], &flags, &times].concat());
    let window = Duration::from_millis(100)..Duration::from_millis(400);
    let expected = Schedule::new(Arrivals::Poisson, 300.0, 7)
        .take_while(|at| *at < window.end)
        .filter(|at| window.contains(at));
    is_whole(&record, expected.count() as u64, 2);
    let Mode::Open { seed, arrivals, .. } = record.setup().mode else {
        panic!("{:?}", record.setup().mode)
    };
    assert_eq!((seed, arrivals), (7, Arrivals::Poisson));
}

/// A server with one slot that takes 100 ms per answer and is asked every 25 ms: the n-th waits for
/// those before it, and its time counts from when it was to start.
#[test]
fn latency_counts_from_the_intended_start_and_the_queue_shows() {
    let place = Place::new();
    let profile = "description = \"one at a time\"\nmodel = \"gemma3:latest\"\nload = \"0s\"\ntokens = 2\n\
                   gap = \"50ms\"\nseed = 1\nparallel = 1\nprefill = { fixed = \"50ms\", per_token = \"0s\" }\n";
    std::fs::write(place.path().join("slow.toml"), profile).expect("a file");
    let flags = ["--mock", "slow.toml", "--rate", "40", "--tokens", "2"];
    let times = ["--warm-up", "0s", "--measure", "500ms"];
    let record = place.loads(&[&flags[..], &times].concat());
    let outcome = &record;
    is_whole(outcome, 20, 2);
    // The k-th is to start after 25 (k - 1) ms and answered after 100 k: 812 ms on average.
    let e2e = outcome.latencies.e2e.as_ref().expect("answers");
    let mean = 1e-9 * e2e.mean_ns;
    assert!(mean >= 0.8, "waiting is left out: a mean of {mean} s");
    assert!(outcome.in_flight.at_end >= 5, "{:?}", outcome.in_flight);
    assert!(outcome.in_flight.most >= outcome.in_flight.at_end);
}

#[test]
fn counted_requests_follow_the_schedule_too() {
    let flags = ["--rate", "500", "--requests", "30", "--tokens", "3"];
    let record = Place::new().loads(&[&BURST[..], &flags].concat());
    is_whole(&record, 30, 3);
    assert!(record.window_ns >= 29 * 2_000_000, "29 gaps of 2 ms");
}

#[test]
fn what_would_be_too_many_at_a_time_is_not_started_and_counts_as_failed() {
    let flags = ["--mock", "paced-10ms", "--tokens", "30", "--rate", "100"];
    let times = ["--max-in-flight", "2", "--requests", "12"];
    let record = Place::new().loads(&[&flags[..], &times].concat());
    let outcome = &record;
    assert_eq!(outcome.requests.begun, 12);
    assert_eq!(outcome.in_flight.most, 2);
    let failed = serde_json::to_value(&outcome.errors).expect("JSON");
    assert_eq!(failed[0]["kind"], "not_started");
    assert_eq!(outcome.requests.answered + outcome.requests.failed, 12);
    // An answer takes 300 ms, the schedule 110.
    assert!(outcome.requests.answered < 12 && outcome.requests.answered >= 2);
}

/// The client itself is held up for half a second, as a busy machine would: requests start late, and
/// what they were late by is in their latency.
#[test]
fn what_a_late_client_adds_is_told_and_is_part_of_the_latency() {
    let place = Place::new();
    let flags = [
        "--rate",
        "100",
        "--requests",
        "150",
        "--tokens",
        "2",
        "--out",
        "late",
    ];
    let mut command = place.command(&[&BURST[..], &flags].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    while !said.contains("measuring") {
        assert!(
            stderr.read_line(&mut said).expect("UTF-8") > 0,
            "it ended: {said}"
        );
    }
    let pid = invoked_by(child.id());
    kill(pid, Signal::SIGSTOP).expect("it runs");
    std::thread::sleep(Duration::from_millis(500));
    kill(pid, Signal::SIGCONT).expect("it is held up");
    stderr.read_to_string(&mut said).expect("UTF-8");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{said}");
    let record = Loaded::of(place.path().join("late"));
    let outcome = &record;
    is_whole(outcome, 150, 2);
    let late = outcome
        .start_lateness
        .as_ref()
        .expect("there is a schedule");
    assert!(late.late > 0 && late.off_schedule, "{} late", late.late);
    let ttft = outcome.latencies.ttft.as_ref().expect("answers");
    assert!(ttft.mean_ns >= late.latency.mean_ns, "lateness is left out");
    let report = report(&record.stored);
    assert!(
        report.contains("**The client did not keep its schedule**"),
        "{report}"
    );
}

/// The process that drives the load: the one child that is not the mock.
fn invoked_by(parent: u32) -> Pid {
    let children = format!("/proc/{parent}/task/{parent}/children");
    let children = std::fs::read_to_string(children).expect("children");
    let invoked = children.split_whitespace().find(|id| {
        let command = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        command.split(|&byte| byte == 0).nth(1) == Some(b"invoke")
    });
    Pid::from_raw(invoked.and_then(|id| id.parse().ok()).expect("a run"))
}
