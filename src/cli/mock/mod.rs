//! `tare mock`: a server that answers as Ollama does, with every delay known.

mod self_test;

use super::{Failure, find_profile};
use crate::mock::Mock;
use std::io::{Read, Write};
use std::net::SocketAddr;

/// Run a mock Ollama whose every delay is known
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  tare mock --profile paced-10ms --listen 127.0.0.1:11500
  curl http://127.0.0.1:11500/api/generate -d '{\"model\":\"gemma3\",\"prompt\":\"Why?\"}'")]
pub struct Arguments {
    /// Address to listen on; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:11434")]
    listen: SocketAddr,
    /// Latency model: instant, paced-1ms, paced-10ms, or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "paced-10ms")]
    profile: String,
    /// Name of the model to serve, instead of the profile's
    #[arg(long)]
    model: Option<String>,
    /// End when standard input does: with the process that started this one
    #[arg(long)]
    until_eof: bool,
    /// Measure how late this machine lets a mock send its tokens, instead of serving
    #[arg(long, conflicts_with_all = ["listen", "until_eof"])]
    self_test: bool,
}

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut profile = find_profile(&arguments.profile)?;
    if let Some(model) = arguments.model {
        profile.model = model;
    }
    if arguments.self_test {
        return self_test::run(&arguments.profile, &profile.model);
    }
    let mock = Mock::listen(arguments.listen, profile)?;
    {
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "listening on http://{}", mock.address())?;
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
