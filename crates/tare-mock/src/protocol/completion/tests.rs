//! Streams as llama.cpp, vLLM, LM Studio and Ollama send them, split anywhere.

use super::super::decoder::hearing::{self, Heard, cut, cuts};
use super::*;
use proptest::prelude::*;

/// llama.cpp: the role with null content first, thinking, the account last, no blank line after
/// `[DONE]`; in between what a proxy adds.
const LLAMA_CPP: &str = concat!(
    r#"data: {"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"created":1762593253,"id":"chatcmpl-x","model":"m","system_fingerprint":"b6881-8b11deea4","object":"chat.completion.chunk"}"#,
    "\n\n",
    r#"data: {"choices":[{"finish_reason":null,"index":0,"delta":{"reasoning_content":"hm"}}],"created":1,"id":"x","model":"m","object":"chat.completion.chunk"}"#,
    "\n\n: ping\n\n",
    r#"data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":"µ \"a\"\n"}}],"created":1,"id":"x","model":"m","object":"chat.completion.chunk"}"#,
    "\r\n\r\n: ping\r\n\r\nevent: x\rid: 3\r",
    r#"data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" 🦙"}}],"created":1,"id":"x","model":"m","object":"chat.completion.chunk"}"#,
    "\r\r",
    r#"data: {"choices":[{"finish_reason":"length","index":0,"delta":{}}],"created":1,"id":"x","model":"m","object":"chat.completion.chunk"}"#,
    "\n\n",
    r#"data: {"choices":[],"created":1,"id":"x","model":"m","object":"chat.completion.chunk","#,
    r#""usage":{"completion_tokens":35,"prompt_tokens":237,"total_tokens":272},"#,
    r#""timings":{"cache_n":236,"prompt_n":1,"prompt_ms":30.958,"prompt_per_second":32.3,"predicted_n":35,"predicted_ms":661.064,"predicted_per_second":52.9}}"#,
    "\n\ndata: [DONE]",
);

fn decode(reply: &[u8]) -> Result<Vec<Heard>, DecodeError> {
    hearing::decode::<Completion>([reply])
}

fn told(reply: &str) -> Vec<Heard> {
    decode(reply.as_bytes()).expect("a sound reply")
}

fn token(text: &str) -> Heard {
    Heard::Token(text.to_owned())
}

/// The account at the end of what was said.
fn last(said: &[Heard]) -> &Final {
    match said.last() {
        Some(Heard::Done(last)) => last,
        other => panic!("no end: {other:?}"),
    }
}

/// A chunk with this choice.
fn chunk(choice: &str) -> String {
    format!("data: {{\"id\":\"x\",\"choices\":[{choice}]}}\n\n")
}

fn content(text: &str) -> String {
    let text = serde_json::json!(text);
    chunk(&format!(
        r#"{{"index":0,"delta":{{"content":{text}}},"finish_reason":null}}"#
    ))
}

const FINISH: &str = r#"{"index":0,"delta":{},"finish_reason":"stop"}"#;

#[test]
fn llama_cpps_stream_gives_tokens_and_its_own_times() {
    let said = told(LLAMA_CPP);
    assert_eq!(
        said[..3],
        [
            Heard::Thinking("hm".to_owned()),
            token("µ \"a\"\n"),
            token(" 🦙")
        ]
    );
    assert_eq!(said.len(), 4);
    let last = last(&said);
    assert_eq!(last.done_reason.as_deref(), Some("length"));
    assert_eq!((last.prompt_eval_count, last.eval_count), (237, 35));
    assert_eq!(last.prompt_eval_duration, 30_958_000);
    assert_eq!(last.eval_duration, 661_064_000);
    assert_eq!(last.total_duration, 692_022_000);
    assert_eq!(last.load_duration, 0, "it states none");
}

#[test]
fn vllms_stream_gives_counts_and_no_time() {
    let said = told(concat!(
        r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":null,"usage":null}"#,
        "\n\n",
        r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"a"},"logprobs":null,"finish_reason":null,"token_ids":null}]}"#,
        "\n\n",
        r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"b"},"logprobs":null,"finish_reason":"stop","stop_reason":null,"token_ids":null}]}"#,
        "\n\n",
        r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":12,"total_tokens":14,"completion_tokens":2}}"#,
        "\n\ndata: [DONE]\n\n",
    ));
    assert_eq!(said[..2], [token("a"), token("b")]);
    let last = last(&said);
    assert_eq!((last.prompt_eval_count, last.eval_count), (12, 2));
    assert_eq!((last.total_duration, last.timings), (0, None));
    assert_eq!(last.tokens_per_second(), None);
}

#[test]
fn timings_in_the_finish_chunk_count_too_and_make_up_for_usage() {
    let said = told(
        &(content("a")
            + "data: {\"choices\":[{\"finish_reason\":\"stop\",\"index\":0,\"delta\":{}}],\"timings\":{\"cache_n\":4,\"prompt_n\":6,\"prompt_ms\":2.5,\"predicted_n\":1,\"predicted_ms\":1.5}}\n\ndata: [DONE]\n\n"),
    );
    let last = last(&said);
    assert_eq!((last.prompt_eval_count, last.eval_count), (10, 1));
    assert_eq!(last.total_duration, 4_000_000);
}

