//! Whether a sweep may begin or go on in a folder, here and now.
//!
//! What is of another plan, of another part, or came about under other circumstances is never mixed
//! with what lies there without saying so: the difference is named, and only where build, machine or
//! server changed can it be accepted, which is then recorded.

use super::difference::{between, few};
use super::folder::{Folder, FolderError, Lying, Planned, look, read_sweep};
use super::record::{Sitting, Sweep};
use super::{Part, Plan, Run};
use crate::provenance::{Fingerprint, Item};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Why it may not.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// About the folder itself.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// One was begun there before.
    #[error(
        "{} holds a sweep of {plan} already, with {finished} of {runs} runs finished: go on with --resume, or name another folder with --out",
        folder.display()
    )]
    Taken {
        /// The folder.
        folder: PathBuf,
        /// That sweep's plan.
        plan: String,
        /// Its runs that are finished.
        finished: usize,
        /// All its runs.
        runs: usize,
    },
    /// Runs of nobody knows what.
    #[error("{} holds runs but no sweep.json that says of which plan: name another folder with --out", .0.display())]
    Unexplained(PathBuf),
    /// None was begun there.
    #[error("there is no sweep in {} to go on with: leave out --resume to begin one", .0.display())]
    Nothing(PathBuf),
    /// It is of another plan.
    #[error("{} holds a sweep of another plan ({differences}): name that plan, or another folder with --out", folder.display())]
    OtherPlan {
        /// The folder.
        folder: PathBuf,
        /// In what.
        differences: String,
    },
    /// It is another part.
    #[error("{} holds {there} of the plan, and this is {here}: name that part, or another folder with --out", folder.display())]
    OtherPart {
        /// The folder.
        folder: PathBuf,
        /// What was asked for.
        here: String,
        /// What is there.
        there: String,
    },
    /// The rest would not be comparable with what is there.
    #[error(
        "what is finished in {} was run under other circumstances ({differences}): restore them, begin anew in another folder with --out, or go on regardless with --accept-differences, which is recorded",
        folder.display()
    )]
    OtherCircumstances {
        /// The folder.
        folder: PathBuf,
        /// In what.
        differences: String,
    },
}

/// Whether a sweep is begun or gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The folder must hold none yet.
    Begin,
    /// It must hold one of the same plan.
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

/// A folder with a sweep in it that is this process's to do.
#[derive(Debug)]
pub struct Occupied {
    folder: Folder,
    sweep: Sweep,
    lying: Lying,
}

impl Occupied {
    /// Takes the folder for a plan or a part of it, if it may.
    ///
    /// # Errors
    /// When it may not, with what to do.
    pub fn take(
        path: &Path,
        occasion: Occasion,
        plan: &Plan,
        part: Option<Part>,
    ) -> Result<Self, ResumeError> {
        if Folder::has_unexplained_runs(path) {
            return Err(ResumeError::Unexplained(path.to_owned()));
        }
        if occasion == Occasion::Resume && !Folder::was_claimed(path) {
            return Err(ResumeError::Nothing(path.to_owned()));
        }
        let folder = Folder::claim(path)?;
        let sweep = match read_sweep(path)? {
            None => Sweep::new(plan.clone(), part),
            Some(there) => {
                may_go_on(path, occasion, &there, plan, part)?;
                there
            }
        };
        folder.tidy()?;
        let lying = look(path, sweep.planned())?;
        Ok(Self {
            folder,
            sweep,
            lying,
        })
    }

    /// Runs that are finished in a folder of this plan, without taking it: for who only asks.
    ///
    /// # Errors
    /// When the folder is another's.
    pub fn peek(path: &Path, plan: &Plan, part: Option<Part>) -> Result<Vec<Run>, ResumeError> {
        let Some(there) = read_sweep(path)? else {
            return match Folder::was_claimed(path) {
                true => Ok(Vec::new()),
                false => Err(ResumeError::Nothing(path.to_owned())),
            };
        };
        may_go_on(path, Occasion::Resume, &there, plan, part)?;
        let lying = look(path, there.planned())?;
        Ok(lying.finished.into_keys().collect())
    }

