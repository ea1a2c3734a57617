//! Results as JSON, Markdown and tables.
//!
//! [`agent`] is the result of `tare agent`, [`compare`] that of `tare compare` and of the
//! benches, and [`threads`] that of each runtime with one worker thread and with two. [`published`] is
//! the schema of the older reports, and [`team`] the result of `tare team` in it. What results have in common is beside them: figures and tables
//! ([`figures`], [`markdown`]), and files that are whole or not there ([`files`]).

pub mod agent;
pub mod compare;
pub mod figures;
pub mod files;
pub mod markdown;
pub mod published;
pub mod team;
pub mod threads;
mod transcript;
