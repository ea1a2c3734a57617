//! What every stack's process says that it used, as a process against a mock that is a process.

mod support;

use std::num::NonZeroUsize;
use std::path::Path;
use support::{mock, program};
use tare::client::Io;
use tare::protocol::Api;
use tare::run::{Answers, CallAccount, Connection, MockServer, Outcome, Rates, Spec, Work};
use tare::stack::{AsyncClient, Carrier, Stack};
use tare_mock::Text;

const THREADS: u64 = 2;
const SEED: u64 = 9;

fn weigh(stack: Stack, server: &MockServer, work: Work, tokens: u32) -> Outcome {
    let spec = Spec {
        stack,
        threads: NonZeroUsize::new(THREADS as usize).expect("2 is not 0"),
        base_url: server.base_url().to_owned(),
        api: Api::Generate,
        model: "gemma3".to_owned(),
        work,
        tokens,
        ingest_concurrency: tare::workflow::INGEST_CONCURRENCY,
        seed: SEED,
        warm_up: 2,
        iterations: 4,
        answers: Answers::Known,
        inject: None,
        profile_run: false,
        detail: false,
        proxied: false,
        processors: Vec::new(),
    };
    let outcome = program().invoke(&spec);
    outcome.unwrap_or_else(|error| panic!("{error}"))
}

fn warm() -> Work {
    Work::Stream {
        connection: Connection::Warm,
    }
}

fn rates(outcome: &Outcome) -> Rates {
    outcome.rates().expect("tokens came")
}

/// reqwest makes its own sockets.
fn shows_its_sockets(stack: Stack) -> bool {
    !matches!(stack.carrier, Carrier::Async(_, AsyncClient::Reqwest))
}

#[test]
fn every_cell_tells_what_its_process_used() {
    let server = mock("instant");
    for stack in Stack::matrix() {
        let outcome = weigh(stack, &server, warm(), 512);
        let usage = outcome.usage;
        let heap = usage.heap.expect("tare counts allocations");
        assert!(heap.allocations > 0 && heap.bytes > 0, "{stack}: {heap:?}");
        assert!(outcome.cpu_per_token_ns() > 0.0, "{stack}");
        let bytes = usage.sockets.map(|sockets| sockets.read_bytes);
        assert_eq!(bytes.is_some(), shows_its_sockets(stack), "{stack}");
        // A token's line takes some 100 bytes, and the mock says twice of each when it was.
        let per_token = rates(&outcome).socket_read_bytes;
        assert!(
            per_token.is_none_or(|bytes| (60.0..250.0).contains(&bytes)),
            "{stack}: {per_token:?}"
        );
        if cfg!(target_os = "linux") {
            assert!(usage.files.is_some());
            let process = outcome.process.expect("/proc/self/status");
            assert!(process.peak_rss_bytes > 1 << 20, "{stack}: {process:?}");
            let most = outcome.threads_most.expect("/proc/self/status");
            assert!(most >= process.threads, "{stack}");
            let name = stack.to_string();
            let least = match name.split('/').next() {
                Some("threads" | "tokio-local") => 1,
                _ => THREADS,
            };
            assert!(process.threads >= least, "{stack}: {process:?}");
        }
    }
}

#[test]
fn the_floor_allocates_next_to_nothing_per_token() {
    let server = mock("instant");
    const TOKENS: u32 = 512;
    let outcome = weigh(Stack::FLOOR, &server, warm(), TOKENS);
    let heap = outcome.usage.heap.expect("tare counts allocations");
    // The parser copies a text in which something is escaped: into a buffer of its own, and out of
    // it. What is escaped is the answer's, and the same for every stack.
    let is_escaped = |token: &&str| serde_json::json!(token).to_string().contains('\\');
    let escaped = Text::new(SEED).take(TOKENS as usize).filter(is_escaped);
    let escaped = escaped.count() as u64 * outcome.iterations.len() as u64;
    let others = heap.allocations.saturating_sub(2 * escaped);
    assert!(
        10 * others < outcome.tokens() && 10 * heap.reallocations < outcome.tokens(),
        "{escaped} escaped tokens: {heap:?}"
    );
}

