//! Results as JSON, Markdown and tables.
//!
//! | module | the result of |
//! |---|---|
//! | [`experiment`] | a stored experiment, of any preset |
//! | [`threads`] | each runtime with one worker thread and with two |
//! | [`load`] | `tare load` |
//! | [`sweep`] | `tare report sweep` and `tare import`: what many such results say together |
//!
//! What results have in common is beside them: figures and tables ([`figures`], [`markdown`]), and
//! files that are whole or not there ([`files`]).

pub mod experiment;
pub mod figures;
pub mod files;
pub mod load;
pub mod markdown;
pub mod sweep;
pub mod threads;
pub(crate) mod transcript;
