//! Results as JSON, Markdown and tables.
//!
//! [`agent`] is the result of `tare agent`, [`compare`] that of `tare compare` and of the
//! benches, and [`threads`] that of each runtime with one worker thread and with two, [`load`] that of
//! `tare load`. [`published`] is
//! the schema of the older reports. What results have in common is beside them: figures and tables
//! ([`figures`], [`markdown`]), and files that are whole or not there ([`files`]).

pub mod agent;
pub mod compare;
pub mod figures;
pub mod files;
pub mod load;
pub mod markdown;
pub mod published;
pub mod threads;
