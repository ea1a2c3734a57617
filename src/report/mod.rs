//! Results as JSON, Markdown and tables.
