//! One request on its way through a server.

use super::account::{Account, StopReason};
use super::ask::{Ask, Form, KeepAlive, RequestId, RunnerOptions, ServerId};
use super::jitter::{Dice, Owner};
use super::pace::Factor;
use super::playback::Recording;
use super::profile::Profile;
use super::prompt_cache::{Prompt, SlotId};
use super::runner::RunnerId;
use super::tokenize::count_breaks;
use std::sync::Arc;
use std::time::Duration;

/// A request that is neither served nor refused yet.
#[derive(Debug)]
pub struct Request {
    pub server: ServerId,
    pub model: Arc<str>,
    pub options: RunnerOptions,
    pub keep_alive: Option<KeepAlive>,
    pub form: Form,
    pub prompt: Prompt,
    /// Breaks of the prompt, where the profile says that they take time.
    pub breaks: u32,
    /// Tokens to generate.
    pub output: u32,
    /// The answer, where it is only played.
    pub recording: Option<Arc<Recording>>,
    pub stage: Stage,
    pub account: Account,
    pub dice: Dice,
    /// Until when the account is written.
    since: Duration,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug)]
pub enum Stage {
    /// Its handler has not asked for a runner yet.
    Handled,
    /// Behind others in the scheduler's queue.
    Pending,
    /// The pending loop works on it.
    Head,
    /// The handler tokenizes its prompt.
    Fitting(RunnerId),
    /// For a slot.
    Waiting(RunnerId),
    /// It has a slot, and the runner tokenizes its prompt.
    Tokenizing(RunnerId),
    /// The prompt is read.
    Reading {
        runner: RunnerId,
        slot: Option<SlotId>,
        due: Duration,
        factor: Factor,
        revision: u32,
    },
    /// Tokens come.
    Speaking {
        runner: RunnerId,
        slot: Option<SlotId>,
        spoken: u32,
    },
    /// All tokens are there, and its `context` is made.
    Concluding(RunnerId),
    /// Pieces of a recording come; so many have.
    Playing { played: usize },
}

impl Request {
    pub fn new(
        id: RequestId,
        arrived: Duration,
        server: ServerId,
        ask: &Ask<'_>,
        profile: &Profile,
        seed: u64,
    ) -> Self {
        let block = profile.prompt_cache.map(|cache| cache.block);
        let (output, reason) = match ask.output {
            _ if ask.prompt.is_empty() && ask.keep_alive == Some(KeepAlive::NONE) => {
                (0, StopReason::Unload)
            }
            _ if ask.prompt.is_empty() => (0, StopReason::Load),
            limit => match (ask.answer, limit) {
                (Some(answer), _) => (answer.tokens, answer.reason),
                (None, Some(limit)) => (limit, StopReason::Length),
                (None, None) => (profile.tokens, StopReason::Stop),
            },
        };
        let prompt = Prompt::new(ask.prompt, block);
        let tokenizes = profile.tokenize.is_some() || profile.context.is_some();
        Self {
            server,
            model: Arc::from(ask.model),
            options: RunnerOptions {
                num_ctx: ask.runner.num_ctx.max(profile.min_num_ctx),
                ..ask.runner
            },
            keep_alive: ask.keep_alive,
            output,
            recording: ask.recording.map(Arc::clone),
            stage: Stage::Handled,
            account: Account {
                prompt_tokens: prompt.tokens,
                reason,
                ..Account::new(arrived)
            },
            prompt,
            form: ask.form,
            breaks: if tokenizes {
                count_breaks(ask.prompt)
            } else {
                0
            },
            dice: Dice::new(seed, Owner::Request(id.number())),
            since: arrived,
        }
    }

    /// Writes the time since the last call to a term of the account.
    pub fn spend(&mut self, now: Duration, term: fn(&mut Account) -> &mut Duration) {
        *term(&mut self.account) += now.saturating_sub(self.since);
        self.since = now;
    }
}
