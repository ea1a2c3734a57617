//! **tare** weighs the runtime, not the model: *tare = gross − net*, where gross is the wall-clock
//! time of an agent's work, net what the inference server spent, and tare what the agent's own
//! process added.
//!
//! The layers, each of which may use those named before it and none after it:
//!
//! | module | what it is |
//! |---|---|
//! | [`tare_mock`] | the mock of an Ollama server, and what both ends of the wire share: a crate of its own |
//! | [`machine`] | what the system says of the machine |
//! | [`provenance`] | where a result comes from, and what it can be compared with |
//! | [`clock`] | the clock that every process of a machine reads alike |
//! | [`tally`] | counters that threads add to without waiting for each other |
//! | [`inject`] | mistakes to build into a stack, so that a comparison can show that it finds them |
//! | [`runtime`] | trait `Runtime`; one file per async runtime, and blocking threads as the floor |
//! | [`client`] | trait `Client`; one file per HTTP client |
//! | [`protocol`] | what is asked of a server, and the calls |
//! | [`meter`] | a stream's token times, what the process used, the gross/net/tare account |
//! | [`trace`] | how a real server is recorded, for the mock to play it again |
//! | [`proxy`] | a recording proxy, for servers that do not tell when they wrote a token |
//! | [`corpus`] | the files that agents read: a folder's, or those inside the binary |
//! | [`workflow`] | ingest → analyse → report, generic over runtime and client |
//! | [`stack`] | from a stack's name to the monomorphised workload |
//! | [`stats`] | intervals, tests, verdicts; no I/O |
//! | [`doctor`] | is this machine fit to measure on, and what to do if not |
//! | [`run`] | one process that runs one stack once: the unit of all statistics |
//! | [`weighing`] | stacks against each other in randomised blocks; the result format |
//! | [`experiment`] | arms × workloads × blocks: what is run, its records, metrics and verdicts |
//! | [`load`] | so many streams at once, or requests at a rate, and what came of them |
//! | [`report`] | results as JSON, Markdown and tables |
//! | [`published`] | the older reports' schema: export of an experiment's records |
//! | [`team`] | several agents at once and each alone, on one server or two |
//! | [`plan`] | scenarios × settings × repetitions, written down before the first run |
//! | [`published`] | the older reports' schema: export of records, import of trees |
//! | [`cli`] | the `tare` command, one file per subcommand |
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod cli;
pub mod client;
pub mod corpus;
pub mod doctor;
pub mod experiment;
pub mod inject;
pub mod load;
pub mod machine;
pub mod meter;
pub mod plan;
pub mod protocol;
pub mod provenance;
pub mod proxy;
pub mod published;
pub mod report;
pub mod run;
pub mod runtime;
pub mod stack;
pub mod stats;
pub mod tally;
pub mod team;
pub mod trace;
pub mod weighing;
pub mod workflow;

pub use tare_mock::clock;
