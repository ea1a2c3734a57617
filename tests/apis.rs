//! What every stack's client makes of servers that speak OpenAI's API: streams in the form of
//! llama.cpp's server, vLLM and LM Studio, split anywhere, and what else such a server may say. In
//! this process, on the real runtimes, over real sockets.

mod support;

use support::{FixtureServer, call_times, chunk, pieces, send};
use tare::client::Limits;
use tare::meter::{Call, NetSource};
use tare::protocol::{Api, CallError};
use tare::stack::Stack;
use tare_mock::Text;

const EVENTS_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";

/// What differs between servers in the events of one answer.
struct Dialect {
    name: &'static str,
    /// The first delta, which may have no text.
    role: &'static str,
    /// Further fields of an event.
    fields: &'static str,
    /// What stands between some of the events.
    between: &'static str,
    /// From the finish chunk on.
    end: &'static str,
}

const LLAMA_CPP: Dialect = Dialect {
    name: "llama.cpp",
    role: r#"{"role":"assistant","content":null}"#,
    fields: r#""created":1762593253,"id":"chatcmpl-DHvcEyFobkuV4Xu1QSYo4bqNv18TDqaA","model":"m","system_fingerprint":"b6881-8b11deea4","object":"chat.completion.chunk""#,
    between: ":\n\n",
    end: concat!(
        r#"data: {"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"created":1762593253,"id":"chatcmpl-D","model":"m","object":"chat.completion.chunk"}"#,
        "\n\n",
        r#"data: {"choices":[],"created":1762593253,"id":"chatcmpl-D","model":"m","object":"chat.completion.chunk","#,
        r#""usage":{"completion_tokens":60,"prompt_tokens":11,"total_tokens":71},"#,
        r#""timings":{"cache_n":4,"prompt_n":7,"prompt_ms":20.5,"prompt_per_token_ms":2.9,"prompt_per_second":341.4,"predicted_n":60,"predicted_ms":600.25,"predicted_per_token_ms":10.0,"predicted_per_second":99.9}}"#,
        // Its recent builds leave out the last blank line.
        "\n\ndata: [DONE]",
    ),
};

const VLLM: Dialect = Dialect {
    name: "vLLM",
    role: r#"{"role":"assistant","content":""}"#,
    fields: r#""id":"chatcmpl-6fd3","object":"chat.completion.chunk","created":1762593253,"model":"m","usage":null"#,
    between: "",
    end: concat!(
        r#"data: {"id":"chatcmpl-6fd3","object":"chat.completion.chunk","created":1762593253,"model":"m","choices":[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"stop","stop_reason":null}]}"#,
        "\n\n",
        r#"data: {"id":"chatcmpl-6fd3","object":"chat.completion.chunk","created":1762593253,"model":"m","choices":[],"usage":{"prompt_tokens":11,"total_tokens":71,"completion_tokens":60}}"#,
        "\n\ndata: [DONE]\n\n",
    ),
};

const LM_STUDIO: Dialect = Dialect {
    name: "LM Studio",
    role: r#"{"role":"assistant","content":""}"#,
    fields: r#""id":"chatcmpl-t7","object":"chat.completion.chunk","created":1762593253,"model":"m","system_fingerprint":"m""#,
    between: ": keep-alive\n\n",
    end: concat!(
        r#"data: {"id":"chatcmpl-t7","object":"chat.completion.chunk","created":1762593253,"model":"m","system_fingerprint":"m","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}"#,
        "\n\n",
        r#"data: {"id":"chatcmpl-t7","object":"chat.completion.chunk","created":1762593253,"model":"m","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":60,"total_tokens":71}}"#,
        "\n\ndata: [DONE]\n\n",
    ),
};

/// A proxy that rewrites line ends.
const REWRITTEN: Dialect = Dialect {
    name: "a proxy",
    between: ": ping\r\rid: 3\revent: message\r\n",
    ..LLAMA_CPP
};

