//! What was compared, on what, against which server.

use crate::client::Limits;
use crate::corpus::CorpusIdentity;
use crate::experiment::{self, Stored};
use crate::protocol::{Api, Described, ModelIdentity, Options, Software};
use crate::provenance::Provenance;
use crate::run::{Spec, Work};
use crate::stack::Stack;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;
use tare_mock::Profile;

/// Which options an agent was run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The server's defaults.
    Baseline,
    /// Overrides.
    Chimera,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Baseline, Self::Chimera];

    /// As results name it, and its arm.
    pub fn name(self) -> &'static str {
        match self {
            Side::Baseline => "baseline",
            Side::Chimera => "chimera",
        }
    }

    /// The one that it is compared with.
    pub fn other(self) -> Self {
        match self {
            Side::Baseline => Side::Chimera,
            Side::Chimera => Side::Baseline,
        }
    }
}

/// The arm that is the baseline once more, for an A/A control.
pub const BASELINE_AGAIN: &str = "baseline (A/A)";

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Who chose chimera's options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// The command line named at least one.
    CommandLine,
    /// It named none, so they are those of the older reports.
    Default,
}

/// The server that answered. In JSON its `kind` is `mock`, or the software that it says it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Server {
    /// A mock, in a process of its own, that tells when it sent each token.
    Mock {
        /// As it was asked for: a shipped name or a file.
        name: String,
        /// The latency model itself.
        profile: Box<Profile>,
    },
    /// Whatever answers there.
    #[serde(untagged)]
    There {
        /// What it says that it is.
        #[serde(rename = "kind")]
        software: Software,
        /// Its address.
        base_url: String,
        /// The version that it states; absent where it states none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// The model as it lists it; absent where it does not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<ModelIdentity>,
        /// Its `OLLAMA_NUM_PARALLEL`; absent where that can't be known: see
        /// [`variable_of_listener`](crate::machine::variable_of_listener).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parallel: Option<String>,
    },
}

impl Server {
    /// A server that was there.
    pub fn there(base_url: String, described: Described) -> Self {
        let Described {
            software,
            version,
            model,
            parallel,
        } = described;
        Self::There {
            software,
            base_url,
            version,
            model,
            parallel,
        }
    }
}

/// Everything that a result depends on, beside what the server did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// Build, machine, command line, time: of the first sitting.
    #[serde(flatten)]
    pub provenance: Provenance,
    /// Runtime and client.
    pub stack: Stack,
    /// `native` or `bridged`.
    pub io: String,
    /// Worker threads of the runtime.
    pub threads: NonZeroUsize,
    /// Who answered.
    pub server: Server,
    /// Whether a recording proxy stood before it: then delivery is from there, and gross and tare
    /// have its hop in them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proxied: bool,
    /// How it was asked.
    #[serde(default)]
    pub api: Api,
    /// The model that was asked.
    pub model: String,
    /// How often it was worked at; absent if once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sittings: Option<usize>,
    /// Seed of the order of the two sides within each block.
    pub order_seed: u64,
    /// The four time limits of a call.
    pub limits: LimitsMetrics,
    /// Options of the baseline's requests.
    pub baseline: Options,
    /// Options of chimera's requests.
    pub chimera: Options,
    /// Who chose them.
    pub chimera_chosen_by: Chosen,
    /// What the agents read.
    pub corpus: CorpusIdentity,
    /// How many of its files an agent read at once.
    pub ingest_concurrency: NonZeroUsize,
}

impl Setup {
    /// That of a stored experiment; `None` where nothing of it is finished, or it is not one of agents.
    pub(super) fn of(stored: &Stored) -> Option<Self> {
        let experiment = &stored.manifest.experiment;
        let sittings = &stored.manifest.sittings;
        let first = sittings.first()?;
        let arms = &experiment.workloads.first()?.arms;
        let spec = |side: Side| {
            let mut arms = arms.iter();
            Some(&arms.find(|arm| arm.name == side.name())?.spec)
        };
        let (baseline, chimera) = (spec(Side::Baseline)?, spec(Side::Chimera)?);
        let Work::Team(team) = &baseline.work else {
            return None;
        };
        let run = stored.records.iter().find_map(|record| record.run())?;
        let server = match experiment.servers.get(&baseline.base_url)? {
            experiment::Server::Mock(mock) => Server::Mock {
                name: mock.name.clone(),
                profile: mock.profile.clone(),
            },
            experiment::Server::Real { base_url } => {
                let mut described = sittings.iter();
                let described = described.find_map(|it| it.servers.get(&baseline.base_url))?;
                Server::there(base_url.clone(), described.clone())
            }
        };
        let mut command_line = first.provenance.occasion.command_line.iter();
        let named = command_line.any(|argument| argument.starts_with("--chimera-"));
        Some(Self {
            provenance: first.provenance.clone(),
            stack: baseline.stack,
            io: run.io.clone(),
            threads: run.threads.unwrap_or(baseline.threads),
            server,
            proxied: experiment.proxied,
            api: baseline.api,
            model: baseline.model.clone(),
            sittings: Some(sittings.len()).filter(|&sittings| sittings > 1),
            order_seed: experiment.order_seed,
            limits: team.limits.into(),
            baseline: options(baseline),
            chimera: options(chimera),
            chimera_chosen_by: match named {
                true => Chosen::CommandLine,
                false => Chosen::Default,
            },
            corpus: first.corpus.clone()?,
            ingest_concurrency: baseline.ingest_concurrency,
        })
    }

    /// The options of a side.
    pub fn options(&self, side: Side) -> &Options {
        match side {
            Side::Baseline => &self.baseline,
            Side::Chimera => &self.chimera,
        }
    }
}

/// The options of an agent's requests.
fn options(spec: &Spec) -> Options {
    match &spec.work {
        Work::Team(team) => team.members.first().map(|member| member.options.clone()),
        _ => None,
    }
    .unwrap_or_default()
}

/// The time limits of a call, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitsMetrics {
    /// To make a TCP connection.
    pub connect_s: f64,
    /// To the reply's head.
    pub head_s: f64,
    /// Between two pieces of the body.
    pub gap_s: f64,
    /// For the whole call.
    pub call_s: f64,
}

impl From<Limits> for LimitsMetrics {
    fn from(limits: Limits) -> Self {
        let [connect_s, head_s, gap_s, call_s] =
            [limits.connect, limits.head, limits.gap, limits.call]
                .map(|d: Duration| d.as_secs_f64());
        Self {
            connect_s,
            head_s,
            gap_s,
            call_s,
        }
    }
}