#[test]
fn thinking_that_is_sent_under_two_names_is_heard_once() {
    let said = told(&chunk(
        r#"{"index":0,"delta":{"reasoning":"hm","reasoning_content":"hm"}}"#,
    ));
    assert_eq!(said, [Heard::Thinking("hm".to_owned())]);
    let said = told(&chunk(r#"{"index":0,"delta":{"reasoning":"so"}}"#));
    assert_eq!(said, [Heard::Thinking("so".to_owned())]);
}

#[test]
fn a_whole_reply_in_one_object_is_taken() {
    for end in ["", "\n"] {
        let said = told(
            &(r#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"ab","reasoning_content":"hm","tool_calls":[]},"logprobs":null,"finish_reason":"stop"}],
                "usage":{"prompt_tokens":3,"completion_tokens":2}}"#.to_owned() + end),
        );
        assert_eq!(said[..2], [Heard::Thinking("hm".to_owned()), token("ab")]);
        assert_eq!(last(&said).eval_count, 2);
    }
}

#[test]
fn a_reply_is_complete_with_done_or_with_its_end_after_a_reason() {
    for complete in [
        content("a") + "data: [DONE]\n\n",
        content("a") + "data: [DONE]",
        content("a") + &chunk(FINISH),
        content("a") + chunk(FINISH).trim_end(),
        content("a") + "data: [DONE]\n\n" + &content("afterwards"),
    ] {
        let said = told(&complete);
        assert_eq!(said.len(), 2, "{complete}: {said:?}");
        last(&said);
    }
    for cut_off in [
        String::new(),
        ": ping\n\n".to_owned(),
        content("a"),
        "{}".to_owned(),
    ] {
        let said = told(&cut_off);
        let done = said.iter().any(|said| matches!(said, Heard::Done(_)));
        assert!(!done, "{cut_off}: {said:?}");
    }
    for broken in [
        content("a") + "data: {\"id\":\"x\",\"choi",
        content("a") + &chunk(FINISH) + "data: {\"usage\":{\"pro",
        "{\"choices\":[{\"message\":{\"content\":\"a".to_owned(),
    ] {
        assert!(decode(broken.as_bytes()).is_err(), "{broken}");
    }
}

#[test]
fn an_error_in_any_form_is_told_and_ends_the_reply() {
    for error in [
        r#"data: {"error":"out of memory"}"#,
        r#"data: {"error":{"message":"out of memory","type":"server_error","code":500}}"#,
        r#"data: {"object":"error","message":"out of memory","type":"x","param":null,"code":500}"#,
        r#"error: {"code":500,"message":"out of memory","type":"server_error"}"#,
        "event: error\ndata: {\"error\":{\"message\":\"out of memory\"}}",
    ] {
        let said = told(&(content("a") + error + "\n\ndata: [DONE]\n\n"));
        let error = Heard::Error("out of memory".to_owned());
        assert_eq!(said, [token("a"), error]);
    }
    let said = told(r#"{"error":"Unexpected endpoint or method. (POST /v1/chat/completions)"}"#);
    assert!(
        matches!(&said[..], [Heard::Error(words)] if words.starts_with("Unexpected")),
        "{said:?}"
    );
}

#[test]
fn what_is_no_json_is_malformed_and_shown() {
    let error = decode(b"data: {\"choices\":[{\"delta\":nothing\n\n").expect_err("no JSON");
    assert!(error.to_string().contains("nothing"), "{error}");
}

#[test]
fn what_needs_no_unescaping_is_borrowed() {
    let chunk =
        br#"{"choices":[{"delta":{"content":"plain","reasoning":null},"finish_reason":null}]}"#;
    let chunk: Chunk<'_> = read(chunk).expect("a chunk");
    let said = chunk.choices.and_then(|choice| choice.delta);
    let content = said.map(|said| said.content.0);
    assert!(matches!(content, Some(Cow::Borrowed("plain"))));
}

#[test]
fn every_cut_into_two_gives_the_same() {
    let whole = told(LLAMA_CPP);
    for at in 0..=LLAMA_CPP.len() {
        let (head, tail) = LLAMA_CPP.as_bytes().split_at(at);
        let split = hearing::decode::<Completion>([head, tail]);
        assert_eq!(split.expect("a sound reply"), whole, "cut at {at}");
    }
}

proptest! {
    #[test]
    fn any_split_gives_the_same(cuts in cuts()) {
        let split = hearing::decode::<Completion>(cut(LLAMA_CPP.as_bytes(), &cuts));
        prop_assert_eq!(split.expect("a sound reply"), told(LLAMA_CPP));
    }

    #[test]
    fn any_text_survives_the_encoding(texts in prop::collection::vec(".{1,20}", 1..20), size in 1usize..40) {
        let reply: String = texts.iter().map(|text| content(text)).collect();
        let said = hearing::decode::<Completion>(reply.as_bytes().chunks(size));
        let tokens: Vec<_> = texts.into_iter().map(Heard::Token).collect();
        prop_assert_eq!(said.expect("a sound reply"), tokens);
    }

    #[test]
    fn garbage_is_an_error_or_nothing_but_never_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        begin in prop::sample::select(vec!["", "data: ", "data: {", "{", "error: ", "\r\ndata:[DONE]"]),
    ) {
        let _ = decode(&[begin.as_bytes(), &bytes].concat());
    }
}
