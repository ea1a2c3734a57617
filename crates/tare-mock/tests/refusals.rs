//! What the mock says to a body that is no request: Ollama answers in the words of Go's JSON decoder.

mod support;

use support::{ask, mock};

#[test]
fn a_body_that_is_no_request_is_refused_in_gos_words() {
    let server = mock("instant");
    let generate = "POST /api/generate";
    let chat = "POST /api/chat";
    for (head, body, words) in [
        (generate, "{", "unexpected EOF"),
        (
            generate,
            "nope",
            "invalid character 'o' in literal null (expecting 'u')",
        ),
        (
            chat,
            r#"{"model":"gemma3",}"#,
            "invalid character '}' looking for beginning of object key string",
        ),
        (
            generate,
            r#"{"model":1}"#,
            "json: cannot unmarshal number into Go struct field GenerateRequest.model of type string",
        ),
        (
            chat,
            r#"{"model":"gemma3","messages":[{"role":1}]}"#,
            "json: cannot unmarshal number into Go struct field ChatRequest.messages.role of type string",
        ),
        (
            "POST /api/show",
            r#"{"name":1}"#,
            "json: cannot unmarshal number into Go struct field ShowRequest.name of type string",
        ),
        (
            generate,
            r#"{"model":"x","keep_alive":"5"}"#,
            "time: missing unit in duration \"5\"",
        ),
        (chat, " ", "missing request body"),
    ] {
        let reply = ask(&server, head, body);
        assert_eq!(reply.status, "400 Bad Request", "{head} {body}");
        assert_eq!(reply.json()["error"], words, "{head} {body}");
    }
}

#[test]
fn openais_route_says_the_same_in_openais_form() {
    let server = mock("instant");
    for (body, words) in [
        (" ", "EOF"),
        ("{", "unexpected EOF"),
        (
            r#"{"stream_options":{"include_usage":1}}"#,
            "json: cannot unmarshal number into Go struct field StreamOptions.stream_options.include_usage of type bool",
        ),
        (
            r#"{"max_tokens":1.5}"#,
            "json: cannot unmarshal number 1.5 into Go struct field ChatCompletionRequest.max_tokens of type int",
        ),
    ] {
        let reply = ask(&server, "POST /v1/chat/completions", body);
        assert_eq!(reply.status, "400 Bad Request", "{body}");
        let error = &reply.json()["error"];
        assert_eq!(error["message"], words, "{body}");
        assert_eq!(error["type"], "invalid_request_error", "{body}");
    }
}

#[test]
fn an_option_of_the_wrong_type_is_a_failure_of_the_servers() {
    let server = mock("instant");
    let body = r#"{"model":"gemma3","prompt":"a","options":{"num_ctx":"x"}}"#;
    let reply = ask(&server, "POST /api/generate", body);
    assert_eq!(reply.status, "500 Internal Server Error");
    let words = "option \"num_ctx\" must be of type integer";
    assert_eq!(reply.json()["error"], words);
}

#[test]
fn what_go_takes_is_taken() {
    let server = mock("instant");
    let body = r#"{"MODEL":"gemma3","Prompt":"a","prompt":"b","STREAM":false} and more"#;
    let reply = ask(&server, "POST /api/generate", body).json();
    assert_eq!(reply["done"], true);
}
