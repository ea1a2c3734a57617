//! Log probabilities of tokens.

use super::*;

#[test]
fn each_line_has_its_tokens() {
    let server = plain();
    for route in ["generate", "chat"] {
        let more = json!({"logprobs": true, "top_logprobs": 2, "options": {"num_predict": 6}});
        let streamed = lines(&native(&server, route, more.clone()));
        assert_eq!(streamed.len(), 7);
        for line in &streamed[..6] {
            let [logprob] = line["logprobs"].as_array().expect("a list").as_slice() else {
                panic!("one token: {line}");
            };
            let token = logprob["token"].as_str().expect("a token");
            assert_eq!(token, said(std::slice::from_ref(line)));
            assert_eq!(logprob["bytes"], json!(token.as_bytes()));
            assert!(
                logprob["logprob"]
                    .as_f64()
                    .is_some_and(|logprob| logprob < 0.0)
            );
            assert_eq!(logprob["top_logprobs"].as_array().map(Vec::len), Some(2));
        }
        assert_eq!(streamed[6]["logprobs"], Value::Null);
        let mut whole = more;
        whole["stream"] = false.into();
        let whole = native(&server, route, whole);
        let all = whole.json()["logprobs"].as_array().map(Vec::len);
        assert_eq!(all, Some(6));
        // By chat they come before the durations, by generate behind them.
        let body = whole.body();
        let at = |name: &str| body.find(name).expect("a field");
        assert_eq!(
            at("\"logprobs\"") < at("\"total_duration\""),
            route == "chat"
        );
    }
}

#[test]
fn openai_has_them_in_the_choice() {
    let server = plain();
    let more = json!({"logprobs": true, "max_tokens": 3});
    let whole = chat_completion(&server, more).json();
    let content = &whole["choices"][0]["logprobs"]["content"];
    assert_eq!(content.as_array().map(Vec::len), Some(3));
    assert_eq!(
        content[0]["top_logprobs"],
        Value::Null,
        "none were asked for"
    );
    let more = json!({"logprobs": true, "max_tokens": 3, "stream": true});
    let streamed = events(&chat_completion(&server, more));
    assert_eq!(
        &streamed[0].1["choices"][0]["logprobs"]["content"][0],
        &content[0]
    );
    assert_eq!(streamed[3].1["choices"][0]["logprobs"], Value::Null);
}

#[test]
fn without_being_asked_there_are_none() {
    let reply = native(&plain(), "chat", json!({"top_logprobs": 3}));
    assert!(!reply.body().contains("logprob"));
}
