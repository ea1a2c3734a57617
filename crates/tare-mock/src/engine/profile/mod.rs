//! The latency model that a mock follows, in TOML.
//!
//! Most of it may be left out. What is left is pure pacing: any number of streams at a fixed gap,
//! none of which changes another, and a model that is there at once whatever its options. Each
//! further field or table adds one cause of waiting.

mod model;
mod terms;
mod tokenize;

use super::pace::Factor;
use crate::file::{FileError, Kind, Line};
pub use model::{AlsoServed, Capability, ToolCalls};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use std::time::Duration;
pub use terms::{Batch, Cancelled, Jitter, Prefill, PromptCache, Reload};
pub use tokenize::Tokenize;

/// A latency model. Durations are written like `250us`, `1ms` or `1.5s`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What it stands for.
    pub description: String,
    /// The model it serves, under Ollama's kind of name.
    pub model: String,
    /// What the model can do. Default: completion alone.
    #[serde(default = "model::completion")]
    pub capabilities: Vec<Capability>,
    /// Further models of the server, with the same figures. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<AlsoServed>,
    /// Whether an answer calls a tool where a request offers some. Default: always, unless the last
    /// message says what a tool gave.
    #[serde(default)]
    pub tool_calls: ToolCalls,
    /// From a request's arrival until it asks for a runner: HTTP, parsing, the template. Where the
    /// model is loaded and fits, the runner is granted at once.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub load: Duration,
    /// Tokenization of a prompt: once by the handler, to see whether it fits the context, before it
    /// asks for a slot (not with `raw`), and once by the runner, in the slot. Default: no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenize: Option<Tokenize>,
    /// From the moment a request has a slot, and the runner its tokens, until its first token.
    pub prefill: Prefill,
    /// What becomes of a prefill whose client goes away: it `stops`, or `reads-on`, and keeps its
    /// slot until it has ended. Default `stops`.
    #[serde(default)]
    pub cancelled_prefill: Cancelled,
    /// Between two tokens of a stream that has its runner and GPU to itself; with jitter the
    /// median.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub gap: Duration,
    /// Tokenization of prompt and answer for `context`, after the last token and in no total that
    /// Ollama states, before the last line leaves: only of `/api/generate`, and not with `raw`. The
    /// slot is taken until then. Answers count as without breaks. Default: no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Tokenize>,
    /// Length of an answer where the request sets no `num_predict`, in tokens, at least 1.
    pub tokens: u32,
    /// Seed of the text where the request sets none.
    pub seed: u64,
    /// Slots of a runner (`OLLAMA_NUM_PARALLEL`), at least 1: so many requests it serves at a time,
    /// the others wait, first come, first served. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<NonZeroU32>,
    /// Requests that may wait for a load behind the one that is being loaded for
    /// (`OLLAMA_MAX_QUEUE`); further ones are refused. Default 512, as Ollama.
    #[serde(default = "max_queue")]
    pub max_queue: u32,
    /// Models loaded at a time (`OLLAMA_MAX_LOADED_MODELS`), at least 1. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_loaded_models: Option<NonZeroU32>,
    /// How long an idle model stays loaded where no request said (`OLLAMA_KEEP_ALIVE`); `0s`
    /// unloads it at once. Default 5 min, as Ollama.
    #[serde(
        default = "keep_alive",
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required"
    )]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    pub keep_alive: Duration,
    /// The least context length: a smaller `num_ctx` is raised to it before it is compared. Default
    /// 4, as Ollama; models that see images have 2048 there.
    #[serde(default = "min_num_ctx")]
    pub min_num_ctx: u32,
    /// What a second runner that computes on the same GPU at the same time makes of each one's
    /// prefill and gap, a factor from 1 to 100; each further runner adds as much again. Default 1.
    #[serde(default = "alone", deserialize_with = "terms::shared_gpu")]
    pub shared_gpu: f64,
    /// Lockstep of the streams in a runner. Default: each stream goes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// Chance in the gaps. Default: none, token i is due exactly i gaps after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Jitter>,
    /// Re-use of the last prompt. Default: every token is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_cache: Option<PromptCache>,
    /// What a load takes. Default: no time, and a loaded model serves any options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload: Option<Reload>,
}

