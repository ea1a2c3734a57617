//! The rules of the model, each a test under a virtual clock.

mod decode;
mod keep_alive;
mod playback;
mod properties;
mod reload;
mod scheduler;
mod shipped;
mod tokenize;

use super::*;
use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

const FIRST: ServerId = ServerId(0);
const SECOND: ServerId = ServerId(1);

/// Of round figures: 10 ms a token, 20 ms to the first, 1.25 s to load, 0.75 s for memory.
fn ollama() -> Profile {
    Profile {
        load: Duration::ZERO,
        prefill: Prefill {
            fixed: ms(20),
            per_token: Duration::ZERO,
        },
        gap: ms(10),
        tokens: 5,
        parallel: NonZeroU32::new(1),
        max_queue: 512,
        max_loaded_models: NonZeroU32::new(3),
        keep_alive: secs(300),
        min_num_ctx: 4,
        shared_gpu: 2.0,
        batch: Some(Batch { growth: vec![0.5] }),
        jitter: None,
        prompt_cache: None,
        reload: Some(Reload {
            vram_min: ms(600),
            vram_max: ms(600),
            vram_timeout: secs(5),
            start: ms(100),
            weights: ms(1000),
            poll: ms(250),
        }),
        ..Profile::find("instant").expect("a shipped profile")
    }
}

const LOADING: Duration = ms(1250);
const RECOVERY: Duration = ms(750);

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn ask(model: &str) -> Ask<'_> {
    Ask {
        model,
        prompt: "Why is it so?",
        ..Ask::default()
    }
}

fn with_ctx(num_ctx: u32) -> Ask<'static> {
    Ask {
        runner: RunnerOptions {
            num_ctx,
            ..RunnerOptions::default()
        },
        ..ask("gemma3")
    }
}

/// An engine and all it has said.
struct Lab {
    engine: Engine,
    said: Vec<Event>,
    now: Duration,
}

impl Lab {
    fn new(profile: Profile) -> Self {
        Self::with_servers(profile, 1, Gpus::Shared)
    }

    fn with_servers(profile: Profile, servers: usize, gpus: Gpus) -> Self {
        let config = EngineConfig {
            profile,
            servers: NonZeroUsize::new(servers).expect("at least one server"),
            gpus,
            seed: 1,
        };
        Self {
            engine: Engine::new(config),
            said: Vec::new(),
            now: Duration::ZERO,
        }
    }

    /// With `gemma3` loaded, and idle since then.
    fn warm(profile: Profile) -> Self {
        let mut lab = Self::new(profile);
        lab.load("gemma3");
        lab
    }

    /// Loads a model, and lets a second pass.
    fn load(&mut self, model: &str) {
        let id = self.arrive(Ask {
            prompt: "",
            ..ask(model)
        });
        self.pass(LOADING + secs(1));
        assert_eq!(self.account(id).reason, StopReason::Load);
    }

    fn arrive(&mut self, ask: Ask<'_>) -> RequestId {
        self.arrive_at(FIRST, ask)
    }

    fn arrive_at(&mut self, server: ServerId, ask: Ask<'_>) -> RequestId {
        self.engine.arrive(self.now, server, ask)
    }

    fn leave(&mut self, id: RequestId) {
        self.engine.leave(self.now, id);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        let said = &mut self.said;
        self.engine.advance(self.now, |event| said.push(event));
    }

    /// Until nothing more happens within a minute: no keep-alive runs out.
    fn settle(&mut self) {
        while let Some(due) = self.engine.next_due()
            && due <= self.now + secs(60)
        {
            self.pass(due.saturating_sub(self.now));
        }
    }

    fn find<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Option<T> {
        self.said.iter().find_map(pick)
    }

    fn granted(&self, wanted: RequestId) -> Option<Duration> {
        self.find(|event| match event {
            Event::Granted { id, at } if *id == wanted => Some(*at),
            _ => None,
        })
    }

    fn refused(&self, wanted: RequestId) -> Option<Refusal> {
        self.find(|event| match event {
            Event::Refused { id, reason, .. } if *id == wanted => Some(*reason),
            _ => None,
        })
    }

    fn is_done(&self, wanted: RequestId) -> bool {
        self.find(|event| match event {
            Event::Done { id, .. } if *id == wanted => Some(()),
            _ => None,
        })
        .is_some()
    }

    fn account(&self, wanted: RequestId) -> Account {
        self.find(|event| match event {
            Event::Done { id, account, .. } if *id == wanted => Some(*account),
            _ => None,
        })
        .unwrap_or_else(|| panic!("{wanted} is not done"))
    }

    fn tokens(&self, wanted: RequestId) -> Vec<Duration> {
        let tokens = self.said.iter().filter_map(|event| match event {
            Event::Token { id, at, .. } if *id == wanted => Some(*at),
            _ => None,
        });
        tokens.collect()
    }

    fn gaps(&self, wanted: RequestId) -> Vec<Duration> {
        let tokens = self.tokens(wanted);
        tokens.windows(2).map(|two| two[1] - two[0]).collect()
    }

    /// The models that were loaded, and the times.
    fn loads(&self) -> Vec<(String, Duration)> {
        let loads = self.said.iter().filter_map(|event| match event {
            Event::Loaded { model, at, .. } => Some((model.to_string(), *at)),
            _ => None,
        });
        loads.collect()
    }

    /// The models that were unloaded, and the times.
    fn unloads(&self) -> Vec<(String, Duration)> {
        let unloads = self.said.iter().filter_map(|event| match event {
            Event::Unloaded { model, at, .. } => Some((model.to_string(), *at)),
            _ => None,
        });
        unloads.collect()
    }

    fn loaded(&self) -> Vec<&str> {
        let loaded = self.engine.loaded(FIRST);
        loaded.map(|loaded| loaded.model).collect()
    }
}
