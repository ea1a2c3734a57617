//! What a mock is to be: a profile or a trace, faults, addresses. Nothing is read before the mock is
//! made, so that all mistakes are told in one place.

use crate::engine::{Gpus, Jitter, Profile};
use crate::file::FileError;
use crate::mock::Mock;
use crate::server::{Bound, Fault, FaultError, Faults, Log, ModelsError, check_models, listen};
use crate::trace::Trace;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

/// By how much a profile or a trace can be sped up or slowed down.
pub const SPEEDS: RangeInclusive<f64> = 0.001..=1e6;
/// How wide chance can spread the gaps between tokens, a share of the gap.
pub const SPREADS: RangeInclusive<f64> = 0.0..=0.4;

/// A thing by the name under which it ships, or the path of its file; or the thing itself.
#[derive(Clone, Debug)]
pub enum Given<T> {
    /// A shipped one's name, or a file.
    Named(String),
    /// This one.
    Itself(Box<T>),
}

impl<T> From<&str> for Given<T> {
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

impl<T> From<String> for Given<T> {
    fn from(name: String) -> Self {
        Self::Named(name)
    }
}

impl From<Profile> for Given<Profile> {
    fn from(profile: Profile) -> Self {
        Self::Itself(Box::new(profile))
    }
}

impl From<Trace> for Given<Trace> {
    fn from(trace: Trace) -> Self {
        Self::Itself(Box::new(trace))
    }
}

impl<T> Given<T> {
    fn find<E>(self, find: impl FnOnce(&str) -> Result<T, E>) -> Result<T, E> {
        match self {
            Self::Named(name) => find(&name),
            Self::Itself(it) => Ok(*it),
        }
    }
}

/// What a mock is to be; see [`Mock::builder`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder {
    profile: Option<Given<Profile>>,
    trace: Option<Given<Trace>>,
    speed: Option<f64>,
    jitter: Option<f64>,
    model: Option<String>,
    parallel: Option<NonZeroU32>,
    faults: Vec<String>,
    fault_seed: Option<u64>,
    gpus: Option<Gpus>,
    listen: Vec<SocketAddr>,
}

/// Why a mock does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No profile or trace of that name, or one that can't be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A fault that is not written as one.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// A speed outside of [`SPEEDS`].
    #[error("a mock cannot go {0} times as fast: take a factor from {min} to {max}", min = SPEEDS.start(), max = SPEEDS.end())]
    Speed(f64),
    /// A jitter outside of [`SPREADS`].
    #[error("gaps cannot vary by a share of {0}: take one from {min} to {max}", min = SPREADS.start(), max = SPREADS.end())]
    Jitter(f64),
    /// The profile has models that no server can have.
    #[error("the profile's models: {0}")]
    Models(#[from] ModelsError),
    /// The address can't be had.
    #[error(
        "cannot listen on {address}: {source}; take another address, or port 0 for any that is free"
    )]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No thread to serve on.
    #[error("cannot start a thread for the mock: {0}")]
    Thread(io::Error),
}

impl Builder {
    /// The pace: the name of a shipped profile (`instant`, `paced-250us`, `paced-1ms`,
    /// `paced-10ms`, `paced-50ms`, `paced-1s`, `cpu-gemma3-270m`, `rtx4080-gemma3-4b`,
    /// `rtx4080-qwen2.5-7b`), the path of a TOML file, or a [`Profile`]. Default: `instant`, all
    /// tokens at once.
    pub fn profile(mut self, profile: impl Into<Given<Profile>>) -> Self {
        self.profile = Some(profile.into());
        self
    }

    /// Plays recorded answers in turn, whatever is asked: the name of a shipped trace
    /// (`gemma3-270m-cpu`), the path of a file that `tare record` wrote, or a [`Trace`]. Of the
    /// profile only the jitter and the loads count then.
    pub fn trace(mut self, trace: impl Into<Given<Trace>>) -> Self {
        self.trace = Some(trace.into());
        self
    }

    /// Goes so many times as fast as the profile says, loads and polls included, or as the trace
    /// was recorded: a factor within [`SPEEDS`].
    pub fn speed(mut self, factor: f64) -> Self {
        self.speed = Some(factor);
        self
    }

