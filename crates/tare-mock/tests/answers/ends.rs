//! Where an answer ends.

use super::*;
use std::time::{Duration, Instant};
use tare_mock::Text;

#[test]
fn it_ends_before_a_stop_string() {
    let server = plain();
    let text: String = Text::new(5).take(50).collect();
    let stop = text.chars().skip(40).take(9).collect::<String>();
    let before = &text[..text.find(&stop).expect("it is in the text")];
    for route in ["generate", "chat"] {
        let more = json!({"options": {"stop": ["never said", stop]}});
        let lines = lines(&native(&server, route, more));
        assert_eq!(said(&lines), before);
        assert_eq!(lines[lines.len() - 1]["done_reason"], "stop");
        assert!(lines[lines.len() - 1]["eval_count"].as_u64() < Some(50));
    }
    let whole = chat_completion(&server, json!({"stop": stop})).json();
    assert_eq!(whole["choices"][0]["message"]["content"], before);
}

#[test]
fn an_answer_that_is_stopped_at_once_is_empty() {
    let lines = lines(&native(
        &plain(),
        "chat",
        json!({"options": {"stop": ["#"]}}),
    ));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(said(&lines), "");
    assert_eq!(lines[0]["done_reason"], "stop");
}

#[test]
fn no_positive_limit_is_none() {
    let server = plain();
    for limit in [0, -1, -2] {
        let more = json!({"options": {"num_predict": limit}, "stream": false});
        let said = native(&server, "generate", more).json();
        assert_eq!(
            (&said["eval_count"], &said["done_reason"]),
            (&50.into(), &"stop".into())
        );
    }
}

#[test]
fn the_longest_answer_is_ten_contexts() {
    let server = plain();
    let began = Instant::now();
    let more = json!({"options": {"num_predict": i32::MAX, "num_ctx": 64}, "stream": false});
    let said = native(&server, "generate", more).json();
    assert_eq!(
        (&said["eval_count"], &said["done_reason"]),
        (&640.into(), &"length".into())
    );
    assert!(began.elapsed() < Duration::from_secs(100), "it ends");
}

#[test]
fn a_context_that_does_not_move_on_ends_the_answer_when_it_is_full() {
    let server = plain();
    let more = json!({"shift": false, "options": {"num_predict": 500, "num_ctx": 64}});
    let lines = lines(&native(&server, "generate", more));
    let last = &lines[lines.len() - 1];
    let count = |name: &str| last[name].as_u64().expect("a count");
    assert_eq!(count("prompt_eval_count") + count("eval_count"), 64);
    assert_eq!(last["done_reason"], "length");
}
