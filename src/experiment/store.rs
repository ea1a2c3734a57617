//! An experiment's folder: `experiment.json` says what is to be run and under what it was, and
//! `runs.jsonl` holds a line per run, appended and forced to the disk when the run ends.
//!
//! A process that is killed leaves whole lines and at most one torn one, which readers drop and the next
//! writer cuts off. Which runs are finished is seen by their lines, so that there are not two truths. Who
//! writes holds a lock on `lock`, which the system takes back however the process ends; the file stays.

use super::design::Experiment;
use super::difference::{between, few};
use super::durable;
use super::record::Record;
use super::schedule::{Due, Part};
use crate::corpus::CorpusIdentity;
use crate::meter::Digest;
use crate::protocol::Described;
use crate::provenance::{Fingerprint, Item, Provenance};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Name and version of the format. The number grows when a field changes its meaning or goes.
pub const SCHEMA: &str = "tare.experiment/1";

const MANIFEST: &str = "experiment.json";
const RUNS: &str = "runs.jsonl";
const LOCK: &str = "lock";

/// What `experiment.json` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Manifest {
    /// Name and version of the format.
    pub schema: String,
    /// Digest of the experiment: of all that changes its runs.
    pub digest: String,
    /// The part that this folder is for; absent where it is for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// What is run.
    pub experiment: Experiment,
    /// Each time that it was worked at.
    pub sittings: Vec<Sitting>,
}

/// One time that an experiment was worked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sitting {
    /// Build, machine, command line, time, and what there spoils measurements.
    pub provenance: Provenance,
    /// What each real server says it is, by its name in the experiment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: BTreeMap<String, Described>,
    /// What agents read; absent where nothing is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus: Option<CorpusIdentity>,
    /// The part that it worked at, where parts were merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// In what it differs from the sitting before, where that was accepted on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
    /// Why it ended; absent while it runs, and of one that was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
}

/// Why a sitting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every run was tried.
    Done,
    /// There was no time for another block.
    Limit,
    /// Everything was decided.
    Decided,
    /// Somebody ended it.
    Interrupted,
    /// Too many runs in a row failed.
    GivenUp,
}

/// Why a folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refuses.
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
        "another process{} is at work in {}: wait for it to end, or name another folder with --out",
        holder.as_ref().map(|id| format!(" ({id})")).unwrap_or_default(), path.display()
    )]
    Locked {
        /// The folder.
        path: PathBuf,
        /// The other process.
        holder: Option<u32>,
    },
    /// A file that can't be understood.
    #[error("cannot read {}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A line of something else.
    #[error("{}, line {line}: the experiment has no arm `{arm}` of workload `{workload}`", path.display())]
    Stray {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The arm that it names.
        arm: String,
        /// The workload that it names.
        workload: String,
    },
    /// One was begun there before.
    #[error(
        "{} holds experiment {name} already, with {finished} of {runs} runs finished: go on with --resume, or name another folder with --out",
        path.display()
    )]
    Taken {
        /// The folder.
        path: PathBuf,
        /// That experiment's name.
        name: String,
        /// Its runs that are finished.
        finished: usize,
        /// All its runs.
        runs: usize,
    },
    /// None was begun there.
    #[error("cannot go on in {}: it holds no experiment.json; leave out --resume to begin one", .0.display())]
    Nothing(PathBuf),
    /// It is another experiment.
    #[error("{} holds another experiment ({differences}): ask for the same one, or name another folder with --out", path.display())]
    Other {
        /// The folder.
        path: PathBuf,
        /// In what.
        differences: String,
    },
    /// It is another part.
    #[error("{} holds {there} of the experiment, and this is {here}: name that part, or another folder with --out", path.display())]
    OtherPart {
        /// The folder.
        path: PathBuf,
        /// What was asked for.
        here: String,
        /// What is there.
        there: String,
    },
    /// The rest would not be comparable with what is there.
    #[error(
        "what is finished in {} was run under other circumstances ({differences}): restore them, begin anew in another folder with --out, or go on regardless with --accept-differences, which is recorded",
        path.display()
    )]
    OtherCircumstances {
        /// The folder.
        path: PathBuf,
        /// In what.
        differences: String,
    },
}

