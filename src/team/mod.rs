//! A team of agents, weighed: all at once in one process, and each alone in a process of its own,
//! in an order drawn by lot, so that there is a true reference.
//!
//! [`Scenario`] says who is in the team, [`TeamSpec`] what they do on what, [`Servers`] who answers
//! them, and [`run_once`] does one run. What comes of it is a
//! [`TeamRun`](crate::report::published::TeamRun), in the schema of the older reports with ours
//! beside. [`figures`] holds the formulas, the published ones and the true ones.

pub mod figures;
mod record;
mod run;
mod scenario;
mod servers;
mod spec;

pub use run::{Part, Ran, run_once};
pub use scenario::{Chimeras, Scenario, ScenarioError};
pub use servers::{MockPlan, Servers};
pub use spec::{Known, MemberSpec, TeamSpec};
