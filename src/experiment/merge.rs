//! Parts of an experiment into the whole: all of them, each once and complete, and of one experiment.
//!
//! Parts are made to be run on several machines, so machines may differ; builds and servers may not,
//! unless that is accepted on purpose. The new folder is there when it is whole and not before.

use super::design::Server;
use super::difference::few;
use super::durable;
use super::record::Record;
use super::schedule::Part;
use super::store::{
    ChangeOf, Circumstances, Manifest, Sitting, StoreError, Stored, changes, claim, system,
    write_stored,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Why parts do not make a whole.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// About a folder itself.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No experiment there.
    #[error("{} holds no experiment: it has no experiment.json", .0.display())]
    Nothing(PathBuf),
    /// It is whole already.
    #[error("{} holds a whole experiment and not a part of one: leave it out", .0.display())]
    NoPart(PathBuf),
    /// Two experiments.
    #[error("{} and {} are of different experiments ({differences}), with the former as here", first.display(), other.display())]
    Other {
        /// A part.
        first: PathBuf,
        /// Another.
        other: PathBuf,
        /// In what.
        differences: String,
    },
    /// Two divisions of an experiment.
    #[error("{} is part {first_part} and {} is part {other_part}: those are of different divisions", first.display(), other.display())]
    OtherDivision {
        /// A part.
        first: PathBuf,
        /// Which.
        first_part: Part,
        /// Another.
        other: PathBuf,
        /// Which.
        other_part: Part,
    },
    /// The same part twice.
    #[error("{} and {} are both part {part}: leave out one", first.display(), other.display())]
    Twice {
        /// One.
        first: PathBuf,
        /// The other.
        other: PathBuf,
        /// Which.
        part: Part,
    },
    /// Not all parts.
    #[error("part {missing} is missing; of {of} parts there are {given}")]
    Missing {
        /// Which, with commas.
        missing: String,
        /// How many there should be.
        of: u32,
        /// How many there are.
        given: usize,
    },
    /// A part that is not done.
    #[error("{} (part {part}) lacks {missing} of its {runs} runs: finish it with --resume", folder.display())]
    Unfinished {
        /// Its folder.
        folder: PathBuf,
        /// Which.
        part: Part,
        /// Runs that are not finished.
        missing: usize,
        /// All its runs.
        runs: usize,
    },
    /// Builds or servers differ.
    #[error(
        "{} and {} were run under other circumstances ({differences}), with the former as here: run one of them again, or merge them regardless with --accept-differences, which is recorded",
        first.display(), other.display()
    )]
    OtherCircumstances {
        /// A part.
        first: PathBuf,
        /// Another.
        other: PathBuf,
        /// In what.
        differences: String,
    },
    /// There is something.
    #[error("{} is not empty: name another folder with --out", .0.display())]
    Occupied(PathBuf),
}

/// What came of it.
#[derive(Debug)]
pub struct Merged {
    /// The whole.
    pub stored: Stored,
    /// In what the machines of parts differ, each once.
    pub machines: Vec<String>,
}

type Parts = BTreeMap<Part, (PathBuf, Stored)>;

/// Joins the parts in `folders` to a whole in `out`.
///
/// # Errors
/// When they make none; `out` is then as it was.
pub fn merge(
    folders: &[PathBuf],
    out: &Path,
    circumstances: Circumstances,
) -> Result<Merged, MergeError> {
    let mut parts = Parts::new();
    let mut held = Vec::new();
    for folder in folders {
        // Asked before it is locked, so that a folder of something else gets no lock's file.
        let nothing = || MergeError::Nothing(folder.clone());
        Stored::read(folder)?.ok_or_else(nothing)?;
        let twice = parts.values().any(|(known, _)| known == folder);
        if !twice {
            // Nobody may be at work there meanwhile.
            held.push(claim(folder)?);
        }
        let stored = Stored::read(folder)?.ok_or_else(nothing)?;
        let Some(part) = stored.manifest.part else {
            return Err(MergeError::NoPart(folder.clone()));
        };
        fits(&parts, folder, part, &stored)?;
        parts.insert(part, (folder.clone(), stored));
    }
    let Some((_, (_, first))) = parts.first_key_value() else {
        return Err(MergeError::Nothing(out.to_owned()));
    };
    let manifest = Manifest {
        part: None,
        sittings: Vec::new(),
        ..first.manifest.clone()
    };
    all_there(&parts)?;
    let (sittings, machines) = sittings(&parts, circumstances)?;
    let stored = Stored {
        manifest: Manifest {
            sittings,
            ..manifest
        },
        records: records(&parts),
    };
    write(&stored, out)?;
    Ok(Merged { stored, machines })
}

