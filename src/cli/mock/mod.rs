//! `tare mock`: a server that answers as Ollama does, with every delay known.

mod faults;
pub(super) mod limits;
mod self_test;

use super::Failure;
use super::values::speed;
use anyhow::anyhow;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use tare_mock::{Builder, FileError, Gpus, Mock, SPREADS, StartError};

/// Run a mock Ollama whose every delay is known
#[derive(Debug, clap::Args)]
#[command(after_help = faults::help())]
pub struct Arguments {
    /// Address to listen on, port 0 for any that is free; several times for several servers
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:11434")]
    listen: Vec<SocketAddr>,
    /// GPUs: 1 that all servers share, or as many as there are servers
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN)]
    gpus: NonZeroUsize,
    /// Slots of a loaded model, as OLLAMA_NUM_PARALLEL, instead of the profile's
    #[arg(long, value_name = "N")]
    parallel: Option<NonZeroU32>,
    /// Latency model: a shipped one, or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "paced-10ms")]
    profile: String,
    /// Serve recorded answers (see `tare record`) in turn, whatever is asked: a shipped trace
    /// (gemma3-270m-cpu), or a file
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "profile")]
    trace: Option<String>,
    /// Go so many times as fast as the profile says, loads and polls included, or as the trace was
    /// recorded
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    speed: f64,
    /// Let chance stretch and shrink the trace's gaps: a twentieth of them by more than this share,
    /// 0 to 0.4
    #[arg(
        long,
        value_name = "SHARE",
        num_args = 0..=1,
        default_missing_value = "0.05",
        requires = "trace",
        value_parser = jitter
    )]
    jitter: Option<f64>,
    /// Name of the model to serve, instead of the profile's
    #[arg(long)]
    model: Option<String>,
    /// Fault in the replies, KIND[=ARGUMENTS][@WHEN], see below; several times for several
    #[arg(long, value_name = "SPEC")]
    fault: Vec<String>,
    /// Seed of the faults that strike by chance, instead of the profile's
    #[arg(long, value_name = "N")]
    fault_seed: Option<u64>,
    /// Stay on one processor, counted from 0
    #[arg(long, value_name = "CPU")]
    pin: Option<usize>,
    /// End when standard input does: with the process that started this one
    #[arg(long)]
    until_eof: bool,
    /// Instead of serving, see how well a mock keeps its schedule on this machine: a minute and a half
    #[arg(long, exclusive = true)]
    self_test: bool,
}

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.self_test {
        return self_test::run();
    }
    let gpus = match (arguments.gpus.get(), arguments.listen.len()) {
        (1, _) => Gpus::Shared,
        (gpus, servers) if gpus == servers => Gpus::OneEach,
        (gpus, servers) => {
            return Err(Failure::Usage(anyhow!(
                "--gpus {gpus} with --listen given {servers} times can't be modelled: take 1, which all share, or {servers}, one for each"
            )));
        }
    };
    if let Some(processor) = arguments.pin {
        limits::pin(processor)?;
    }
    limits::open_many_files();
    let until_eof = arguments.until_eof;
    let mock = builder(arguments).gpus(gpus).bind().map_err(failure)?;
    {
        let mut stdout = std::io::stdout().lock();
        for address in mock.addresses() {
            writeln!(stdout, "listening on http://{address}")?;
        }
        stdout.flush()?;
    }
    if until_eof {
        std::thread::spawn(|| {
            let mut rest = Vec::new();
            let _ = std::io::stdin().read_to_end(&mut rest);
            std::process::exit(0);
        });
    }
    match mock.serve()? {}
}

/// The mock that is asked for.
fn builder(arguments: Arguments) -> Builder {
    let mut builder = Mock::builder().speed(arguments.speed);
    builder = match arguments.trace {
        Some(trace) => builder.trace(trace),
        None => builder.profile(arguments.profile),
    };
    if let Some(spread) = arguments.jitter {
        builder = builder.jitter(spread);
    }
    if let Some(model) = arguments.model {
        builder = builder.model(model);
    }
    if let Some(slots) = arguments.parallel {
        builder = builder.parallel(slots);
    }
    if let Some(seed) = arguments.fault_seed {
        builder = builder.fault_seed(seed);
    }
    builder = arguments.fault.into_iter().fold(builder, Builder::fault);
    arguments.listen.into_iter().fold(builder, Builder::listen)
}

/// A wrong name, a malformed file or a malformed fault is wrong usage.
fn failure(error: StartError) -> Failure {
    match error {
        StartError::File(FileError::Unknown { .. } | FileError::Invalid { .. })
        | StartError::Fault(_)
        | StartError::Speed(_)
        | StartError::Jitter(_) => Failure::Usage(error.into()),
        error => Failure::Failed(error.into()),
    }
}

fn jitter(text: &str) -> Result<f64, String> {
    let spread = text.parse().ok();
    let known = spread.filter(|spread| SPREADS.contains(spread));
    known.ok_or_else(|| "expected a share from 0 to 0.4".to_owned())
}
