//! A group of a plan: a scenario and what varies in it. It stands for every combination of its
//! levels, each a configuration with a name of its own.

use super::document::{Wrong, fit_for_a_folder, read_stack};
use super::factor::{Factor, Level};
use crate::inject::Inject;
use crate::protocol::{Api, Options};
use crate::stack::Stack;
use crate::team::{Scenario, ScenarioError};
use serde::Deserialize;
use std::num::NonZeroUsize;
use std::ops::Range;
use toml::{Spanned, Value};

/// One setting of everything, run so and so often.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// Its name, fit for a folder's, such as `phase1-chimera_homo-gpu80-ctx512-t0.8`.
    pub name: String,
    /// The group that it is of, where that has a name.
    pub group: Option<String>,
    /// Who is in the team.
    pub scenario: Scenario,
    /// On what they run.
    pub stack: Stack,
    /// How many they are.
    pub agents: NonZeroUsize,
    /// Options of the collector, or of all agents where they are not two with roles; of a baseline
    /// agent none.
    pub first: Options,
    /// Options of the insight agent, where there is one.
    pub second: Option<Options>,
    /// Whether each agent also runs alone, for a true reference.
    pub isolated: bool,
    /// A mistake built in on purpose.
    pub inject: Option<Inject>,
    /// How often it is run.
    pub repetitions: u32,
}

/// What a group has where it says nothing.
pub(super) struct Defaults {
    pub api: Api,
    pub stack: Option<Stack>,
    pub repetitions: Option<Spanned<u32>>,
}

/// A group as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    name: Option<Spanned<String>>,
    scenario: Spanned<String>,
    repetitions: Option<Spanned<u32>>,
    stacks: Option<Spanned<Vec<Spanned<String>>>>,
    agents: Option<Spanned<Vec<Spanned<usize>>>>,
    isolated: Option<bool>,
    inject: Option<Spanned<String>>,
    num_gpu: Option<Spanned<Value>>,
    num_ctx: Option<Spanned<Value>>,
    temperature: Option<Spanned<Value>>,
    top_p: Option<Spanned<Value>>,
    top_k: Option<Spanned<Value>>,
    repeat_penalty: Option<Spanned<Value>>,
}

/// More nobody can tell apart, and no system runs.
const MOST_AGENTS: usize = 4096;
/// A night has 30,000 seconds.
const MOST_REPETITIONS: u32 = 10_000;

/// A stack as part of a name.
fn stack_in_a_name(stack: Stack) -> String {
    stack.to_string().replace('/', "+")
}

impl Group {
    /// Its configurations, the last factor varying fastest.
    pub fn expand(
        &self,
        place: &Range<usize>,
        defaults: &Defaults,
    ) -> Result<Vec<Configuration>, Wrong> {
        if let Some(name) = &self.name {
            fit_for_a_folder(name, "name")?;
        }
        let scenario = self.scenario()?;
        let repetitions = self.repetitions(defaults)?;
        let factors = self.factors(scenario)?;
        self.check_api(&factors, defaults.api)?;
        let agents = self.agents(scenario)?;
        let stacks = self.stacks(&agents, place, defaults)?;
        let inject = match &self.inject {
            None => None,
            Some(text) => {
                let inject = text.get_ref().parse::<Inject>();
                Some(inject.map_err(|error| Wrong::at(text, format!("`inject`: {error}")))?)
            }
        };
        let mut configurations = Vec::new();
        for &stack in &stacks {
            for &count in &agents {
                for levels in combinations(&factors) {
                    let mut parts: Vec<String> = Vec::new();
                    parts.extend(self.name.as_ref().map(|name| name.get_ref().clone()));
                    parts.push(scenario.name().to_owned());
                    if self.stacks.is_some() {
                        parts.push(stack_in_a_name(stack));
                    }
                    if self.agents.is_some() {
                        parts.push(format!("agents{count}"));
                    }
                    let (mut first, mut second) = (Options::default(), Options::default());
                    for (factor, level) in &levels {
                        parts.push(factor.apply(level, &mut first, &mut second));
                    }
                    if levels.is_empty() && scenario == Scenario::Single {
                        parts.push("default".to_owned());
                    }
                    if scenario == Scenario::BaselineVsChimera {
                        first = Options::default();
                    }
                    if let Some(inject) = inject {
                        parts.push(inject.to_string().replace(['=', '/'], "_"));
                    }
                    configurations.push(Configuration {
                        name: parts.join("-"),
                        group: self.name.as_ref().map(|name| name.get_ref().clone()),
                        scenario,
                        stack,
                        agents: count,
                        first,
                        second: is_of_two(scenario).then_some(second),
                        // One agent is alone in any case.
                        isolated: self.isolated.unwrap_or(scenario != Scenario::Single),
                        inject,
                        repetitions,
                    });
                }
            }
        }
        Ok(configurations)
    }

