//! Whether a weighing's verdicts can be believed: its controls must come out as they have to. The
//! base must not be found to differ from itself, and what was built in must be found.

use super::record::{Part, Served, Weighed, Workload};
use super::subject::Role;
use crate::inject::Inject;
use crate::stack::{AsyncRuntime, Carrier};
use crate::stats::{Judgement, Verdict};
use serde::{Deserialize, Serialize};

/// Whether the verdicts stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The controls came out as they must.
    Sound,
    /// One did not: which, and what to do. The judgements in the result say nothing then.
    Withheld(String),
}

impl Standing {
    /// Of these parts.
    pub fn of(parts: &[Part]) -> Self {
        for part in parts {
            if let Some((figure, judged)) = part.false_alarm() {
                return Self::Withheld(format!(
                    "The A/A control failed: {figure} of {} came out as {} than the same stack, so this machine was too restless for verdicts; see `tare doctor`, and run again",
                    judged.name, judged.verdict
                ));
            }
            for control in part.of_role(Role::Control) {
                if part.found_slower(control).is_empty() && part.can_show(control) {
                    return Self::Withheld(format!(
                        "The positive control failed: {} was not found slower in any figure, so what was not found elsewhere may be there too; run more invocations on a quieter machine",
                        control.subject
                    ));
                }
            }
        }
        Self::Sound
    }
}

impl Part {
    /// Those that were run in this role.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = &Weighed> {
        let weighed = self.weighed.iter();
        weighed.filter(move |one| one.subject.role == role)
    }

    /// What is judged of a control, with the name of the figure.
    pub fn judged_of(&self, control: &Weighed) -> impl Iterator<Item = (String, &Judgement)> {
        let name = control.subject.to_string();
        self.families.iter().filter_map(move |family| {
            let mut controls = family.controls.iter();
            let found = controls.find(|judged| judged.name == name)?;
            Some((family.figure.to_string(), found))
        })
    }

    /// The figures in which a control was found slower.
    pub fn found_slower(&self, control: &Weighed) -> Vec<(String, &Judgement)> {
        let judged = self.judged_of(control);
        let found = judged.filter(|(_, judged)| judged.verdict == Verdict::Slower);
        found.collect()
    }

    /// Whether this workload can show what was built in: a lock makes nobody wait where there is one
    /// agent, pieces kept back delay tokens only where these come one by one, and only under
    /// `tokio-mt` is the root of `block_on` known to be a worse place than a task.
    pub fn can_show(&self, control: &Weighed) -> bool {
        let agents = match self.workload {
            Workload::Agents { agents } => agents.get(),
            Workload::Stream | Workload::Whole => 1,
        };
        let paced = match &self.server {
            Served::Mock { profile, .. } => !profile.gap.is_zero(),
            Served::There { .. } => false,
        };
        match control.subject.inject {
            Some(Inject::Mutex) => agents > 1,
            Some(Inject::Accumulate(_)) => paced && self.workload != Workload::Whole,
            Some(Inject::BlockOnRoot) => {
                matches!(
                    control.subject.stack.carrier,
                    Carrier::Async(AsyncRuntime::TokioMt, _)
                )
            }
            Some(Inject::Delay(_)) | None => true,
        }
    }

    /// The figure in which the base was found to differ from itself.
    fn false_alarm(&self) -> Option<(String, &Judgement)> {
        let again = self.of_role(Role::Again);
        let mut judged = again.flat_map(|again| self.judged_of(again));
        judged.find(|(_, judged)| matches!(judged.verdict, Verdict::Faster | Verdict::Slower))
    }
}
