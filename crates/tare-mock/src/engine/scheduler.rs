//! Which request gets a runner, and when: Ollama's scheduler.
//!
//! A request that fits a loaded runner gets it at once, past the queue, even while that runner is to
//! be replaced; how many do is not limited. All others wait for a load, in one queue, and one loop
//! works on it: it takes the first, makes room, loads, and only then looks at the second. The one
//! that it works on does not count against the queue's length.

use super::account::StopReason;
use super::agenda::What;
use super::ask::{KeepAlive, RequestId, ServerId};
use super::event::{Event, Refusal};
use super::jitter::{Dice, Owner};
use super::machine::{Engine, Loaded};
use super::prompt_cache::Slots;
use super::request::Stage;
use super::runner::{Life, Runner, RunnerId};
use std::collections::VecDeque;
use std::time::Duration;

/// One server.
pub struct Server {
    /// Those behind the one that the loop works on.
    pending: VecDeque<RequestId>,
    pub pending_loop: PendingLoop,
    /// Of the loop's turn: what is due for an earlier one is void.
    revision: u32,
    pub runners: Vec<Runner>,
    pub gpu: usize,
    loads: u64,
    dice: Dice,
}

/// What the pending loop does.
#[derive(Clone, Copy, Debug)]
pub enum PendingLoop {
    /// Nothing waits for a load.
    Free,
    /// Waits until a runner has served its last.
    Draining(RequestId, RunnerId),
    /// Waits until a stopped runner's memory is free.
    Recovering(RequestId),
    /// Waits until a runner is ready.
    Loading(RequestId, RunnerId),
}

impl Server {
    pub fn new(seed: u64, server: usize, gpu: usize) -> Self {
        Self {
            pending: VecDeque::new(),
            pending_loop: PendingLoop::Free,
            revision: 0,
            runners: Vec::new(),
            gpu,
            loads: 0,
            dice: Dice::new(seed, Owner::Server(server as u64)),
        }
    }

    pub fn loaded(&self) -> impl Iterator<Item = Loaded<'_>> {
        let ready = self.runners.iter();
        let ready = ready.filter(|runner| runner.life != Life::Loading);
        ready.map(|runner| Loaded {
            model: &runner.model,
            options: runner.options,
            expires: runner.expires,
        })
    }

    /// Takes a request out of the queue.
    pub fn forget(&mut self, id: RequestId) {
        self.pending.retain(|&other| other != id);
    }
}

impl Engine {
    pub(super) fn runner(&mut self, id: RunnerId) -> Option<&mut Runner> {
        let runners = &mut self.servers[id.server.0].runners;
        runners.iter_mut().find(|runner| runner.id == id)
    }

    /// A request's handler asks for a runner.
    pub(super) fn enter(&mut self, id: RequestId, emit: &mut impl FnMut(Event)) {
        let now = self.now;
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        request.spend(now, |account| &mut account.handling);
        let server = &mut self.servers[request.server.0];
        let mut runners = server.runners.iter();
        if let Some(runner) = runners.find(|runner| runner.serves(request, &self.profile)) {
            let runner = runner.id;
            return self.grant(id, runner, emit);
        }
        if !matches!(server.pending_loop, PendingLoop::Free) {
            if server.pending.len() >= self.profile.max_queue as usize {
                return self.refuse(id, Refusal::Busy, emit);
            }
            request.stage = Stage::Pending;
            server.pending.push_back(id);
            return;
        }
        let server = request.server;
        self.work_on(server, id, emit);
    }

    /// The loop takes up requests until one has to wait.
    fn next_pending(&mut self, server: ServerId, emit: &mut impl FnMut(Event)) {
        self.servers[server.0].pending_loop = PendingLoop::Free;
        while matches!(self.servers[server.0].pending_loop, PendingLoop::Free) {
            let Some(id) = self.servers[server.0].pending.pop_front() else {
                return;
            };
            self.work_on(server, id, emit);
        }
    }

