//! `tare proxy` between real processes: nothing changes on the way but the times in a last line, and
//! the times lie between the server's and the client's.

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use support::{
    FixtureServer, STREAM_HEAD, call_times_with, chunk, mock, pieces, program, send, until_closed,
};
use tare::client::{ClientError, Limits};
use tare::meter::{Call, Moment};
use tare::protocol::wire::{PROXY_HEADER, TRUTH_HEADER};
use tare::protocol::{Api, CallError};
use tare::run::{MockServer, ProxyServer};
use tare::stack::Stack;

fn proxy(to: &str) -> ProxyServer {
    ProxyServer::start(&program(), to, &[]).expect("the proxy starts")
}

/// A mock of the model that [`ask`] asks.
fn mock_of_m(profile: &str) -> MockServer {
    MockServer::start(&program(), profile, Some("m")).expect("the mock starts")
}

/// Far more than anything here takes, so that what never ends fails.
const PATIENCE: Duration = Duration::from_secs(60);

fn connect(base_url: &str) -> TcpStream {
    let address = base_url.trim_start_matches("http://");
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    stream
}

/// The whole reply to a request, by hand.
fn exchange(base_url: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let mut stream = connect(base_url);
    let head = format!(
        "{head}Host: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("a request");
    stream.write_all(body).expect("a request");
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).expect("a reply");
    reply
}

/// Asks so many times over one client of this stack, for the times of both.
fn ask(stack: &str, api: Api, base_url: &str, times: usize) -> Vec<Result<Call, CallError>> {
    let stack: Stack = stack.parse().expect("a stack");
    call_times_with(
        stack,
        api,
        base_url,
        Limits::default(),
        times,
        &[TRUTH_HEADER, PROXY_HEADER],
    )
}

fn only(calls: Vec<Result<Call, CallError>>) -> Call {
    let [call] = <[_; 1]>::try_from(calls).expect("one call");
    call.expect("an answer")
}

/// When the mock wrote each token, the proxy passed it on, and the client had it.
fn seen(call: &Call) -> Vec<[Moment; 3]> {
    let mock = call.last.tare_truth.as_ref().expect("the mock's truth");
    let proxy = call.last.tare_proxy.as_ref().expect("the proxy's times");
    assert_eq!(mock.sent.len(), call.token_count());
    assert_eq!(proxy.sent.len(), call.token_count());
    let of = |received: u64, sent: &[u64]| -> Vec<Moment> {
        sent.iter().map(|&at| Moment(received).plus(at)).collect()
    };
    let (mock, proxy) = (
        of(mock.received, &mock.sent),
        of(proxy.received, &proxy.sent),
    );
    let sent = mock.into_iter().zip(proxy);
    sent.zip(call.received())
        .map(|((mock, proxy), here)| [mock, proxy, here])
        .collect()
}

#[test]
fn every_token_is_passed_on_after_the_mock_wrote_it_and_before_the_client_has_it() {
    for profile in ["paced-1ms", "instant"] {
        let mock = mock_of_m(profile);
        let proxy = proxy(mock.base_url());
        for api in Api::ALL {
            for stack in ["threads/raw", "tokio-mt/reqwest", "smol/hyper-1k"] {
                let direct = only(ask(stack, api, mock.base_url(), 1));
                let call = only(ask(stack, api, proxy.base_url(), 1));
                assert_eq!(call.digest(), direct.digest(), "{stack} {api}");
                assert_eq!(direct.last.tare_proxy, None);
                let seen = seen(&call);
                assert!(!seen.is_empty(), "{stack} {api}");
                for at in &seen {
                    assert!(at.is_sorted(), "{stack} {api} {profile}: {at:?}");
                }
                assert_eq!(call.delivery().count(), call.token_count());
                let by_proxy = seen.iter().map(|[_, proxy, here]| here.since(*proxy));
                assert!(call.delivery().eq(by_proxy), "delivery is from the proxy");
                let times = call.last.tare_proxy.as_ref().expect("times");
                assert!(times.sent.is_sorted());
                assert!(times.sent.last().is_some_and(|last| *last <= times.done));
                // The mock's net lies within what the proxy saw of the call, and that in gross.
                assert!(call.net().expect("the mock's net").as_nanos() <= times.done.into());
                assert!(u128::from(times.done) <= call.gross().as_nanos());
            }
        }
    }
}