    /// Begins a sitting.
    ///
    /// # Errors
    /// When build, machine or server are not what they were, and must be.
    pub fn sit(
        &mut self,
        mut sitting: Sitting,
        circumstances: Circumstances,
    ) -> Result<(), ResumeError> {
        let last = self.sweep.sittings.last();
        // Where nothing is finished, there is nothing to mix with.
        if let Some(last) = last.filter(|_| !self.lying.finished.is_empty()) {
            let differences = changes(&sitting, last, self.sweep.plan.threads);
            let differences: Vec<String> = differences.into_iter().map(|it| it.clause).collect();
            if !differences.is_empty() && circumstances == Circumstances::MustAgree {
                return Err(ResumeError::OtherCircumstances {
                    folder: self.folder.path().to_owned(),
                    differences: few(&differences),
                });
            }
            sitting.accepted = differences;
        }
        self.sweep.sittings.push(sitting);
        Ok(self.folder.keep_sweep(&self.sweep)?)
    }

    /// The folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The plan, and the part of it that is done here.
    pub fn planned(&self) -> Planned<'_> {
        self.sweep.planned()
    }

    /// Whether a run is finished.
    pub fn is_finished(&self, run: Run) -> bool {
        self.lying.finished.contains_key(&run)
    }

    /// How many runs are finished.
    pub fn finished(&self) -> usize {
        self.lying.finished.len()
    }

    /// Runs that failed and were not repeated, each with why.
    pub fn failed(&self) -> &BTreeMap<Run, String> {
        &self.lying.failed
    }

    /// The seed of the last sitting's order.
    pub fn order_seed(&self) -> Option<u64> {
        self.sweep.sittings.last().map(|sitting| sitting.order_seed)
    }

    /// Writes a run that is finished.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn keep_run(
        &mut self,
        run: Run,
        record: &crate::report::published::TeamRun,
    ) -> Result<(), FolderError> {
        self.folder.keep_run(self.sweep.planned(), run, record)?;
        self.lying.failed.remove(&run);
        self.lying.finished.insert(run, PathBuf::new());
        Ok(())
    }

    /// Notes a run that failed.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn keep_failure(&mut self, run: Run, message: &str) -> Result<(), FolderError> {
        self.folder
            .keep_failure(self.sweep.planned(), run, message)?;
        self.lying.failed.insert(run, message.to_owned());
        Ok(())
    }
}

fn may_go_on(
    path: &Path,
    occasion: Occasion,
    there: &Sweep,
    plan: &Plan,
    part: Option<Part>,
) -> Result<(), ResumeError> {
    let folder = path.to_owned();
    if occasion == Occasion::Begin {
        let lying = look(path, there.planned())?;
        return Err(ResumeError::Taken {
            folder,
            plan: there.plan.name.clone(),
            finished: lying.finished.len(),
            runs: there.planned().runs().count(),
        });
    }
    let differences = plan.differences(&there.plan);
    if !differences.is_empty() {
        return Err(ResumeError::OtherPlan {
            folder,
            differences: few(&differences),
        });
    }
    if there.part != part {
        let said = |part: Option<Part>| match part {
            Some(part) => format!("part {part}"),
            None => "the whole".to_owned(),
        };
        return Err(ResumeError::OtherPart {
            folder,
            here: said(part),
            there: said(there.part),
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
}

/// In what a sitting differs from another.
pub(super) fn changes(
    here: &Sitting,
    there: &Sitting,
    threads: std::num::NonZeroUsize,
) -> Vec<Change> {
    let mut found = Vec::new();
    let commits = (
        &here.provenance.build.commit,
        &there.provenance.build.commit,
    );
    if commits.0 != commits.1 {
        let said = |commit: &Option<String>| commit.clone().unwrap_or_else(|| "unknown".to_owned());
        found.push(Change {
            clause: format!(
                "commit: {} here, {} there",
                said(commits.0),
                said(commits.1)
            ),
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
    let server = |of: &Sitting| {
        let mut server = serde_json::json!(of.server);
        // What a profile is for changes no time.
        if let Some(profile) = server["profile"].as_object_mut() {
            profile.remove("description");
        }
        server
    };
    let servers = between(&server(here), &server(there));
    found.extend(servers.into_iter().map(|clause| Change {
        clause: format!("server's {clause}"),
        of: ChangeOf::Server,
    }));
    found
}

impl Sweep {
    /// The plan, and the part of it that is done here.
    pub fn planned(&self) -> Planned<'_> {
        Planned {
            plan: &self.plan,
            part: self.part,
        }
    }
}
