//! Thoughts before an answer.

use super::*;
use tare_mock::Text;

fn answer() -> String {
    Text::new(5).take(50).collect()
}

#[test]
fn thoughts_come_first_and_the_answer_is_that_of_the_seed() {
    let server = able(&["completion", "thinking"], "");
    for (route, think) in [
        ("generate", json!(true)),
        ("chat", json!(true)),
        // A model that can think does so unless it is told not to.
        ("generate", Value::Null),
        ("chat", Value::Null),
    ] {
        let lines = lines(&native(&server, route, json!({"think": think})));
        let thought = |line: &Value| match route {
            "generate" => line["thinking"].as_str().map(str::to_owned),
            _ => line["message"]["thinking"].as_str().map(str::to_owned),
        };
        let thoughts = lines
            .iter()
            .take_while(|line| thought(line).is_some())
            .count();
        assert!(thoughts > 0, "{route}");
        assert_eq!(said(&lines[..thoughts]), "");
        assert_eq!(said(&lines[thoughts..]), answer());
        assert!(lines[thoughts..].iter().all(|line| thought(line).is_none()));
        assert_eq!(lines[lines.len() - 1]["eval_count"], thoughts + 50);
    }
}

#[test]
fn not_to_think_is_to_answer_at_once() {
    let server = able(&["completion", "thinking"], "");
    let reply = native(&server, "chat", json!({"think": false}));
    assert_eq!(said(&lines(&reply)), answer());
    assert!(!reply.body().contains("thinking"));
}

#[test]
fn openai_has_them_as_reasoning() {
    let server = able(&["completion", "thinking"], "");
    let whole = chat_completion(&server, json!({})).json();
    let message = &whole["choices"][0]["message"];
    assert_eq!(message["content"], answer());
    let thoughts = message["reasoning"].as_str().expect("thoughts");
    let streamed = events(&chat_completion(&server, json!({"stream": true})));
    let told = streamed
        .iter()
        .filter_map(|(_, event)| event["choices"][0]["delta"]["reasoning"].as_str());
    assert_eq!(told.collect::<String>(), thoughts);
    let none = chat_completion(&server, json!({"reasoning_effort": "none"})).json();
    assert_eq!(none["choices"][0]["message"]["reasoning"], Value::Null);
}

#[test]
fn json_comes_after_the_thoughts() {
    let server = able(&["completion", "thinking"], "");
    let text = said(&lines(&native(&server, "chat", json!({"format": "json"}))));
    assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
}

#[test]
fn levels_are_refused_in_words_that_depend_on_the_route() {
    let thinker = able(&["completion", "thinking"], "");
    let unsupported = "think value \"high\" is not supported for this model";
    for (server, route, words) in [
        (&thinker, "generate", unsupported),
        (&thinker, "chat", unsupported),
        (&plain(), "generate", unsupported),
        (&plain(), "chat", "\"gemma3\" does not support thinking"),
    ] {
        let reply = native(server, route, json!({"think": "high"}));
        assert_eq!(reply.status, "400 Bad Request");
        assert_eq!(reply.json()["error"], words, "{route}");
    }
}