    /// Lets chance stretch and shrink the gaps between tokens: a twentieth of them by more than this
    /// share, which is within [`SPREADS`].
    pub fn jitter(mut self, spread: f64) -> Self {
        self.jitter = Some(spread);
        self
    }

    /// The model's name, instead of the profile's or the trace's. Others are not found.
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = Some(name.into());
        self
    }

    /// Slots of a loaded model, as `OLLAMA_NUM_PARALLEL`, instead of the profile's: further requests
    /// wait.
    pub fn parallel(mut self, slots: NonZeroU32) -> Self {
        self.parallel = Some(slots);
        self
    }

    /// A fault in the replies, `KIND[=ARGUMENTS][@WHEN]` as [`FAULT_KINDS`](crate::FAULT_KINDS) and
    /// [`FAULT_TIMES`](crate::FAULT_TIMES) list them; several times for several.
    pub fn fault(mut self, spec: impl Into<String>) -> Self {
        self.faults.push(spec.into());
        self
    }

    /// Decides which requests are struck by faults that strike by chance. Default: the profile's
    /// seed.
    pub fn fault_seed(mut self, seed: u64) -> Self {
        self.fault_seed = Some(seed);
        self
    }

    /// Whether several servers share a GPU, and so slow each other. Default: they do.
    pub fn gpus(mut self, gpus: Gpus) -> Self {
        self.gpus = Some(gpus);
        self
    }

    /// An address to listen on, port 0 for any that is free; several times for several servers.
    /// Default: one server on a free port of 127.0.0.1.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen.push(address);
        self
    }

    /// Starts it on a thread of its own, in this process. It takes connections when this returns,
    /// and ends when what this returns is dropped.
    ///
    /// # Errors
    /// When anything of the above can't be, an address can't be had, or the system has no thread.
    pub fn start(self) -> Result<Mock, StartError> {
        let log = Log::default();
        let bound = Bound {
            log: Some(log.clone()),
            ..self.bind()?
        };
        Mock::start(bound, log).map_err(StartError::Thread)
    }

    /// Listens, and leaves the serving to [`Bound::serve`].
    ///
    /// # Errors
    /// When anything of the above can't be, or an address can't be had.
    pub fn bind(self) -> Result<Bound, StartError> {
        let speed = self.speed.unwrap_or(1.0);
        if !SPEEDS.contains(&speed) {
            return Err(StartError::Speed(speed));
        }
        let trace = self
            .trace
            .map(|trace| trace.find(Trace::find))
            .transpose()?;
        let profile = self.profile.unwrap_or_else(|| "instant".into());
        let mut profile = profile.find(Profile::find)?.faster(speed);
        if let Some(trace) = &trace {
            profile.model.clone_from(&trace.head.model);
        }
        if let Some(spread) = self.jitter {
            profile.jitter = Some(spread_evenly(spread)?);
        }
        if let Some(model) = self.model {
            profile.model = model;
        }
        profile.parallel = self.parallel.or(profile.parallel);
        let faults = self.faults.iter().map(|spec| spec.parse());
        let faults: Vec<Fault> = faults.collect::<Result<_, _>>()?;
        check_models(&profile)?;
        let (listeners, addresses) = listen_on(self.listen)?;
        Ok(Bound {
            listeners,
            addresses,
            faults: Faults::new(faults, self.fault_seed.unwrap_or(profile.seed)),
            profile,
            gpus: self.gpus.unwrap_or(Gpus::Shared),
            trace: trace.map(|trace| (trace, speed)),
            log: None,
        })
    }
}

/// Jitter without a tail.
fn spread_evenly(spread: f64) -> Result<Jitter, StartError> {
    if !SPREADS.contains(&spread) {
        return Err(StartError::Jitter(spread));
    }
    Ok(Jitter {
        spread,
        tail: 0.0,
        stretch: 1.0,
    })
}

type Listening = (Vec<std::net::TcpListener>, Vec<SocketAddr>);

fn listen_on(mut addresses: Vec<SocketAddr>) -> Result<Listening, StartError> {
    if addresses.is_empty() {
        addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    }
    let listen = |address| listen(address).map_err(|source| StartError::Listen { address, source });
    let listening: Result<Vec<_>, _> = addresses.into_iter().map(listen).collect();
    Ok(listening?.into_iter().unzip())
}
