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

#[cfg(test)]
mod tests {
    use super::super::{Occasion, Plan};
    use super::*;
    use crate::report::published::TeamRun;
    use std::cell::RefCell;

    /// Notes what it is asked for, and fails or is interrupted where it is told to.
    struct Fake<'a> {
        said: &'a RefCell<Vec<String>>,
        mishap: &'a dyn Fn(&str) -> Option<Mishap>,
    }

    impl Fake<'_> {
        fn note(&self, what: String) -> Result<(), Mishap> {
            self.said.borrow_mut().push(what.clone());
            (self.mishap)(&what).map_or(Ok(()), Err)
        }
    }

    impl Bench for Fake<'_> {
        fn warm_up(&mut self, one: &Configuration, _: Run) -> Result<(), Mishap> {
            self.note(format!("warm up {}", one.name))
        }

        fn run(&mut self, one: &Configuration, run: Run) -> Result<TeamRun, Mishap> {
            self.note(format!("run {} {}", one.name, run.number))?;
            Ok(TeamRun::default())
        }
    }

    impl Watch for Fake<'_> {
        fn begins(&mut self, _: usize, _: &Configuration, _: Option<Duration>) {}

        fn finished(&mut self, _: &Configuration, _: Run, _: Took) {}

        fn failed(&mut self, one: &Configuration, run: Run, why: &str) {
            let line = format!("failed {} {}: {why}", one.name, run.number);
            self.said.borrow_mut().push(line);
        }

        fn pause(&mut self, time: Duration) -> ControlFlow<()> {
            match self.note(format!("pause {}", time.as_secs())) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        }
    }

    /// What is done of these runs of two configurations, `a` and `b`, each with a warm-up.
    fn done(
        order: &[(usize, u32)],
        mishap: &dyn Fn(&str) -> Option<Mishap>,
    ) -> (Vec<String>, Ending, usize) {
        let mut plan = Plan::find("tr114").expect("a shipped plan");
        plan.configurations.truncate(2);
        for (one, name) in plan.configurations.iter_mut().zip(["a", "b"]) {
            one.name = name.to_owned();
            one.repetitions = 30;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let mut occupied =
            Occupied::take(folder.path(), Occasion::Begin, &plan, None).expect("an empty folder");
        let order: Vec<Run> = order
            .iter()
            .map(|&(configuration, number)| Run {
                configuration,
                number,
            })
            .collect();
        let said = RefCell::new(Vec::new());
        let fake = || Fake {
            said: &said,
            mishap,
        };
        let pause = Duration::from_secs(5);
        let ending = sweep(&mut occupied, &order, pause, &mut fake(), &mut fake());
        let finished = occupied.finished();
        (said.take(), ending.expect("a place to write"), finished)
    }

    #[test]
    fn it_pauses_before_each_run_but_the_first_and_warms_up_when_the_configuration_changes() {
        let (said, ending, finished) = done(&[(0, 1), (1, 1), (1, 2)], &|_| None);
        let expected = [
            "pause 0",
            "warm up a",
            "run a 1",
            "pause 5",
            "warm up b",
            "run b 1",
            "pause 5",
            "run b 2",
        ];
        assert_eq!(said, expected);
        assert_eq!((ending, finished), (Ending::Done, 3));
    }

    #[test]
    fn after_a_failure_it_goes_on_and_warms_up_again() {
        let fails = |what: &str| (what == "run a 1").then(|| Mishap::Failed("so".to_owned()));
        let (said, ending, finished) = done(&[(0, 1), (0, 2)], &fails);
        let expected = [
            "pause 0",
            "warm up a",
            "run a 1",
            "failed a 1: so",
            "pause 5",
            "warm up a",
            "run a 2",
        ];
        assert_eq!(said, expected);
        assert_eq!((ending, finished), (Ending::Done, 1));
    }

    #[test]
    fn a_warm_up_that_fails_is_the_runs_failure() {
        let fails = |what: &str| (what == "warm up a").then(|| Mishap::Failed("cold".to_owned()));
        let (said, _, finished) = done(&[(0, 1)], &fails);
        assert_eq!(said, ["pause 0", "warm up a", "failed a 1: cold"]);
        assert_eq!(finished, 0);
    }

    #[test]
    fn an_interruption_ends_it_in_a_pause_and_in_a_run() {
        for at in ["pause 5", "warm up b", "run b 1"] {
            let interrupts = |what: &str| (what == at).then_some(Mishap::Interrupted);
            let (said, ending, finished) = done(&[(0, 1), (1, 1), (0, 2)], &interrupts);
            assert_eq!(said.last().map(String::as_str), Some(at));
            assert_eq!((ending, finished), (Ending::Interrupted, 1));
        }
    }

    #[test]
    fn ten_failures_in_a_row_end_it_and_nine_do_not() {
        let order: Vec<(usize, u32)> = (1..=30).map(|number| (0, number)).collect();
        let runs = |said: &[String]| said.iter().filter(|it| it.starts_with("run")).count();
        let all = |what: &str| {
            what.starts_with("run")
                .then(|| Mishap::Failed(String::new()))
        };
        let (said, ending, _) = done(&order, &all);
        assert_eq!((runs(&said), ending), (10, Ending::GivenUp(10)));
        let most = |what: &str| {
            let number: u32 = what.strip_prefix("run a ")?.parse().ok()?;
            (!number.is_multiple_of(10)).then(|| Mishap::Failed(String::new()))
        };
        let (said, ending, finished) = done(&order, &most);
        assert_eq!((runs(&said), ending, finished), (30, Ending::Done, 3));
    }
}
