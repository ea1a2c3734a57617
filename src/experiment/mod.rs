//! An experiment: arms × workloads × blocks. A run is one process, a record is one line, a metric is
//! one entry, and there is one judge.
//!
//! | file | question |
//! |---|---|
//! | `design` | what is run: workloads, arms and their roles, servers |
//! | `compare` | a preset: stacks against a base, with its controls |
//! | `load` | a preset: stacks that put a load on a server |
//! | `schedule` | which runs there are, in which order, and which of them a part has |
//! | `driver` | doing them, one after the other |
//! | `record` | what one run leaves |
//! | `metric` | what is known of a run, and what is judged: the table of metrics |
//! | `judge` | what the records say: the only place where a verdict is made |
//! | `control` | whether a mistake that was built in was found, in its size |
//! | `pool` | several sittings of one experiment together |
//! | `store` | the folder that they lie in; `durable` is how a file gets there whole |
//! | `merge` | parts into a whole |
//! | `difference` | in what two experiments or sittings differ, in words |

mod compare;
mod control;
mod design;
mod difference;
mod driver;
mod durable;
#[cfg(test)]
pub(crate) mod fixture;
mod judge;
#[cfg(test)]
mod judge_tests;
mod load;
mod merge;
pub mod metric;
mod pool;
mod record;
mod schedule;
#[cfg(test)]
pub(crate) mod schema;
mod store;
#[cfg(test)]
mod tests;

pub use compare::{Comparison, Task, mock};
pub use control::{ControlCheck, ControlOutcome, Expected};
pub use design::{
    ALPHA, Arm, At, Cadence, Changed, Experiment, Kind, MockServer, Role, Server, Workload,
};
pub use driver::{Bench, Watch, sit};
pub use judge::{
    AaControl, Judgement, Judgements, Lateness, MetricJudgement, NetCheck, NetOfArm, Outlier,
    Standing, WithoutLate, WorkloadJudgement, judge,
};
pub use load::Loading;
pub use merge::{MergeError, Merged, merge};
pub use metric::{METRICS, Metric};
pub use pool::{Pooled, pool};
pub use record::{Detail, MOST_LATE, Record, Run, RunResult};
pub use schedule::{Due, Part, PartError};
pub use store::{
    Circumstances, Ending, Manifest, Occasion, SCHEMA, Sitting, Store, StoreError, Stored,
};
