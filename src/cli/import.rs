//! `tare import`: other people's results, analysed as our own are.

use super::Failure;
use super::report::{Wanted, imported};
use std::path::PathBuf;

/// Analyse trees of published metrics.json files, ours or those of older reports
///
/// Reads every metrics.json under the folders, at any depth, and files by name: runs of two agents,
/// of a team, results of one agent, and results with a baseline and a chimera, told by their content.
/// Broken files are reported and skipped. Says what follows from them: each figure by configuration
/// and factor, what chance makes of the best and of the share above the default, and what the
/// published efficiency measures. The runtime is taken from the folder's name where the file does
/// not have it, such as tokio-localset, smol-1kb or async-std.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tare team --mock --runs 2 --fixed-length 16 --out mine && tare import mine/published --out imported

Of reports that somebody published:
  tare import published/ --out tare-results/import
  tare import tr114/run_1/metrics.json tr114/run_2/metrics.json --format json")]
pub struct Arguments {
    /// Folders with metrics.json somewhere in them, or such files
    #[arg(value_name = "DIR|FILE", required = true)]
    paths: Vec<PathBuf>,
    /// Where report.md, analysis.json and the tables go
    #[arg(long, value_name = "DIR", default_value = "tare-results/import")]
    out: PathBuf,
    #[command(flatten)]
    wanted: Wanted,
}

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    imported(&arguments.paths, &arguments.out, &arguments.wanted)
}
