//! What every stack's client makes of what a server may do: split its bytes anywhere, stall, break
//! off, complain, or be something else. In this process, on the real runtimes, over real sockets.

mod support;

use std::net::TcpStream;
use std::time::Duration;
use support::{FixtureServer, STREAM_HEAD, call_times, chunk, pieces, send, until_closed};
use tare::client::{ClientError, Limits, Phase};
use tare::protocol::{Api, CallError};
use tare::stack::{AsyncClient, Carrier, Stack};
use tare_mock::Text;

type Told = Vec<Result<Vec<String>, CallError>>;

fn ask_url(stack: Stack, base_url: &str, limits: Limits, times: usize) -> Told {
    let calls = call_times(stack, Api::Generate, base_url, limits, times);
    let told = calls.into_iter().map(|call| call.map(|call| pieces(&call)));
    told.collect()
}

fn ask_times(stack: Stack, server: &FixtureServer, limits: Limits, times: usize) -> Told {
    ask_url(stack, &server.base_url(), limits, times)
}

fn ask(stack: Stack, server: &FixtureServer, limits: Limits) -> Result<Vec<String>, CallError> {
    ask_times(stack, server, limits, 1).remove(0)
}

fn line(text: &str) -> String {
    let text = serde_json::json!(text);
    format!("{{\"model\":\"m\",\"response\":{text},\"done\":false}}\n")
}

/// A last line with a long `context`, as real servers send it.
fn last() -> String {
    let context: Vec<u32> = (0..1500).map(|id| 100_000 + id).collect();
    format!(
        "{{\"model\":\"m\",\"response\":\"\",\"done\":true,\"done_reason\":\"stop\",\"context\":{context:?},\"total_duration\":5}}\n"
    )
}

fn tokens() -> Vec<&'static str> {
    Text::new(4).take(60).collect()
}

fn stream_of_tokens() -> String {
    let mut stream: String = tokens().into_iter().map(line).collect();
    stream.push_str(&last());
    stream
}

#[test]
fn tokens_survive_any_chunking() {
    // HTTP chunks of every small size, which split lines and characters anywhere, and large ones,
    // which join many lines and do not fit a small read buffer.
    for size in [1, 2, 3, 7, 64, 1000, 1024, 5000, 1 << 20] {
        let server = FixtureServer::start(move |stream| {
            send(stream, STREAM_HEAD)?;
            for piece in stream_of_tokens().as_bytes().chunks(size) {
                send(stream, &chunk(piece))?;
            }
            send(stream, &chunk(b""))
        });
        for stack in Stack::matrix() {
            let told = ask(stack, &server, Limits::default());
            assert_eq!(
                told.expect("an answer"),
                tokens(),
                "{stack}, chunks of {size}"
            );
        }
    }
}

#[test]
fn tokens_survive_any_split_of_the_network() {
    // Whole HTTP chunks, but their bytes reach the socket in pieces: chunk sizes are split too.
    for size in [1, 5, 113] {
        let server = FixtureServer::start(move |stream| {
            let mut reply = STREAM_HEAD.to_vec();
            for line in stream_of_tokens().split_inclusive('\n') {
                reply.extend(chunk(line.as_bytes()));
            }
            reply.extend(chunk(b""));
            reply.chunks(size).try_for_each(|piece| send(stream, piece))
        });
        for stack in Stack::matrix() {
            let told = ask(stack, &server, Limits::default());
            assert_eq!(
                told.expect("an answer"),
                tokens(),
                "{stack}, pieces of {size}"
            );
        }
    }
}

#[test]
fn a_body_of_a_given_length_or_until_the_end_is_read_too() {
    let sized = FixtureServer::start(|stream| {
        let body = stream_of_tokens();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        send(stream, head.as_bytes())?;
        send(stream, body.as_bytes())
    });
    let unsized_ = FixtureServer::start(|stream| {
        send(
            stream,
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n\r\n",
        )?;
        send(stream, stream_of_tokens().as_bytes())?;
        None
    });
    for stack in Stack::matrix() {
        for server in [&sized, &unsized_] {
            let told = ask(stack, server, Limits::default());
            assert_eq!(told.expect("an answer"), tokens(), "{stack}");
        }
    }
}

fn answer_well(stream: &mut TcpStream) -> Option<()> {
    send(stream, STREAM_HEAD)?;
    send(stream, &chunk(stream_of_tokens().as_bytes()))?;
    send(stream, &chunk(b""))
}

#[test]
fn a_connection_is_kept_and_used_again() {
    const CALLS: usize = 20;
    for stack in Stack::matrix() {
        let server = FixtureServer::start(answer_well);
        let told = ask_times(stack, &server, Limits::default(), CALLS);
        assert!(told.iter().all(Result::is_ok), "{stack}: {told:?}");
        // reqwest hands a connection back from a task of its own, so that a call which follows at
        // once may find none and make another.
        let most = match stack.carrier {
            Carrier::Async(_, AsyncClient::Reqwest) => CALLS - 1,
            _ => 1,
        };
        let made = server.connections();
        assert!((1..=most).contains(&made), "{stack} made {made}");
    }
}

#[test]
fn a_connection_that_the_server_closed_is_replaced() {
    for stack in Stack::matrix() {
        let server = FixtureServer::start(|stream| {
            send(
                stream,
                b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/x-ndjson\r\n\r\n",
            )?;
            send(stream, stream_of_tokens().as_bytes())?;
            None
        });
        let told = ask_times(stack, &server, Limits::default(), 3);
        assert!(told.iter().all(Result::is_ok), "{stack}: {told:?}");
        assert_eq!(server.connections(), 3, "{stack}");
    }
}

