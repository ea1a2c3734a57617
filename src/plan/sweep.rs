//! Doing the runs of a sweep, one after the other, and keeping each as soon as it is finished.
//!
//! A run that fails is noted and the next one begins, so that a night is not lost to one bad moment;
//! it is tried again when the sweep is gone on with. Only where [`TOO_MANY`] fail in a row, so that
//! something is wrong that waiting does not mend, does it stop.

use super::folder::FolderError;
use super::resume::Occupied;
use super::{Configuration, Pace, Run};
use crate::report::published::TeamRun;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// So many failures in a row end a sitting.
const TOO_MANY: u32 = 10;

/// Why a run gave no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Somebody wants the sweep to end.
    Interrupted,
    /// It failed, for this reason.
    Failed(String),
}

/// Who does the runs.
pub trait Bench {
    /// Brings the servers into the state that this configuration's runs find.
    ///
    /// # Errors
    /// When it fails.
    fn warm_up(&mut self, configuration: &Configuration, run: Run) -> Result<(), Mishap>;

    /// Does one run.
    ///
    /// # Errors
    /// When it fails.
    fn run(&mut self, configuration: &Configuration, run: Run) -> Result<TeamRun, Mishap>;
}

/// Who is told how it goes, and can end it.
pub trait Watch {
    /// A run begins; so long it will take from here to the end, where that is known yet.
    fn begins(&mut self, position: usize, configuration: &Configuration, left: Option<Duration>);

    /// It is finished and on the disk.
    fn finished(&mut self, configuration: &Configuration, run: Run, took: Took);

    /// It failed.
    fn failed(&mut self, configuration: &Configuration, run: Run, why: &str);

    /// Lets so much time pass; breaks when somebody wants the sweep to end.
    fn pause(&mut self, time: Duration) -> ControlFlow<()>;
}

/// How long a run took and the others will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Took {
    /// With its pause and its warm-up.
    pub this: Duration,
    /// All that are left.
    pub left: Duration,
}

/// Why a sitting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every run was tried.
    Done,
    /// Somebody ended it.
    Interrupted,
    /// This many runs in a row failed.
    GivenUp(u32),
}

/// Does the runs that are not finished, in this order. Each time the configuration changes it is
/// warmed up `warm_ups` times; before each run but the first there is a pause.
///
/// # Errors
/// When a result can't be kept: going on would be for nothing.
pub fn sweep(
    occupied: &mut Occupied,
    order: &[Run],
    cool_down: Duration,
    bench: &mut impl Bench,
    watch: &mut impl Watch,
) -> Result<Ending, FolderError> {
    let plan = occupied.planned().plan.clone();
    let left: Vec<Run> = order
        .iter()
        .copied()
        .filter(|&run| !occupied.is_finished(run))
        .collect();
    let mut pace = Pace::default();
    let mut warm = None;
    let mut failures = 0;
    for (position, &run) in left.iter().enumerate() {
        let configuration = &plan.configurations[run.configuration];
        let yet = |from: usize| left[from..].iter().map(|run| run.configuration);
        watch.begins(position, configuration, pace.left(yet(position)));
        let started = Instant::now();
        let pause = if position == 0 {
            Duration::ZERO
        } else {
            cool_down
        };
        if watch.pause(pause).is_break() {
            return Ok(Ending::Interrupted);
        }
        let warm_ups = match warm == Some(run.configuration) {
            true => 0,
            false => plan.warm_up,
        };
        let ran = (0..warm_ups)
            .try_for_each(|_| bench.warm_up(configuration, run))
            .and_then(|()| bench.run(configuration, run));
        match ran {
            Ok(record) => {
                occupied.keep_run(run, &record)?;
                warm = Some(run.configuration);
                failures = 0;
                let this = started.elapsed();
                pace.note(run.configuration, this);
                let left = pace.left(yet(position + 1)).unwrap_or_default();
                watch.finished(configuration, run, Took { this, left });
            }
            Err(Mishap::Interrupted) => return Ok(Ending::Interrupted),
            Err(Mishap::Failed(why)) => {
                occupied.keep_failure(run, &why)?;
                warm = None;
                failures += 1;
                watch.failed(configuration, run, &why);
                if failures == TOO_MANY && position + 1 < left.len() {
                    return Ok(Ending::GivenUp(failures));
                }
            }
        }
    }
    Ok(Ending::Done)
}
