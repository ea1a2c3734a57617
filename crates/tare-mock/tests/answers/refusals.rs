//! What Ollama refuses to answer, in its words.

use super::*;

#[test]
fn what_is_of_the_wrong_type_is_no_request() {
    let call = |arguments: Value| {
        let call = json!({"function": {"name": "f", "arguments": arguments}});
        json!({"messages": [{"role": "assistant", "tool_calls": [call]}]})
    };
    for (route, more, words) in [
        (
            "generate",
            json!({"width": "x"}),
            "json: cannot unmarshal string into Go struct field GenerateRequest.width of type int32",
        ),
        (
            "chat",
            json!({"messages": [{"thinking": 5}]}),
            "json: cannot unmarshal number into Go struct field ChatRequest.messages.thinking of type string",
        ),
        (
            "chat",
            json!({"messages": [{"tool_calls": "x"}]}),
            "json: cannot unmarshal string into Go struct field ChatRequest.messages.tool_calls of type []api.ToolCall",
        ),
        (
            "chat",
            call("x".into()),
            "Value looks like object, but can't find closing '}' symbol",
        ),
        (
            "chat",
            json!({"tools": "x"}),
            "json: cannot unmarshal string into Go struct field ChatRequest.tools of type api.Tools",
        ),
    ] {
        let reply = native(&plain(), route, more);
        assert_eq!(reply.status, "400 Bad Request", "{words}");
        assert_eq!(reply.json()["error"], words);
    }
}

#[test]
fn what_the_handler_refuses() {
    let server = plain();
    let full_name = "registry.ollama.ai/library/gemma3:latest";
    for (route, more, status, words) in [
        (
            "generate",
            json!({"raw": true, "system": "x"}),
            400,
            "raw mode does not support template, system, or context".to_owned(),
        ),
        (
            "generate",
            json!({"raw": true, "template": "x"}),
            400,
            "raw mode does not support template, system, or context".to_owned(),
        ),
        (
            "generate",
            json!({"raw": true, "context": [1]}),
            400,
            "raw mode does not support template, system, or context".to_owned(),
        ),
        (
            "generate",
            json!({"suffix": "x"}),
            400,
            format!("{full_name} does not support insert"),
        ),
        (
            "generate",
            json!({"template": "{{ .Bad"}),
            500,
            "template: :1: unclosed action".to_owned(),
        ),
        (
            "generate",
            json!({"images": ["!!!"]}),
            400,
            "illegal base64 data at input byte 0".to_owned(),
        ),
        (
            "chat",
            json!({"messages": [{"role": "user", "content": "a", "images": ["!!!"]}]}),
            400,
            "illegal base64 data at input byte 0".to_owned(),
        ),
        (
            "generate",
            json!({"top_logprobs": 99}),
            400,
            "top_logprobs must be between 0 and 20".to_owned(),
        ),
        (
            "chat",
            json!({"top_logprobs": -1}),
            400,
            "top_logprobs must be between 0 and 20".to_owned(),
        ),
        (
            "generate",
            json!({"options": {"stop": "a"}}),
            500,
            "option \"stop\" must be of type array".to_owned(),
        ),
        (
            "generate",
            json!({"options": {"stop": [1]}}),
            500,
            "option \"stop\" must be of an array of strings".to_owned(),
        ),
        (
            "chat",
            json!({"options": {"min_p": "a"}}),
            500,
            "option \"min_p\" must be of type float32".to_owned(),
        ),
        (
            "generate",
            json!({"think": true}),
            400,
            "\"gemma3\" does not support thinking".to_owned(),
        ),
    ] {
        let reply = native(&server, route, more.clone());
        assert!(
            reply.status.starts_with(&status.to_string()),
            "{more} {}",
            reply.status
        );
        assert_eq!(reply.json()["error"], words, "{more}");
        assert_eq!(
            reply.header("content-type"),
            Some("application/json; charset=utf-8")
        );
    }
}

#[test]
fn what_the_runner_refuses_comes_as_a_stream_would() {
    let server = plain();
    let no_sight = "Failed to create new sequence: failed to process inputs: this model is missing data required for image input";
    for (route, more, status, words) in [
        (
            "generate",
            json!({"images": ["aGVsbG8="]}),
            "500 Internal Server Error",
            no_sight,
        ),
        (
            "chat",
            json!({"messages": [{"role": "user", "content": "a", "images": ["aGVsbG8="]}]}),
            "500 Internal Server Error",
            no_sight,
        ),
        (
            "generate",
            json!({"truncate": false, "prompt": "many words ".repeat(50), "options": {"num_ctx": 8}}),
            "400 Bad Request",
            "the input length exceeds the context length",
        ),
    ] {
        for stream in [true, false] {
            let mut more = more.clone();
            more["stream"] = stream.into();
            let reply = native(&server, route, more);
            assert_eq!(reply.status, status);
            assert_eq!(reply.json()["error"], words);
            assert_eq!(reply.header("transfer-encoding").is_some(), stream);
        }
    }
}

#[test]
fn a_model_that_sees_takes_images() {
    let server = able(&["completion", "vision"], "");
    let reply = native(&server, "generate", json!({"images": ["aGVsbG8="]}));
    assert_eq!(reply.status, "200 OK");
    let image = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}]}]);
    let reply = chat_completion(&server, json!({"messages": image}));
    assert_eq!(reply.status, "200 OK");
    let far = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}]);
    let reply = chat_completion(&server, json!({"messages": far}));
    assert_eq!(
        reply.json()["error"]["message"],
        "image URLs are not currently supported, please use base64 encoded data instead"
    );
}

#[test]
fn an_option_is_looked_at_once_the_model_is_found() {
    let more = json!({"model": "x", "options": {"stop": "a"}});
    let reply = native(&plain(), "generate", more);
    assert_eq!(reply.status, "404 Not Found");
    assert_eq!(reply.json()["error"], "model 'x' not found");
}

#[test]
fn a_prompt_can_be_told_instead_of_answered() {
    for route in ["generate", "chat"] {
        let said = native(&plain(), route, json!({"_debug_render_only": true})).json();
        assert_eq!(said["_debug_info"], json!({"rendered_template": "Why?"}));
        assert_eq!(said["done"], false);
    }
}

#[test]
fn a_list_is_no_request() {
    let reply = ask(&plain(), "POST /api/generate", "[]");
    assert_eq!(reply.status, "400 Bad Request");
    let words = "json: cannot unmarshal array into Go value of type api.GenerateRequest";
    assert_eq!(reply.json()["error"], words);
}

#[test]
fn a_model_that_only_embeds_does_not_answer() {
    let server = able(&["embedding"], "");
    for (route, words) in [
        ("generate", "\"gemma3\" does not support generate"),
        ("chat", "\"gemma3\" does not support chat"),
    ] {
        let reply = native(&server, route, json!({}));
        assert_eq!(reply.status, "400 Bad Request");
        assert_eq!(reply.json()["error"], words);
    }
}