pub(super) fn system(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::System {
        act,
        path: path.to_owned(),
        source,
    }
}

/// Whether an experiment is begun or gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The folder must hold none yet.
    Begin,
    /// What is in the folder goes away.
    Replace,
    /// It must hold one of the same experiment.
    Resume,
}

/// What to do where build, machine or server are not what they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circumstances {
    /// Refuse.
    MustAgree,
    /// Go on, and record it.
    MayDiffer,
}

impl Experiment {
    /// Tells experiments apart by all that changes their runs.
    pub fn digest(&self) -> String {
        Digest::of([serde_json::json!(self).to_string()]).to_string()
    }

    /// In what another one differs, each a clause such as `blocks: 2 here, 1 there`.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        between(&serde_json::json!(self), &serde_json::json!(other))
    }
}

/// What a folder holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// `experiment.json`.
    pub manifest: Manifest,
    /// Every whole line of `runs.jsonl`.
    pub records: Vec<Record>,
}

impl Stored {
    /// Reads a folder; `None` where it holds no experiment.
    ///
    /// # Errors
    /// When a file can't be read, or is not what its name says.
    pub fn read(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(MANIFEST);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(system("read", &path)(error)),
        };
        let malformed = |reason: String| StoreError::Malformed {
            path: path.clone(),
            reason,
        };
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|error| malformed(error.to_string()))?;
        if manifest.schema != SCHEMA {
            let schema = &manifest.schema;
            return Err(malformed(format!("it is of format {schema}, not {SCHEMA}")));
        }
        let (records, _) = read_runs(&folder.join(RUNS), &manifest.experiment)?;
        Ok(Some(Self { manifest, records }))
    }

    /// The runs that are finished.
    pub fn finished(&self) -> HashSet<Key> {
        finished(&self.manifest.experiment, &self.records)
    }
}

/// What tells one run from another.
pub type Key = (super::design::At, usize, bool);

impl Due {
    /// What tells it from other runs.
    pub fn key(&self) -> Key {
        (self.at, self.block, self.profiled)
    }
}

fn finished(experiment: &Experiment, records: &[Record]) -> HashSet<Key> {
    let ended_well = records.iter().filter(|record| record.finished().is_some());
    let keys = ended_well
        .filter_map(|record| Some((record.place(experiment)?, record.block, record.profiled)));
    keys.collect()
}

/// Every whole line, and how many bytes they take.
fn read_runs(path: &Path, experiment: &Experiment) -> Result<(Vec<Record>, u64), StoreError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(system("read", path)(error)),
    };
    let whole = text
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let mut records = Vec::new();
    for (index, line) in text[..whole]
        .split_inclusive(|&byte| byte == b'\n')
        .enumerate()
    {
        let line_number = index + 1;
        let record: Record =
            serde_json::from_slice(line).map_err(|error| StoreError::Malformed {
                path: path.to_owned(),
                reason: format!("line {line_number}: {error}"),
            })?;
        if record.place(experiment).is_none() {
            return Err(StoreError::Stray {
                path: path.to_owned(),
                line: line_number,
                arm: record.arm,
                workload: record.workload,
            });
        }
        records.push(record);
    }
    Ok((records, whole as u64))
}

/// A folder that this process alone writes in, until this is dropped.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    manifest: Manifest,
    records: Vec<Record>,
    finished: HashSet<Key>,
    runs: File,
    _lock: File,
}

