//! When each token comes: prefill, then gaps, by itself or in lockstep, on a GPU that others may
//! use.
//!
//! A stream by itself has token *i* exactly *i* gaps after the first. In lockstep a runner steps
//! as long as any of its streams speaks, and each step gives all of them a token; how long it takes
//! is settled when it begins, by how many take part, by who else computes on the GPU, and by
//! chance. A prefill under way is stretched or shortened when another runner begins or ends to
//! compute. Where the profile says so, it goes on though its client has left.

use super::agenda::What;
use super::ask::{RequestId, ServerId};
use super::event::Event;
use super::machine::Engine;
use super::pace::{self, Factor};
use super::prompt_cache::SlotId;
use super::request::Stage;
use super::runner::RunnerId;

/// A GPU.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gpu {
    /// Runners that compute on it.
    busy: u32,
    /// As many as the prefills under way reckon with.
    reckoned: u32,
}

impl Engine {
    /// What sharing makes of a runner's time just now.
    fn share(&self, runner: RunnerId) -> Factor {
        let gpu = self.gpus[self.servers[runner.server.0].gpu];
        pace::of_share(self.profile.shared_gpu, gpu.busy)
    }

    fn is_shared(&self) -> bool {
        self.profile.shared_gpu > 1.0
    }

    /// A request's prompt is read: it has a slot, and its tokens are known.
    pub(super) fn read(&mut self, id: RequestId, runner: RunnerId) {
        let now = self.now;
        let is_shared = self.is_shared();
        let gpu = self.servers[runner.server.0].gpu;
        let Some(reader) = self.runner(runner) else {
            return;
        };
        reader.computing += 1;
        let begins = reader.computing == 1;
        if is_shared {
            reader.reading.push(id);
        }
        if begins {
            self.gpus[gpu].busy += 1;
        }
        let factor = self.share(runner);
        let runners = &mut self.servers[runner.server.0].runners;
        let reader = runners.iter_mut().find(|other| other.id == runner);
        let (Some(request), Some(reader)) = (self.requests.get_mut(&id), reader) else {
            return;
        };
        let (slot, cached) = reader.slots.take(&request.prompt);
        request.account.cached_tokens = cached;
        let prefill = &self.profile.prefill;
        let read = prefill
            .per_token
            .saturating_mul(request.prompt.tokens - cached);
        let due = now.saturating_add(factor.of(prefill.fixed.saturating_add(read)));
        request.stage = Stage::Reading {
            runner,
            slot,
            due,
            factor,
            revision: 0,
        };
        self.agenda.note(due, What::Prefilled { id, revision: 0 });
    }

    /// A prompt has been read: the first token is there.
    pub(super) fn prefilled(&mut self, id: RequestId, expected: u32, emit: &mut impl FnMut(Event)) {
        let now = self.now;
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        let Stage::Reading {
            runner,
            slot,
            revision,
            ..
        } = request.stage
        else {
            return;
        };
        if revision != expected {
            return;
        }
        request.spend(now, |account| &mut account.prefill);
        request.stage = Stage::Speaking {
            runner,
            slot,
            spoken: 0,
        };
        let prompt = std::mem::take(&mut request.prompt);
        let output = request.output;
        let mut was_left = false;
        if let Some(reader) = self.runner(runner) {
            reader.reading.retain(|&other| other != id);
            reader.slots.remember(slot, prompt);
            was_left = reader.left.contains(&id);
            reader.left.retain(|&other| other != id);
        }
        if was_left {
            // Its runner is in use no more by it, only its slot was.
            self.requests.remove(&id);
            self.rest(runner, slot, 0);
            return self.free_slot(runner);
        }
        if output == 0 {
            self.finish(id, emit);
        } else if self.speak(id, emit) == Speech::GoesOn {
            self.join(id, runner);
        }
    }

    /// A stream that has its first token has another one to come.
    fn join(&mut self, id: RequestId, runner: RunnerId) {
        if self.profile.batch.is_none() {
            return self.note_token(id, runner);
        }
        let Some(joined) = self.runner(runner) else {
            return;
        };
        joined.speaking.push(id);
        if joined.step.is_none() {
            self.agenda.note(self.now, What::Begin(runner));
        }
    }

    fn note_token(&mut self, id: RequestId, runner: RunnerId) {
        let share = self.share(runner);
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        let chance = request.dice.gap(self.profile.jitter.as_ref());
        let gap = share.times(chance).of(self.profile.gap);
        let due = self.now.saturating_add(gap);
        self.agenda.note(due, What::Token(id));
    }

    /// A stream by itself has its next token.
    pub(super) fn token(&mut self, id: RequestId, emit: &mut impl FnMut(Event)) {
        let Some(request) = self.requests.get(&id) else {
            return;
        };
        let Stage::Speaking { runner, .. } = request.stage else {
            return;
        };
        if self.speak(id, emit) == Speech::GoesOn {
            self.note_token(id, runner);
        }
    }

