//! What was compared, on what, against which server.

use crate::client::Limits;
use crate::corpus::CorpusIdentity;
use crate::protocol::{Api, Described, ModelIdentity, Options, Software};
use crate::provenance::Provenance;
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

    /// As results name it.
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
    /// Build, machine, command line, time.
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
    /// The options of a side.
    pub fn options(&self, side: Side) -> &Options {
        match side {
            Side::Baseline => &self.baseline,
            Side::Chimera => &self.chimera,
        }
    }
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
