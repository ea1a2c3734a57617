//! The engine from outside: what goes in, what comes out, and the loop between them.

use super::account::StopReason;
use super::agenda::{Agenda, What};
use super::ask::{Ask, RequestId, RunnerOptions, ServerId};
use super::decode::Gpu;
use super::event::{Event, Refusal};
use super::profile::{Cancelled, Profile};
use super::request::{Request, Stage};
use super::scheduler::Server;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::Duration;

/// What an engine models.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The figures, the same for all servers.
    pub profile: Profile,
    /// How many servers.
    pub servers: NonZeroUsize,
    /// Who computes where.
    pub gpus: Gpus,
    /// Decides all chance.
    pub seed: u64,
}

/// How servers and GPUs go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gpus {
    /// All servers on one: they slow each other.
    Shared,
    /// A GPU for each server.
    OneEach,
}

/// A model that a server has loaded, for `/api/ps`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loaded<'a> {
    /// Its name.
    pub model: &'a str,
    /// What its runner was started with.
    pub options: RunnerOptions,
    /// When it will be unloaded; `None` while it is in use, or for good.
    pub expires: Option<Duration>,
}

/// Ollama servers, sans IO.
///
/// All times count from the engine's start. Time that runs backwards counts as the latest that was
/// given.
pub struct Engine {
    pub(super) profile: Profile,
    pub(super) seed: u64,
    /// The time of what happens.
    pub(super) now: Duration,
    pub(super) agenda: Agenda,
    pub(super) servers: Vec<Server>,
    pub(super) gpus: Vec<Gpu>,
    pub(super) requests: HashMap<RequestId, Request>,
    arrived: u64,
    /// The latest time that the caller gave.
    latest: Duration,
}

impl Engine {
    /// Servers with nothing loaded.
    pub fn new(config: EngineConfig) -> Self {
        let EngineConfig {
            profile,
            servers,
            gpus,
            seed,
        } = config;
        let gpu_of = |server| match gpus {
            Gpus::Shared => 0,
            Gpus::OneEach => server,
        };
        let servers: Vec<_> = (0..servers.get())
            .map(|server| Server::new(seed, server, gpu_of(server)))
            .collect();
        Self {
            gpus: vec![Gpu::default(); gpu_of(servers.len() - 1) + 1],
            profile,
            seed,
            now: Duration::ZERO,
            agenda: Agenda::default(),
            servers,
            requests: HashMap::new(),
            arrived: 0,
            latest: Duration::ZERO,
        }
    }

    /// A request arrives. What comes of it, a refusal too, [`advance`](Self::advance) tells.
    pub fn arrive(&mut self, now: Duration, server: ServerId, ask: Ask<'_>) -> RequestId {
        let id = RequestId(self.arrived);
        self.arrived += 1;
        let now = self.pass(now);
        let request = Request::new(id, now, server, &ask, &self.profile, self.seed);
        self.requests.insert(id, request);
        self.agenda.note(now, What::Arrive(id));
        id
    }

    /// The client of a request went away: its slot, or its place in the queue, is freed, the slot in
    /// the middle of a prefill as the profile says, and there are no further events about it. What
    /// was due before `now` still happens. A request that is done is none the worse for it.
    pub fn leave(&mut self, now: Duration, id: RequestId) {
        let now = self.pass(now);
        self.agenda.note(now, What::Leave(id));
    }

    /// When to call [`advance`](Self::advance) next, if nothing arrives before; it may turn out
    /// then that nothing happens. `None`: nothing will ever happen by itself.
    pub fn next_due(&self) -> Option<Duration> {
        self.agenda.next_due()
    }

    /// Lets everything happen that is due by `now`, in order, and tells each event with the time at
    /// which it was due.
    pub fn advance(&mut self, now: Duration, mut emit: impl FnMut(Event)) {
        let until = self.pass(now);
        while let Some((at, what)) = self.agenda.take(until) {
            self.now = at;
            self.happen(what, &mut emit);
            self.share_gpus();
        }
    }

