//! A mock in the test's own process: it starts, it tells the truth, it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use tare_mock::{Answered, Ending, Gpus, Mock, Profile, StartError, Text, Trace};

const GENERATE: &str = "POST /api/generate";

/// Sends a request, and leaves the reply unread.
fn send(server: SocketAddr, line: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server).expect("it listens");
    let length = body.len();
    write!(
        stream,
        "{line} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("it takes the request");
    stream
}

/// The whole reply, as far as it comes.
fn reply(server: SocketAddr, line: &str, body: &str) -> String {
    let mut reply = String::new();
    let read = send(server, line, body).read_to_string(&mut reply);
    read.expect("text");
    reply
}

fn question(tokens: u32) -> String {
    format!(r#"{{"model":"gemma3","prompt":"Why?","options":{{"num_predict":{tokens},"seed":7}}}}"#)
}

/// The truths, once `settled` holds of them.
fn settled(mock: &Mock, settled: impl Fn(&[Answered]) -> bool) -> Vec<Answered> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let truths = mock.truths();
        if settled(&truths) {
            return truths;
        }
        assert!(Instant::now() < deadline, "{truths:?}");
        std::thread::yield_now();
    }
}

#[test]
fn it_knows_what_it_was_asked_and_when_each_token_was_due_and_written() {
    let mock = Mock::builder()
        .profile("paced-1ms")
        .start()
        .expect("it starts");
    assert_eq!(mock.base_url(), format!("http://{}", mock.address()));
    let said = reply(mock.address(), GENERATE, &question(5));
    for token in Text::new(7).take(5) {
        assert!(said.contains(token.trim()), "{said}");
    }
    assert!(!said.contains("tare_truth"), "nobody asked for it there");
    let [answered] = &mock.truths()[..] else {
        panic!("one request: {:?}", mock.truths());
    };
    assert_eq!((answered.server, answered.method.as_str()), (0, "POST"));
    assert_eq!(answered.path, "/api/generate");
    assert_eq!(answered.body, question(5));
    assert_eq!(answered.status, Some(200));
    assert_eq!(answered.ending, Ending::Complete);
    let truth = answered.truth.as_ref().expect("it was answered");
    let gaps = truth.due.windows(2).map(|pair| pair[1] - pair[0]);
    assert_eq!(gaps.collect::<Vec<_>>(), [1_000_000; 4]);
    assert_eq!(truth.terms.decode, 4_000_000);
    assert_eq!(truth.sent.len(), 5);
    let in_time = truth.sent.iter().zip(&truth.due);
    assert!(in_time.clone().all(|(sent, due)| sent >= due), "{truth:?}");
    mock.stop().expect("it served to its end");
}