#[test]
fn an_answer_in_one_piece_is_a_token_that_came_with_the_last_line() {
    let mock = mock("instant");
    let proxy = proxy(mock.base_url());
    for (path, body, text) in [
        (
            "/api/chat",
            json!({"model": "gemma3", "stream": false, "messages": [{"role": "user", "content": "p"}]}),
            "/message/content",
        ),
        (
            "/v1/chat/completions",
            json!({"model": "gemma3", "messages": [{"role": "user", "content": "p"}]}),
            "/choices/0/message/content",
        ),
    ] {
        let head = format!("POST {path} HTTP/1.1\r\nx-tare-proxy: 1\r\n");
        let reply = exchange(proxy.base_url(), &head, body.to_string().as_bytes());
        let reply = String::from_utf8(reply).expect("text");
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
        assert!(
            !reply.to_ascii_lowercase().contains("content-length"),
            "{reply}"
        );
        assert!(reply.ends_with("\r\n0\r\n\r\n"), "{reply}");
        let object =
            &reply[reply.find('{').expect("an object")..=reply.rfind('}').expect("its end")];
        let object = object
            .lines()
            .map(|line| match u64::from_str_radix(line, 16) {
                Ok(_) => "",
                Err(_) => line,
            });
        let object: Value = serde_json::from_str(&object.collect::<String>()).expect("JSON");
        assert!(object.pointer(text).is_some_and(Value::is_string));
        let sent = object["tare_proxy"]["sent"].as_array().expect("times");
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0], object["tare_proxy"]["done"]);
    }
}

#[test]
fn without_the_header_every_byte_of_every_reply_is_the_servers() {
    let mock = mock("instant");
    let proxy = proxy(mock.base_url());
    for (head, body) in [
        ("GET / HTTP/1.1\r\n", &b""[..]),
        ("GET /api/version HTTP/1.1\r\n", b""),
        ("GET /api/nowhere HTTP/1.1\r\n", b""),
        ("HEAD / HTTP/1.1\r\n", b""),
        ("POST /api/show HTTP/1.1\r\n", br#"{"model":"gemma3"}"#),
        ("POST /api/show HTTP/1.1\r\n", b"{"),
        ("POST /api/chat HTTP/1.1\r\nx-tare-proxy: 1\r\n", b"[]"),
        ("POST /v1/chat/completions HTTP/1.1\r\n", b"{}"),
    ] {
        // What tells the time is not compared.
        let told = |base_url: &str| {
            let reply = String::from_utf8(exchange(base_url, head, body)).expect("text");
            let lines = reply
                .lines()
                .filter(|line| !line.to_lowercase().starts_with("date:"));
            let line = |line: &str| match serde_json::from_str::<Value>(line) {
                Ok(mut json @ Value::Object(_)) => {
                    json["created_at"] = Value::Null;
                    json["modified_at"] = Value::Null;
                    json.to_string()
                }
                Ok(_) | Err(_) => line.to_owned(),
            };
            lines.map(line).collect::<Vec<_>>()
        };
        assert_eq!(told(proxy.base_url()), told(mock.base_url()), "{head}");
    }
}

/// A server that answers each request with these bytes, a write for each of them, and passes what
/// it was sent to the receiver.
fn saying(parts: Vec<Vec<u8>>) -> (String, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base_url = format!("http://{}", listener.local_addr().expect("an address"));
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            let mut request = vec![0; 1 << 16];
            let size = stream.read(&mut request).expect("a request");
            let _ = tell.send(request[..size].to_vec());
            for part in &parts {
                if stream.write_all(part).is_err() {
                    break;
                }
            }
        }
    });
    (base_url, told)
}