    /// The loop works on a request as far as it gets without waiting. A request whose client is
    /// gone leaves it free.
    fn work_on(&mut self, server: ServerId, id: RequestId, emit: &mut impl FnMut(Event)) {
        let now = self.now;
        let place = &mut self.servers[server.0];
        place.pending_loop = PendingLoop::Free;
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        request.spend(now, |account| &mut account.queue);
        request.stage = Stage::Head;
        let of_model = place
            .runners
            .iter()
            .find(|runner| runner.model == request.model);
        let full = self.profile.max_loaded_models;
        let full = full.is_some_and(|most| place.runners.len() >= most.get() as usize);
        let in_the_way = match of_model {
            Some(runner) if runner.serves(request, &self.profile) => {
                let runner = runner.id;
                return self.grant(id, runner, emit);
            }
            Some(runner) => Some(runner.id),
            None if full => {
                let victim = place
                    .runners
                    .iter()
                    .min_by_key(|runner| runner.reluctance());
                victim.map(|runner| runner.id)
            }
            None => None,
        };
        match in_the_way {
            Some(runner) => self.retire(id, runner, emit),
            None => self.load(server, id, emit),
        }
    }

    /// Has a runner stopped, as soon as it is idle, to make room for a request.
    fn retire(&mut self, id: RequestId, runner: RunnerId, emit: &mut impl FnMut(Event)) {
        self.servers[runner.server.0].pending_loop = PendingLoop::Draining(id, runner);
        let Some(retiring) = self.runner(runner) else {
            return;
        };
        retiring.life = Life::Retiring;
        if retiring.used_by == 0 {
            self.unload(runner, emit);
        }
    }

    /// Starts a runner for a request.
    fn load(&mut self, server: ServerId, id: RequestId, emit: &mut impl FnMut(Event)) {
        let Some(request) = self.requests.get(&id) else {
            return;
        };
        let place = &mut self.servers[server.0];
        let load = place.loads;
        place.loads += 1;
        let runner = RunnerId { server, load };
        let owner = Owner::Runner {
            server: server.0 as u64,
            load,
        };
        place.runners.push(Runner {
            id: runner,
            model: request.model.clone(),
            options: request.options,
            life: Life::Loading,
            keep_alive: KeepAlive::For(self.profile.keep_alive),
            last_used: self.now,
            expires: None,
            looked_at: None,
            used_by: 0,
            taken: 0,
            computing: 0,
            waiting: VecDeque::new(),
            slots: Slots::new(self.profile.prompt_cache),
            reading: Vec::new(),
            left: Vec::new(),
            speaking: Vec::new(),
            step: None,
            dice: Dice::new(self.seed, owner),
        });
        place.pending_loop = PendingLoop::Loading(id, runner);
        match &self.profile.reload {
            Some(reload) => {
                let takes = reload.noticed(reload.start.saturating_add(reload.weights));
                self.note_pending(server, takes);
            }
            None => self.ready(id, runner, emit),
        }
    }

    /// A runner is ready, and the loop free again.
    fn ready(&mut self, id: RequestId, runner: RunnerId, emit: &mut impl FnMut(Event)) {
        let at = self.now;
        self.servers[runner.server.0].pending_loop = PendingLoop::Free;
        if let Some(ready) = self.runner(runner) {
            ready.life = Life::Ready;
            emit(Event::Loaded {
                server: runner.server,
                model: ready.model.clone(),
                at,
            });
        }
        self.grant(id, runner, emit);
    }

    fn note_pending(&mut self, server: ServerId, takes: Duration) {
        let place = &mut self.servers[server.0];
        place.revision = place.revision.wrapping_add(1);
        let revision = place.revision;
        let due = self.now.saturating_add(takes);
        self.agenda.note(due, What::Pending { server, revision });
    }

    /// What the loop waited for is there.
    pub(super) fn go_on(&mut self, server: ServerId, revision: u32, emit: &mut impl FnMut(Event)) {
        let now = self.now;
        let place = &self.servers[server.0];
        if place.revision != revision {
            return;
        }
        match place.pending_loop {
            PendingLoop::Free | PendingLoop::Draining(..) => return,
            PendingLoop::Recovering(id) => {
                if let Some(request) = self.requests.get_mut(&id) {
                    request.spend(now, |account| &mut account.recovery);
                }
                self.work_on(server, id, emit);
            }
            PendingLoop::Loading(id, runner) => {
                if let Some(request) = self.requests.get_mut(&id) {
                    request.spend(now, |account| &mut account.loading);
                }
                self.ready(id, runner, emit);
            }
        }
        if matches!(self.servers[server.0].pending_loop, PendingLoop::Free) {
            self.next_pending(server, emit);
        }
    }

    /// The client of the request that the loop works on is gone. A load is broken off; a drain, and
    /// the wait for memory, are not.
    pub(super) fn abandon(&mut self, server: ServerId, emit: &mut impl FnMut(Event)) {
        let place = &mut self.servers[server.0];
        if let PendingLoop::Loading(_, loading) = place.pending_loop {
            place.runners.retain(|runner| runner.id != loading);
            self.next_pending(server, emit);
        }
    }

