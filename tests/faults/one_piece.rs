//! Faults of a reply that does not stream.

use crate::support::{mock, wire};
use crate::{BODY, GENERATE, tokens};
use serde_json::Value;
use std::io::ErrorKind;

#[test]
fn a_reply_in_one_piece_has_faults_where_they_make_sense() {
    let server = mock("instant");
    let body = BODY.replace("\"stream\":true", "\"stream\":false");
    let ask_whole = |faults: &str| {
        wire(
            &server,
            &format!("{GENERATE}\nx-tare-fault: {faults}"),
            &body,
        )
    };
    let sound = wire(&server, GENERATE, &body);
    assert!(sound.head.to_ascii_lowercase().contains("content-length"));
    let whole: Value = serde_json::from_slice(&sound.body).expect("JSON");
    assert_eq!(whole["response"], tokens().concat());

    for (faults, complete) in [("truncate=9", true), ("reset=9", false)] {
        let half = ask_whole(faults);
        let text = half.chunks().concat();
        assert!(text.starts_with(b"{\"model\"") && !text.ends_with(b"}"));
        assert_eq!(half.is_complete(), complete, "{faults}");
        let broken = (!complete).then_some(ErrorKind::ConnectionReset);
        assert_eq!(half.broken, broken, "{faults}");
    }
    for (faults, chunks) in [
        ("split=10", 2),
        ("stall=10ms", 2),
        ("stall=10ms, split=10", 4),
    ] {
        let reply = ask_whole(faults);
        assert_eq!(reply.chunks().len(), chunks, "{faults}");
        let again: Value = serde_json::from_slice(&reply.chunks().concat()).expect("JSON");
        assert_eq!(again["response"], whole["response"]);
    }
    let failed = ask_whole("error=1:no more");
    assert!(failed.head.starts_with("HTTP/1.1 500"));
    assert_eq!(failed.body, br#"{"error":"no more"}"#);
    assert!(std::str::from_utf8(&ask_whole("bad-utf8=1").body).is_err());
    let extra: Value = serde_json::from_slice(&ask_whole("extra-fields").body).expect("JSON");
    assert!(extra["x_list"].is_array() && extra["response"] == whole["response"]);
    let long = ask_whole("huge-context=5000").chunks().concat();
    let long: Value = serde_json::from_slice(&long).expect("JSON");
    assert_eq!(long["context"].as_array().expect("a list").len(), 5000);
}
