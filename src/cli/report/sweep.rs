//! `tare report sweep`: what a sweep's runs say together.

use super::{Failure, Wanted, analysed, usable_folder};
use crate::experiment::Stored;
use crate::published::import::of_stored;
use anyhow::anyhow;
use std::path::PathBuf;

/// Analyse the runs of a sweep: by configuration and factor, beside chance, true against published
///
/// Reads the records in the folder and tells whether runs are missing. The sweep may still be running.
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
    usable_folder(&out, "--out")?;
    let stored = Stored::read(folder)?.ok_or_else(|| {
        anyhow!(
            "cannot read {}: there is no experiment.json in it; trees of metrics.json are for `tare import`",
            folder.display()
        )
    })?;
    analysed(of_stored(folder, &stored), &out, wanted)
}
