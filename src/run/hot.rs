//! What a real server's account of a call means, seen against the same server's calls with nothing in
//! their way.
//!
//! Ollama states a `load_duration` of every call, also where the model is loaded: 0.1 to 0.2 s on a
//! CPU, a few ms elsewhere. And what its total holds beside load, prompt and answer is the wait for a
//! slot *plus* the tokenization of the prompt, 2 s for 1,800 tokens on a CPU. So neither a load nor a
//! remainder means anything by itself. What tells is the difference from a *hot* call: one that asked
//! as the call before it had asked, with nobody beside it.

use super::account::{CallAccount, Stated, Waits};
use crate::stats::median;

/// A load that so many times exceeds the hot one was more than a hot one. On two CPU cores hot loads
/// were 0.11 to 0.18 s, up to 0.39 s beside two other streams, and reloads 0.69 to 1.09 s.
const LEAST_RATIO: f64 = 3.0;

/// And it was longer by at least this, ns: no runner starts in less, however short a hot load is.
const LEAST_EXCESS_NS: f64 = 50e6;

/// A server's calls while its model was loaded and it had nothing else to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HotServer {
    /// The median load of hot calls, ns.
    load_ns: f64,
}

impl HotServer {
    /// From hot calls; `None` where none of them states a load.
    pub fn of<'a>(hot: impl IntoIterator<Item = &'a CallAccount>) -> Option<Self> {
        let loads = hot.into_iter().filter_map(|call| call.stated?.load_ns);
        let loads: Vec<f64> = loads.map(|load| load as f64).collect();
        Some(Self {
            load_ns: median(&loads)?,
        })
    }

    /// How long the model was loaded in a call with this account, ns: its load less the hot one, or
    /// 0 where it is no more than a hot one. A queue before the load is in it, which Ollama does not
    /// tell apart. `None` where no load is stated.
    pub fn reload_ns(&self, stated: &Stated) -> Option<u64> {
        let load = stated.load_ns? as f64;
        let excess = load - self.load_ns;
        let loaded = load > LEAST_RATIO * self.load_ns && excess >= LEAST_EXCESS_NS;
        Some(if loaded { excess as u64 } else { 0 })
    }

    /// What a call waited for. `alone` is the account of a twin: the same call of the same agent with
    /// nobody beside it, whose remainder is its prompt's tokenization. `None` where either does not
    /// state all of it.
    pub fn waits(&self, stated: &Stated, alone: &Stated) -> Option<Waits> {
        let tokenization = alone.remainder_ns()?;
        Some(Waits {
            queueing_ns: stated.remainder_ns()?.saturating_sub(tokenization),
            reload_ns: self.reload_ns(stated)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn stated(load_ms: u64, remainder_ms: u64) -> Stated {
        let (prompt_eval_ns, eval_ns) = (300 * MS, 700 * MS);
        Stated {
            total_ns: (load_ms + remainder_ms) * MS + prompt_eval_ns + eval_ns,
            load_ns: Some(load_ms * MS),
            prompt_eval_ns,
            eval_ns,
        }
    }

    fn hot(loads_ms: &[u64]) -> Option<HotServer> {
        let calls = loads_ms.iter().map(|&load| CallAccount {
            stated: Some(stated(load, 0)),
            ..CallAccount::default()
        });
        HotServer::of(&calls.collect::<Vec<_>>())
    }

    #[test]
    fn a_hot_load_of_150_ms_is_no_reload_and_one_of_700_is() {
        let server = hot(&[180, 150, 106]).expect("three loads");
        for load in [106, 180, 250, 390] {
            assert_eq!(server.reload_ns(&stated(load, 0)), Some(0), "{load} ms");
        }
        assert_eq!(server.reload_ns(&stated(700, 0)), Some(550 * MS));
    }

    #[test]
    fn where_a_hot_load_takes_a_millisecond_a_few_of_them_are_no_reload() {
        let server = hot(&[1, 1, 2]).expect("three loads");
        assert_eq!(server.reload_ns(&stated(40, 0)), Some(0));
        assert_eq!(server.reload_ns(&stated(2_000, 0)), Some(1_999 * MS));
    }

    #[test]
    fn the_tokenization_of_the_prompt_is_no_queueing() {
        let server = hot(&[150]).expect("a load");
        let alone = stated(150, 2_000);
        let waits = |remainder| server.waits(&stated(160, remainder), &alone);
        let queueing = |remainder| waits(remainder).map(|waits| waits.queueing_ns);
        assert_eq!(queueing(2_000), Some(0));
        assert_eq!(queueing(1_900), Some(0));
        assert_eq!(queueing(5_000), Some(3_000 * MS));
    }

    #[test]
    fn what_is_not_stated_is_not_known() {
        assert_eq!(hot(&[]), None);
        let server = hot(&[150]).expect("a load");
        let silent = Stated {
            load_ns: None,
            ..stated(0, 0)
        };
        assert_eq!(server.reload_ns(&silent), None);
        assert_eq!(server.waits(&stated(150, 0), &silent), None);
        assert_eq!(server.waits(&silent, &stated(150, 0)), None);
    }
}
