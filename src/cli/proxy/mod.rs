//! `tare proxy`: between clients and a server, to know when each token was passed on.

mod self_test;

use super::Failure;
use super::mock::limits;
use crate::client::{Endpoint, EndpointError};
use crate::proxy::Proxy;
use std::io::{Read, Write};
use std::net::SocketAddr;

/// Pass requests on to a server, and tell clients that ask when each token came by
///
/// Every byte goes on as it comes. A request to /api/generate, /api/chat or /v1/chat/completions
/// that carries the header `x-tare-proxy: 1` gets its answer with a further field, tare_proxy, in the
/// last line: when the request was there, and when each token and the last line were passed on, in ns
/// of the machine's monotonic clock. `tare agent --proxy` and `tare compare --proxy` start and ask one
/// by themselves.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tare proxy --to http://127.0.0.1:11434 --listen 127.0.0.1:11501

What its own part in the times is, here:
  tare proxy --self-test")]
pub struct Arguments {
    /// Address of the server
    #[arg(long, value_name = "URL", required_unless_present = "self_test")]
    to: Option<String>,
    /// Address to listen on, port 0 for any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:11435")]
    listen: SocketAddr,
    /// Stay on one processor, counted from 0
    #[arg(long, value_name = "CPU")]
    pin: Option<usize>,
    /// End when standard input does: with the process that started this one
    #[arg(long)]
    until_eof: bool,
    /// Instead of serving, see on this machine what a proxy adds to a mock's answers, and how far its
    /// times are from the mock's: ten seconds
    #[arg(long, exclusive = true)]
    self_test: bool,
}

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let Some(to) = arguments.to else {
        return self_test::run();
    };
    let to = Endpoint::resolve(&to).map_err(|error| match error {
        EndpointError::Url { .. } => Failure::Usage(error.into()),
        EndpointError::Unresolved { .. } => Failure::Failed(error.into()),
    })?;
    if let Some(processor) = arguments.pin {
        limits::pin(processor)?;
    }
    limits::open_many_files();
    let proxy = Proxy::listen(arguments.listen, to)?;
    {
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "listening on http://{}", proxy.address()?)?;
        stdout.flush()?;
    }
    if arguments.until_eof {
        std::thread::spawn(|| {
            let mut rest = Vec::new();
            let _ = std::io::stdin().read_to_end(&mut rest);
            std::process::exit(0);
        });
    }
    match proxy.serve()? {}
}
