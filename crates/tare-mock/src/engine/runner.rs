//! One loaded model: the options it was started with, its slots, and who uses it or waits.

use super::ask::{KeepAlive, RequestId, RunnerOptions, ServerId};
use super::jitter::Dice;
use super::profile::Profile;
use super::prompt_cache::Slots;
use super::request::Request;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// One start of a runner: a model that is loaded again has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunnerId {
    pub server: ServerId,
    pub load: u64,
}

/// How far a runner is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Not ready yet.
    Loading,
    /// Serves.
    Ready,
    /// Serves what fits it, until it is idle: another is to take its place.
    Retiring,
}

/// A runner.
#[derive(Debug)]
pub struct Runner {
    pub id: RunnerId,
    pub model: Arc<str>,
    pub options: RunnerOptions,
    pub life: Life,
    pub keep_alive: KeepAlive,
    /// When a request last came or ended.
    pub last_used: Duration,
    /// When it is to be unloaded; only while it is idle.
    pub expires: Option<Duration>,
    /// When the agenda looks at that next: at most once, as each request moves the expiry.
    pub looked_at: Option<Duration>,
    /// Requests that were granted it and are not served yet.
    pub used_by: u32,
    /// Slots that are taken. One that a client left during its prefill may be among them.
    pub taken: u32,
    /// Those of them whose prompt is read or whose tokens come.
    pub computing: u32,
    /// Those of them that wait for one.
    pub waiting: VecDeque<RequestId>,
    pub slots: Slots,
    /// Requests whose prompt is read; kept only where a shared GPU may change when that ends.
    pub reading: Vec<RequestId>,
    /// Requests whose prompt is read though their client is gone.
    pub left: Vec<RequestId>,
    /// Streams in lockstep.
    pub speaking: Vec<RequestId>,
    /// The step under way: so many of `speaking`, from the front, take part.
    pub step: Option<usize>,
    pub dice: Dice,
}

impl Runner {
    /// Whether a request need not wait for a load. Where no load is modelled, none differs from
    /// another by its options.
    pub fn serves(&self, request: &Request, profile: &Profile) -> bool {
        self.model == request.model
            && self.life != Life::Loading
            && (profile.reload.is_none() || self.options.serve(&request.options))
    }

    /// Of runners to make room by, the one with the least of this: an idle one, that with the
    /// shortest keep-alive, that which has not been used for longest.
    pub fn reluctance(&self) -> (Use, KeepAlive, Duration) {
        let used = if self.used_by == 0 {
            Use::Idle
        } else {
            Use::Busy
        };
        (used, self.keep_alive, self.last_used)
    }

    /// Takes a stream out of the lockstep.
    pub fn silence(&mut self, id: RequestId) {
        let Some(index) = self.speaking.iter().position(|&other| other == id) else {
            return;
        };
        self.speaking.remove(index);
        if let Some(part) = &mut self.step
            && index < *part
        {
            *part -= 1;
        }
    }
}

/// Whether a runner has anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    Idle,
    Busy,
}
