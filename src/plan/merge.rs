//! Parts of a plan into the whole: all of them, each once and complete, and of one plan.
//!
//! Parts are made to be run on several machines, so machines may differ; builds and servers may not,
//! unless that is accepted on purpose. The new folder is there when it is whole and not before.

use super::difference::few;
use super::folder::{Folder, FolderError, Planned, look, place_in, read_sweep, sweep_in};
use super::record::{Served, Sitting, Sweep};
use super::resume::{ChangeOf, Circumstances, changes};
use super::{Part, durable};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why parts do not make a whole.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// About a folder itself.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// No sweep there.
    #[error("{} holds no sweep: it has no sweep.json", .0.display())]
    NoSweep(PathBuf),
    /// It is whole already.
    #[error("{} holds a whole sweep and not a part of one: there is nothing to merge it with", .0.display())]
    NoPart(PathBuf),
    /// Two plans.
    #[error("{} and {} are of different plans ({differences}), with the former as here", first.display(), other.display())]
    OtherPlan {
        /// A part.
        first: PathBuf,
        /// Another.
        other: PathBuf,
        /// In what.
        differences: String,
    },
    /// Two divisions of a plan.
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
    /// The system refuses.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// What came of it.
#[derive(Debug)]
pub struct Merged {
    /// The whole.
    pub sweep: Sweep,
    /// In what the machines of parts differ, each once.
    pub machines: Vec<String>,
}

/// Joins the parts in `folders` to a whole in `out`.
///
/// # Errors
/// When they make none; `out` is then as it was.
pub fn merge(
    folders: &[PathBuf],
    out: &Path,
    circumstances: Circumstances,
) -> Result<Merged, MergeError> {
    let mut parts: BTreeMap<Part, (PathBuf, Sweep)> = BTreeMap::new();
    let mut held = Vec::new();
    for folder in folders {
        let Some(sweep) = read_sweep(folder)? else {
            return Err(MergeError::NoSweep(folder.clone()));
        };
        let Some(part) = sweep.part else {
            return Err(MergeError::NoPart(folder.clone()));
        };
        if let Some((known, (first, of))) = parts.first_key_value() {
            one_plan((first, of), (folder, &sweep))?;
            if known.of() != part.of() {
                return Err(MergeError::OtherDivision {
                    first: first.clone(),
                    first_part: *known,
                    other: folder.clone(),
                    other_part: part,
                });
            }
        }
        if let Some((first, _)) = parts.get(&part) {
            return Err(MergeError::Twice {
                first: first.clone(),
                other: folder.clone(),
                part,
            });
        }
        // Nobody may be at work there meanwhile.
        held.push(Folder::claim(folder)?);
        parts.insert(part, (folder.clone(), sweep));
    }
    all_there(&parts)?;
    let (sittings, machines) = sittings(&parts, circumstances)?;
    let Some((_, (_, first))) = parts.first_key_value() else {
        return Err(MergeError::NoSweep(out.to_owned()));
    };
    let mut whole = Sweep::new(first.plan.clone(), None);
    whole.sittings = sittings;
    write(&parts, &whole, out)?;
    Ok(Merged {
        sweep: whole,
        machines,
    })
}

fn one_plan(first: (&PathBuf, &Sweep), other: (&PathBuf, &Sweep)) -> Result<(), MergeError> {
    let differences = first.1.plan.differences(&other.1.plan);
    if differences.is_empty() {
        return Ok(());
    }
    Err(MergeError::OtherPlan {
        first: first.0.clone(),
        other: other.0.clone(),
        differences: few(&differences),
    })
}

fn all_there(parts: &BTreeMap<Part, (PathBuf, Sweep)>) -> Result<(), MergeError> {
    let of = parts.keys().next().map_or(0, |part| part.of());
    let missing = (1..=of).filter(|&number| parts.keys().all(|part| part.part() != number));
    let missing: Vec<String> = missing.map(|number| format!("{number}/{of}")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(MergeError::Missing {
        missing: missing.join(", "),
        of,
        given: parts.len(),
    })
}

/// All sittings, each with its part, and in what the machines differ.
fn sittings(
    parts: &BTreeMap<Part, (PathBuf, Sweep)>,
    circumstances: Circumstances,
) -> Result<(Vec<Sitting>, Vec<String>), MergeError> {
    let mut all = Vec::new();
    let mut machines = Vec::new();
    let first = parts.values().next();
    for (part, (folder, sweep)) in parts {
        let mut accepted = Vec::new();
        if let (Some((first, of)), Some(last)) = (first, sweep.sittings.last())
            && let Some(known) = of.sittings.last()
        {
            let pair = (at_no_address(known), at_no_address(last));
            for change in changes(&pair.0, &pair.1, sweep.plan.threads) {
                match change.of {
                    ChangeOf::Machine if machines.contains(&change.clause) => {}
                    ChangeOf::Machine => machines.push(change.clause),
                    ChangeOf::Build | ChangeOf::Server => accepted.push(change.clause),
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
        all.extend(sweep.sittings.iter().cloned().map(|sitting| Sitting {
            part: Some(*part),
            accepted: [sitting.accepted.as_slice(), &accepted].concat(),
            ..sitting
        }));
    }
    Ok((all, machines))
}

/// Another machine's server has another address.
fn at_no_address(sitting: &Sitting) -> Sitting {
    let mut sitting = sitting.clone();
    if let Served::There { servers } = &mut sitting.server {
        for server in servers {
            server.base_url.clear();
        }
    }
    sitting
}

fn write(
    parts: &BTreeMap<Part, (PathBuf, Sweep)>,
    whole: &Sweep,
    out: &Path,
) -> Result<(), MergeError> {
    fn failed(path: &Path) -> impl FnOnce(io::Error) -> MergeError {
        move |source| MergeError::Write {
            path: path.to_owned(),
            source,
        }
    }
    let mut found = Vec::new();
    for (part, (folder, sweep)) in parts {
        let lying = look(folder, sweep.planned())?;
        let runs = sweep.planned().runs().count();
        if lying.finished.len() < runs {
            return Err(MergeError::Unfinished {
                folder: folder.clone(),
                part: *part,
                missing: runs - lying.finished.len(),
                runs,
            });
        }
        found.extend(lying.finished);
    }
    let is_empty = |mut entries: fs::ReadDir| entries.next().is_none();
    if out.exists() && !fs::read_dir(out).is_ok_and(is_empty) {
        return Err(MergeError::Occupied(out.to_owned()));
    }
    let unfinished = Unfinished::beside(out);
    let planned = Planned {
        plan: &whole.plan,
        part: None,
    };
    for (run, path) in found {
        let text = fs::read_to_string(&path).map_err(failed(&path))?;
        let place = place_in(&unfinished.0, planned, run);
        durable::write(&place, &text).map_err(failed(&place))?;
    }
    let text = serde_json::to_string_pretty(whole).map_err(io::Error::other);
    let place = sweep_in(&unfinished.0);
    let written = text.and_then(|text| durable::write(&place, &(text + "\n")));
    written.map_err(failed(&place))?;
    let renamed = fs::rename(&unfinished.0, out);
    renamed.map_err(failed(out))
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
