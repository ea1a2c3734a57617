//! A sweep's folder: `sweep.json`, and below `runs/CONFIGURATION/run_N/` a `metrics.json` for each
//! finished run, or a `failure.json` for one that failed and waits for another try.
//!
//! A run is finished when its `metrics.json` is there, for it is there only as a whole. Who writes
//! holds a lock on `sweep.lock`, which the system takes back however the process ends; the file stays.

use super::durable::{self, UNFINISHED};
use super::record::{SCHEMA, Sweep};
use super::{Part, Plan, Run};
use crate::report::published::TeamRun;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const LOCK: &str = "sweep.lock";
const SWEEP: &str = "sweep.json";
const RUNS: &str = "runs";
const METRICS: &str = "metrics.json";
const FAILURE: &str = "failure.json";

/// Why a folder can't be worked in.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The system refuses to read or to write.
    #[error("cannot {act} {}: {source}", path.display())]
    System {
        /// `read`, `write` or `lock`.
        act: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Somebody else writes there.
    #[error(
        "another sweep{} is at work in {}: wait for it to end, or name another folder with --out",
        holder.as_ref().map(|id| format!(" (process {id})")).unwrap_or_default(), path.display()
    )]
    Locked {
        /// The folder.
        path: PathBuf,
        /// The other process.
        holder: Option<u32>,
    },
    /// A file that is not what it is named.
    #[error("{} is not what its name says: {reason}; move it away and go on with --resume", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A run of something else.
    #[error("{} is no run of {whole}: what is of two plans must not lie in one folder; move it away, or name another folder with --out", path.display())]
    Stray {
        /// The run's folder.
        path: PathBuf,
        /// The plan, or the part of it.
        whole: String,
    },
}

fn system(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    move |source| FolderError::System {
        act,
        path: path.to_owned(),
        source,
    }
}

/// What a plan has in a folder.
#[derive(Clone, Copy, Debug)]
pub struct Planned<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The part of it that the folder is for.
    pub part: Option<Part>,
}

impl Planned<'_> {
    /// All its runs, in the plan's own order.
    pub fn runs(self) -> impl Iterator<Item = Run> {
        let configurations = self.plan.configurations.iter().enumerate();
        let all = configurations.flat_map(|(configuration, one)| {
            (1..=one.repetitions).map(move |number| Run {
                configuration,
                number,
            })
        });
        all.filter(move |&run| self.part.is_none_or(|part| part.has(run)))
    }

    /// For a message.
    fn whole(self) -> String {
        match self.part {
            Some(part) => format!("part {part} of plan {}", self.plan.name),
            None => format!("plan {}", self.plan.name),
        }
    }

    fn place(self, folder: &Path, run: Run) -> PathBuf {
        let name = &self.plan.configurations[run.configuration].name;
        let number = format!("run_{}", run.number);
        folder.join(RUNS).join(name).join(number)
    }
}

/// What `failure.json` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Failure {
    configuration: String,
    run_number: u32,
    message: String,
    timestamp: jiff::Timestamp,
}

/// A folder that this process alone writes in, until this is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Whether a sweep was begun there, if only by a moment.
    pub fn was_claimed(path: &Path) -> bool {
        path.join(LOCK).exists() || path.join(SWEEP).exists()
    }

    /// Whether runs lie there that no `sweep.json` explains.
    pub fn has_unexplained_runs(path: &Path) -> bool {
        path.join(RUNS).exists() && !path.join(SWEEP).exists()
    }

    /// Takes the folder, which is made where it is missing.
    ///
    /// # Errors
    /// When another process has it, or the system refuses.
    pub fn claim(path: &Path) -> Result<Self, FolderError> {
        durable::make_folder(path).map_err(system("write", path))?;
        let place = path.join(LOCK);
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false);
        let mut file = file.open(&place).map_err(system("write", &place))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only for the message; its writer may not have come to write it yet.
                let _ = file.read_to_string(&mut holder);
                return Err(FolderError::Locked {
                    path: path.to_owned(),
                    holder: holder.trim().parse().ok(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(system("lock", &place)(source)),
        }
        let told = file.set_len(0);
        let told = told.and_then(|()| writeln!(file, "{}", std::process::id()));
        told.map_err(system("write", &place))?;
        Ok(Self {
            path: path.to_owned(),
            _lock: file,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `sweep.json`.
    ///
    /// # Errors
    /// When the system refuses; the former one is then still there.
    pub fn keep_sweep(&self, sweep: &Sweep) -> Result<(), FolderError> {
        write_json(&self.path.join(SWEEP), sweep)
    }

    /// Writes a finished run; when this returns it is on the disk.
    ///
    /// # Errors
    /// When the system refuses; nothing of the run is then there.
    pub fn keep_run(&self, of: Planned<'_>, run: Run, record: &TeamRun) -> Result<(), FolderError> {
        let place = of.place(&self.path, run);
        write_json(&place.join(METRICS), record)?;
        let failure = place.join(FAILURE);
        match fs::remove_file(&failure) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(system("write", &failure)(error))
            }
            _ => Ok(()),
        }
    }

    /// Notes that a run failed, and why.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn keep_failure(
        &self,
        of: Planned<'_>,
        run: Run,
        message: &str,
    ) -> Result<(), FolderError> {
        let failure = Failure {
            configuration: of.plan.configurations[run.configuration].name.clone(),
            run_number: run.number,
            message: message.to_owned(),
            timestamp: jiff::Timestamp::now(),
        };
        write_json(&of.place(&self.path, run).join(FAILURE), &failure)
    }

    /// Takes away what a process left unfinished that was killed while it wrote.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn tidy(&self) -> Result<(), FolderError> {
        let mut folders = vec![self.path.clone()];
        folders.extend(run_folders(&self.path)?);
        for folder in folders {
            for file in entries(&folder)? {
                if file.to_string_lossy().ends_with(UNFINISHED) {
                    fs::remove_file(&file).map_err(system("remove", &file))?;
                }
            }
        }
        Ok(())
    }
}

