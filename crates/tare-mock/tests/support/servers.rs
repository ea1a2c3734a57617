//! Mocks with a profile of the test's own, and requests over bare sockets whose answers carry the
//! mock's truth.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tare_mock::{Gpus, Mock};

/// A mock with a profile of the test's own, and as many servers as it asks for.
pub struct Servers(Mock);

impl Servers {
    pub fn start(profile: &str, listen: usize, gpus: Gpus) -> Self {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let builder = Mock::builder()
            .profile(super::profile_of(profile))
            .gpus(gpus);
        Self(super::start(
            (0..listen).fold(builder, |builder, _| builder.listen(anywhere)),
        ))
    }

    /// Sends a request and reads nothing yet.
    pub fn ask(&self, server: usize, path: &str, body: &Value) -> Answer {
        let mut stream = TcpStream::connect(self.0.addresses()[server]).expect("the mock listens");
        // A rule that is broken may leave an answer waiting for ever: then fail, and say where.
        let long = Some(Duration::from_secs(30));
        stream.set_read_timeout(long).expect("a limit");
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let method = if body.is_empty() { "GET" } else { "POST" };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-tare-truth: 1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("a request");
        Answer(BufReader::new(stream))
    }

    pub fn generate(&self, server: usize, tokens: u32, options: Value) -> Answer {
        let mut options = options;
        options["num_predict"] = tokens.into();
        let body = json!({"model": "m", "prompt": "Why?", "options": options});
        self.ask(server, "/api/generate", &body)
    }

    /// Returns when the mock has read what was sent before: it has one thread, and takes up what is
    /// ready in the order in which it became so. Twice, for it reads a new connection only on the
    /// turn after it took it.
    pub fn settle(&self) {
        for _ in 0..2 {
            let version = self.ask(0, "/api/version", &Value::Null).last();
            assert!(version["version"].is_string());
        }
    }
}

/// A reply under way; dropping it closes the connection.
pub struct Answer(BufReader<TcpStream>);

impl Answer {
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.0.read_line(&mut line).expect("a line") > 0).then_some(line)
    }

    /// Reads up to and with the first token.
    pub fn first_token(&mut self) {
        while !self.line().expect("a token").starts_with("{\"model\"") {}
    }

    /// Reads to the end and gives the last JSON object.
    pub fn last(mut self) -> Value {
        let mut last = Value::Null;
        while let Some(line) = self.line() {
            if line.starts_with('{') {
                last = serde_json::from_str(&line).expect("JSON");
            }
        }
        last
    }
}

pub fn term(last: &Value, name: &str) -> u64 {
    let term = last["tare_truth"]["terms"][name].as_u64();
    term.unwrap_or_else(|| panic!("no {name} in {last}"))
}