    fn scenario(&self) -> Result<Scenario, Wrong> {
        let name = &self.scenario;
        let scenario = name.get_ref().parse();
        scenario.map_err(|error: ScenarioError| Wrong::at(name, format!("`scenario`: {error}")))
    }

    fn repetitions(&self, defaults: &Defaults) -> Result<u32, Wrong> {
        let said = self.repetitions.as_ref().or(defaults.repetitions.as_ref());
        let Some(count) = said else {
            return Err(Wrong::at(
                &self.scenario,
                "missing field `repetitions`, here or at the top of the plan",
            ));
        };
        match *count.get_ref() {
            known @ 1..=MOST_REPETITIONS => Ok(known),
            _ => Err(Wrong::at(
                count,
                format!("`repetitions` must be from 1 to {MOST_REPETITIONS}"),
            )),
        }
    }

    fn value_of(&self, factor: Factor) -> Option<&Spanned<Value>> {
        match factor {
            Factor::NumGpu => self.num_gpu.as_ref(),
            Factor::NumCtx => self.num_ctx.as_ref(),
            Factor::Temperature => self.temperature.as_ref(),
            Factor::TopP => self.top_p.as_ref(),
            Factor::TopK => self.top_k.as_ref(),
            Factor::RepeatPenalty => self.repeat_penalty.as_ref(),
        }
    }

    /// What varies, and whether that can be so in this scenario.
    fn factors(&self, scenario: Scenario) -> Result<Vec<(Factor, Vec<Level>)>, Wrong> {
        let mut factors = Vec::new();
        let mut pairs = 0;
        for factor in Factor::ALL {
            let Some(value) = self.value_of(factor) else {
                continue;
            };
            let levels = factor.levels(value.get_ref());
            let levels = levels.map_err(|reason| Wrong::at(value, reason))?;
            let paired = levels.iter().any(|level| matches!(level, Level::Pair(..)));
            if paired && scenario != Scenario::ChimeraHetero {
                return Err(Wrong::at(
                    value,
                    format!(
                        "`{}` has a pair, one figure for each agent, which only {} takes",
                        factor.name(),
                        Scenario::ChimeraHetero.name()
                    ),
                ));
            }
            pairs += usize::from(paired);
            factors.push((factor, levels));
        }
        let missing = match scenario {
            Scenario::BaselineVsChimera | Scenario::ChimeraHomo if factors.is_empty() => {
                "an option that makes a chimera, such as `num_ctx`"
            }
            Scenario::ChimeraHetero if pairs == 0 => {
                "an option that differs between the agents, such as `num_ctx = [[512, 1024]]`"
            }
            _ => return Ok(factors),
        };
        Err(Wrong::at(
            &self.scenario,
            format!("{} needs {missing}", scenario.name()),
        ))
    }

    /// Whether the API can say it.
    fn check_api(&self, factors: &[(Factor, Vec<Level>)], api: Api) -> Result<(), Wrong> {
        for (factor, levels) in factors {
            let (mut first, mut second) = (Options::default(), Options::default());
            for level in levels {
                factor.apply(level, &mut first, &mut second);
            }
            if let (Some(name), Some(value)) =
                (api.inexpressible(&second).first(), self.value_of(*factor))
            {
                return Err(Wrong::at(
                    value,
                    format!("`{name}` can't be had with the api {api}, which has no field for it"),
                ));
            }
        }
        Ok(())
    }