#[test]
fn faults_strike_and_are_told() {
    let mock = Mock::builder()
        .fault("truncate=2@1")
        .fault("status=503@2")
        .start()
        .expect("it starts");
    let cut = reply(mock.address(), GENERATE, &question(5));
    assert!(!cut.contains(r#""done":true"#), "{cut}");
    let refused = reply(mock.address(), GENERATE, &question(5));
    assert!(refused.starts_with("HTTP/1.0 503"), "{refused}");
    let whole = reply(mock.address(), GENERATE, &question(5));
    assert!(whole.contains(r#""done":true"#), "{whole}");
    let truths = mock.truths();
    let told = |answered: &Answered| {
        let tokens = answered.truth.as_ref().map(|truth| truth.due.len());
        (answered.status, answered.ending, tokens)
    };
    assert_eq!(
        truths.iter().map(told).collect::<Vec<_>>(),
        [
            (Some(200), Ending::Cut, Some(2)),
            (Some(503), Ending::Complete, None),
            (Some(200), Ending::Complete, Some(5)),
        ]
    );
}

#[test]
fn a_client_that_goes_away_is_seen_to() {
    let mock = Mock::builder()
        .profile("paced-1ms")
        .start()
        .expect("it starts");
    let stream = send(mock.address(), GENERATE, &question(1_000_000));
    let mut lines = BufReader::new(stream).lines();
    let token = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with('{')));
    assert!(token.is_some(), "it has begun");
    assert_eq!(mock.truths()[0].ending, Ending::Underway);
    drop(lines);
    let truths = settled(&mock, |truths| truths[0].ending != Ending::Underway);
    assert_eq!(truths[0].ending, Ending::Cut);
    let truth = truths[0].truth.as_ref().expect("it had begun");
    assert!(!truth.sent.is_empty() && truth.sent.len() <= truth.due.len());
}

#[test]
fn every_route_is_told_of_and_those_that_compute_have_terms() {
    let mock = Mock::builder()
        .profile("paced-10ms")
        .start()
        .expect("it starts");
    let server = mock.address();
    reply(server, "GET /api/tags?x=1", "");
    reply(server, GENERATE, r#"{"model":"nobody","prompt":"x"}"#);
    reply(
        server,
        GENERATE,
        r#"{"model":"gemma3","prompt":"x","stream":false,"options":{"num_predict":5}}"#,
    );
    let truths = mock.truths();
    assert_eq!(
        (truths[0].method.as_str(), truths[0].path.as_str()),
        ("GET", "/api/tags")
    );
    assert_eq!((truths[1].status, &truths[1].truth), (Some(404), &None));
    let whole = truths[2].truth.as_ref().expect("it was answered");
    assert!(whole.due.is_empty(), "not a stream");
    assert_eq!(whole.terms.decode, 4 * 10_000_000);
    assert!(truths.iter().all(|one| one.ending == Ending::Complete));
}

#[test]
fn several_servers_are_one_mock() {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let mock = Mock::builder()
        .listen(anywhere)
        .listen(anywhere)
        .gpus(Gpus::OneEach)
        .model("mine:1b")
        .start()
        .expect("it starts");
    for address in mock.addresses().iter().rev() {
        assert!(reply(*address, "GET /api/tags", "").contains("mine:1b"));
    }
    let servers = mock.truths().into_iter().map(|one| one.server);
    assert_eq!(servers.collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn a_trace_is_played_and_a_profile_of_ones_own_followed() {
    let trace = Trace::find("gemma3-270m-cpu").expect("it ships");
    let first = trace.exchanges[0].answer().tokens[0].text.clone();
    let asked = format!(r#"{{"model":"{}","prompt":"x"}}"#, trace.head.model);
    let mock = Mock::builder()
        .trace(trace)
        .speed(1000.0)
        .start()
        .expect("it starts");
    let said = reply(mock.address(), GENERATE, &asked);
    let spoken = serde_json::to_string(&first).expect("text");
    assert!(said.contains(&format!("\"response\":{spoken}")), "{said}");

    let profile = Profile {
        tokens: 3,
        ..Profile::find("instant").expect("it ships")
    };
    let mock = Mock::builder().profile(profile).start().expect("it starts");
    let said = reply(
        mock.address(),
        GENERATE,
        r#"{"model":"gemma3","prompt":"x"}"#,
    );
    assert_eq!(said.matches(r#""done":false"#).count(), 3);
}

#[test]
fn it_ends_with_its_handle_and_every_reply_with_it() {
    let mock = Mock::builder()
        .profile("paced-1ms")
        .start()
        .expect("it starts");
    let mut endless = send(mock.address(), GENERATE, &question(1_000_000));
    drop(mock);
    let mut said = Vec::new();
    // What it had said, and then the end or a reset.
    let _ = endless.read_to_end(&mut said);
    assert!(!String::from_utf8_lossy(&said).contains(r#""done":true"#));
}

#[test]
fn what_cannot_be_is_said_before_anything_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken
        .local_addr()
        .map(|address| (taken, address))
        .expect("an address");
    let error = |builder: tare_mock::Builder| builder.start().expect_err("it cannot start");
    let mock = Mock::builder;
    assert!(matches!(error(mock().profile("warp")), StartError::File(_)));
    assert!(matches!(error(mock().trace("warp")), StartError::File(_)));
    assert!(matches!(error(mock().fault("splat")), StartError::Fault(_)));
    assert!(matches!(error(mock().speed(0.0)), StartError::Speed(_)));
    assert!(matches!(
        error(mock().speed(f64::NAN)),
        StartError::Speed(_)
    ));
    assert!(matches!(error(mock().jitter(0.5)), StartError::Jitter(_)));
    assert!(matches!(error(mock().model("a b")), StartError::Models(_)));
    let StartError::Listen { address, source } = error(mock().listen(taken.1)) else {
        panic!("the address is taken");
    };
    assert_eq!(
        (address, source.kind()),
        (taken.1, std::io::ErrorKind::AddrInUse)
    );
}
