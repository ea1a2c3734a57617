//! A run: one process that runs one stack once. It is the unit of all statistics, because
//! memory layout, thread placement and page cache differ from process to process and stay put
//! within one.
//!
//! [`Spec`] says what to run and [`Outcome`] what came of it, both as JSON; [`run`] does it in the
//! present process (that is `tare invoke`), and [`Program`] starts such a process and hears it out.
//! [`MockServer`] is the other process, the mock, and [`ProxyServer`] one between the two.

mod account;
mod agents;
mod expected;
mod hot;
mod inside;
mod ledger;
mod outcome;
mod process;
mod rates;
mod server;
mod spec;
mod texts;

pub use account::{AgentAccount, CallAccount, CorpusAccount, SkippedFile, Stated, Waits};
pub use expected::Expected;
pub use hot::HotServer;
pub(crate) use inside::count_workers;
pub use inside::{RunError, run};
pub use outcome::{Iteration, Outcome};
pub use process::{ProcessError, Program};
pub use rates::Rates;
pub use server::{MockServer, ProxyServer, ServerError};
pub use spec::{Answers, Connection, Member, Spec, Team, Work};
pub use texts::TranscriptEntry;