const BARE: &str = "GET /api/ps HTTP/1.1\r\nhost: h\r\nX-oDd-CaSe: 1\r\n\r\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// Whatever a server says, in whatever pieces, is what the client receives.
    #[test]
    fn bytes_are_the_same_at_both_ends(
        body in prop::collection::vec(any::<u8>(), 0..60_000),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let reply = [&b"HTTP/1.1 200 OK\r\nX-OdD: y\r\nTransfer-Encoding: chunked\r\n\r\n"[..], &chunk(&body), b"0\r\n\r\n"].concat();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(reply.len())).collect();
        ends.sort_unstable();
        let starts = [0].into_iter().chain(ends.clone());
        let parts = starts.zip(ends.iter().copied().chain([reply.len()]));
        let parts = parts.map(|(from, to)| reply[from..to].to_vec()).collect();
        let (to, asked) = saying(parts);
        let proxy = proxy(&to);
        let mut stream = connect(proxy.base_url());
        stream.write_all(BARE.as_bytes()).expect("a request");
        let mut received = vec![0; reply.len()];
        // An empty chunk ends the body, and what follows it is no HTTP: that is passed on as well.
        stream.read_exact(&mut received).expect("the reply");
        prop_assert!(received == reply);
        prop_assert_eq!(asked.recv().expect("a request"), BARE.as_bytes());
    }
}

/// A line of a token, or the last one.
fn token(text: &str) -> String {
    format!("{{\"message\":{{\"content\":\"{text}\"}},\"done\":false}}\n")
}

const LAST: &str = "{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"total_duration\":5}\n";

/// A server that writes the reply in these chunks.
fn in_chunks(chunks: Vec<String>) -> FixtureServer {
    FixtureServer::start(move |stream| {
        send(stream, STREAM_HEAD)?;
        for text in &chunks {
            send(stream, &chunk(text.as_bytes()))?;
        }
        send(stream, b"0\r\n\r\n")
    })
}

#[test]
fn each_token_has_a_time_however_lines_are_split_or_joined() {
    let lines: String = ["a", "b}", "c\\n", "true"].map(token).concat() + LAST;
    let whole = vec![lines.clone()];
    let single: Vec<String> = lines.chars().map(String::from).collect();
    let thirds: Vec<String> = lines
        .as_bytes()
        .chunks(lines.len() / 3)
        .map(|part| String::from_utf8(part.to_vec()).expect("ASCII"))
        .collect();
    for chunks in [whole, single, thirds] {
        let server = in_chunks(chunks);
        let proxy = proxy(&server.base_url());
        let calls = ask("threads/raw", Api::Chat, proxy.base_url(), 2);
        for call in calls {
            let call = call.expect("an answer");
            assert_eq!(pieces(&call), ["a", "b}", "c\n", "true"]);
            let times = call.last.tare_proxy.as_ref().expect("times");
            assert_eq!(times.sent.len(), 4);
            assert_eq!(
                call.net(),
                Some(Duration::from_nanos(5)),
                "as the server states"
            );
            let sent = times.sent.iter().map(|&at| Moment(times.received).plus(at));
            assert!(sent.zip(call.received()).all(|(sent, here)| sent <= here));
        }
    }
}

