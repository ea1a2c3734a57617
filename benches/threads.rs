//! Each runtime with one worker thread and with two, while one stream comes at a token per
//! millisecond; and at which pace the second thread begins to cost.
//!
//!     cargo bench --bench threads
//!
//! Native hyper everywhere, a process per sample, randomised blocks. Not part of `cargo bench`, so
//! that what has to be run often stays short; `cargo test` runs it once through.
//!
//! What this is *not* evidence for: a runtime that has work for a second thread. One stream has
//! none, and that is the point.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::exit;
use std::time::Duration;
use tare::protocol::Api;
use tare::report::threads::{Measured, Setting, at_one_pace, by_pace, lateness};
use tare::run::{Answers, Connection, MockServer, Outcome, Program, Spec, Work};
use tare::stack::Stack;

const SEED: u64 = 1;
const MODEL: &str = "gemma3:latest";

/// The stack that processor time is compared with.
const BASE: &str = "tokio-local/hyper";
/// What is measured at the one pace.
const SETTINGS: [(&str, usize); 8] = [
    ("threads/raw", 1),
    (BASE, 1),
    ("tokio-mt/hyper", 1),
    ("tokio-mt/hyper", 2),
    ("async-std/hyper", 1),
    ("async-std/hyper", 2),
    ("smol/hyper", 1),
    ("smol/hyper", 2),
];
/// The one pace.
const GAP: Duration = Duration::from_millis(1);

/// What is measured at every pace.
const PACED: [(&str, usize); 3] = [
    ("tokio-mt/hyper", 2),
    ("async-std/hyper", 2),
    ("smol/hyper", 2),
];
/// The paces, µs between tokens: on both sides of 500 µs, after which async-io's `block_on` gives the
/// reactor away.
const GAPS_US: [u64; 5] = [200, 400, 600, 1000, 5000];

fn main() {
    // `cargo bench` says so; anything else is a test, which only sees whether it runs.
    let full = std::env::args().any(|arg| arg == "--bench");
    let (blocks, length) = match full {
        true => (8, Duration::from_millis(100)),
        false => (1, Duration::from_millis(10)),
    };
    let program = Program::at(env!("CARGO_BIN_EXE_tare"));

    let gap = GAP;
    let mock = mock(&program, gap);
    let settings = SETTINGS.map(setting);
    let measured = measure(&settings, blocks, |setting| {
        invoke(&program, &mock, setting, gap, length, 1)
    });
    let measured: Vec<Measured> = settings
        .iter()
        .zip(measured)
        .map(|(&setting, outcomes)| Measured {
            setting,
            gap,
            outcomes,
        })
        .collect();

    let paces: Vec<(Setting, Duration)> = PACED
        .into_iter()
        .flat_map(|paced| GAPS_US.map(|gap| (setting(paced), Duration::from_micros(gap))))
        .collect();
    let mocks = GAPS_US.map(|gap| self::mock(&program, Duration::from_micros(gap)));
    let by_gap = measure(&paces, blocks.div_ceil(3), |(setting, gap)| {
        let index = GAPS_US
            .iter()
            .position(|&us| Duration::from_micros(us) == gap);
        let mock = &mocks[index.unwrap_or_default()];
        invoke(&program, mock, setting, gap, length, 0)
    });
    let by_gap: Vec<Measured> = paces
        .iter()
        .zip(by_gap)
        .map(|(&(setting, gap), outcomes)| Measured {
            setting,
            gap,
            outcomes,
        })
        .collect();

    let base = measured
        .iter()
        .find(|one| one.setting == setting((BASE, 1)));
    if let (true, Some(base)) = (full, base) {
        println!(
            "\n{blocks} runs per row, in randomised blocks (seed {SEED}); one stream, a token every {gap:?}.\n\
             In brackets: 95 % bootstrap intervals over runs.\n\n{}\n\
             Context switches per token by the server's pace, medians of {} runs:\n\n{}",
            at_one_pace(base, &measured),
            blocks.div_ceil(3),
            by_pace(&by_gap),
        );
        if let Some(lateness) = lateness(measured.iter().chain(&by_gap)) {
            println!("{lateness}");
        }
    }
}

fn setting((stack, threads): (&str, usize)) -> Setting {
    Setting {
        stack: or_exit(stack.parse::<Stack>()),
        threads: NonZeroUsize::new(threads).expect("no setting has 0 threads"),
    }
}

fn measure<S: Copy>(
    arms: &[S],
    blocks: usize,
    mut run: impl FnMut(S) -> Outcome,
) -> Vec<Vec<Outcome>> {
    let mut results: Vec<Vec<Outcome>> = arms.iter().map(|_| Vec::new()).collect();
    let mut order: Vec<usize> = (0..arms.len()).collect();
    let mut lots = fastrand::Rng::with_seed(SEED);
    for _ in 0..blocks {
        lots.shuffle(&mut order);
        for &arm in &order {
            results[arm].push(run(arms[arm]));
        }
    }
    results
}

/// A mock that sends a token every `gap`.
fn mock(program: &Program, gap: Duration) -> MockServer {
    let micros = gap.as_micros();
    let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("every-{micros}us.toml"));
    let text = format!(
        "description = \"a token every {micros} us\"\nmodel = \"{MODEL}\"\nload = \"1ms\"\n\
         tokens = 256\ngap = \"{micros}us\"\nseed = {SEED}\n\n\
         [prefill]\nfixed = \"2ms\"\nper_token = \"1us\"\n"
    );
    or_exit(std::fs::write(&profile, text));
    or_exit(MockServer::start(
        program,
        &profile.display().to_string(),
        Some(MODEL),
    ))
}

/// Two streams of about `length` each, after as many as `warm_up`.
fn invoke(
    program: &Program,
    mock: &MockServer,
    setting: Setting,
    gap: Duration,
    length: Duration,
    warm_up: u32,
) -> Outcome {
    let spec = Spec {
        stack: setting.stack,
        threads: setting.threads,
        base_url: mock.base_url().to_owned(),
        api: Api::Generate,
        model: MODEL.to_owned(),
        work: Work::Stream {
            connection: Connection::Warm,
        },
        tokens: u32::try_from(length.as_nanos() / gap.as_nanos()).unwrap_or(u32::MAX),
        ingest_concurrency: tare::workflow::INGEST_CONCURRENCY,
        seed: SEED,
        warm_up,
        iterations: 2,
        answers: Answers::Known,
        inject: None,
        profile_run: false,
        detail: false,
        proxied: false,
        processors: Vec::new(),
    };
    or_exit(program.invoke(&spec))
}

/// A failed run is no measurement: say why, and end. The mocks end with this process.
fn or_exit<T, E: Display>(outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        exit(1)
    })
}
