//! A closed loop: so many streams, each of which asks again when it is answered.

use crate::place::{BURST, Place, is_whole};
use tare::load::Ending;

#[test]
fn every_cell_makes_exactly_the_requests_asked_for_and_hears_every_token() {
    for stack in [
        "tokio-mt/hyper",
        "tokio-mt/reqwest",
        "tokio-local/hyper",
        "async-std/hyper",
        "smol/reqwest",
        "smol/hyper-1k",
        "threads/raw",
    ] {
        let flags = [
            "--stack",
            stack,
            "--requests",
            "50",
            "--streams",
            "5",
            "--tokens",
            "12",
        ];
        let record = Place::new().loads(&[&BURST[..], &flags].concat());
        let outcome = &record;
        assert_eq!(record.spec().stack.to_string(), stack);
        is_whole(outcome, 50, 12);
        assert_eq!(outcome.tokens_in_window, 50 * 12, "{stack}");
        assert_eq!(outcome.answers_in_window, 50, "{stack}");
        let delivery = outcome.latencies.delivery.as_ref().expect("a mock tells");
        assert_eq!(delivery.count, 50 * 12, "{stack}");
        assert_eq!(
            (outcome.in_flight.at_end, outcome.ending),
            (0, Ending::Complete)
        );
        assert!(
            outcome.in_flight.most <= 5,
            "{stack}: {:?}",
            outcome.in_flight
        );
        assert!(
            outcome.start_lateness.is_none(),
            "a closed loop has no schedule"
        );
        for metric in ["cpu", "throughput", "answers", "delivery", "memory"] {
            let value = record.run().value(metric);
            assert!(value.is_some_and(|value| value > 0.0), "{stack}: {metric}");
        }
        assert_eq!(record.run().value("tare"), None, "a load has no net");
        assert_eq!(record.run().tokens, 50 * 12, "{stack}");
    }
}

#[test]
fn what_starts_in_the_window_counts_and_what_started_before_does_not() {
    let flags = [
        "--streams",
        "3",
        "--tokens",
        "20",
        "--warm-up",
        "100ms",
        "--measure",
        "300ms",
    ];
    let record = Place::new().loads(&[&["--mock", "paced-1ms"], &flags[..]].concat());
    let outcome = &record;
    assert_eq!(outcome.window_ns, 300_000_000);
    is_whole(outcome, outcome.requests.begun, 20);
    // At a token per millisecond no stream can have had more than 300 and a few.
    let most = 3 * (300 + 20);
    assert!(
        outcome.tokens_in_window <= most,
        "{}",
        outcome.tokens_in_window
    );
    assert!(outcome.in_flight.most <= 3);
    assert!(outcome.answers_in_window <= outcome.requests.begun + 3);
}

#[test]
fn a_run_in_which_nothing_was_answered_in_time_is_an_error() {
    // 100 tokens of 10 ms each do not fit into a window of half a second and 10 ms beyond.
    let mock = ["--mock", "paced-10ms", "--tokens", "100", "--streams", "4"];
    let times = ["--warm-up", "0s", "--measure", "500ms", "--drain", "10ms"];
    let told = ["requests was answered in time", "--drain"];
    Place::new().fails(1, &[&mock[..], &times].concat(), &told);
}

#[test]
fn goodput_is_the_share_that_kept_all_limits() {
    let place = Place::new();
    let goodput = |slo: &str| {
        let flags = [
            "--requests",
            "6",
            "--tokens",
            "5",
            "--streams",
            "2",
            "--slo",
            slo,
        ];
        let record = place.loads(&[&["--mock", "paced-1ms"], &flags[..]].concat());
        record.goodput.expect("it was asked for")
    };
    // Four gaps of a millisecond, after a prefill of two.
    let none = goodput("ttft=10s,tpot=1us,e2e=10s");
    assert_eq!((none.met, none.of, none.share), (0, 6, Some(0.0)));
    let all = goodput("ttft=100s,tpot=100s,e2e=100s");
    assert_eq!((all.met, all.of, all.share), (6, 6, Some(1.0)));
    assert!(all.per_s.is_some_and(|rate| rate > 0.0));
}

#[test]
fn an_answer_of_one_token_has_no_time_per_output_token() {
    let flags = ["--requests", "4", "--tokens", "1", "--streams", "2"];
    let record = Place::new().loads(&[&BURST[..], &flags].concat());
    is_whole(&record, 4, 1);
    assert!(record.latencies.itl.is_none() && record.latencies.tpot.is_none());
}

#[test]
fn prompts_of_a_length_reach_the_server_and_differ() {
    let flags = ["--requests", "4", "--tokens", "2", "--prompt-tokens", "300"];
    let record = Place::new().loads(&[&BURST[..], &flags].concat());
    is_whole(&record, 4, 2);
}
