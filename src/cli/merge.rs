//! `tare merge`: parts of an experiment, of any preset, joined.

use super::{Failure, usable_folder};
use crate::experiment::{Circumstances, MergeError, merge};
use crate::published::export;
use std::path::PathBuf;

/// Join the parts of an experiment, all of them finished, in a new folder
///
/// Parts are made with --partition, on one machine or several. Machines may differ, which is told; builds
/// and servers may not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tare compare --workload stream --stacks smol/hyper --order-seed 1 --runs 2 --partition 1/2 --out a && tare compare --workload stream --stacks smol/hyper --order-seed 1 --runs 2 --partition 2/2 --out b && tare merge a b --out whole")]
pub struct Arguments {
    /// The parts' folders
    #[arg(value_name = "DIR", required = true)]
    parts: Vec<PathBuf>,
    /// The new folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Join them although builds or servers differ; this is recorded
    #[arg(long)]
    accept_differences: bool,
}

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        parts,
        out,
        accept_differences,
    } = arguments;
    usable_folder(&out, "--out")?;
    let circumstances = match accept_differences {
        true => Circumstances::MayDiffer,
        false => Circumstances::MustAgree,
    };
    let merged = merge(&parts, &out, circumstances).map_err(|error| match error {
        MergeError::Store(_) => Failure::Failed(error.into()),
        _ => Failure::Usage(error.into()),
    })?;
    for difference in &merged.machines {
        eprintln!("note: the parts' machines differ: {difference}");
    }
    let experiment = &merged.stored.manifest.experiment;
    if matches!(&experiment.preset[..], "team" | "sweep") {
        export(&out, &merged.stored)?;
    }
    eprintln!(
        "{}: {} runs of {} parts joined in {}",
        experiment.name,
        experiment.order(None).len(),
        parts.len(),
        out.display()
    );
    Ok(())
}