    fn agents(&self, scenario: Scenario) -> Result<Vec<NonZeroUsize>, Wrong> {
        let Some(list) = &self.agents else {
            return match scenario {
                Scenario::Equal => Err(Wrong::at(
                    &self.scenario,
                    "missing field `agents`: how many equal ones, such as `agents = [1, 2, 4]`",
                )),
                Scenario::Single => Ok(vec![NonZeroUsize::MIN]),
                _ => Ok(vec![TWO]),
            };
        };
        if scenario != Scenario::Equal {
            let reason = format!("`agents` is of scenario {}", Scenario::Equal.name());
            return Err(Wrong::at(list, reason));
        }
        if list.get_ref().is_empty() {
            return Err(Wrong::at(list, "`agents` must not be an empty list"));
        }
        let mut counts = Vec::new();
        for entry in list.get_ref() {
            let count = NonZeroUsize::new(*entry.get_ref());
            let count = count.filter(|count| count.get() <= MOST_AGENTS);
            let count = count.ok_or_else(|| {
                Wrong::at(entry, format!("`agents` must be from 1 to {MOST_AGENTS}"))
            })?;
            if counts.contains(&count) {
                return Err(Wrong::at(entry, format!("`agents` has {count} twice")));
            }
            counts.push(count);
        }
        Ok(counts)
    }

    fn stacks(
        &self,
        agents: &[NonZeroUsize],
        place: &Range<usize>,
        defaults: &Defaults,
    ) -> Result<Vec<Stack>, Wrong> {
        let wrong = |span, reason| Wrong { span, reason };
        let mut stacks = Vec::new();
        match (&self.stacks, defaults.stack) {
            (None, None) => {
                return Err(wrong(
                    place.clone(),
                    "missing field `stacks`, or `stack` at the top of the plan".to_owned(),
                ));
            }
            (None, Some(stack)) => stacks.push((stack, self.scenario.span())),
            (Some(list), _) if list.get_ref().is_empty() => {
                return Err(Wrong::at(list, "`stacks` must not be an empty list"));
            }
            (Some(list), _) => {
                for name in list.get_ref() {
                    let stack = read_stack(name)?;
                    if stacks.iter().any(|(known, _)| *known == stack) {
                        return Err(Wrong::at(name, format!("`stacks` has {stack} twice")));
                    }
                    stacks.push((stack, name.span()));
                }
            }
        }
        let several = agents.iter().any(|count| *count > NonZeroUsize::MIN);
        for (stack, span) in &stacks {
            match (stack.topology, several) {
                (None, true) => {
                    return Err(wrong(
                        span.clone(),
                        format!(
                            "`{stack}` does not say how several agents share it: add /join or /spawn"
                        ),
                    ));
                }
                (Some(_), false) if self.agents.is_none() => {
                    return Err(wrong(
                        span.clone(),
                        format!(
                            "`{stack}` is for several agents, and here is one: leave out /join or /spawn"
                        ),
                    ));
                }
                _ => {}
            }
        }
        Ok(stacks.into_iter().map(|(stack, _)| stack).collect())
    }
}

const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

fn is_of_two(scenario: Scenario) -> bool {
    match scenario {
        Scenario::Single | Scenario::Equal => false,
        Scenario::BaselineVsChimera | Scenario::ChimeraHetero | Scenario::ChimeraHomo => true,
    }
}

/// Every combination of levels, the last factor varying fastest; of no factor, one without any.
fn combinations(factors: &[(Factor, Vec<Level>)]) -> Vec<Vec<(Factor, Level)>> {
    let mut all = vec![Vec::new()];
    for (factor, levels) in factors {
        let longer = all.iter().flat_map(|before| {
            levels.iter().map(move |level| {
                let mut longer: Vec<(Factor, Level)> = before.clone();
                longer.push((*factor, level.clone()));
                longer
            })
        });
        all = longer.collect();
    }
    all
}
