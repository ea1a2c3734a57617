//! How it ends before its time.

use crate::place::{Loaded, Place, text};
use crate::support::{FixtureServer, STREAM_HEAD, chunk, send, until_closed};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use tare::load::Ending;

/// What Ollama answers to the question who it is, and to a question.
const VERSION: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 21\r\n\r\n{\"version\":\"0.12.11\"}";
const TOKEN: &[u8] = b"{\"model\":\"m\",\"response\":\"a\",\"done\":false}\n";
const DONE: &[u8] = b"{\"model\":\"m\",\"response\":\"\",\"done\":true,\"done_reason\":\"stop\"}\n";

/// A server that gives so many answers and then none, and says when it stops.
fn stops_after(answers: u64) -> (FixtureServer, Receiver<()>) {
    let (tell, told) = channel();
    let asked = AtomicU64::new(0);
    let server = FixtureServer::start(move |stream| match asked.fetch_add(1, Ordering::SeqCst) {
        // What it is; then a token, to see whether the model is there; and which models it has.
        0 | 2 => send(stream, VERSION),
        question if question <= answers + 2 => {
            let answer = [
                STREAM_HEAD,
                &chunk(TOKEN),
                &chunk(TOKEN),
                &chunk(DONE),
                &chunk(b""),
            ];
            send(stream, &answer.concat())
        }
        _ => {
            tell.send(()).ok()?;
            until_closed(stream);
            None
        }
    });
    (server, told)
}

fn start(place: &Place, arguments: &[&str]) -> Child {
    let mut command = place.command(arguments);
    command
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("the program runs")
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a process"))
}

#[test]
fn ctrl_c_keeps_what_is_finished_and_tells_what_is_not() {
    for stack in ["tokio-mt/hyper", "smol/hyper", "threads/raw"] {
        let (server, stopped) = stops_after(20);
        let place = Place::new();
        let base_url = server.base_url();
        let flags = [
            "--base-url",
            &base_url,
            "--stack",
            stack,
            "--streams",
            "1",
            "--tokens",
            "2",
        ];
        let times = ["--warm-up", "0s", "--measure", "100s", "--out", "kept"];
        let child = start(&place, &[&flags[..], &times].concat());
        // One stream: that it asks again says that it has noted what came before.
        stopped.recv().expect("it asks again and again");
        kill(pid(&child), Signal::SIGINT).expect("it runs");
        let output = child.wait_with_output().expect("it ends");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{stack}: {said}");
        assert!(
            said.contains("interrupted: what is finished will be reported"),
            "{said}"
        );
        let report = text(&output.stdout);
        assert!(report.contains("**Interrupted.**"), "{report}");
        let outcome = Loaded::of(place.path().join("kept"));
        let stored = &outcome.stored;
        assert!(stored.finished().is_empty(), "--resume does it anew");
        let of = outcome.requests;
        assert_eq!(outcome.ending, Ending::Interrupted);
        assert_eq!(
            (of.begun, of.answered, of.failed, of.unfinished),
            (21, 20, 0, 1),
            "{stack}"
        );
        assert_eq!(outcome.tokens_in_window, 40, "{stack}");
        assert!(outcome.window_ns < 100_000_000_000, "{stack}");
    }
}

#[test]
fn ctrl_c_before_anything_counts_leaves_nothing() {
    let (server, stopped) = stops_after(3);
    let place = Place::new();
    let base_url = server.base_url();
    let flags = [
        "--base-url",
        &base_url,
        "--streams",
        "1",
        "--warm-up",
        "100s",
        "--out",
        "kept",
    ];
    let child = start(&place, &flags);
    stopped.recv().expect("it asks again and again");
    kill(pid(&child), Signal::SIGINT).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    let said = text(&output.stderr);
    assert_eq!(
        (output.status.code(), &output.stdout[..]),
        (Some(130), &b""[..]),
        "{said}"
    );
    assert!(
        said.contains("there is nothing to report") && !said.contains("error"),
        "{said}"
    );
    let stored = Loaded::of(place.path().join("kept")).stored;
    assert!(stored.records.is_empty());
}

/// A terminal's Ctrl-C reaches the mock as well, which ends by it: that is no failure of a request.
#[test]
fn ctrl_c_that_ends_the_mock_too_makes_no_failed_requests() {
    let place = Place::new();
    let flags = [
        "--mock",
        "instant",
        "--streams",
        "4",
        "--warm-up",
        "0s",
        "--measure",
        "100s",
    ];
    let mut child = start(
        &place,
        &[&flags[..], &["--tokens", "4", "--out", "kept"]].concat(),
    );
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    while !said.contains("measuring") {
        assert!(
            stderr.read_line(&mut said).expect("UTF-8") > 0,
            "it ended: {said}"
        );
    }
    killpg(pid(&child), Signal::SIGINT).expect("it runs");
    stderr.read_to_string(&mut said).expect("UTF-8");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(!said.contains("error"), "{said}");
    // Perhaps nothing was answered yet; then nothing is reported.
    if !output.stdout.is_empty() {
        let outcome = Loaded::of(place.path().join("kept"));
        assert_eq!(outcome.requests.failed, 0, "{:?}", outcome.errors);
    }
}

#[test]
fn a_server_that_falls_silent_is_cut_off_after_the_drain_and_told() {
    let (server, _stopped) = stops_after(3);
    let base_url = server.base_url();
    let flags = ["--base-url", &base_url, "--streams", "1", "--tokens", "2"];
    let times = [
        "--warm-up",
        "0s",
        "--measure",
        "1s",
        "--drain",
        "50ms",
        "--slo",
        "e2e=100s",
    ];
    let outcome = Place::new().loads(&[&flags[..], &times].concat());
    let of = outcome.requests;
    assert_eq!((of.begun, of.answered, of.unfinished), (4, 3, 1));
    assert_eq!(outcome.in_flight.at_end, 1);
    // What was cut off for taking too long is not of use.
    let goodput = outcome.goodput.expect("it was asked for");
    assert_eq!((goodput.met, goodput.of), (3, 4));
}