    /// A runner begins a step, unless one is under way. It is noted, not done at once, so that
    /// streams that have their first token at the same time begin together.
    pub(super) fn begin_step(&mut self, id: RunnerId) {
        let share = self.share(id);
        let runners = &mut self.servers[id.server.0].runners;
        let (Some(runner), Some(batch)) = (
            runners.iter_mut().find(|runner| runner.id == id),
            &self.profile.batch,
        ) else {
            return;
        };
        let streams = runner.speaking.len();
        if streams == 0 || runner.step.is_some() {
            return;
        }
        runner.step = Some(streams);
        let chance = runner.dice.gap(self.profile.jitter.as_ref());
        let factor = pace::of_batch(batch, streams).times(share).times(chance);
        let due = self.now.saturating_add(factor.of(self.profile.gap));
        self.agenda.note(due, What::Step(id));
    }

    /// A runner ends a step: each stream that took part has its next token.
    pub(super) fn step(&mut self, id: RunnerId, emit: &mut impl FnMut(Event)) {
        let Some(runner) = self.runner(id) else {
            return;
        };
        let took_part = runner.step.unwrap_or(0);
        let mut speaking = std::mem::take(&mut runner.speaking);
        let mut index = 0;
        speaking.retain(|&stream| {
            index += 1;
            index > took_part || self.speak(stream, emit) == Speech::GoesOn
        });
        if let Some(runner) = self.runner(id) {
            runner.speaking = speaking;
            runner.step = None;
            self.agenda.note(self.now, What::Begin(id));
        }
    }

    /// A stream's next token; with the last one the request is done.
    fn speak(&mut self, id: RequestId, emit: &mut impl FnMut(Event)) -> Speech {
        let Some(request) = self.requests.get_mut(&id) else {
            return Speech::Over;
        };
        let Stage::Speaking { spoken, .. } = &mut request.stage else {
            return Speech::Over;
        };
        let index = *spoken;
        *spoken += 1;
        let is_last = *spoken >= request.output;
        emit(Event::Token {
            id,
            index,
            at: self.now,
        });
        if is_last {
            self.finish(id, emit);
            return Speech::Over;
        }
        Speech::GoesOn
    }

    fn finish(&mut self, id: RequestId, emit: &mut impl FnMut(Event)) {
        let now = self.now;
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        let Stage::Speaking { runner, slot, .. } = request.stage else {
            return;
        };
        request.spend(now, |account| &mut account.decode);
        request.account.output_tokens = request.output;
        let spoken = request.output;
        self.rest(runner, slot, spoken);
        self.conclude(id, runner, emit);
    }

    /// A prompt whose client has left goes on being read, and keeps its slot until it has been.
    pub(super) fn read_on(
        &mut self,
        id: RequestId,
        runner: RunnerId,
        emit: &mut impl FnMut(Event),
    ) {
        let Some(reader) = self.runner(runner) else {
            return;
        };
        if !reader.left.contains(&id) {
            reader.left.push(id);
            self.give_up(runner, emit);
        }
    }

    /// A runner was stopped whose slots computed for nobody but clients that had left.
    pub(super) fn stop_reading_on(&mut self, server: ServerId, computing: u32, left: &[RequestId]) {
        if computing > 0 {
            self.gpus[self.servers[server.0].gpu].busy -= 1;
        }
        for id in left {
            self.requests.remove(id);
        }
    }

    /// A slot computes no more; what it read, and what was generated there, it may remember.
    pub(super) fn rest(&mut self, id: RunnerId, slot: Option<SlotId>, spoken: u32) {
        let gpu = self.servers[id.server.0].gpu;
        let Some(runner) = self.runner(id) else {
            return;
        };
        runner.slots.give_back(slot, spoken);
        runner.computing -= 1;
        if runner.computing == 0 {
            self.gpus[gpu].busy -= 1;
        }
    }

    /// A request has no more use of its slot and its runner.
    pub(super) fn vacate(&mut self, runner: RunnerId, emit: &mut impl FnMut(Event)) {
        self.free_slot(runner);
        self.give_up(runner, emit);
    }

    /// A slot is free: the next in line takes it.
    fn free_slot(&mut self, id: RunnerId) {
        let Some(runner) = self.runner(id) else {
            return;
        };
        runner.taken -= 1;
        if let Some(next) = runner.waiting.pop_front() {
            self.take_slot(next, id);
        }
    }

    /// Prefills under way take longer or shorter from now on, where the number of runners on their
    /// GPU has changed.
    pub(super) fn share_gpus(&mut self) {
        if !self.is_shared() {
            return;
        }
        for gpu in 0..self.gpus.len() {
            if self.gpus[gpu].busy == self.gpus[gpu].reckoned {
                continue;
            }
            self.gpus[gpu].reckoned = self.gpus[gpu].busy;
            let factor = pace::of_share(self.profile.shared_gpu, self.gpus[gpu].busy);
            let servers = self.servers.iter().filter(|server| server.gpu == gpu);
            for runner in servers.flat_map(|server| &server.runners) {
                for id in &runner.reading {
                    let Some(request) = self.requests.get_mut(id) else {
                        continue;
                    };
                    let Stage::Reading {
                        due,
                        factor: was,
                        revision,
                        ..
                    } = &mut request.stage
                    else {
                        continue;
                    };
                    if *was == factor {
                        continue;
                    }
                    let rest = factor.over(*was).of(due.saturating_sub(self.now));
                    *due = self.now.saturating_add(rest);
                    *was = factor;
                    *revision += 1;
                    let what = What::Prefilled {
                        id: *id,
                        revision: *revision,
                    };
                    self.agenda.note(*due, what);
                }
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum Speech {
    GoesOn,
    Over,
}