/// What `sweep.json` of a folder says; `None` where there is none.
///
/// # Errors
/// When it can't be read, or is another's.
pub(super) fn read_sweep(folder: &Path) -> Result<Option<Sweep>, FolderError> {
    #[derive(Deserialize)]
    struct Head {
        schema: String,
    }
    let path = folder.join(SWEEP);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(system("read", &path)(error)),
    };
    let malformed = |reason: String| FolderError::Malformed {
        path: path.clone(),
        reason,
    };
    let head: Head = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    if head.schema != SCHEMA {
        let Head { schema } = head;
        return Err(malformed(format!("its schema is {schema}, not {SCHEMA}")));
    }
    let sweep: Sweep = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    if sweep.digest != sweep.plan.digest() {
        let reason = "its plan has another digest than it states".to_owned();
        return Err(malformed(reason));
    }
    Ok(Some(sweep))
}

/// What runs of a plan's lie in a folder.
#[derive(Debug, Default)]
pub(super) struct Lying {
    /// The finished ones, each with its file.
    pub finished: BTreeMap<Run, PathBuf>,
    /// Those that failed and were not repeated yet, with what was said.
    pub failed: BTreeMap<Run, String>,
}

/// Looks at every run that lies in a folder.
///
/// # Errors
/// When one is no run of the plan, or not what its place says.
pub(super) fn look(folder: &Path, of: Planned<'_>) -> Result<Lying, FolderError> {
    /// As much of a [`TeamRun`] as tells which it is.
    #[derive(Deserialize)]
    struct Known {
        run_number: u32,
        tare: Truth,
    }
    #[derive(Deserialize)]
    struct Truth {
        configuration: String,
    }
    let places: HashMap<PathBuf, Run> = of.runs().map(|run| (of.place(folder, run), run)).collect();
    let mut lying = Lying::default();
    for path in run_folders(folder)? {
        let (metrics, failure) = (path.join(METRICS), path.join(FAILURE));
        let (is_finished, has_failed) = (metrics.exists(), failure.exists());
        let run = match places.get(&path) {
            Some(run) => *run,
            None if is_finished || has_failed => {
                let whole = of.whole();
                return Err(FolderError::Stray { path, whole });
            }
            // Whoever began it was killed before it was known as anything.
            None => continue,
        };
        if is_finished {
            let known: Known = read_json(&metrics)?;
            let expected = &of.plan.configurations[run.configuration].name;
            if (known.run_number, &known.tare.configuration) != (run.number, expected) {
                let (number, name) = (known.run_number, known.tare.configuration);
                return Err(FolderError::Malformed {
                    path: metrics,
                    reason: format!("it is run {number} of {name}"),
                });
            }
            lying.finished.insert(run, metrics);
        } else if has_failed {
            let known: Failure = read_json(&failure)?;
            lying.failed.insert(run, known.message);
        }
    }
    Ok(lying)
}

fn run_folders(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let runs = folder.join(RUNS);
    let mut found = Vec::new();
    if runs.is_dir() {
        for configuration in entries(&runs)? {
            if configuration.is_dir() {
                let inside = entries(&configuration)?;
                found.extend(inside.into_iter().filter(|path| path.is_dir()));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let read = fs::read_dir(folder).map_err(system("read", folder))?;
    let paths = read.map(|entry| entry.map(|entry| entry.path()));
    let paths: io::Result<Vec<PathBuf>> = paths.collect();
    paths.map_err(system("read", folder))
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, FolderError> {
    let text = fs::read(path).map_err(system("read", path))?;
    serde_json::from_slice(&text).map_err(|error| FolderError::Malformed {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), FolderError> {
    let written = serde_json::to_string_pretty(value).map_err(io::Error::other);
    let written = written.and_then(|text| durable::write(path, &(text + "\n")));
    written.map_err(system("write", path))
}

/// The names of a merged folder's files, for who copies them.
pub(super) fn place_in(folder: &Path, of: Planned<'_>, run: Run) -> PathBuf {
    of.place(folder, run).join(METRICS)
}

/// Where `sweep.json` is.
pub(super) fn sweep_in(folder: &Path) -> PathBuf {
    folder.join(SWEEP)
}
