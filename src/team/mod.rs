//! Teams: several agents at once in one process, and each kind of them alone in a process of its own,
//! so that there is a true reference.
//!
//! [`Scenario`] says who is in a team, and [`TeamSpec`] what they do on what: it makes the arms of an
//! experiment, the team's and its agents'.

mod scenario;
mod spec;

pub use scenario::{Chimeras, Scenario, ScenarioError};
pub use spec::{Known, SERVERS, TeamSpec, experiment};
