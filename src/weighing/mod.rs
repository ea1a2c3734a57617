//! A weighing: stacks run against each other, a process at a time, in randomised blocks, with the
//! floor and the base a second time among them.
//!
//! | file | question |
//! |---|---|
//! | `subject` | what is run, and what its difference from the base can tell |
//! | `figure` | what is compared, of one invocation |
//! | `blocks` | in which order it is run, and when that ends |
//! | `lab` | how it is run, process by process |
//! | `record` | what is kept of it: the result format |
//! | `columns` | and how, so that it stays small |
//! | `judged` | what is said of it: a family of judgements per figure |
//! | `standing` | and whether that can be believed |

mod blocks;
#[cfg(test)]
pub(crate) mod canned;
mod columns;
mod figure;
mod judged;
mod lab;
mod record;
#[cfg(test)]
mod schema;
mod standing;
mod subject;

pub use blocks::{Due, Ending, Until, weigh};
pub use figure::Figure;
pub use judged::{Family, judge};
pub use lab::{ALPHA, Done, PartPlan, Plan, Stop, Watch, run};
pub use record::{Invocation, Part, Record, SCHEMA, Served, Setup, Weighed, Workload};
pub use standing::Standing;
pub use subject::{Changed, Role, Subject, subjects};