/// Whether a part goes with those before it.
fn fits(parts: &Parts, folder: &Path, part: Part, stored: &Stored) -> Result<(), MergeError> {
    let Some((known, (first, of))) = parts.first_key_value() else {
        return Ok(());
    };
    let (first, other) = (first.clone(), folder.to_owned());
    let whole = of.manifest.experiment.clone().at_no_address();
    let differences = whole.differences(&stored.manifest.experiment.clone().at_no_address());
    if !differences.is_empty() {
        return Err(MergeError::Other {
            first,
            other,
            differences: few(&differences),
        });
    }
    if known.of() != part.of() {
        return Err(MergeError::OtherDivision {
            first,
            first_part: *known,
            other,
            other_part: part,
        });
    }
    match parts.get(&part) {
        None => Ok(()),
        Some((first, _)) => Err(MergeError::Twice {
            first: first.clone(),
            other,
            part,
        }),
    }
}

fn all_there(parts: &Parts) -> Result<(), MergeError> {
    let of = parts.keys().next().map_or(0, |part| part.of());
    let missing = (1..=of).filter(|&number| parts.keys().all(|part| part.part() != number));
    let missing: Vec<String> = missing.map(|number| format!("{number}/{of}")).collect();
    if !missing.is_empty() {
        return Err(MergeError::Missing {
            missing: missing.join(", "),
            of,
            given: parts.len(),
        });
    }
    for (part, (folder, stored)) in parts {
        let finished = stored.finished();
        let order = stored.manifest.experiment.order(Some(*part));
        let missing = order.iter().filter(|due| !finished.contains(&due.key()));
        match missing.count() {
            0 => {}
            missing => {
                return Err(MergeError::Unfinished {
                    folder: folder.clone(),
                    part: *part,
                    missing,
                    runs: order.len(),
                });
            }
        }
    }
    Ok(())
}

/// All sittings, each with its part, and in what the machines differ.
fn sittings(
    parts: &Parts,
    circumstances: Circumstances,
) -> Result<(Vec<Sitting>, Vec<String>), MergeError> {
    let mut all = Vec::new();
    let mut machines = Vec::new();
    let first = parts.values().next();
    for (part, (folder, stored)) in parts {
        let mut accepted = Vec::new();
        if let (Some((first, of)), Some(last)) = (first, stored.manifest.sittings.last())
            && let Some(known) = of.manifest.sittings.last()
        {
            for change in changes(known, last, stored.manifest.experiment.threads()) {
                match change.of {
                    ChangeOf::Machine if machines.contains(&change.clause) => {}
                    ChangeOf::Machine => machines.push(change.clause),
                    ChangeOf::Build | ChangeOf::Server | ChangeOf::Corpus => {
                        accepted.push(change.clause)
                    }
                }
            }
            if !accepted.is_empty() && circumstances == Circumstances::MustAgree {
                return Err(MergeError::OtherCircumstances {
                    first: first.clone(),
                    other: folder.clone(),
                    differences: few(&accepted),
                });
            }
        }
        let sittings = stored.manifest.sittings.iter().cloned();
        all.extend(sittings.map(|sitting| Sitting {
            part: Some(*part),
            accepted: [sitting.accepted.as_slice(), &accepted].concat(),
            ..sitting
        }));
    }
    Ok((all, machines))
}

/// The records of all parts, each with the index that its sitting has in the whole.
fn records(parts: &Parts) -> Vec<Record> {
    let mut all = Vec::new();
    let mut sittings = 0;
    for (_, stored) in parts.values() {
        all.extend(stored.records.iter().cloned().map(|record| Record {
            sitting: record.sitting + sittings,
            ..record
        }));
        sittings += stored.manifest.sittings.len();
    }
    all
}

fn write(stored: &Stored, out: &Path) -> Result<(), MergeError> {
    let is_empty = |mut entries: fs::ReadDir| entries.next().is_none();
    if out.exists() && !fs::read_dir(out).is_ok_and(is_empty) {
        return Err(MergeError::Occupied(out.to_owned()));
    }
    let unfinished = Unfinished::beside(out);
    write_stored(&unfinished.0, stored)?;
    fs::rename(&unfinished.0, out).map_err(system("write", out))?;
    Ok(())
}

impl super::design::Experiment {
    /// Another machine's server has another address.
    fn at_no_address(mut self) -> Self {
        for server in self.servers.values_mut() {
            if let Server::Real { base_url } = server {
                base_url.clear();
            }
        }
        self
    }
}

/// A folder under another name; what is left of it at the end goes away.
struct Unfinished(PathBuf);

impl Unfinished {
    fn beside(out: &Path) -> Self {
        // Without a slash at its end, which would put it inside.
        let out: PathBuf = out.components().collect();
        let mut name = out.into_os_string();
        name.push(format!(".{}{}", std::process::id(), durable::UNFINISHED));
        Self(name.into())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After the renaming there is nothing left under this name.
        let _ = fs::remove_dir_all(&self.0);
    }
}