impl Store {
    /// Whether a folder could be taken, by what it holds now. Changes nothing.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn check(
        folder: &Path,
        occasion: Occasion,
        experiment: &Experiment,
        part: Option<Part>,
    ) -> Result<(), StoreError> {
        if folder.join(LOCK).exists() {
            drop(claim(folder)?);
        }
        match (Stored::read(folder)?, occasion) {
            (None, Occasion::Resume) => Err(StoreError::Nothing(folder.to_owned())),
            (None, _) | (_, Occasion::Replace) => Ok(()),
            (Some(there), _) => may_go_on(folder, occasion, &there, experiment, part),
        }
    }

    /// Takes a folder for an experiment or a part of it. It is made where it is missing.
    ///
    /// # Errors
    /// When another process has it, it holds something else, or the system refuses.
    pub fn take(
        folder: &Path,
        occasion: Occasion,
        experiment: Experiment,
        part: Option<Part>,
    ) -> Result<Self, StoreError> {
        Self::check(folder, occasion, &experiment, part)?;
        durable::make_folder(folder).map_err(system("write", folder))?;
        let lock = claim(folder)?;
        let path = folder.join(RUNS);
        if occasion == Occasion::Replace {
            for file in [folder.join(MANIFEST), path.clone()] {
                match fs::remove_file(&file) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(system("write", &file)(error));
                    }
                    _ => {}
                }
            }
        }
        let (manifest, records) = match Stored::read(folder)? {
            Some(there) => {
                may_go_on(folder, occasion, &there, &experiment, part)?;
                (there.manifest, there.records)
            }
            None => (
                Manifest {
                    schema: SCHEMA.to_owned(),
                    digest: experiment.digest(),
                    part,
                    experiment,
                    sittings: Vec::new(),
                },
                Vec::new(),
            ),
        };
        let (_, whole) = read_runs(&path, &manifest.experiment)?;
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut runs = options.open(&path).map_err(system("write", &path))?;
        // What a killed process left of its last line goes away.
        let cut = runs
            .set_len(whole)
            .and_then(|()| runs.seek(SeekFrom::End(0)));
        cut.map_err(system("write", &path))?;
        Ok(Self {
            finished: finished(&manifest.experiment, &records),
            folder: folder.to_owned(),
            manifest,
            records,
            runs,
            _lock: lock,
        })
    }

    /// Begins a sitting.
    ///
    /// # Errors
    /// When build, machine or server are not what they were, and must be.
    pub fn sit(
        &mut self,
        mut sitting: Sitting,
        circumstances: Circumstances,
    ) -> Result<(), StoreError> {
        // Where nothing is finished, there is nothing to mix with.
        if let Some(last) = self
            .manifest
            .sittings
            .last()
            .filter(|_| !self.finished.is_empty())
        {
            let differences = changes(&sitting, last, self.manifest.experiment.threads());
            let differences: Vec<String> = differences.into_iter().map(|it| it.clause).collect();
            if !differences.is_empty() && circumstances == Circumstances::MustAgree {
                return Err(StoreError::OtherCircumstances {
                    path: self.folder.clone(),
                    differences: few(&differences),
                });
            }
            sitting.accepted = differences;
        }
        self.manifest.sittings.push(sitting);
        self.keep_manifest()
    }

    /// Notes why the sitting ended.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn end(&mut self, ending: Ending) -> Result<(), StoreError> {
        if let Some(sitting) = self.manifest.sittings.last_mut() {
            sitting.ending = Some(ending);
        }
        self.keep_manifest()
    }

    fn keep_manifest(&self) -> Result<(), StoreError> {
        write_manifest(&self.folder, &self.manifest)
    }

    /// Appends a record; when this returns it is on the disk.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn append(&mut self, record: Record) -> Result<(), StoreError> {
        let line = serde_json::to_string(&record).map_err(io::Error::other);
        let written = line.and_then(|line| {
            self.runs.write_all((line + "\n").as_bytes())?;
            self.runs.sync_data()
        });
        written.map_err(system("write", &self.folder.join(RUNS)))?;
        if record.run().is_some()
            && let Some(at) = record.place(&self.manifest.experiment)
        {
            self.finished.insert((at, record.block, record.profiled));
        }
        self.records.push(record);
        Ok(())
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is run.
    pub fn experiment(&self) -> &Experiment {
        &self.manifest.experiment
    }

    /// What `experiment.json` says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Every record so far.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Whether a run is finished.
    pub fn is_finished(&self, due: &Due) -> bool {
        self.finished.contains(&due.key())
    }

    /// What there is, for whoever only reads.
    pub fn into_stored(self) -> Stored {
        Stored {
            manifest: self.manifest,
            records: self.records,
        }
    }
}

fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), StoreError> {
    let path = folder.join(MANIFEST);
    let text = serde_json::to_string_pretty(manifest).map_err(io::Error::other);
    let kept = text.and_then(|text| durable::write(&path, &(text + "\n")));
    kept.map_err(system("write", &path))
}

