//! Results as JSON, Markdown and tables.

pub mod cells;
