//! What `tare mock --help` says of faults.

use std::fmt::Write;
use tare_mock::{FAULT_HEADER, FAULT_KINDS, FAULT_TIMES};

/// The end of `tare mock --help`.
pub fn help() -> String {
    let mut help = "Faults, KIND[=ARGUMENTS], strike the routes that speak:\n".to_owned();
    let rows = |help: &mut String, all: &[(&str, &str)]| {
        for (form, meaning) in all {
            let _ = writeln!(help, "  {form:<18} {meaning}"); // a String takes it all
        }
    };
    rows(&mut help, &FAULT_KINDS);
    help += "and with @WHEN not every request, but\n";
    rows(&mut help, &FAULT_TIMES);
    let _ = write!(
        help,
        "A request's header `{FAULT_HEADER}: SPEC, SPEC` adds faults for itself.

Examples:
  tare mock --profile paced-10ms --listen 127.0.0.1:11500
  tare mock --fault truncate=5@25% --fault split=40 --listen 127.0.0.1:0

Ask it as you ask Ollama:
  curl http://127.0.0.1:11500/api/generate -d '{{\"model\":\"gemma3\",\"prompt\":\"Why?\"}}'"
    );
    help
}
