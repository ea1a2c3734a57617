//! llama.cpp's `timings`: the one account of its own time that a server gives over OpenAI's API. Some
//! servers copy it.

use serde::Deserialize;

/// What llama.cpp's server states of its own work on a reply. It leaves out that server's queue and
/// its HTTP. A figure that it does not state is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct Timings {
    /// Tokens of the prompt that needed no reading.
    pub cache_n: Option<f64>,
    /// Tokens of the prompt that were read.
    pub prompt_n: Option<f64>,
    /// Time for that, ms.
    pub prompt_ms: Option<f64>,
    /// Tokens generated.
    pub predicted_n: Option<f64>,
    /// Time for that, ms.
    pub predicted_ms: Option<f64>,
}

impl Timings {
    /// Tokens of the prompt, cached ones included; 0 where it is not stated.
    pub fn prompt_tokens(&self) -> u64 {
        count(self.prompt_n) + count(self.cache_n)
    }

    /// Tokens generated; 0 where it is not stated.
    pub fn predicted_tokens(&self) -> u64 {
        count(self.predicted_n)
    }

    /// Time on the prompt, ns.
    pub fn prompt_ns(&self) -> Option<u64> {
        self.prompt_ms.map(nanos)
    }

    /// Time on the answer, ns.
    pub fn predicted_ns(&self) -> Option<u64> {
        self.predicted_ms.map(nanos)
    }

    /// Time on both, ns.
    pub fn total_ns(&self) -> Option<u64> {
        Some(self.prompt_ns()?.saturating_add(self.predicted_ns()?))
    }
}

/// llama.cpp's -1 means that it does not know. Servers that copy its `timings` write `12.0`.
fn count(stated: Option<f64>) -> u64 {
    stated.unwrap_or_default() as u64
}

fn nanos(millis: f64) -> u64 {
    (millis * 1e6).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_is_not_stated_is_absent_and_a_count_of_minus_one_is_none() {
        let stated = r#"{"cache_n":236,"prompt_n":1,"prompt_ms":30.958,"predicted_n":35,"predicted_ms":661.064,"predicted_per_second":52.9}"#;
        let stated: Timings = serde_json::from_str(stated).expect("timings");
        assert_eq!(
            (stated.prompt_tokens(), stated.predicted_tokens()),
            (237, 35)
        );
        assert_eq!(stated.total_ns(), Some(692_022_000));

        let copied: Timings = serde_json::from_str(r#"{"prompt_n":12.0}"#).expect("timings");
        assert_eq!(copied.prompt_tokens(), 12);

        let half = r#"{"cache_n":-1,"prompt_n":-1,"prompt_ms":1.0}"#;
        let half: Timings = serde_json::from_str(half).expect("timings");
        assert_eq!((half.prompt_tokens(), half.total_ns()), (0, None));
    }
}
