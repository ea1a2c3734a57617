//! Each fault of a stream is what it says it is, byte by byte, at the chunk where it should be, and
//! leaves everything else alone.

use crate::support::{ask, mock, wire};
use crate::{BODY, CHAT, GENERATE, OPENAI, RUNNER_GONE, said, struck, texts, tokens, with};
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

#[test]
fn a_truncated_stream_is_sound_http_without_a_last_line() {
    let server = mock("instant");
    for route in [GENERATE, CHAT, OPENAI] {
        for n in [0, 1, 4, 6] {
            let reply = struck(&server, route, &format!("truncate={n}"));
            assert!(reply.head.starts_with("HTTP/1.1 200 OK"), "{}", reply.head);
            assert_eq!(texts(&reply.chunks()), tokens()[..n], "{route}");
            assert!(reply.is_complete() && reply.broken.is_none(), "{route}");
        }
        let reply = struck(&server, route, "truncate=7");
        assert_eq!(reply.chunks().len(), 7, "{route} has no seventh token");
    }
}

#[test]
fn an_error_is_a_line_or_an_event_and_then_the_end() {
    let server = mock("instant");
    for route in [GENERATE, CHAT, OPENAI] {
        for (faults, words) in [
            ("error=2", RUNNER_GONE),
            (r#"error=2:"a \"b\", c @ <d>""#, r#"a "b", c @ <d>"#),
        ] {
            let reply = struck(&server, route, faults);
            let chunks = reply.chunks();
            assert_eq!(texts(&chunks[..2]), tokens()[..2], "{route}");
            let error = match route {
                OPENAI => {
                    json!({"message": words, "type": "api_error", "param": null, "code": null})
                }
                _ => json!(words),
            };
            assert_eq!(chunks.len(), 3, "{route}");
            assert_eq!(said(chunks[2]), json!({ "error": error }), "{route}");
            let end = if route == OPENAI { "\n\n" } else { "}\n" };
            assert!(chunks[2].ends_with(end.as_bytes()), "{route}");
            assert!(reply.is_complete(), "{route}");
        }
    }
}

#[test]
fn a_reset_is_one_of_tcp_after_all_its_tokens() {
    let server = mock("instant");
    for n in [0, 3] {
        let reply = struck(&server, GENERATE, &format!("reset={n}"));
        assert_eq!(reply.broken, Some(ErrorKind::ConnectionReset));
        assert!(reply.head.starts_with("HTTP/1.1 200 OK"), "{}", reply.head);
        assert_eq!(texts(&reply.chunks()), tokens()[..n]);
        assert!(!reply.is_complete());
    }
    // A client that goes on finds the server well.
    assert_eq!(struck(&server, GENERATE, "extra-fields").chunks().len(), 7);
}

#[test]
fn a_stall_lies_before_the_second_token_or_where_it_is_told_to() {
    let server = mock("paced-1ms");
    const STALL: Duration = Duration::from_millis(60);
    for (faults, before) in [
        ("stall=60ms", 1_usize),
        ("stall=60ms:4", 4),
        ("stall=60ms:0", 0),
    ] {
        let head = format!("{GENERATE}\nx-tare-truth: 1\nx-tare-fault: {faults}");
        let started = Instant::now();
        let reply = wire(&server, &head, BODY);
        assert!(started.elapsed() >= STALL, "{faults}");
        assert_eq!(texts(&reply.chunks()[..6]), tokens());
        // The truth knows of it: that token, and none of those before it, was sent so late.
        let last = said(reply.chunks()[6]);
        let sent = last["tare_truth"]["sent"].as_array().expect("a list");
        let sent: Vec<_> = sent.iter().map(|at| at.as_u64().expect("ns")).collect();
        assert_eq!(sent.len(), 6);
        let from = before.checked_sub(1).map_or(0, |index| sent[index]);
        let gap = Duration::from_nanos(sent[before] - from);
        assert!(gap >= STALL, "{faults}: {sent:?}");
    }
}

#[test]
fn split_lines_are_two_chunks_each_and_whole_together() {
    let server = mock("instant");
    for (route, at) in [(GENERATE, 1), (GENERATE, 30), (CHAT, 50), (OPENAI, 3)] {
        let reply = struck(&server, route, &format!("split={at}"));
        let chunks = reply.chunks();
        assert_eq!(chunks.len(), 14, "{route}");
        assert!(chunks.iter().step_by(2).all(|first| first.len() == at));
        let lines: Vec<_> = chunks.chunks(2).map(<[_]>::concat).collect();
        let lines: Vec<_> = lines.iter().map(Vec::as_slice).collect();
        assert_eq!(texts(&lines[..6]), tokens());
        assert!(lines[6].ends_with(b"\n") && reply.is_complete());
    }
    let reply = struck(&server, GENERATE, "split=100000");
    assert_eq!(reply.chunks().len(), 7, "no line is so long");
}

#[test]
fn merged_lines_share_a_chunk_and_the_last_comes_by_itself() {
    let server = mock("instant");
    for (lines, sizes) in [(2, &[2, 2, 2, 1][..]), (4, &[4, 2, 1]), (100, &[6, 1])] {
        let reply = struck(&server, GENERATE, &format!("merge={lines}"));
        let found: Vec<_> = reply
            .chunks()
            .iter()
            .map(|chunk| chunk.iter().filter(|&&byte| byte == b'\n').count())
            .collect();
        assert_eq!(found, sizes, "merge={lines}");
        let body = reply.chunks().concat();
        let lines: Vec<_> = body.split_inclusive(|&byte| byte == b'\n').collect();
        assert_eq!(texts(&lines[..6]), tokens());
        assert_eq!(said(lines[6])["done"], true);
    }
}

#[test]
fn the_truth_stays_true_whatever_the_chunks() {
    let server = mock("paced-1ms");
    for faults in ["split=20", "merge=2", "merge=4, split=100", "merge=100"] {
        let head = format!("{GENERATE}\nx-tare-truth: 1\nx-tare-fault: {faults}");
        let reply = wire(&server, &head, BODY);
        let body = reply.chunks().concat();
        let last = body.trim_ascii_end().rsplit(|&byte| byte == b'\n').next();
        let truth = &said(last.expect("a last line"))["tare_truth"];
        let times = |name: &str| -> Vec<u64> {
            let times = truth[name].as_array().expect("a list").iter();
            times.map(|at| at.as_u64().expect("nanoseconds")).collect()
        };
        let (due, sent) = (times("due"), times("sent"));
        assert_eq!((due.len(), sent.len()), (6, 6), "{faults}");
        assert!(sent.is_sorted(), "{faults}: {sent:?}");
        assert!(due.iter().zip(&sent).all(|(due, sent)| due <= sent));
        assert!(truth["done"].as_u64() >= sent.last().copied(), "{faults}");
        if faults == "merge=2" {
            // No line of a chunk is sent before the last of them is due.
            assert!(sent.chunks(2).all(|pair| pair[0] == pair[1]), "{sent:?}");
        }
    }
}

#[test]
fn one_token_is_not_utf8() {
    let server = mock("instant");
    for route in [GENERATE, CHAT, OPENAI] {
        let reply = struck(&server, route, "bad-utf8=3");
        let is_utf8 = reply
            .chunks()
            .into_iter()
            .map(|chunk| std::str::from_utf8(chunk).is_ok());
        let expected = [true, true, false, true, true, true, true];
        assert_eq!(is_utf8.collect::<Vec<_>>(), expected, "{route}");
    }
}

#[test]
fn a_status_is_an_error_in_ollamas_words() {
    let server = mock("instant");
    for (status, words) in [
        ("404 Not Found", "model 'gemma3' not found"),
        (
            "503 Service Unavailable",
            "server busy, please try again.  maximum pending requests exceeded",
        ),
        (
            "500 Internal Server Error",
            "llama runner process has terminated: exit status 2",
        ),
        ("429 Too Many Requests", "too many requests"),
    ] {
        for route in [GENERATE, CHAT, OPENAI] {
            let head = format!("{route}\nx-tare-fault: status={}, truncate=1", &status[..3]);
            let reply = ask(&server, &head, BODY);
            assert_eq!(reply.status, status);
            let error = &reply.json()["error"];
            let said = if route == OPENAI {
                &error["message"]
            } else {
                error
            };
            assert_eq!(said, words, "{route}");
        }
    }
}

#[test]
fn a_head_can_be_slow_and_of_another_type() {
    let server = mock("instant");
    for route in [GENERATE, OPENAI] {
        let started = Instant::now();
        let reply = struck(
            &server,
            route,
            "slow-head=60ms, content-type=text/html; charset=utf-8",
        );
        assert!(started.elapsed() >= Duration::from_millis(60));
        assert!(
            reply
                .head
                .contains("\r\nContent-Type: text/html; charset=utf-8\r\n")
        );
        assert_eq!(reply.chunks().len(), 7);
    }
    let both = struck(&server, GENERATE, "status=502, content-type=text/html");
    assert!(both.head.starts_with("HTTP/1.1 502") && both.head.contains("text/html"));
}

#[test]
fn a_context_is_as_long_as_it_is_told_to() {
    let server = mock("instant");
    let reply = struck(&server, GENERATE, "huge-context=100000");
    let last = said(reply.chunks()[6]);
    assert_eq!(last["context"].as_array().expect("a list").len(), 100_000);
    assert_eq!(
        (&last["done"], &last["eval_count"]),
        (&json!(true), &json!(6))
    );
    let chat = struck(&server, CHAT, "huge-context=100000");
    assert_eq!(said(chat.chunks()[6])["context"], Value::Null);
}

#[test]
fn every_line_gets_fields_and_keeps_its_own() {
    let server = mock("instant");
    for route in [GENERATE, CHAT, OPENAI] {
        let reply = struck(&server, route, "extra-fields");
        let chunks = reply.chunks();
        assert_eq!(texts(&chunks[..6]), tokens(), "{route}");
        assert!(
            chunks[..6]
                .iter()
                .all(|chunk| said(chunk)["x_object"].is_object())
        );
        let last = String::from_utf8_lossy(chunks[6]);
        assert!(last.contains("x_object"), "{route}");
        assert_eq!(last.ends_with("data: [DONE]\n\n"), route == OPENAI);
    }
}

#[test]
fn faults_combine_and_the_headers_come_first() {
    let server = with(&["split=40", "extra-fields", "truncate=5"]);
    let reply = struck(
        &server,
        GENERATE,
        "merge=2, split=9, bad-utf8=1, truncate=2",
    );
    let chunks = reply.chunks();
    assert_eq!(chunks.len(), 2);
    assert_eq!(chunks[0].len(), 9);
    let lines = chunks.concat();
    assert_eq!(lines.iter().filter(|&&byte| byte == b'\n').count(), 2);
    assert_eq!(lines.iter().filter(|&&byte| byte == 0xff).count(), 1);
    assert!(String::from_utf8_lossy(&lines).contains("x_object"));
    assert!(reply.is_complete());
}