fn max_queue() -> u32 {
    512
}

fn keep_alive() -> Duration {
    Duration::from_secs(5 * 60)
}

fn min_num_ctx() -> u32 {
    4
}

fn alone() -> f64 {
    1.0
}

/// Profiles as files, and those that ship.
const FILES: Kind = Kind {
    what: "profile",
    shipped: &[
        (
            "instant",
            include_str!("../../../fixtures/profiles/instant.toml"),
        ),
        (
            "paced-250us",
            include_str!("../../../fixtures/profiles/paced-250us.toml"),
        ),
        (
            "paced-1ms",
            include_str!("../../../fixtures/profiles/paced-1ms.toml"),
        ),
        (
            "paced-10ms",
            include_str!("../../../fixtures/profiles/paced-10ms.toml"),
        ),
        (
            "paced-50ms",
            include_str!("../../../fixtures/profiles/paced-50ms.toml"),
        ),
        (
            "paced-1s",
            include_str!("../../../fixtures/profiles/paced-1s.toml"),
        ),
        (
            "cpu-gemma3-270m",
            include_str!("../../../fixtures/profiles/cpu-gemma3-270m.toml"),
        ),
        (
            "rtx4080-gemma3-4b",
            include_str!("../../../fixtures/profiles/rtx4080-gemma3-4b.toml"),
        ),
        (
            "rtx4080-qwen2.5-7b",
            include_str!("../../../fixtures/profiles/rtx4080-qwen2.5-7b.toml"),
        ),
    ],
};

impl Profile {
    /// The profile of a shipped name, or of a file.
    ///
    /// # Errors
    /// When there is none, or it is malformed: then with the line.
    pub fn find(name: &str) -> Result<Self, FileError> {
        Self::parse(name, &FILES.find(name)?)
    }

    /// The same, `speed` times as fast: every time in it is that many times shorter, the keep-alive
    /// and the polls among them. What a request brings with it (its own keep-alive) stays as it is.
    pub fn faster(&self, speed: f64) -> Self {
        let factor = Factor::at_speed(speed);
        let mut description = self.description.clone();
        if factor != Factor::ONE {
            description += &format!(", {speed} times as fast");
        }
        Self {
            description,
            load: factor.of(self.load),
            tokenize: self.tokenize.as_ref().map(|it| it.scaled(factor)),
            prefill: self.prefill.scaled(factor),
            gap: factor.of(self.gap),
            context: self.context.as_ref().map(|it| it.scaled(factor)),
            keep_alive: factor.of(self.keep_alive),
            reload: self.reload.as_ref().map(|reload| reload.scaled(factor)),
            ..self.clone()
        }
    }

