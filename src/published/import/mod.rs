//! From folders and files to runs: every `metrics.json` is read, whatever is in it.
//!
//! A file that is no result is skipped with the reason, and the rest is read; nothing that a file
//! may hold makes this fail or panic. The order of files does not matter: they are sorted.

mod account;
mod find;
mod parse;
mod state;
mod times;

pub use find::FindError;
pub use parse::{Content, ParseError, parse};
pub use state::PlanState;

use crate::experiment::Stored;
use crate::published::runs;
use crate::report::sweep::configuration;
use crate::report::sweep::{Kind, Observation};
use find::Found;
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::hash_map::{DefaultHasher, Entry, HashMap};
use std::hash::{Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Above this a file is no result of one run: the older ones have some ten kilobytes.
const MOST_BYTES: u64 = 64 << 20;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Source {
    /// Folders and files as they were named.
    pub paths: Vec<String>,
    /// Files that were read.
    pub read: usize,
    /// Results in them: a file that holds a baseline and a chimera has two.
    pub kinds: BTreeMap<Kind, usize>,
    /// Files that could not be used.
    pub skipped: Vec<Skipped>,
    /// Where what a file states does not follow from what it holds.
    pub disagreements: Vec<Disagreement>,
    /// What the folder was to hold, of a sweep of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanState>,
}

/// A file that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Relative to the folder that was named.
    pub file: String,
    /// Why, in one line.
    pub reason: String,
}

/// A figure that a file states and that does not follow from what it holds. The one that follows is
/// used.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Disagreement {
    /// The file.
    pub file: String,
    /// Which figure, by its name in the file.
    pub what: String,
    /// As it is stated.
    pub stated: String,
    /// What follows from the rest, or what is wrong with it.
    pub found: String,
}

/// Reads all results under folders, and files by name.
///
/// # Errors
/// When one of the paths is not there, or a folder cannot be listed at all.
pub fn read(paths: &[PathBuf]) -> Result<(Source, Vec<Observation>), FindError> {
    let (found, unreachable) = find::find(paths)?;
    let mut reading = Reading::default();
    reading.source.paths = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    reading.source.skipped = unreachable;
    for one in found {
        if let Err(reason) = reading.take(&one) {
            let reason = reason.replace(['\n', '\r'], " ");
            let file = one.name;
            reading.source.skipped.push(Skipped { file, reason });
        }
    }
    let Reading {
        mut source,
        mut observations,
        ..
    } = reading;
    source.skipped.sort_by(|a, b| a.file.cmp(&b.file));
    for observation in &observations {
        *source.kinds.entry(observation.kind).or_default() += 1;
    }
    configuration::name_all(&mut observations);
    Ok((source, observations))
}

/// The runs of a sweep of ours, from its records. Where each is exported to stands for its file.
pub fn of_stored(folder: &Path, stored: &Stored) -> (Source, Vec<Observation>) {
    let mut source = Source {
        paths: vec![folder.display().to_string()],
        ..Source::default()
    };
    let mut observations = Vec::new();
    for (file, run) in runs(stored) {
        let account = account::of_team(&run, &file, None);
        source.read += 1;
        source.disagreements.extend(account.disagreements);
        *source.kinds.entry(account.observation.kind).or_default() += 1;
        observations.push(account.observation);
    }
    configuration::name_all(&mut observations);
    source.plan = Some(PlanState::of(stored, &observations));
    (source, observations)
}

#[derive(Default)]
struct Reading {
    source: Source,
    observations: Vec<Observation>,
    /// Which file first had this content.
    seen: HashMap<(usize, u64), String>,
}

impl Reading {
    /// Reads one file, or says why not.
    fn take(&mut self, one: &Found) -> Result<(), String> {
        let bytes = bytes_of(&one.path)?;
        match self.seen.entry(digest(&bytes)) {
            Entry::Occupied(first) => {
                return Err(format!(
                    "the same bytes as {}: a copy is not another run",
                    first.get()
                ));
            }
            Entry::Vacant(first) => first.insert(one.name.clone()),
        };
        let content = parse(&bytes).map_err(|error| error.to_string())?;
        let accounts = account::of(content, &one.name, &one.components);
        let mut of_file = Vec::new();
        for account in accounts {
            if account.observation.figures.is_empty() {
                return Err("no figure in it: neither times nor calls".to_owned());
            }
            of_file.push(account);
        }
        self.source.read += 1;
        for account in of_file {
            self.source.disagreements.extend(account.disagreements);
            self.observations.push(account.observation);
        }
        Ok(())
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    // Asked before it is opened: to open a pipe would wait for a writer.
    let there = std::fs::metadata(path).map_err(unreadable)?;
    if !there.is_file() {
        return Err("not a plain file".to_owned());
    }
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let taken = file.take(MOST_BYTES + 1).read_to_end(&mut bytes);
    taken.map_err(unreadable)?;
    match bytes.len() as u64 > MOST_BYTES {
        true => Err(format!(
            "larger than {} MiB: no run's result",
            MOST_BYTES >> 20
        )),
        false => Ok(bytes),
    }
}

fn digest(bytes: &[u8]) -> (usize, u64) {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    (bytes.len(), hasher.finish())
}
