//! What fails is counted, by kind, and is no sample.

use crate::place::{BURST, Loaded, Place};
use tare::experiment::RunResult;
use tare::load::ErrorKind;

fn with(faults: &[&str]) -> Loaded {
    let flags = ["--requests", "20", "--streams", "4", "--tokens", "6"];
    let mut arguments = [&BURST[..], &flags].concat();
    for fault in faults {
        arguments.extend(["--fault", *fault]);
    }
    Place::new().loads(&arguments)
}

#[test]
fn each_kind_is_counted_and_none_is_a_sample() {
    for (fault, kind, status) in [
        ("status=503@2..4", ErrorKind::Refused, Some(503)),
        ("truncate=3@2..4", ErrorKind::Truncated, None),
        ("reset=3@2..4", ErrorKind::Broken, None),
        ("error=3:out of memory@2..4", ErrorKind::GaveUp, None),
        ("bad-utf8=2@2..4", ErrorKind::Malformed, None),
        (
            "content-type=text/html@2..4",
            ErrorKind::OtherApi,
            Some(200),
        ),
    ] {
        let outcome = with(&[fault]);
        let of = outcome.requests;
        assert_eq!((of.begun, of.answered, of.failed), (20, 17, 3), "{fault}");
        let [errors] = &outcome.errors[..] else {
            panic!("{fault}: {:?}", outcome.errors)
        };
        assert_eq!(
            (errors.kind, errors.status, errors.count),
            (kind, status, 3)
        );
        assert!(!errors.first.is_empty(), "{fault}");
        let latencies = &outcome.latencies;
        for latency in [&latencies.ttft, &latencies.e2e, &latencies.tpot] {
            assert_eq!(latency.as_ref().map(|it| it.count), Some(17), "{fault}");
        }
        let delivery = latencies.delivery.as_ref().map(|it| it.count);
        assert_eq!(delivery, Some(17 * 6), "{fault}");
        assert_eq!(outcome.tokens_in_window, 17 * 6, "{fault}");
    }
}

#[test]
fn kinds_are_apart_and_the_most_frequent_is_first() {
    let outcome = with(&["status=503@2..3", "status=500@5", "reset=2@7..9"]);
    let kinds: Vec<_> = outcome
        .errors
        .iter()
        .map(|it| (it.to_string(), it.count))
        .collect();
    let expected = [("broken", 3), ("refused (503)", 2), ("refused (500)", 1)];
    assert_eq!(
        kinds,
        expected.map(|(kind, count)| (kind.to_owned(), count))
    );
}

#[test]
fn failures_count_against_goodput() {
    let flags = ["--requests", "20", "--tokens", "3", "--slo", "e2e=100s"];
    let fault = ["--fault", "status=503@1..5"];
    let record = Place::new().loads(&[&BURST[..], &flags, &fault].concat());
    let goodput = record.goodput.expect("it was asked for");
    assert_eq!((goodput.met, goodput.of), (15, 20));
}

#[test]
fn when_all_fail_that_is_an_error_of_one_line() {
    let flags = ["--requests", "10", "--fault", "status=503"];
    let told = [
        "none of 10 requests was answered",
        "10 refused (503)",
        "first said:",
    ];
    let place = Place::new();
    place.fails(1, &[&BURST[..], &flags].concat(), &told);
    // It is kept, so that --resume tries it again.
    let stored = Loaded::of(place.path().join("tare-results/load")).stored;
    assert!(matches!(stored.records[0].result, RunResult::Failure(_)));
}