#[test]
fn a_paced_stream_takes_a_read_per_token_and_a_burst_far_fewer() {
    /// On a busy machine several tokens may wait together before the client gets to run.
    const TRIES: usize = 8;
    let (paced, instant) = (mock("paced-10ms"), mock("instant"));
    let stacks = Stack::matrix().into_iter();
    for stack in stacks.filter(|&stack| shows_its_sockets(stack)) {
        let reads = |server, tokens| {
            let rates = rates(&weigh(stack, server, warm(), tokens));
            rates.socket_reads.expect("its sockets can be seen")
        };
        // A read each, one for the last line and one for the last chunk, at the most.
        let mut tries = (0..TRIES).map(|_| reads(&paced, 16));
        assert!(tries.any(|reads| (0.8..1.2).contains(&reads)), "{stack}");
        let burst = reads(&instant, 512);
        assert!(burst < 0.4, "{stack}: {burst}");
    }
}

fn whole(call: &CallAccount) -> u64 {
    call.until_head_ns.expect("a token came") + call.first_token_ns.expect("a token came")
}

#[test]
fn the_time_to_first_token_is_split_as_far_as_the_client_shows_it() {
    let server = mock("instant");
    for stack in Stack::matrix() {
        for connection in [Connection::Cold, Connection::Warm] {
            let outcome = weigh(stack, &server, Work::Stream { connection }, 8);
            assert_eq!(outcome.calls.len(), 4);
            for (index, call) in (0..).zip(&outcome.calls) {
                assert_eq!((call.iteration, call.agent), (index, 0), "{stack}");
                assert_eq!(Some(whole(call)), call.ttft_ns, "{stack}");
                let seen = shows_its_sockets(stack);
                let is_new = connection == Connection::Cold;
                assert_eq!(call.connect_ns.is_some(), seen && is_new, "{stack}");
                assert_eq!(call.request_ns.is_some(), seen, "{stack}");
                assert_eq!(call.head_ns.is_some(), seen, "{stack}");
                if let (Some(request), Some(head)) = (call.request_ns, call.head_ns) {
                    let parts = call.connect_ns.unwrap_or_default() + request + head;
                    assert_eq!(Some(parts), call.until_head_ns, "{stack}");
                    assert!(request > 0 && head > 0, "{stack}");
                }
            }
        }
    }
}

#[test]
fn each_token_is_in_the_histograms_and_each_agent_and_call_in_the_account() {
    let server = mock("instant");
    let work = Work::Agents {
        agents: NonZeroUsize::new(3).expect("3 is not 0"),
        corpus: Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus"),
    };
    for stack in Stack::matrix().into_iter().flat_map(Stack::topologies) {
        if stack.io() == Io::Bridged {
            continue;
        }
        let outcome = weigh(stack, &server, work.clone(), 20);
        assert_eq!(outcome.agents.len(), 4 * 3, "{stack}");
        assert_eq!(outcome.calls.len(), 4 * 3 * 2, "{stack}");
        assert_eq!(outcome.delivery_histogram_ns.count(), outcome.tokens());
        assert_eq!(outcome.itl_histogram_ns.count(), 4 * 3 * 2 * 19, "{stack}");
        for agent in &outcome.agents {
            let mine = |call: &&CallAccount| {
                (call.iteration, call.agent) == (agent.iteration, agent.agent)
            };
            let calls: Vec<_> = outcome.calls.iter().filter(mine).collect();
            let sum = |figure: fn(&CallAccount) -> u64| calls.iter().map(|&it| figure(it)).sum();
            assert_eq!(agent.tokens, sum(|call| call.tokens), "{stack}");
            assert_eq!(
                agent.net_ns,
                Some(sum(|call| call.net_ns.expect("the mock's truth")))
            );
            let spent: u64 = sum(|call| call.gross_ns);
            assert!(spent + agent.ingest_ns <= agent.gross_ns, "{stack}");
            assert!(agent.tare_ns() > Some(0), "{stack}");
        }
    }
}