const DIALECTS: [&Dialect; 4] = [&LLAMA_CPP, &VLLM, &LM_STUDIO, &REWRITTEN];

fn tokens() -> Vec<&'static str> {
    Text::new(4).take(60).collect()
}

impl Dialect {
    fn event(&self, delta: &str) -> String {
        let fields = self.fields;
        format!(
            "data: {{\"choices\":[{{\"finish_reason\":null,\"index\":0,\"delta\":{delta}}}],{fields}}}\n\n"
        )
    }

    fn stream(&self) -> String {
        let mut stream = self.event(self.role);
        for (index, token) in tokens().iter().enumerate() {
            if index % 7 == 0 {
                stream += self.between;
            }
            stream += &self.event(&serde_json::json!({"content": token}).to_string());
        }
        stream + self.end
    }
}

fn calls(stack: Stack, server: &FixtureServer, times: usize) -> Vec<Result<Call, CallError>> {
    call_times(
        stack,
        Api::OpenAi,
        &server.base_url(),
        Limits::default(),
        times,
    )
}

fn call(stack: Stack, server: &FixtureServer) -> Result<Call, CallError> {
    calls(stack, server, 1).remove(0)
}

/// Sends `text` in HTTP chunks of so many bytes.
fn in_chunks(text: String, size: usize) -> FixtureServer {
    FixtureServer::start(move |stream| {
        send(stream, EVENTS_HEAD)?;
        for piece in text.as_bytes().chunks(size) {
            send(stream, &chunk(piece))?;
        }
        send(stream, &chunk(b""))
    })
}

fn whole(text: impl Into<String>) -> FixtureServer {
    in_chunks(text.into(), usize::MAX)
}

fn plain(status: &'static str, content_type: &'static str, body: &'static str) -> FixtureServer {
    FixtureServer::start(move |stream| {
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        send(stream, head.as_bytes())
    })
}

#[test]
fn tokens_of_every_server_survive_any_chunking() {
    for dialect in DIALECTS {
        for size in [1, 7, 1000, 1 << 20] {
            let server = in_chunks(dialect.stream(), size);
            for stack in Stack::matrix() {
                let call = call(stack, &server).expect("an answer");
                let name = dialect.name;
                assert_eq!(pieces(&call), tokens(), "{stack}, {name}, chunks of {size}");
            }
        }
    }
}

#[test]
fn tokens_survive_any_split_of_the_network() {
    for size in [1, 5, 113] {
        let server = FixtureServer::start(move |stream| {
            let mut reply = EVENTS_HEAD.to_vec();
            for event in LLAMA_CPP.stream().split_inclusive("\n\n") {
                reply.extend(chunk(event.as_bytes()));
            }
            reply.extend(chunk(b""));
            reply.chunks(size).try_for_each(|piece| send(stream, piece))
        });
        for stack in Stack::matrix() {
            let call = call(stack, &server).expect("an answer");
            assert_eq!(pieces(&call), tokens(), "{stack}, pieces of {size}");
        }
    }
}

#[test]
fn net_is_what_llama_cpp_states_and_absent_where_no_server_does() {
    for dialect in DIALECTS {
        let server = whole(dialect.stream());
        let call = call(Stack::FLOOR, &server).expect("an answer");
        assert_eq!(call.last.done_reason.as_deref(), Some("stop"));
        assert_eq!(
            (call.last.prompt_eval_count, call.last.eval_count),
            (11, 60)
        );
        let name = dialect.name;
        if dialect.end.contains("timings") {
            assert_eq!(call.net_source(), Some(NetSource::Timings), "{name}");
            assert_eq!(call.net().map(|net| net.as_nanos()), Some(620_750_000));
            let rate = call.last.tokens_per_second().expect("a rate");
            assert!((rate - 60.0 / 0.600_25).abs() < 1e-9, "{rate}");
        } else {
            assert_eq!((call.net_source(), call.net()), (None, None), "{name}");
            assert_eq!(call.tare_ns(), None);
            assert_eq!(call.last.tokens_per_second(), None);
        }
    }
}

