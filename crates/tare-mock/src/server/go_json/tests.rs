//! What Go says to a body, as a table (`words.tsv`), and what it reads all the same.

use super::*;
use crate::protocol::wire::KeepAlive;
use crate::protocol::{ChatRequest, GenerateRequest};
use proptest::prelude::*;
use serde_json::{Value, json};

const WORDS: &str = include_str!("words.tsv");

fn refused(body: &[u8], shape: &Struct) -> String {
    match read::<Value>(body, shape) {
        Err(Refusal::Bad(words)) => words,
        other => panic!("{}: {other:?}", String::from_utf8_lossy(body)),
    }
}

/// `%XX` stands for a byte.
fn bytes(written: &str) -> Vec<u8> {
    let mut pieces = written.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).expect("a byte"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

#[test]
fn each_body_is_refused_in_gos_words() {
    let rows = WORDS.lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for row in rows {
        let [shape, body, words] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("no row: {row}");
        };
        let shape = match shape {
            "GenerateRequest" => &GENERATE,
            "ChatRequest" => &CHAT,
            "ShowRequest" => &SHOW,
            "ChatCompletionRequest" => &CHAT_COMPLETION,
            other => panic!("no request: {other}"),
        };
        let found = match scan::first_value(&bytes(body)) {
            Ok(node) => shape.fit(node).map(|(value, _)| value.to_string()),
            Err(ScanError::Syntax(words)) => Err(Refusal::Bad(words)),
            Err(ScanError::Empty) => Err(Refusal::Empty),
        };
        assert_eq!(found, Err(Refusal::Bad(words.to_owned())), "{row}");
        count += 1;
    }
    assert!(count > 100, "{count} rows");
}

#[test]
fn nothing_is_nothing() {
    for body in [&b""[..], b" \r\n\t"] {
        assert_eq!(read::<Value>(body, &CHAT), Err(Refusal::Empty));
    }
}

#[test]
fn what_go_takes_is_read_as_go_reads_it() {
    let read = |body: &str| -> GenerateRequest { read(body.as_bytes(), &GENERATE).expect(body) };
    let expected = GenerateRequest {
        model: "x".to_owned(),
        prompt: "y".to_owned(),
        ..GenerateRequest::default()
    };
    for body in [
        r#"{"model":"x","prompt":"y"}"#,
        r#"{"Model":"x","PROMPT":"y"}"#,
        r#"{"model":"z","prompt":"y","model":"x"}"#,
        r#"{"model":"x","prompt":"y"} and more"#,
        r#"{"model":"x","prompt":"y"}}"#,
        r#"{"model":"x","prompt":"y","stream":null,"options":null,"think":null,"new":[{}]}"#,
        r#"{"model":"x","Model":null,"prompt":"y"}"#,
    ] {
        assert_eq!(read(body), expected, "{body}");
    }
    assert_eq!(read("null"), GenerateRequest::default());
    assert_eq!(read(r#"{"prompt":"\ud800","Model":""}"#).prompt, "\u{fffd}");
    assert_eq!(
        read(r#"{"prompt":"\ud83e\udd99!\ud83ex","Model":""}"#).prompt,
        "🦙!\u{fffd}x"
    );
    let options =
        read(r#"{"Options":{"num_ctx":1},"options":{"num_ctx":4096.7,"top_p":1,"seed":-1}}"#);
    assert_eq!(options.options.num_ctx, Some(4096));
    assert_eq!(options.options.seed, Some(u64::MAX));
    let kept = read(r#"{"Keep_Alive":1.5}"#).keep_alive;
    assert_eq!(kept, Some(KeepAlive::Seconds(1.5)));
}

#[test]
fn a_message_may_be_null_and_its_names_in_any_case() {
    let body = br#"{"messages":[null,{"Role":"user","CONTENT":"b"},{"content":null}]}"#;
    let asked: ChatRequest = read(body, &CHAT).expect("a request");
    let said: Vec<_> = asked
        .messages
        .iter()
        .map(|m| (&*m.role, &*m.content))
        .collect();
    assert_eq!(said, [("", ""), ("user", "b"), ("", "")]);
}

#[test]
fn an_option_of_the_wrong_type_is_no_bad_request() {
    for (options, words) in [
        (
            json!({"num_ctx": "x"}),
            "option \"num_ctx\" must be of type integer",
        ),
        (
            json!({"temperature": "x"}),
            "option \"temperature\" must be of type float32",
        ),
        (
            json!({"use_mmap": 1}),
            "option \"use_mmap\" must be of type boolean",
        ),
    ] {
        let body = json!({"model": "x", "options": options}).to_string();
        let found = read::<GenerateRequest>(body.as_bytes(), &GENERATE);
        assert_eq!(found, Err(Refusal::Option(words.to_owned())));
    }
}

#[test]
fn nesting_has_an_end() {
    let deep = "[".repeat(100_000);
    assert_eq!(refused(deep.as_bytes(), &CHAT), "exceeded max depth");
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(900), "]".repeat(900));
    assert!(read::<Value>(deep.as_bytes(), &CHAT).is_ok());
}

#[test]
fn durations_are_gos() {
    let secs = |secs| Ok(Some(std::time::Duration::from_secs_f64(secs)));
    for (text, expected) in [
        ("0", secs(0.0)),
        ("5m", secs(300.0)),
        ("1h30m", secs(5400.0)),
        ("+1.5s", secs(1.5)),
        (".5s", secs(0.5)),
        ("1.s", secs(1.0)),
        ("2us", secs(2e-6)),
        ("2µs", secs(2e-6)),
        ("-0s", secs(0.0)),
        ("-1s", Ok(None)),
        ("9223372036s", secs(9_223_372_036.0)),
        ("9223372037s", Err("time: invalid duration \"9223372037s\"")),
        ("1d", Err("time: unknown unit \"d\" in duration \"1d\"")),
        (" 5m", Err("time: invalid duration \" 5m\"")),
        ("5 m", Err("time: unknown unit \" m\" in duration \"5 m\"")),
        ("-", Err("time: invalid duration \"-\"")),
        (".s", Err("time: invalid duration \".s\"")),
        ("ä", Err("time: invalid duration \"\\xc3\\xa4\"")),
    ] {
        assert_eq!(
            parse_duration(text),
            expected.map_err(str::to_owned),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn no_body_is_too_wild(body in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = read::<GenerateRequest>(&body, &GENERATE);
    }

    #[test]
    fn nothing_that_looks_like_json_is_too_wild(body in "[{}\\[\\]\",:0-9a-eA-E.u\\\\ tfn-]{0,40}") {
        let _ = read::<ChatRequest>(body.as_bytes(), &CHAT);
    }

    #[test]
    fn what_serde_takes_for_json_the_scanner_does_too(text in ".{0,20}", number in any::<f64>()) {
        let value = json!({"a": [text, number, null, true], "b": {}});
        let scanned = scan::first_value(value.to_string().as_bytes());
        prop_assert!(scanned.is_ok(), "{:?}", scanned);
    }
}