/// Writes a whole experiment into a folder that has none.
pub(super) fn write_stored(folder: &Path, stored: &Stored) -> Result<(), StoreError> {
    let path = folder.join(RUNS);
    let lines: Result<Vec<String>, _> = stored.records.iter().map(serde_json::to_string).collect();
    let text = lines.map(|lines| {
        lines
            .into_iter()
            .map(|line| line + "\n")
            .collect::<String>()
    });
    let kept = text.map_err(io::Error::other);
    let kept = kept.and_then(|text| durable::write(&path, &text));
    kept.map_err(system("write", &path))?;
    write_manifest(folder, &stored.manifest)
}

/// The lock on a folder, for as long as the file is open.
pub(super) fn claim(folder: &Path) -> Result<File, StoreError> {
    let place = folder.join(LOCK);
    let mut options = File::options();
    let options = options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(&place).map_err(system("write", &place))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Only for the message; its writer may not have come to write it yet.
            let _ = file.read_to_string(&mut holder);
            return Err(StoreError::Locked {
                path: folder.to_owned(),
                holder: holder.trim().parse().ok(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(system("lock", &place)(source)),
    }
    let told = file.set_len(0);
    let told = told.and_then(|()| writeln!(file, "{}", std::process::id()));
    told.map_err(system("write", &place))?;
    Ok(file)
}

fn may_go_on(
    folder: &Path,
    occasion: Occasion,
    there: &Stored,
    experiment: &Experiment,
    part: Option<Part>,
) -> Result<(), StoreError> {
    let path = folder.to_owned();
    let known = &there.manifest.experiment;
    if occasion != Occasion::Resume {
        return Err(StoreError::Taken {
            path,
            name: known.name.clone(),
            finished: there.finished().len(),
            runs: known.order(there.manifest.part).len(),
        });
    }
    let differences = experiment.differences(known);
    if !differences.is_empty() {
        return Err(StoreError::Other {
            path,
            differences: few(&differences),
        });
    }
    if there.manifest.part != part {
        let said = |part: Option<Part>| match part {
            Some(part) => format!("part {part}"),
            None => "the whole".to_owned(),
        };
        return Err(StoreError::OtherPart {
            path,
            here: said(part),
            there: said(there.manifest.part),
        });
    }
    Ok(())
}

/// Something in which two sittings differ.
pub(super) struct Change {
    /// In words.
    pub clause: String,
    /// Of what.
    pub of: ChangeOf,
}

/// Of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChangeOf {
    Build,
    Machine,
    Server,
    Corpus,
}

/// In what a sitting differs from another.
pub(super) fn changes(here: &Sitting, there: &Sitting, threads: NonZeroUsize) -> Vec<Change> {
    let mut found = Vec::new();
    let [ours, theirs] = [here, there].map(|of| {
        let commit = of.provenance.build.commit.as_deref();
        commit.unwrap_or("unknown")
    });
    if ours != theirs {
        found.push(Change {
            clause: format!("commit: {ours} here, {theirs} there"),
            of: ChangeOf::Build,
        });
    }
    let fingerprint = |of: &Sitting| Fingerprint::of(&of.provenance, threads);
    for difference in fingerprint(here).differences(&fingerprint(there)) {
        let of = match difference.what {
            Item::Compiler | Item::Profile | Item::Tare | Item::Dependency(_) => ChangeOf::Build,
            _ => ChangeOf::Machine,
        };
        let clause = difference.to_string();
        found.push(Change { clause, of });
    }
    let corpora = [&here.corpus, &there.corpus].map(|of| of.as_ref().map(|it| &it.digest));
    if corpora[0] != corpora[1] {
        found.push(Change {
            clause: "the files that agents read".to_owned(),
            of: ChangeOf::Corpus,
        });
    }
    let servers = |of: &Sitting| serde_json::json!(of.servers);
    let servers = between(&servers(here), &servers(there));
    found.extend(servers.into_iter().map(|clause| Change {
        clause: format!("server's {clause}"),
        of: ChangeOf::Server,
    }));
    found
}

impl Experiment {
    /// The most worker threads that any arm has.
    pub(super) fn threads(&self) -> NonZeroUsize {
        let threads = self.arms().map(|(_, arm)| arm.spec.threads);
        threads.max().unwrap_or(NonZeroUsize::MIN)
    }
}
