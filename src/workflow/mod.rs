//! The agent's work: read a folder of benchmark files, have a model analyse them, have it write a
//! report from the analysis. Generic over runtime and client.

mod agent;
mod answer;
mod corpus;
mod document;
pub mod prompt;
mod role;
mod team;

pub use agent::{AgentError, AgentRun, Job, Stage, run_agent};
pub use answer::{Answer, Metric, Section};
pub use corpus::{Corpus, INGEST_CONCURRENCY, IngestError, Skipped, ingest};
pub use document::{Column, Document, Facts, Kind};
pub use role::Role;
pub use team::{Topology, run_team};
