//! `tare team`: several agents at once, and each alone. A preset of the experiment.

mod arguments;

pub use arguments::Arguments;

use super::Failure;
use super::experiment::{conduct, list_metrics};
use crate::published::export;
use crate::runtime::{Runtime, Threads};
use crate::workflow::{INGEST_CONCURRENCY, ingest};
use std::num::NonZeroUsize;

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.flags.list_metrics {
        return list_metrics();
    }
    let experiment = arguments.experiment()?;
    // To know that it has something to read, and so that no run pays for a cold page cache.
    let corpus = arguments.corpus().open()?;
    let floor = Threads::new(NonZeroUsize::MIN)?;
    futures::executor::block_on(ingest(&floor, &corpus.folder, INGEST_CONCURRENCY))?;
    let flags = &arguments.flags;
    let finished = conduct(experiment, flags, ", or add `--mock` to do without one")?;
    let exported = export(&finished.folder, &finished.stored)?;
    if exported.summary.is_some() {
        eprintln!(
            "wrote published/ to {}, in the older reports' schema; begin with {}",
            finished.folder.display(),
            finished.folder.join("published/summary.md").display()
        );
        finished.report(flags)?;
    }
    finished.conclude(flags)
}
