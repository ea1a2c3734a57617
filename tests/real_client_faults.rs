//! What clients that people use make of the mock's faults. Where one takes a failure for a success,
//! that is the client's, and good to know.

mod support;

use serde_json::{Value, json};
use support::{Driver, mock};
use tare_mock::Text;

const TRUNCATE: &str = "truncate=3";
const ERROR: &str = "error=3:no memory left";
const RESET: &str = "reset=3";
const STATUS: &str = "status=503";
const BUSY: &str = "server busy, please try again.  maximum pending requests exceeded";
/// Nobody may even notice these.
const HARMLESS: [&str; 4] = [
    "split=20",
    "merge=3",
    "extra-fields",
    "huge-context=50000, stall=5ms",
];

impl Driver {
    /// What it makes of the faults.
    fn suffer(&self) -> Value {
        let server = mock("instant");
        let faults = [&[TRUNCATE, ERROR, RESET, STATUS], &HARMLESS[..]].concat();
        self.report(server.base_url(), &faults)
    }
}

/// A stream that gave the first so many of six tokens, and how it ended.
fn stream(tokens: usize, end: &Value) -> Value {
    let pieces: Vec<_> = Text::new(5).take(6).take(tokens).collect();
    json!({"pieces": pieces, "end": end})
}

/// A stream of all tokens. The last line adds an empty piece.
fn sound() -> Value {
    let mut sound = stream(6, &json!([]));
    let pieces = sound["pieces"].as_array_mut().expect("a list");
    pieces.push("".into());
    sound
}

/// Both of Ollama's routes alike.
fn assert_suffered(report: &Value, ends: [(&str, usize, Value); 4]) {
    for (fault, tokens, end) in ends {
        let stream = stream(tokens, &end);
        let expected = json!({"generate": stream, "chat": stream});
        assert_eq!(report[fault], expected, "{fault}");
    }
    let sound = sound();
    for fault in HARMLESS {
        let expected = json!({"generate": sound, "chat": sound});
        assert_eq!(report[fault], expected, "{fault}");
    }
}

/// It takes a stream that was cut off for one that is complete.
#[test]
fn the_python_client_tells_errors_and_resets_but_not_a_truncated_stream() {
    let Some(driver) = Driver::python("python_faults.py", &["-c", "import ollama"]).if_there()
    else {
        return;
    };
    assert_suffered(
        &driver.suffer(),
        [
            (TRUNCATE, 3, json!([])),
            (ERROR, 3, json!(["ResponseError", -1, "no memory left"])),
            (RESET, 3, json!(["ReadError"])),
            (STATUS, 0, json!(["ResponseError", 503, BUSY])),
        ],
    );
}

#[test]
fn the_npm_client_tells_every_end_that_is_none() {
    let Some(driver) = Driver::node("npm_faults.mjs", &["-e", "require('ollama')"]).if_there()
    else {
        return;
    };
    let unfinished = "Did not receive done or success response in stream.";
    assert_suffered(
        &driver.suffer(),
        [
            (TRUNCATE, 3, json!(["Error", unfinished])),
            (ERROR, 3, json!(["Error", "no memory left"])),
            (RESET, 3, json!(["TypeError", "terminated"])),
            (STATUS, 0, json!(["ResponseError", 503, BUSY])),
        ],
    );
}

/// It, too, takes a stream that was cut off for one that is complete.
#[test]
fn the_openai_client_tells_errors_and_resets_but_not_a_truncated_stream() {
    let Some(driver) = Driver::python("openai_faults.py", &["-c", "import openai"]).if_there()
    else {
        return;
    };
    let report = driver.suffer();
    for (fault, tokens, end) in [
        (TRUNCATE, 3, json!([])),
        (ERROR, 3, json!(["APIError", "no memory left"])),
        (RESET, 3, json!(["APIConnectionError", "Connection error."])),
        (STATUS, 0, json!(["InternalServerError", 503, BUSY])),
    ] {
        assert_eq!(report[fault], stream(tokens, &end), "{fault}");
    }
    for fault in HARMLESS {
        assert_eq!(report[fault], sound(), "{fault}");
    }
}
