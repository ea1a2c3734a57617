//! `tare report sweep`: what a sweep's runs say together.

use super::{Failure, Wanted, analysed};
use anyhow::anyhow;
use std::path::PathBuf;

/// Analyse the runs of a sweep: by configuration and factor, beside chance, true against published
///
/// Reads every metrics.json under the folder, and sweep.json if it is there, by which it tells
/// whether runs are missing. Broken files are reported and skipped. The sweep may still be running.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tare sweep --plan tr114 --partition 1/50 --mock --speed 50 --out small && tare report sweep small

Of a sweep in its usual folder:
  tare report sweep tare-results/sweep/tr114 --metric makespan --metric queueing --format json")]
pub struct Arguments {
    /// The sweep's folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Where report.md, analysis.json and the tables go [default: report/ in the sweep's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    wanted: Wanted,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments {
        folder,
        out,
        wanted,
    } = arguments;
    if folder.exists() && !folder.is_dir() {
        return Err(anyhow!(
            "{} is no folder; single files are for `tare import`",
            folder.display()
        )
        .into());
    }
    let out = out.clone().unwrap_or_else(|| folder.join("report"));
    analysed(std::slice::from_ref(folder), &out, wanted)
}
