//! The `tare` command. All of it is in the library.

use std::process::ExitCode;
use tare::meter::Counting;

/// Counts what a run asks for; every stack pays for that alike.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    tare::cli::main()
}
