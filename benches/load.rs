//! How fast `tare load` is beside a loop over bare sockets: 32 streams of 64 tokens in a burst.
//!
//!     cargo bench --bench load [-- CELL]
//!
//! Both ask the same mock in the same words, and a round runs each once, in an order drawn by lot,
//! in processes of their own with a mock of their own. The loop is one thread with `poll`, which
//! reads bytes, counts line ends and looks for the end of a reply; it parses nothing and checks
//! nothing. Not part of `cargo bench`, so that what has to be run often stays short; `cargo test`
//! runs it once through.
//!
//! Client and mock share the processors, so that on a busy machine the shares are those of their
//! processor time: look at the load average first.
//!
//! What this is *not* evidence for: how fast a server is, or a client that does not share its two
//! processors with one.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::process::{Command, exit};
use std::time::{Duration, Instant};
use tare::experiment::Stored;
use tare::protocol::wire::{Options, TRUTH_HEADER};
use tare::protocol::{Api, Form, Question};
use tare::report::figures::{interval, table};
use tare::run::{MockServer, Program};
use tare::stats::{mean_interval, ratio_interval};

const SEED: u64 = 1;
const STREAMS: usize = 32;
const TOKENS: u32 = 64;
const PROFILE: &str = "instant";
const MODEL: &str = "gemma3:latest";
/// The stacks that drive the load; the first is the default.
const CELLS: [&str; 4] = [
    "tokio-mt/hyper",
    "tokio-local/hyper",
    "threads/raw",
    "tokio-mt/reqwest",
];
/// Says that this process is the loop.
const LOOP: &str = "--loop";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, first, base_url, warm_up, measure] = &arguments[..]
        && first == LOOP
    {
        let [warm_up, measure] =
            [warm_up, measure].map(|ms| Duration::from_millis(or_exit(ms.parse())));
        println!("{}", or_exit(bare(base_url, warm_up, measure)));
        return;
    }
    // `cargo bench` says so; anything else is a test, which only sees whether it runs.
    let full = arguments.iter().any(|it| it == "--bench");
    let named = |stack: &&str| arguments.iter().any(|it| it == stack);
    let some: Vec<&str> = CELLS.into_iter().filter(named).collect();
    let (rounds, stacks, warm_up, measure) = match full {
        true if some.is_empty() => (12, &CELLS[..], 500, 1500),
        true => (12, &some[..], 500, 1500),
        false => (1, &CELLS[..1], 0, 100),
    };
    let program = Program::at(env!("CARGO_BIN_EXE_tare"));
    let mut arms = vec![None];
    arms.extend(stacks.iter().copied().map(Some));
    let mut rates: Vec<Vec<f64>> = arms.iter().map(|_| Vec::new()).collect();
    let mut cpu: Vec<Vec<f64>> = rates.clone();
    let mut order: Vec<usize> = (0..arms.len()).collect();
    let mut lots = fastrand::Rng::with_seed(SEED);
    let mut one = |arm: usize| {
        let rate = match arms[arm] {
            None => looped(&program, warm_up, measure),
            Some(stack) => {
                let (rate, used) = loaded(&program, stack, warm_up, measure);
                cpu[arm].push(used);
                rate
            }
        };
        rates[arm].push(rate);
    };
    for _ in 0..rounds {
        lots.shuffle(&mut order);
        order.iter().for_each(|&arm| one(arm));
    }
    if !full {
        return;
    }
    let mut rows = table(["", "tokens/s", "share of the loop", "CPU µs/token"]);
    for ((arm, of), cpu) in arms.iter().zip(&rates).zip(&cpu) {
        let share = arm.and_then(|_| ratio_interval(of, &rates[0], SEED));
        rows.add_row([
            arm.unwrap_or("bare sockets").to_owned(),
            interval(mean_interval(of, SEED), 1.0),
            interval(share, 1.0),
            interval(mean_interval(cpu, SEED), 1e3),
        ]);
    }
    println!(
        "\n{rounds} rounds in an order drawn by lot (seed {SEED}), {measure} ms each; {STREAMS} streams of {TOKENS} tokens against the mock `{PROFILE}`.\n\
         In brackets: 95 % bootstrap intervals over rounds.\n\n{rows}"
    );
}

