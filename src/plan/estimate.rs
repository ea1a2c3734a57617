//! How long a plan will take, before it begins: roughly, by a server's latency model.
//!
//! Not by simulation: each term is its mean, prompts are taken to have [`PROMPT`] tokens, and what the
//! agents' own process takes is left out.

use super::{Configuration, Plan};
use crate::experiment::Due;
use crate::team::Scenario;
use std::num::NonZeroUsize;
use std::time::Duration;
use tare_mock::Profile;

/// Tokens of a prompt, about: what the analysis of the corpus that comes with tare has.
const PROMPT: u32 = 1_000;
/// An agent asks for an analysis and for a report.
const CALLS: u32 = 2;

/// Who will answer.
#[derive(Clone, Copy, Debug)]
pub struct Answering<'a> {
    /// How fast.
    pub profile: &'a Profile,
    /// How many times as fast as that.
    pub speed: f64,
    /// GPUs that all servers have.
    pub gpus: NonZeroUsize,
}

/// Time that these runs of a plan's experiment will take, each in its turn.
pub fn estimate(plan: &Plan, runs: &[Due], by: Answering<'_>) -> Duration {
    // The arms of a configuration follow each other: it and its agents alone.
    let mut configuration = None;
    let mut teams = 0_u32;
    let mut all = Duration::ZERO;
    let arms = arms(plan);
    for due in runs {
        let Some(&(index, first)) = arms.get(due.at.arm) else {
            continue;
        };
        let times = Times::of(plan, &plan.configurations[index], by.profile, by.gpus);
        all += match first {
            true => times.together,
            false => times.alone,
        };
        if configuration != Some((index, due.block)) {
            configuration = Some((index, due.block));
            all += times.together * plan.warm_up;
            teams += 1;
        }
    }
    let pauses = teams.saturating_sub(1);
    let all = all + plan.cool_down.saturating_mul(pauses);
    all.div_f64(by.speed.max(f64::MIN_POSITIVE))
}

/// Of each arm its configuration's index, and whether it is the team's.
fn arms(plan: &Plan) -> Vec<(usize, bool)> {
    let each = plan.configurations.iter().enumerate();
    let arms = each.flat_map(|(index, one)| {
        let alone = if one.isolated { kinds(plan, one) } else { 0 };
        (0..=alone).map(move |arm| (index, arm == 0))
    });
    arms.collect()
}

/// Kinds of agents of a configuration: each runs alone once.
fn kinds(plan: &Plan, one: &Configuration) -> usize {
    match (one.scenario, &one.second) {
        (Scenario::Single, _) => 1,
        (Scenario::Equal, _) => plan.servers.get().min(one.agents.get()),
        (_, _) => 2,
    }
}

/// Of one run.
struct Times {
    together: Duration,
    /// Of one agent by itself.
    alone: Duration,
}

impl Times {
    fn of(plan: &Plan, one: &Configuration, profile: &Profile, gpus: NonZeroUsize) -> Self {
        let tokens = plan.tokens.unwrap_or(profile.tokens);
        let prefill = profile.prefill.fixed + profile.prefill.per_token * PROMPT;
        let agent = (profile.load + prefill + profile.gap * tokens) * CALLS;
        let agents = one.agents.get();
        let servers = plan.servers.get().min(agents);
        let per_server = agents.div_ceil(servers);
        let slots = profile
            .parallel
            .map_or(per_server, |slots| slots.get() as usize);
        let turns = u32::try_from(per_server.div_ceil(slots)).unwrap_or(u32::MAX);
        let growth = profile.batch.as_ref().map_or(1.0, |batch| {
            let further = (1..per_server.min(slots)).map(|stream| {
                let known = batch.growth.get(stream - 1).or(batch.growth.last());
                known.copied().unwrap_or(0.0)
            });
            1.0 + further.sum::<f64>()
        });
        let shared = match gpus.get() < servers {
            true => 1.0 + (profile.shared_gpu - 1.0) * (servers - 1) as f64,
            false => 1.0,
        };
        let turnwise = differs(one, profile) && servers == 1;
        // At every call where two sets of options take turns, and where the configuration changes.
        let loads = |count: u32| reload(profile) * if turnwise { count } else { 1 };
        Self {
            together: (agent * turns).mul_f64(growth * shared) + loads(2 * CALLS),
            alone: agent + if turnwise { loads(1) } else { Duration::ZERO },
        }
    }
}

/// Whether its agents' options can't be served by one runner.
fn differs(one: &Configuration, profile: &Profile) -> bool {
    let runner = |options: &crate::protocol::Options| {
        let context = options
            .num_ctx
            .map(|tokens| tokens.max(profile.min_num_ctx));
        (options.num_gpu, context)
    };
    let second = one.second.as_ref().map(runner);
    second.is_some_and(|second| second != runner(&one.first))
}

/// What a reload takes in the mean.
fn reload(profile: &Profile) -> Duration {
    profile.reload.as_ref().map_or(Duration::ZERO, |reload| {
        (reload.vram_min + reload.vram_max) / 2 + reload.start + reload.weights
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, servers: usize, profile: &Profile, speed: f64) -> Duration {
        let mut plan = Plan::find(name).expect("a shipped plan");
        plan.servers = NonZeroUsize::new(servers).expect("a server");
        let by = Answering {
            profile,
            speed,
            gpus: NonZeroUsize::MIN,
        };
        estimate(&plan, &plan.with_mock(profile).order(None), by)
    }

    #[test]
    fn without_delays_there_are_only_the_pauses() {
        let instant = Profile::find("instant").expect("a shipped profile");
        assert_eq!(of("tr114", 2, &instant, 1.0), Duration::from_secs(149 * 5));
        assert_eq!(
            of("tr114", 2, &instant, 50.0),
            Duration::from_secs_f64(14.9)
        );
    }

    #[test]
    fn a_server_that_is_paced_takes_its_gaps() {
        // 57 runs of one agent, each with a warm-up, of 2 answers with 256 tokens 1 ms apart.
        let paced = Profile::find("paced-1ms").expect("a shipped profile");
        let calls = 57 * 2 * 2;
        let each = paced.load + paced.prefill.fixed + paced.prefill.per_token * PROMPT;
        let expected = (each + Duration::from_millis(256)) * calls;
        let pauses = Duration::from_secs(56 * 5);
        assert_eq!(of("tr111", 1, &paced, 1.0), expected + pauses);
    }

    #[test]
    fn agents_that_take_turns_take_as_long_as_both_and_reload() {
        let mut profile = Profile::find("rtx4080-gemma3-4b").expect("a shipped profile");
        let two = of("tr114", 2, &profile, 1.0);
        profile.shared_gpu = 1.0;
        let two_gpus = of("tr114", 2, &profile, 1.0);
        let one = of("tr114", 1, &profile, 1.0);
        assert!(
            two_gpus < two && two_gpus < one,
            "{two_gpus:?} {two:?} {one:?}"
        );
        profile.reload = None;
        assert!(of("tr114", 1, &profile, 1.0) < one);
    }
}
