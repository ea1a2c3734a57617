//! Scenarios: which agents are in a team, and with whose options.

use super::spec::MemberSpec;
use crate::protocol::Options;
use crate::published::agent::Side;
use crate::workflow::Role;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

/// Who is in a team. All but the first and the last are the older reports'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// One agent.
    Single,
    /// The collector with the server's defaults, the other with overrides.
    BaselineVsChimera,
    /// Each with overrides of its own.
    ChimeraHetero,
    /// Both with the same overrides.
    ChimeraHomo,
    /// So many agents that differ in nothing.
    Equal,
}

/// No scenario of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no scenario `{0}`: there are single, baseline_vs_chimera, chimera_hetero, chimera_homo and equal"
)]
pub struct ScenarioError(String);

/// The overrides that chimera agents have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chimeras {
    /// Of the first chimera agent, or of all.
    pub first: Options,
    /// Of the second in [`Scenario::ChimeraHetero`].
    pub second: Options,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Single,
        Self::BaselineVsChimera,
        Self::ChimeraHetero,
        Self::ChimeraHomo,
        Self::Equal,
    ];

    /// Those of the older reports: two agents, each with a role.
    pub const PAIRS: [Self; 3] = [
        Self::BaselineVsChimera,
        Self::ChimeraHetero,
        Self::ChimeraHomo,
    ];

    /// Its name in plans and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::BaselineVsChimera => "baseline_vs_chimera",
            Self::ChimeraHetero => "chimera_hetero",
            Self::ChimeraHomo => "chimera_homo",
            Self::Equal => "equal",
        }
    }

    /// The team. Where there are two servers, the collector asks the first and the other agent the
    /// second; equal agents ask them in turn. `agents` is how many equal ones there are, and `side`
    /// whose options they and a single one have: overrides are the first of `chimeras`.
    pub fn members(
        self,
        agents: NonZeroUsize,
        side: Side,
        chimeras: &Chimeras,
        servers: [&str; 2],
    ) -> Vec<MemberSpec> {
        let options = |side, chimera: &Options| match side {
            Side::Baseline => Options::default(),
            Side::Chimera => chimera.clone(),
        };
        let member = |role, side, chimera: &Options, server: &str| MemberSpec {
            role,
            side,
            base_url: server.to_owned(),
            options: options(side, chimera),
        };
        let Chimeras { first, second } = chimeras;
        let pair = |(side, options), (other, others)| {
            vec![
                member(Role::DataCollector, side, options, servers[0]),
                member(Role::Insight, other, others, servers[1]),
            ]
        };
        match self {
            Self::Single => vec![member(Role::Neutral, side, first, servers[0])],
            Self::BaselineVsChimera => pair((Side::Baseline, first), (Side::Chimera, first)),
            Self::ChimeraHetero => pair((Side::Chimera, first), (Side::Chimera, second)),
            Self::ChimeraHomo => pair((Side::Chimera, first), (Side::Chimera, first)),
            Self::Equal => {
                let each = servers.iter().cycle().take(agents.get());
                each.map(|server| member(Role::Neutral, side, first, server))
                    .collect()
            }
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(name: &str) -> Result<Self, ScenarioError> {
        let known = Self::ALL.into_iter().find(|it| it.name() == name);
        known.ok_or_else(|| ScenarioError(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chimeras() -> Chimeras {
        let with = |num_gpu| Options {
            num_gpu: Some(num_gpu),
            ..Options::default()
        };
        Chimeras {
            first: with(60),
            second: with(80),
        }
    }

    fn team(scenario: Scenario, agents: usize, side: Side) -> Vec<(Role, Option<i32>, String)> {
        let agents = NonZeroUsize::new(agents).expect("an agent");
        let members = scenario.members(agents, side, &chimeras(), ["a", "b"]);
        members
            .into_iter()
            .map(|it| (it.role, it.options.num_gpu, it.base_url))
            .collect()
    }

    #[test]
    fn a_pair_is_a_collector_and_an_insight_agent_with_the_scenarios_options() {
        for (scenario, collector, insight) in [
            (Scenario::BaselineVsChimera, None, Some(60)),
            (Scenario::ChimeraHetero, Some(60), Some(80)),
            (Scenario::ChimeraHomo, Some(60), Some(60)),
        ] {
            let expected = [
                (Role::DataCollector, collector, "a".to_owned()),
                (Role::Insight, insight, "b".to_owned()),
            ];
            assert_eq!(team(scenario, 9, Side::Baseline), expected, "{scenario}");
        }
    }

    #[test]
    fn equal_agents_ask_the_servers_in_turn() {
        let servers: Vec<String> = team(Scenario::Equal, 3, Side::Chimera)
            .into_iter()
            .inspect(|(role, options, _)| assert_eq!((*role, *options), (Role::Neutral, Some(60))))
            .map(|(.., server)| server)
            .collect();
        assert_eq!(servers, ["a", "b", "a"]);
        let alone = [(Role::Neutral, None, "a".to_owned())];
        assert_eq!(team(Scenario::Single, 9, Side::Baseline), alone);
    }

    #[test]
    fn every_scenario_is_found_by_its_name() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.to_string().parse(), Ok(scenario));
        }
        let error = "chimera".parse::<Scenario>().expect_err("none");
        assert!(error.to_string().contains("chimera_homo"), "{error}");
    }
}