    /// The models that a server has ready now, those in use and those not.
    pub fn loaded(&self, server: ServerId) -> impl Iterator<Item = Loaded<'_>> {
        let server = self.servers.get(server.0);
        server.into_iter().flat_map(Server::loaded)
    }

    /// Takes note of the time, which does not run backwards.
    fn pass(&mut self, now: Duration) -> Duration {
        self.latest = self.latest.max(now);
        self.latest
    }

    fn happen(&mut self, what: What, emit: &mut impl FnMut(Event)) {
        match what {
            What::Arrive(id) => self.handle(id, emit),
            What::Leave(id) => self.depart(id, emit),
            What::Enter(id) => self.enter(id, emit),
            What::Pending { server, revision } => self.go_on(server, revision, emit),
            What::Expire(runner) => self.look_at_expiry(runner, emit),
            What::Fitted(id) => self.fitted(id),
            What::Tokenized(id) => self.tokenized(id),
            What::Prefilled { id, revision } => self.prefilled(id, revision, emit),
            What::Token(id) => self.token(id, emit),
            What::Concluded(id) => self.concluded(id, emit),
            What::Piece(id) => self.piece(id, emit),
            What::Begin(runner) => self.begin_step(runner),
            What::Step(runner) => self.step(runner, emit),
        }
    }

    /// A handler begins.
    fn handle(&mut self, id: RequestId, emit: &mut impl FnMut(Event)) {
        let Some(request) = self.requests.get(&id) else {
            return;
        };
        if request.server.0 >= self.servers.len() {
            return self.refuse(id, Refusal::NoSuchServer, emit);
        }
        if request.account.reason == StopReason::Unload {
            return self.unload_on_request(id, emit);
        }
        if request.recording.is_some() {
            return self.play(id);
        }
        if self.profile.load.is_zero() {
            return self.enter(id, emit);
        }
        let asks = self.now.saturating_add(self.profile.load);
        self.agenda.note(asks, What::Enter(id));
    }

    /// A client is gone.
    fn depart(&mut self, id: RequestId, emit: &mut impl FnMut(Event)) {
        let Some(request) = self.requests.remove(&id) else {
            return;
        };
        match request.stage {
            Stage::Handled | Stage::Playing { .. } => {}
            Stage::Pending => self.servers[request.server.0].forget(id),
            Stage::Head => self.abandon(request.server, emit),
            Stage::Fitting(runner) => self.give_up(runner, emit),
            Stage::Waiting(runner) => {
                if let Some(runner) = self.runner(runner) {
                    runner.waiting.retain(|&other| other != id);
                }
                self.give_up(runner, emit);
            }
            Stage::Tokenizing(runner) | Stage::Concluding(runner) => self.vacate(runner, emit),
            Stage::Reading { runner, .. }
                if self.profile.cancelled_prefill == Cancelled::ReadsOn =>
            {
                self.requests.insert(id, request);
                self.read_on(id, runner, emit);
            }
            Stage::Reading { runner, slot, .. } => {
                if let Some(runner) = self.runner(runner) {
                    runner.reading.retain(|&other| other != id);
                }
                self.rest(runner, slot, 0);
                self.vacate(runner, emit);
            }
            Stage::Speaking {
                runner,
                slot,
                spoken,
            } => {
                if let Some(runner) = self.runner(runner) {
                    runner.silence(id);
                }
                self.rest(runner, slot, spoken);
                self.vacate(runner, emit);
            }
        }
    }

    pub(super) fn refuse(&mut self, id: RequestId, reason: Refusal, emit: &mut impl FnMut(Event)) {
        self.requests.remove(&id);
        emit(Event::Refused {
            id,
            at: self.now,
            reason,
        });
    }

    /// A request is served.
    pub(super) fn done(&mut self, id: RequestId, emit: &mut impl FnMut(Event)) -> Option<Request> {
        let request = self.requests.remove(&id)?;
        emit(Event::Done {
            id,
            at: self.now,
            account: request.account,
        });
        Some(request)
    }
}
