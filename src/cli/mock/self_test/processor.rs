//! The processor that a mock is tried on: which one, and how often it stands still by itself.

use super::time;
use crate::cli::mock::limits;
use crate::machine::allowed_processors;
use crate::meter::Stalls;
use anyhow::{Result, anyhow};
use std::time::Duration;

/// The one of all processors that stands still for the least share of some seconds; `None` where
/// there is but one.
pub fn quietest() -> Result<Option<usize>> {
    /// All of them together.
    const LOOKED_AT: Duration = Duration::from_secs(4);
    let processors = allowed_processors()?;
    let each = LOOKED_AT.div_f64(processors.len().max(1) as f64);
    if processors.len() < 2 {
        return Ok(None);
    }
    eprintln!("which processor is the quietest...");
    let mut seen = Vec::with_capacity(processors.len());
    for processor in processors {
        seen.push((processor, stalls(Some(processor), each)?.share));
    }
    let quietest = seen.into_iter().min_by(|a, b| a.1.total_cmp(&b.1));
    Ok(quietest.map(|(processor, _)| processor))
}

/// What is to be said of the processor that the mocks ran on.
pub fn seen(pin: Option<usize>) -> Result<String> {
    const LOOKED_AT: Duration = Duration::from_secs(5);
    eprintln!("the processor itself...");
    let Stalls { share, longest } = stalls(pin, LOOKED_AT)?;
    let which = pin.map_or_else(String::new, |pin| format!(" (number {pin})"));
    Ok(format!(
        "The processor itself{which} stood still for {:.2} % of {} s under a loop that only looks at the clock, {} at the longest.\n\
         No mock is more punctual than that: where it is more than 1 %, neither is the p99.",
        share * 100.0,
        LOOKED_AT.as_secs(),
        time(longest.as_secs_f64() * 1e6)
    ))
}

/// How much a processor stands still by itself.
fn stalls(pin: Option<usize>, time: Duration) -> Result<Stalls> {
    let seen = std::thread::spawn(move || {
        pin.map_or(Ok(()), limits::pin)?;
        Ok(Stalls::seen_in(time))
    });
    seen.join()
        .unwrap_or_else(|_| Err(anyhow!("the loop broke off")))
}
