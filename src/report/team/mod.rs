//! The result of `tare team`: several agents at once, and each alone.
//!
//! [`TeamSummary`] is what `summary.json` holds; the reports are written from it and from the runs'
//! records alone, so that they can say nothing that the figures do not: [`combined_report`],
//! [`member_report`], and [`short_summary`] for those who read one page. [`transcript`] is what was
//! asked and answered.

mod combined;
mod member;
mod prose;
mod setup;
mod short;
mod summary;
mod transcript;

pub use combined::combined_report;
pub use member::member_report;
pub use setup::{MockServers, TeamSetup};
pub use short::short_summary;
pub use summary::{Counted, Over, SCHEMA, TeamSummary};
pub use transcript::transcript;