#[test]
fn a_reply_in_one_object_is_taken_too() {
    let server = plain(
        "200 OK",
        "application/json; charset=utf-8",
        r#"{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"all at once"},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":3,"total_tokens":4}}"#,
    );
    for stack in Stack::matrix() {
        let call = call(stack, &server).expect("an answer");
        assert_eq!(pieces(&call), ["all at once"], "{stack}");
        assert_eq!(call.last.eval_count, 3);
    }
}

#[test]
fn an_answer_leaves_the_connection_for_the_next() {
    let server = whole(VLLM.stream());
    let told = calls(Stack::FLOOR, &server, 5);
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_refusal_is_told_in_the_servers_words_whatever_their_form() {
    for (status, body, words) in [
        (
            "404 Not Found",
            r#"{"error":{"message":"model 'm' not found","type":"not_found_error","param":null,"code":null}}"#,
            "model 'm' not found",
        ),
        (
            "404 Not Found",
            r#"{"object":"error","message":"The model `m` does not exist.","type":"NotFoundError","param":null,"code":404}"#,
            "The model `m` does not exist.",
        ),
        (
            "401 Unauthorized",
            r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#,
            "Invalid API Key",
        ),
        (
            "503 Service Unavailable",
            r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
            "Loading model",
        ),
    ] {
        let server = plain(status, "application/json", body);
        for stack in Stack::matrix() {
            match call(stack, &server) {
                Err(CallError::Refused {
                    status: code,
                    message,
                    ..
                }) => {
                    assert!(status.starts_with(&code.to_string()), "{stack}");
                    assert_eq!(message, words, "{stack}");
                }
                other => panic!("{stack}: {other:?}"),
            }
        }
    }
}

#[test]
fn an_error_in_the_middle_is_told_with_the_tokens_before_it() {
    let two = VLLM.event(r#"{"content":"a"}"#) + &VLLM.event(r#"{"content":"b"}"#);
    for error in [
        r#"data: {"error":{"message":"out of memory","type":"InternalServerError","code":500}}"#,
        "event: error\ndata: {\"error\":{\"message\":\"out of memory\"}}",
        r#"error: {"code":500,"message":"out of memory","type":"server_error"}"#,
    ] {
        let server = whole(two.clone() + error + "\n\ndata: [DONE]\n\n");
        for stack in Stack::matrix() {
            match call(stack, &server) {
                Err(CallError::GaveUp {
                    tokens, message, ..
                }) => assert_eq!((tokens, message.as_str()), (2, "out of memory"), "{stack}"),
                other => panic!("{stack}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_stream_without_a_last_word_is_truncated_even_if_http_is_content() {
    let begun = VLLM.event(r#"{"content":"a"}"#);
    for text in [
        begun.clone(),
        begun + "data: {\"id\":\"chatcmpl-6fd3\",\"cho",
    ] {
        let server = whole(text);
        for stack in Stack::matrix() {
            let told = call(stack, &server);
            assert!(
                matches!(told, Err(CallError::Truncated { tokens: 1, .. })),
                "{stack}: {told:?}"
            );
        }
    }
}

#[test]
fn something_else_is_told_in_the_words_of_the_api_that_was_asked_for() {
    let page = plain("200 OK", "text/html", "<html><body>Welcome!</body></html>");
    let events = whole(VLLM.stream());
    for (server, api, words) in [
        (&page, Api::OpenAi, "does not answer OpenAI's API"),
        (&page, Api::Chat, "is not an Ollama server"),
        (&events, Api::Generate, "is not an Ollama server"),
    ] {
        let told =
            call_times(Stack::FLOOR, api, &server.base_url(), Limits::default(), 1).remove(0);
        let error = told.expect_err("something else").to_string();
        assert!(error.contains(words), "{api}: {error}");
    }
}
