//! `tare mock`: a server that answers as Ollama does, with every delay known.

mod faults;
pub(super) mod limits;
mod self_test;

use super::values::speed;
use super::{Failure, find_profile};
use crate::engine::{Gpus, Jitter, Profile};
use crate::mock::Mock;
use crate::trace::{Trace, TraceError};
use anyhow::anyhow;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::RangeInclusive;

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
    /// Serve recorded answers (see `tare record`) in turn, whatever is asked: a shipped trace (see
    /// fixtures/traces), or a file
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
    let trace = arguments.trace.as_deref().map(find_trace).transpose()?;
    let mut profile = match &trace {
        Some(trace) => Profile {
            model: trace.head.model.clone(),
            jitter: arguments.jitter.map(narrow),
            ..find_profile("instant")?
        },
        None => find_profile(&arguments.profile)?.faster(arguments.speed),
    };
    if let Some(model) = arguments.model {
        profile.model = model;
    }
    let faults = faults::read(&arguments.fault)?;
    let fault_seed = arguments.fault_seed.unwrap_or(profile.seed);
    profile.parallel = arguments.parallel.or(profile.parallel);
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
    let mut mock = Mock::listen(&arguments.listen, gpus, profile)?.with_faults(faults, fault_seed);
    if let Some(trace) = trace {
        mock = mock.with_trace(trace, arguments.speed);
    }
    {
        let mut stdout = std::io::stdout().lock();
        for address in mock.addresses() {
            writeln!(stdout, "listening on http://{address}")?;
        }
        stdout.flush()?;
    }
    if arguments.until_eof {
        std::thread::spawn(|| {
            let mut rest = Vec::new();
            let _ = std::io::stdin().read_to_end(&mut rest);
            std::process::exit(0);
        });
    }
    match mock.serve()? {}
}

/// The trace of this name: a wrong name or a malformed file is wrong usage.
fn find_trace(name: &str) -> Result<Trace, Failure> {
    Trace::find(name).map_err(|error| match error {
        TraceError::Unreadable { .. } => Failure::Failed(error.into()),
        TraceError::Unknown { .. } | TraceError::Invalid { .. } => Failure::Usage(error.into()),
    })
}

fn jitter(text: &str) -> Result<f64, String> {
    within(text, 0.0..=0.4).ok_or_else(|| "expected a share from 0 to 0.4".to_owned())
}

fn within(text: &str, range: RangeInclusive<f64>) -> Option<f64> {
    text.parse().ok().filter(|number| range.contains(number))
}

/// Jitter without a tail.
fn narrow(spread: f64) -> Jitter {
    Jitter {
        spread,
        tail: 0.0,
        stretch: 1.0,
    }
}