const SOON: Duration = Duration::from_millis(150);

fn timed_out(told: Result<Vec<String>, CallError>) -> Option<Phase> {
    match told {
        Err(CallError::Client(ClientError::TimedOut { phase, .. })) => Some(phase),
        _ => None,
    }
}

#[test]
fn a_server_that_never_replies_runs_into_the_heads_limit() {
    let server = FixtureServer::start(|stream| {
        until_closed(stream);
        None
    });
    for stack in Stack::matrix() {
        let limits = Limits {
            head: SOON,
            ..Limits::default()
        };
        let told = ask(stack, &server, limits);
        assert_eq!(timed_out(told), Some(Phase::Head), "{stack}");
    }
}

#[test]
fn a_server_that_stalls_between_tokens_runs_into_the_gaps_limit() {
    let server = FixtureServer::start(|stream| {
        send(stream, STREAM_HEAD)?;
        send(stream, &chunk(line("one").as_bytes()))?;
        until_closed(stream);
        None
    });
    for stack in Stack::matrix() {
        let limits = Limits {
            gap: SOON,
            ..Limits::default()
        };
        let told = ask(stack, &server, limits);
        assert_eq!(timed_out(told), Some(Phase::Gap), "{stack}");
    }
}

#[test]
fn a_server_that_drips_for_ever_runs_into_the_calls_limit() {
    let server = FixtureServer::start(|stream| {
        send(stream, STREAM_HEAD)?;
        loop {
            send(stream, &chunk(line("on and on").as_bytes()))?;
        }
    });
    let limits = Limits {
        // Long enough that the head comes within it on a busy machine too.
        call: Duration::from_millis(600),
        ..Limits::default()
    };
    for stack in Stack::matrix() {
        let told = ask(stack, &server, limits);
        assert_eq!(timed_out(told), Some(Phase::Call), "{stack}");
    }
}

/// Streams `text` in one chunk and ends the body properly.
fn streams(text: String) -> FixtureServer {
    FixtureServer::start(move |stream| {
        send(stream, STREAM_HEAD)?;
        send(stream, &chunk(text.as_bytes()))?;
        send(stream, &chunk(b""))
    })
}

#[test]
fn an_error_in_the_middle_is_told_with_the_tokens_before_it() {
    let server = streams(line("a") + &line("b") + "{\"error\":\"out of memory\"}\n");
    for stack in Stack::matrix() {
        match ask(stack, &server, Limits::default()) {
            Err(CallError::GaveUp {
                tokens, message, ..
            }) => assert_eq!((tokens, message.as_str()), (2, "out of memory"), "{stack}"),
            other => panic!("{stack}: {other:?}"),
        }
    }
}

#[test]
fn a_stream_without_done_is_truncated_even_if_http_is_content() {
    for text in [line("a"), line("a") + "{\"model\":\"m\",\"respon"] {
        let server = streams(text);
        for stack in Stack::matrix() {
            let told = ask(stack, &server, Limits::default());
            assert!(
                matches!(told, Err(CallError::Truncated { tokens: 1, .. })),
                "{stack}: {told:?}"
            );
        }
    }
}

#[test]
fn a_connection_that_breaks_in_the_middle_is_an_error() {
    let server = FixtureServer::start(|stream| {
        send(stream, STREAM_HEAD)?;
        send(stream, &chunk(line("a").as_bytes()))?;
        None
    });
    for stack in Stack::matrix() {
        let told = ask(stack, &server, Limits::default());
        let Err(CallError::Client(ClientError::Broken { reason, .. })) = told else {
            panic!("{stack}: {told:?}");
        };
        assert!(!reason.is_empty(), "{stack}");
    }
}

#[test]
fn a_refusal_is_told_in_the_servers_words() {
    let server = FixtureServer::start(|stream| {
        let body = r#"{"error":"model 'm' not found"}"#;
        let head = format!(
            "HTTP/1.1 404 Not Found\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        send(stream, head.as_bytes())
    });
    for stack in Stack::matrix() {
        match ask(stack, &server, Limits::default()) {
            Err(CallError::Refused {
                status, message, ..
            }) => assert_eq!(
                (status, message.as_str()),
                (404, "model 'm' not found"),
                "{stack}"
            ),
            other => panic!("{stack}: {other:?}"),
        }
    }
}

#[test]
fn a_server_that_answers_html_is_no_ollama() {
    for status in ["200 OK", "502 Bad Gateway"] {
        let server = FixtureServer::start(move |stream| {
            let body = "<html><body>Welcome to nginx!</body></html>";
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            send(stream, head.as_bytes())
        });
        for stack in Stack::matrix() {
            match ask(stack, &server, Limits::default()) {
                Err(CallError::NotOllama { content_type, .. }) => {
                    assert_eq!(content_type, "text/html", "{stack}");
                }
                other => panic!("{stack}: {other:?}"),
            }
        }
    }
}

#[test]
fn no_server_is_an_error_that_names_the_address() {
    // A port that was free a moment ago, and that nobody has been told of.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    for stack in Stack::matrix() {
        let url = format!("http://{address}");
        let told = ask_url(stack, &url, Limits::default(), 1).remove(0);
        let Err(CallError::Client(error @ ClientError::Connect { .. })) = told else {
            panic!("{stack}: {told:?}");
        };
        let error = error.to_string();
        assert!(
            error.contains(&address.to_string()) && error.contains("refused"),
            "{error}"
        );
    }
}
