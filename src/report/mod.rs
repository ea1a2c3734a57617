//! Results as JSON, Markdown and tables.
//!
//! [`agent`] is the result of `tare agent`, [`cells`] the table that the benches end with, and
//! [`threads`] that of each runtime with one worker thread and with two. What results have in common is beside them: where a result comes from ([`provenance`]), tables and
//! numbers in Markdown ([`markdown`]), and files that are whole or not there ([`files`]).

pub mod agent;
pub mod cells;
pub mod files;
pub mod markdown;
pub mod provenance;
pub mod threads;