/// Tokens per second by `tare load`, and its processor time per token, ns.
fn loaded(program: &Program, stack: &str, warm_up: u64, measure: u64) -> (f64, f64) {
    let folder = or_exit(tempfile::tempdir());
    let output = Command::new(program.path())
        .args([
            "load", "--mock", PROFILE, "--model", MODEL, "--stack", stack,
        ])
        .args(["--streams", &STREAMS.to_string()])
        .args(["--tokens", &TOKENS.to_string()])
        .args(["--warm-up", &format!("{warm_up}ms")])
        .args(["--measure", &format!("{measure}ms"), "--out"])
        .arg(folder.path())
        .output();
    let output = or_exit(output);
    if !output.status.success() {
        or_exit(Err(String::from_utf8_lossy(&output.stderr).into_owned()))
    }
    let stored = or_exit(Stored::read(folder.path()));
    let records = stored.map(|stored| stored.records).unwrap_or_default();
    let run = records.first().and_then(|record| record.run());
    let run = or_exit(run.ok_or("the load left no record"));
    let failed = run.load.as_ref().map(|load| load.requests.failed);
    assert_eq!(failed, Some(0), "{:?}", run.load);
    let value = |metric: &str| run.value(metric).unwrap_or_default();
    (value("throughput"), value("cpu"))
}

/// Tokens per second by the loop.
fn looped(program: &Program, warm_up: u64, measure: u64) -> f64 {
    let mock = or_exit(MockServer::start(program, PROFILE, Some(MODEL)));
    let this = or_exit(std::env::current_exe());
    let output = Command::new(this)
        .args([LOOP, mock.base_url()])
        .args([warm_up.to_string(), measure.to_string()])
        .output();
    let output = or_exit(output);
    let said = String::from_utf8_lossy(&output.stdout);
    or_exit(said.trim().parse())
}

/// A connection, and how far its reply is.
struct Wire {
    stream: TcpStream,
    /// The last bytes that came, oldest first.
    tail: [u8; END.len()],
}

/// What ends a reply in chunks.
const END: [u8; 5] = *b"0\r\n\r\n";

/// The loop itself: tokens per second.
fn bare(base_url: &str, warm_up: Duration, measure: Duration) -> io::Result<f64> {
    let address = base_url.trim_start_matches("http://");
    let request = request(address)?;
    let mut wires = Vec::new();
    for _ in 0..STREAMS {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.write_all(&request)?;
        stream.set_nonblocking(true)?;
        wires.push(Wire {
            stream,
            tail: [0; END.len()],
        });
    }
    let start = Instant::now() + warm_up;
    let end = start + measure;
    let (mut replies, mut lines) = (0_u64, 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let ready = ready(&wires)?;
        let now = Instant::now();
        for (wire, _) in wires.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            let read = match wire.stream.read(&mut buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                read => read?,
            };
            let bytes = &buffer[..read];
            lines += memchr::memchr_iter(b'\n', bytes).count();
            wire.note(bytes);
            if wire.tail == END {
                replies += u64::from(now >= start);
                wire.tail = [0; END.len()];
                // A request is far smaller than what a socket takes at once.
                wire.stream.write_all(&request)?;
            }
        }
        if now >= end {
            // Each token is a line in a chunk of its own, or shares one.
            assert!(lines as u64 > replies * u64::from(TOKENS), "{lines} lines");
            let tokens = replies * u64::from(TOKENS);
            return Ok(tokens as f64 / (now - start).as_secs_f64());
        }
    }
}

/// Waits until something came, and says on which connections.
fn ready(wires: &[Wire]) -> io::Result<[bool; STREAMS]> {
    let mut asked: Vec<PollFd> = wires
        .iter()
        .map(|wire| PollFd::new(wire.stream.as_fd(), PollFlags::POLLIN))
        .collect();
    poll(&mut asked, PollTimeout::NONE)?;
    let mut ready = [false; STREAMS];
    for (ready, asked) in ready.iter_mut().zip(&asked) {
        *ready = asked.any().unwrap_or(true);
    }
    Ok(ready)
}

impl Wire {
    fn note(&mut self, bytes: &[u8]) {
        match bytes.last_chunk() {
            Some(tail) => self.tail = *tail,
            None => {
                self.tail.rotate_left(bytes.len());
                let kept = END.len() - bytes.len();
                self.tail[kept..].copy_from_slice(bytes);
            }
        }
    }
}

/// What `tare load` asks, header by header.
fn request(address: &str) -> io::Result<Vec<u8>> {
    let options = Options {
        seed: Some(SEED),
        num_predict: i32::try_from(TOKENS).ok(),
        ..Options::default()
    };
    let question = Question {
        model: MODEL,
        prompt: "Explain at length how a server of language models is measured.",
        options: &options,
        keep_alive: None,
        form: Form::Stream,
    };
    let body = question.body(Api::Generate).map_err(io::Error::other)?;
    let (truth, told) = TRUTH_HEADER;
    let mut request = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{truth}: {told}\r\ncontent-length: {}\r\n\r\n",
        Api::Generate.path(),
        body.len()
    )
    .into_bytes();
    request.extend(body);
    Ok(request)
}

/// A failed run is no measurement: say why, and end. The mocks end with this process.
fn or_exit<T, E: Display>(outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        exit(1)
    })
}
