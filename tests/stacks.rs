//! Every stack, as a process against a mock that is a process: the tokens are the mock's, and the
//! runtime has the threads that it was told to have.

mod support;

use assert_cmd::Command;
use std::num::NonZeroUsize;
use std::path::Path;
use support::{mock, program};
use tare::protocol::Api;
use tare::run::{Answers, Connection, MockServer, Outcome, Spec, Work};
use tare::stack::Stack;

fn spec(stack: Stack, server: &MockServer, work: Work, tokens: u32) -> Spec {
    Spec {
        stack,
        threads: NonZeroUsize::new(2).expect("2 is not 0"),
        base_url: server.base_url().to_owned(),
        api: Api::Generate,
        model: "gemma3".to_owned(),
        work,
        tokens,
        ingest_concurrency: tare::workflow::INGEST_CONCURRENCY,
        seed: 9,
        warm_up: 1,
        iterations: 2,
        answers: Answers::Known,
        inject: None,
        profile_run: false,
        detail: false,
        proxied: false,
        processors: Vec::new(),
    }
}

fn stream(connection: Connection) -> Work {
    Work::Stream { connection }
}

fn agents(count: usize) -> Work {
    Work::Agents {
        agents: NonZeroUsize::new(count).expect("at least one agent"),
        corpus: Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus"),
    }
}

/// A run checks the digest of its tokens itself and fails otherwise.
fn weigh(spec: &Spec) -> Outcome {
    let outcome = program().invoke(spec);
    outcome.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_cell_receives_the_mocks_tokens_under_every_profile() {
    for (profile, tokens) in [("instant", 2000), ("paced-1ms", 40), ("paced-10ms", 4)] {
        let server = mock(profile);
        for stack in Stack::matrix() {
            let outcome = weigh(&spec(stack, &server, stream(Connection::Warm), tokens));
            assert_eq!(outcome.stack, stack);
            assert_eq!(outcome.tokens(), 2 * u64::from(tokens), "{stack} {profile}");
            for iteration in &outcome.iterations {
                let net = iteration.net_ns.expect("the mock tells the truth");
                assert!(
                    net <= iteration.gross_ns,
                    "{stack} {profile}: {iteration:?}"
                );
                assert!(iteration.ttft_ns <= iteration.gross_ns);
                assert!(iteration.delivery_ns > 0);
            }
        }
    }
}

#[test]
fn every_cell_receives_the_mocks_tokens_over_every_api() {
    for (profile, tokens) in [("instant", 500), ("paced-1ms", 10)] {
        let server = mock(profile);
        for stack in Stack::matrix() {
            for api in [Api::Chat, Api::OpenAi] {
                let outcome = weigh(&Spec {
                    api,
                    ..spec(stack, &server, stream(Connection::Warm), tokens)
                });
                assert_eq!(outcome.tokens(), 2 * u64::from(tokens), "{stack} {api}");
                for iteration in &outcome.iterations {
                    let net = iteration.net_ns.expect("the mock tells the truth");
                    assert!(net <= iteration.gross_ns, "{stack} {api}: {iteration:?}");
                    assert!(iteration.delivery_ns > 0, "of every token: {stack} {api}");
                }
            }
        }
    }
}

#[test]
fn every_cell_runs_the_agent_and_a_team() {
    let server = mock("instant");
    for stack in Stack::matrix() {
        let outcome = weigh(&spec(stack, &server, agents(1), 30));
        let iteration = outcome.iterations[0];
        assert_eq!(iteration.tokens, 60, "{stack}");
        assert!(iteration.ingest_ns > 0);
        assert_eq!(
            (iteration.late_tokens, iteration.late_calls),
            (0, 0),
            "a burst has no schedule"
        );
        assert!(iteration.net_ns.expect("one agent has a net") < iteration.gross_ns);
        for stack in stack.topologies() {
            let outcome = weigh(&spec(stack, &server, agents(3), 30));
            let iteration = outcome.iterations[0];
            assert_eq!(iteration.tokens, 180, "{stack}");
            assert_eq!(iteration.net_ns, None, "overlapping shares are no net");
        }
    }
}

#[test]
fn a_cold_stream_brings_the_same_tokens() {
    let server = mock("instant");
    for stack in Stack::matrix() {
        let outcome = weigh(&spec(stack, &server, stream(Connection::Cold), 3));
        assert_eq!(outcome.tokens(), 6, "{stack}");
    }
}

#[test]
fn the_number_of_workers_is_the_one_asked_for_whatever_the_environment_says() {
    let server = mock("instant");
    for stack in Stack::matrix() {
        let spec = spec(stack, &server, stream(Connection::Warm), 3);
        let output = Command::new(program().path())
            .arg("invoke")
            .envs([
                ("ASYNC_STD_THREAD_COUNT", "5"),
                ("ASYNC_GLOBAL_EXECUTOR_THREADS", "5"),
                ("SMOL_THREADS", "5"),
                ("TOKIO_WORKER_THREADS", "5"),
            ])
            .write_stdin(serde_json::to_vec(&spec).expect("a spec is JSON"))
            .output()
            .expect("a run");
        let outcome: Outcome = serde_json::from_slice(&output.stdout).expect("an outcome");
        let Some(seen) = outcome.workers_seen else {
            continue; // no /proc here
        };
        let name = stack.to_string();
        let expected = match name.split('/').next() {
            Some("threads") => 1,     // the driver; one more per agent
            Some("tokio-local") => 0, // it works on the main thread
            _ => 2,
        };
        assert_eq!(seen, expected, "{name}");
    }
}

#[test]
fn a_wrong_token_is_an_error_and_no_result() {
    let server = mock("instant");
    let stack = Stack::FLOOR;
    let right = spec(stack, &server, stream(Connection::Warm), 5);
    // A server that answers another model's name is refused; one whose text differs is caught.
    let wrong = support::FixtureServer::start(|stream| {
        let line = b"{\"model\":\"gemma3\",\"response\":\"no\",\"done\":false}\n";
        let last = b"{\"model\":\"gemma3\",\"response\":\"\",\"done\":true,\"total_duration\":1}\n";
        support::send(stream, support::STREAM_HEAD)?;
        for part in [&line[..], &last[..], b""] {
            support::send(stream, &support::chunk(part))?;
        }
        Some(())
    });
    let spec = Spec {
        base_url: wrong.base_url(),
        ..right
    };
    let error = program()
        .invoke(&spec)
        .expect_err("wrong tokens")
        .to_string();
    assert!(
        error.contains("the tokens are not those that were sent"),
        "{error}"
    );
    assert!(
        error.contains("of 1 tokens, expected") && error.contains("of 5"),
        "{error}"
    );
}

#[test]
fn a_team_without_a_topology_is_refused() {
    let server = mock("instant");
    let spec = spec(Stack::FLOOR, &server, agents(2), 3);
    let error = program()
        .invoke(&spec)
        .expect_err("no topology")
        .to_string();
    assert!(error.contains("/join or /spawn"), "{error}");
}
