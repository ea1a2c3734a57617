//! The scheduler's rules as a client sees them: over real connections to a real `tare mock`. The
//! engine's own tests have every rule under a virtual clock; here it is shown that the mock puts
//! them on the wire, and that a client which goes away frees what it held.
//!
//! Nothing here measures time: what happened is read off the truth that each answer carries, and
//! order is forced by waiting for an answer before the next request.

mod support;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A mock with a profile of the test's own, and as many servers as it asks for.
struct Servers {
    child: Child,
    addresses: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Servers {
    fn start(profile: &str, listen: usize, gpus: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("profile.toml");
        std::fs::write(&file, profile).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tare"));
        command
            .args(["mock", "--until-eof", "--profile"])
            .arg(&file);
        command.args(["--gpus", &gpus.to_string()]);
        for _ in 0..listen {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the mock starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let address = |line: std::io::Result<String>| {
            let line = line.expect("a line");
            let address = line
                .strip_prefix("listening on http://")
                .expect("an address");
            address.to_owned()
        };
        Self {
            addresses: stdout.lines().take(listen).map(address).collect(),
            child,
            _profile: folder,
        }
    }

    /// Sends a request and reads nothing yet.
    fn ask(&self, server: usize, path: &str, body: &Value) -> Answer {
        let mut stream = TcpStream::connect(&self.addresses[server]).expect("the mock listens");
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

    fn generate(&self, server: usize, tokens: u32, options: Value) -> Answer {
        let mut options = options;
        options["num_predict"] = tokens.into();
        let body = json!({"model": "m", "prompt": "Why?", "options": options});
        self.ask(server, "/api/generate", &body)
    }

    /// Returns when the mock has read what was sent before: it has one thread, and takes up what is
    /// ready in the order in which it became so. Twice, for it reads a new connection only on the
    /// turn after it took it.
    fn settle(&self) {
        for _ in 0..2 {
            let version = self.ask(0, "/api/version", &Value::Null).last();
            assert!(version["version"].is_string());
        }
    }

    fn models(&self) -> Vec<Value> {
        let ps = self.ask(0, "/api/ps", &Value::Null).last();
        ps["models"].as_array().expect("a list").clone()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A reply under way; dropping it closes the connection.
struct Answer(BufReader<TcpStream>);

impl Answer {
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.0.read_line(&mut line).expect("a line") > 0).then_some(line)
    }

    /// Reads up to and with the first token.
    fn first_token(&mut self) {
        while !self.line().expect("a token").starts_with("{\"model\"") {}
    }

    /// Reads to the end and gives the last JSON object.
    fn last(mut self) -> Value {
        let mut last = Value::Null;
        while let Some(line) = self.line() {
            if line.starts_with('{') {
                last = serde_json::from_str(&line).expect("JSON");
            }
        }
        last
    }
}

fn term(last: &Value, name: &str) -> u64 {
    let term = last["tare_truth"]["terms"][name].as_u64();
    term.unwrap_or_else(|| panic!("no {name} in {last}"))
}

/// When the first token was due and when the last was, by the mock's clock.
fn span(last: &Value) -> (u64, u64) {
    let truth = &last["tare_truth"];
    let received = truth["received"].as_u64().expect("a time");
    let due = truth["due"].as_array().expect("a list");
    let at = |due: Option<&Value>| received + due.and_then(Value::as_u64).expect("a time");
    (at(due.first()), at(due.last()))
}

const ONE_SLOT: &str = r#"
description = "one slot, nothing to load"
model = "m"
load = "0s"
tokens = 5
gap = "1ms"
seed = 1
parallel = 1
[prefill]
fixed = "1ms"
per_token = "0s"
"#;

/// Longer than any test: it ends when its client goes away.
const ENDLESS: u32 = 100_000_000;

#[test]
fn a_client_that_goes_away_frees_its_slot_for_the_next_in_line() {
    let servers = Servers::start(ONE_SLOT, 1, 1);
    let mut first = servers.generate(0, ENDLESS, json!({}));
    first.first_token();
    let second = servers.generate(0, 3, json!({}));
    let third = servers.generate(0, 3, json!({}));
    servers.settle();
    drop(first);
    let (second, third) = (second.last(), third.last());
    let (mut earlier, mut later) = (span(&second), span(&third));
    if later.0 < earlier.0 {
        (earlier, later) = (later, earlier);
    }
    assert!(
        earlier.1 <= later.0,
        "one after the other: {second} {third}"
    );
    for waited in [&second, &third] {
        assert!(term(waited, "slot_wait") > 0, "{waited}");
        assert_eq!(
            waited["load_duration"],
            Value::Null,
            "a slot's wait is no load"
        );
    }
}

#[test]
fn a_client_that_goes_away_while_it_waits_is_forgotten() {
    let servers = Servers::start(ONE_SLOT, 1, 1);
    let mut first = servers.generate(0, ENDLESS, json!({}));
    first.first_token();
    for _ in 0..3 {
        drop(servers.generate(0, ENDLESS, json!({})));
    }
    let last = servers.generate(0, 3, json!({}));
    drop(first);
    assert_eq!(last.last()["eval_count"], 3);
}

#[test]
fn only_requests_that_wait_for_a_load_count_against_the_queue() {
    let profile = ONE_SLOT.to_owned()
        + "[reload]\nvram_min = \"0s\"\nvram_max = \"0s\"\nstart = \"0s\"\nweights = \"1h\"\n";
    let profile = profile.replace("parallel = 1", "parallel = 1\nmax_queue = 1");
    let servers = Servers::start(&profile, 1, 1);
    // One is being loaded for, one waits, and one is too many: whichever is read last.
    let (tell, told) = mpsc::channel();
    for _ in 0..3 {
        let mut answer = servers.generate(0, 3, json!({}));
        let tell = tell.clone();
        thread::spawn(move || {
            let status = answer.line().expect("a reply");
            let _ = tell.send((status, answer.last()));
        });
    }
    let (status, body) = told.recv().expect("one is refused");
    assert_eq!(status.trim(), "HTTP/1.1 503 Service Unavailable");
    assert_eq!(
        body["error"],
        "server busy, please try again.  maximum pending requests exceeded"
    );
    drop(servers);
}

#[test]
fn another_context_length_reloads_and_another_temperature_does_not() {
    let profile = ONE_SLOT.to_owned()
        + "[reload]\nvram_min = \"1ms\"\nvram_max = \"2ms\"\nstart = \"1ms\"\nweights = \"3ms\"\npoll = \"5ms\"\n";
    let servers = Servers::start(&profile, 1, 1);
    let ask = |options| servers.generate(0, 3, options).last();
    let cold = ask(json!({"num_ctx": 4096}));
    assert_eq!(
        (term(&cold, "loading"), term(&cold, "recovery")),
        (5_000_000, 0)
    );
    let warm = ask(json!({"num_ctx": 4096}));
    assert_eq!(term(&warm, "loading"), 0);
    let sampled = ask(json!({"num_ctx": 4096, "temperature": 0.1, "top_p": 0.5, "seed": 3}));
    assert_eq!(term(&sampled, "loading"), 0);
    let automatic = ask(json!({"num_ctx": 4096, "num_gpu": -1}));
    assert_eq!(term(&automatic, "loading"), 0);
    for changed in [
        json!({"num_ctx": 8192}),
        json!({"num_ctx": 8192, "num_gpu": 20}),
        json!({"num_ctx": 8192, "num_gpu": 20, "num_thread": 4}),
        json!({"num_ctx": 8192, "num_gpu": 20, "num_thread": 4, "use_mmap": false}),
        json!({"num_ctx": 8192, "num_gpu": 20, "num_thread": 4, "use_mmap": false, "num_batch": 64}),
    ] {
        let reloaded = ask(changed.clone());
        // Both are noticed at the next poll.
        assert_eq!(
            (term(&reloaded, "recovery"), term(&reloaded, "loading")),
            (5_000_000, 5_000_000),
            "{changed}"
        );
        assert_eq!(reloaded["load_duration"], 10_000_000, "{changed}");
    }
}

#[test]
fn a_model_is_listed_while_it_is_loaded() {
    let servers = Servers::start(ONE_SLOT, 1, 1);
    assert_eq!(servers.models(), Vec::<Value>::new());
    let load = json!({"model": "m", "keep_alive": "10m", "options": {"num_ctx": 2048}});
    let loaded = servers.ask(0, "/api/generate", &load).last();
    assert_eq!(loaded["done_reason"], "load");
    let models = servers.models();
    assert_eq!(models.len(), 1);
    assert_eq!(
        (&models[0]["name"], &models[0]["context_length"]),
        (&json!("m:latest"), &json!(2048))
    );
    for field in [
        "model",
        "size",
        "digest",
        "details",
        "expires_at",
        "size_vram",
    ] {
        assert!(!models[0][field].is_null(), "{field}");
    }
    let unload = json!({"model": "m", "keep_alive": 0});
    let unloaded = servers.ask(0, "/api/generate", &unload).last();
    assert_eq!(unloaded["done_reason"], "unload");
    assert_eq!(servers.models(), Vec::<Value>::new());
}

#[test]
fn servers_on_one_gpu_slow_each_other_and_servers_on_two_do_not() {
    let profile = ONE_SLOT.replace("parallel = 1", "parallel = 1\nshared_gpu = 3.0");
    for (gpus, gap) in [(1, 3_000_000), (2, 1_000_000)] {
        let servers = Servers::start(&profile, 2, gpus);
        let mut neighbour = servers.generate(0, ENDLESS, json!({}));
        neighbour.first_token();
        let last = servers.generate(1, 5, json!({})).last();
        assert_eq!(term(&last, "decode"), 4 * gap, "{gpus} GPUs");
        assert_eq!(
            term(&last, "slot_wait"),
            0,
            "each server has a slot of its own"
        );
    }
}

#[test]
fn a_number_of_gpus_that_cannot_be_modelled_is_refused() {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_tare"))
        .args(["mock", "--listen", "127.0.0.1:0", "--gpus", "2"])
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("--gpus 2 with --listen given 1 times") && said.matches('\n').count() == 1,
        "{said}"
    );
}