    /// The profile that is written in `text`; `name` is for the error.
    ///
    /// # Errors
    /// When it is malformed: then with the line.
    pub fn parse(name: &str, text: &str) -> Result<Self, FileError> {
        let invalid = |line, reason| FILES.invalid(name, line, reason);
        let profile: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().and_then(|span| Line::of(span, text));
            invalid(line, error.message().trim().replace('\n', "; "))
        })?;
        let wrong = |key, reason: &str| Err(invalid(Line::setting(key, text), reason.to_owned()));
        if profile.tokens == 0 {
            return wrong("tokens", "`tokens` must be at least 1");
        }
        if profile.model.is_empty() {
            return wrong("model", "`model` must not be empty");
        }
        let reload = profile.reload.as_ref();
        if reload.is_some_and(|reload| reload.vram_max < reload.vram_min) {
            return wrong("vram_max", "`vram_max` must not be less than `vram_min`");
        }
        Ok(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_profile_is_sound() {
        for (name, _) in FILES.shipped {
            Profile::find(name).expect(name);
        }
    }

    #[test]
    fn durations_are_as_written() {
        let profile = Profile::find("paced-1ms").expect("a shipped profile");
        assert_eq!(profile.gap, Duration::from_millis(1));
        let profile = Profile::find("instant").expect("a shipped profile");
        assert_eq!(
            profile.gap + profile.load + profile.prefill.fixed,
            Duration::ZERO
        );
    }

    #[test]
    fn a_faster_one_takes_less_of_every_time_and_is_the_same_else() {
        let profile = Profile::find("rtx4080-gemma3-4b").expect("a shipped profile");
        assert_eq!(profile.faster(1.0), profile);
        let faster = profile.faster(50.0);
        let times = |profile: &Profile| {
            let reload = profile.reload.clone().expect("it takes time to load");
            [
                profile.load,
                profile.prefill.fixed,
                profile.prefill.per_token,
                profile.gap,
                profile.keep_alive,
                reload.vram_min,
                reload.vram_max,
                reload.vram_timeout,
                reload.start,
                reload.weights,
                reload.poll,
            ]
        };
        for (fast, slow) in times(&faster).into_iter().zip(times(&profile)) {
            let exact = slow.as_nanos() as f64 / 50.0;
            assert!((fast.as_nanos() as f64 - exact).abs() <= 1.0, "{slow:?}");
        }
        let as_fast = Profile {
            description: profile.description.clone(),
            load: profile.load,
            tokenize: profile.tokenize.clone(),
            prefill: profile.prefill.clone(),
            gap: profile.gap,
            context: profile.context.clone(),
            keep_alive: profile.keep_alive,
            reload: profile.reload.clone(),
            ..faster.clone()
        };
        assert_eq!(as_fast, profile);
        assert!(faster.description.ends_with(", 50 times as fast"));
    }

    #[test]
    fn an_error_names_the_line_and_the_field() {
        let sound = FILES.shipped[2].1;
        for (was, is, expected) in [
            (
                "gap = \"1ms\"",
                "gap = \"1 parsec\"",
                "line 8 (`gap = \"1 parsec\"`)",
            ),
            ("gap = \"1ms\"", "gap = 1", "line 8 (`gap = 1`)"),
            ("gap = ", "gab = ", "unknown field `gab`"),
            ("gap = \"1ms\"", "", "missing field `gap`"),
            ("gap = \"1ms\"", "gap = ", "line 8"),
            (
                "tokens = 256",
                "tokens = 0",
                "line 7 (`tokens = 0`): `tokens`",
            ),
            ("seed = 1", "seed = 1\nparallel = 0", "(`parallel = 0`)"),
            (
                "seed = 1",
                "seed = 1\nshared_gpu = 0.5",
                "(`shared_gpu = 0.5`): `shared_gpu` must be from 1 to 100, not 0.5",
            ),
            (
                "[prefill]",
                "[batch]\ngrowth = [0.3, -1.0]\n[prefill]",
                "(`growth = [0.3, -1.0]`): each figure of `growth` must be from 0 to 100",
            ),
            (
                "[prefill]",
                "[jitter]\nspread = nan\n[prefill]",
                "(`spread = nan`): `spread` must be from 0 to 0.4",
            ),
            (
                "[prefill]",
                "[prompt_cache]\nblock = 0\n[prefill]",
                "(`block = 0`)",
            ),
            (
                "[prefill]",
                "[reload]\nvram_min = \"2s\"\nvram_max = \"1s\"\nstart = \"0s\"\nweights = \"0s\"\n\n[prefill]",
                "(`vram_max = \"1s\"`): `vram_max` must not be less than `vram_min`",
            ),
        ] {
            let text = sound.replace(was, is);
            assert_ne!(text, sound, "{was} is not in the profile");
            let error = Profile::parse("mine", &text).expect_err(is).to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known() {
        let error = Profile::find("warp")
            .expect_err("no such profile")
            .to_string();
        assert!(
            error.contains("warp") && error.contains("paced-10ms"),
            "{error}"
        );
    }
}
