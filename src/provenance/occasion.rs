//! When and how the program was called.

use crate::machine::{Files, load_average};
use serde::{Deserialize, Serialize};

/// The call, as results describe it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Occasion {
    /// Load average over 1, 5 and 15 minutes, before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_average: Option<[f64; 3]>,
    /// Program and arguments.
    pub command_line: Vec<String>,
    /// Before the start, UTC.
    pub timestamp: jiff::Timestamp,
}

impl Occasion {
    /// This one.
    pub fn now() -> Self {
        Self {
            load_average: load_average(&Files::here()),
            command_line: std::env::args_os()
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect(),
            timestamp: jiff::Timestamp::now(),
        }
    }

    /// The command line as a shell would take it.
    pub fn shell_line(&self) -> String {
        let quoted = self.command_line.iter().map(|argument| quote(argument));
        quoted.collect::<Vec<_>>().join(" ")
    }
}

fn quote(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_pasted_into_a_shell() {
        assert_eq!(quote("--mock"), "--mock");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), "'it'\\''s'");
        assert_eq!(quote(""), "''");
    }
}
