//! The older reports' schema: an export of records, and an import of trees of files. Nothing else in the
//! program knows it.
//!
//! | file | question |
//! |---|---|
//! | `schema`, `ours` | what `metrics.json` of a run holds: the older fields, and ours beside them under `tare` |
//! | `account`, `formulas` | how the older figures, and the true ones, follow from the accounts of calls and agents |
//! | `record` | from the records of a run, with its agents alone, to its `metrics.json` |
//! | `export` | from a stored experiment of teams to all its files |
//! | `summary`, `setup` | `summary.json`: each figure over the runs, and on what they ran |
//! | `combined`, `member`, `short`, `prose`, `transcript` | the older reports in Markdown, and who said what |
//! | `agent` | what one agent's export holds: `metrics.json`, transcript and three reports |
//! | `import` | from a tree of such files, or a stored experiment, to observations |

mod account;
pub mod agent;
mod combined;
mod export;
mod formulas;
pub mod import;
mod member;
mod ours;
mod prose;
mod record;
mod schema;
mod setup;
mod short;
mod summary;
mod transcript;

pub use export::{ExportError, Exported, export, runs};
pub use ours::{Contention, MemberTruth, SCHEMA, Truth};
pub use schema::{
    AgentResult, Aggregate, CallFigures, Config, Member, Summary, SystemInfo, TeamRun,
};
pub use setup::{MockServers, TeamSetup};
pub use summary::{Counted, Over, TeamSummary};
