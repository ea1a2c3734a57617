//! What the reports say of net: where it comes from, why there is none, and whether a mock kept the
//! pace that its profile promises.

use super::call::CallMetrics;
use super::metrics::{Metrics, SideMetrics};
use super::setup::Side;
use crate::meter::NetSource;
use crate::protocol::Api;
use crate::report::markdown::number;

/// What net is, in the words of a glossary.
pub fn meaning(metrics: &Metrics) -> String {
    let sides = Side::BOTH.map(|side| &metrics.side(side).individual_runs);
    let source = sides.into_iter().flatten().find_map(|call| call.net_source);
    let meaning = match source {
        Some(NetSource::MockTruth) => {
            "the mock's time from a request's arrival to the making of the last line, read from the clock that both processes share"
        }
        Some(NetSource::TotalDuration) => "the `total_duration` that the server states",
        Some(NetSource::Timings) => {
            "`prompt_ms + predicted_ms` of the `timings` that the server states, as llama.cpp's does. They leave out its own queue and its HTTP, which so are part of tare here"
        }
        Some(NetSource::Proxy) => {
            "the time from a request's arrival at the recording proxy to its passing on of the last line, as the server states none that counts. The way between proxy and server is part of it"
        }
        None => {
            return format!(
                "what the server spent; unknown, as {}",
                why_none(metrics.provenance.api)
            );
        }
    };
    format!("{meaning}. Of a run: of both calls together")
}

/// Why a server gave no net.
pub fn why_none(api: Api) -> &'static str {
    match api {
        Api::Generate => {
            "by generate Ollama tokenizes prompt and answer once more, for `context`, after it has set `total_duration`, and how long that takes it does not state; ask by chat or raw (`--api chat`)"
        }
        Api::Raw | Api::Chat => "the server states no total",
        Api::OpenAi => {
            "the server states no time of its own: OpenAI's API has no field for it, and only llama.cpp's server adds one (`timings`)"
        }
    }
}

/// What throughput is, in the words of a glossary.
pub fn throughput(api: Api) -> &'static str {
    match api {
        Api::Generate | Api::Raw | Api::Chat => "`eval_count / eval_duration`",
        Api::OpenAi => {
            "`completion_tokens / predicted_ms` (of `usage` and of llama.cpp's `timings`)"
        }
    }
}

/// In how many of these calls the mock was late, in a sentence; `None` if in none.
pub fn lateness<'a>(sides: impl IntoIterator<Item = &'a SideMetrics>) -> Option<String> {
    let calls = sides.into_iter().flat_map(|side| &side.individual_runs);
    let calls: Vec<&CallMetrics> = calls.collect();
    let late = calls.iter().filter(|call| call.mock_late == Some(true));
    let most = late.clone().filter_map(|call| call.most_late_ms);
    let most = most.max_by(f64::total_cmp)?;
    Some(format!(
        "In {} of {} calls the mock was late: it wrote more than 1 % of the tokens more than 1 ms after they were due (the latest {} ms), because the machine was too busy. Net is still what happened, but the pace was not the profile's. These calls are marked *mock late* below, and so are their runs.",
        late.count(),
        calls.len(),
        number(most)
    ))
}