#[test]
fn one_connection_carries_call_after_call() {
    let server = in_chunks(vec![token("a"), LAST.to_owned()]);
    let proxy = proxy(&server.base_url());
    let calls = ask("tokio-mt/hyper", Api::Chat, proxy.base_url(), 5);
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_server_that_is_not_there_is_a_502_that_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let gone = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let proxy = proxy(&gone);
    for (api, words) in [
        (Api::Chat, "\"error\":\"the proxy"),
        (Api::OpenAi, "\"error\":{"),
    ] {
        let head = format!("POST {} HTTP/1.1\r\n", api.path());
        let reply = exchange(proxy.base_url(), &head, &vec![b' '; 300_000]);
        let reply = String::from_utf8(reply).expect("text");
        assert!(reply.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{reply}");
        assert!(reply.contains(words) && reply.contains(&gone), "{reply}");
        let [refused] =
            <[_; 1]>::try_from(ask("threads/raw", api, proxy.base_url(), 1)).expect("one");
        let refused = refused.expect_err("no server").to_string();
        assert!(refused.contains("cannot reach the server"), "{refused}");
    }
}

#[test]
fn a_server_that_dies_in_the_middle_is_seen_as_it_is_without_a_proxy() {
    let closing: fn(&mut TcpStream) -> Option<()> = |stream| {
        send(stream, STREAM_HEAD)?;
        send(stream, &chunk(token("a").as_bytes()))?;
        send(stream, b"40\r\n{\"message\":{\"con")?;
        let _ = stream.shutdown(Shutdown::Both);
        None
    };
    let server = FixtureServer::start(closing);
    let proxy = proxy(&server.base_url());
    for stack in ["threads/raw", "tokio-mt/reqwest", "smol/hyper"] {
        let failed = |base_url: &str, headers: &[_]| {
            let stack: Stack = stack.parse().expect("a stack");
            let limits = Limits::default();
            let calls = call_times_with(stack, Api::Chat, base_url, limits, 1, headers);
            let [call] = <[_; 1]>::try_from(calls).expect("one call");
            match call.expect_err("it broke off") {
                CallError::Client(ClientError::Broken { reason, .. }) => reason,
                other => panic!("{stack}: {other}"),
            }
        };
        let direct = failed(&server.base_url(), &[]);
        assert_eq!(failed(proxy.base_url(), &[]), direct, "{stack}");
        // With the times its chunks are made anew, so that it breaks off between two of them.
        assert!(!failed(proxy.base_url(), &[PROXY_HEADER]).is_empty());
    }
}

#[test]
fn a_client_that_leaves_early_ends_the_servers_connection() {
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let server = FixtureServer::start(move |stream| {
        send(stream, STREAM_HEAD)?;
        send(stream, &chunk(token("a").as_bytes()))?;
        until_closed(stream);
        let tell = tell.lock().expect("one thread at a time");
        tell.send(()).expect("a test that listens");
        None
    });
    let proxy = proxy(&server.base_url());
    let mut client = connect(proxy.base_url());
    let request =
        "POST /api/chat HTTP/1.1\r\nHost: x\r\nx-tare-proxy: 1\r\nContent-Length: 2\r\n\r\n{}";
    client.write_all(request.as_bytes()).expect("a request");
    client
        .read_exact(&mut [0; 15])
        .expect("the reply has begun");
    drop(client);
    told.recv_timeout(PATIENCE).expect("the server is told");
}

#[test]
fn large_bodies_pass_both_ways() {
    let mock = mock("instant");
    let proxy = proxy(mock.base_url());
    let prompt = "x".repeat(8 << 20);
    let body = json!({"model": "gemma3", "prompt": prompt, "stream": false, "options": {"num_predict": 3}});
    let head = "POST /api/generate HTTP/1.1\r\n";
    let reply = exchange(proxy.base_url(), head, body.to_string().as_bytes());
    let reply = String::from_utf8(reply).expect("text");
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    assert!(reply.contains("\"eval_count\":3"), "{reply}");

    let long = "y".repeat(8 << 20);
    let server = in_chunks(vec![token(&long), LAST.to_owned()]);
    let proxy = self::proxy(&server.base_url());
    let call = only(ask("threads/raw", Api::Chat, proxy.base_url(), 1));
    assert_eq!(pieces(&call), [long]);
    assert_eq!(call.delivery().count(), 1);
}

#[test]
fn sixty_four_streams_at_once_each_have_their_own_times() {
    let mock = mock_of_m("paced-1ms");
    let proxy = proxy(mock.base_url());
    let base_url: Arc<str> = proxy.base_url().into();
    let streams: Vec<_> = (0..64)
        .map(|_| {
            let base_url = Arc::clone(&base_url);
            thread::spawn(move || ask("threads/raw", Api::Generate, &base_url, 1))
        })
        .collect();
    let mut digests = Vec::new();
    for stream in streams {
        let call = only(stream.join().expect("no panic"));
        assert!(seen(&call).iter().all(|at| at.is_sorted()));
        digests.push(call.digest());
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]));
}

#[test]
fn the_proxy_ends_with_the_process_that_started_it_and_says_what_is_wrong() {
    let error = ProxyServer::start(&program(), "https://127.0.0.1", &[]).expect_err("TLS");
    assert!(
        error.to_string().contains("TLS would be measured"),
        "{error}"
    );
    let proxy = proxy("http://127.0.0.1:1");
    let base_url = proxy.base_url().to_owned();
    let mut open = connect(&base_url);
    drop(proxy);
    // Closed or reset, but ended.
    assert!(matches!(open.read(&mut [0; 1]), Ok(0) | Err(_)));
}