    /// A request gets a runner.
    fn grant(&mut self, id: RequestId, runner: RunnerId, emit: &mut impl FnMut(Event)) {
        let now = self.now;
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        let reason = request.account.reason;
        let keep_alive = request.keep_alive;
        request.stage = Stage::Waiting(runner);
        emit(Event::Granted { id, at: now });
        let Some(granted) = self.runner(runner) else {
            return;
        };
        granted.used_by += 1;
        granted.last_used = now;
        granted.expires = None;
        if let Some(keep_alive) = keep_alive {
            granted.keep_alive = keep_alive;
        }
        if reason == StopReason::Load {
            self.done(id, emit);
            self.give_up(runner, emit);
        } else {
            self.fit(id, runner);
        }
    }

    /// A request has no more use of its runner.
    pub(super) fn give_up(&mut self, id: RunnerId, emit: &mut impl FnMut(Event)) {
        let now = self.now;
        let Some(runner) = self.runner(id) else {
            return;
        };
        runner.used_by -= 1;
        runner.last_used = now;
        if runner.used_by > 0 {
            return;
        }
        match runner.keep_alive {
            _ if runner.life == Life::Retiring => self.unload(id, emit),
            KeepAlive::NONE => self.unload(id, emit),
            KeepAlive::Forever => {}
            KeepAlive::For(time) => {
                let expires = now.saturating_add(time);
                runner.expires = Some(expires);
                if runner.looked_at.is_none_or(|at| at > expires) {
                    runner.looked_at = Some(expires);
                    self.agenda.note(expires, What::Expire(id));
                }
            }
        }
    }

    /// Unloads a runner if its time has come, or looks again when it will have.
    pub(super) fn look_at_expiry(&mut self, id: RunnerId, emit: &mut impl FnMut(Event)) {
        let now = self.now;
        let Some(runner) = self.runner(id) else {
            return;
        };
        if runner.looked_at.is_some_and(|at| at > now) {
            return;
        }
        runner.looked_at = None;
        match runner.expires {
            None => {}
            Some(expires) if expires <= now => self.unload(id, emit),
            Some(expires) => {
                runner.looked_at = Some(expires);
                self.agenda.note(expires, What::Expire(id));
            }
        }
    }

    /// An empty prompt with a keep-alive of zero: answered at once; the runner stops when it is
    /// idle.
    pub(super) fn unload_on_request(&mut self, id: RequestId, emit: &mut impl FnMut(Event)) {
        let Some(request) = self.done(id, emit) else {
            return;
        };
        let runners = &mut self.servers[request.server.0].runners;
        let ready = runners
            .iter_mut()
            .find(|runner| runner.model == request.model && runner.life != Life::Loading);
        if let Some(runner) = ready {
            runner.keep_alive = KeepAlive::NONE;
            runner.expires = None;
            if runner.used_by == 0 {
                let runner = runner.id;
                self.unload(runner, emit);
            }
        }
    }

    /// Stops an idle runner, with what it still reads for clients that are gone. If the loop waits
    /// for that, it waits for the memory next.
    fn unload(&mut self, id: RunnerId, emit: &mut impl FnMut(Event)) {
        let now = self.now;
        let server = id.server;
        let place = &mut self.servers[server.0];
        let Some(index) = place.runners.iter().position(|runner| runner.id == id) else {
            return;
        };
        let runner = place.runners.remove(index);
        emit(Event::Unloaded {
            server,
            model: runner.model,
            at: now,
        });
        self.stop_reading_on(server, runner.computing, &runner.left);
        let place = &mut self.servers[server.0];
        let waiting = match place.pending_loop {
            PendingLoop::Draining(waiting, drained) if drained == id => waiting,
            _ => return,
        };
        place.pending_loop = PendingLoop::Recovering(waiting);
        if let Some(request) = self.requests.get_mut(&waiting) {
            request.spend(now, |account| &mut account.drain);
        }
        let takes = self
            .profile
            .reload
            .as_ref()
            .map_or(Duration::ZERO, |reload| {
                let dice = &mut self.servers[server.0].dice;
                let noticed = reload.noticed(dice.recovery(reload));
                noticed.min(reload.noticed(reload.vram_timeout))
            });
        self.note_pending(server, takes);
    }
}
