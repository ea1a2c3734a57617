//! Scenarios: which agents are in a team, and with whose options.

use crate::protocol::Options;
use crate::run::Member;
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
    /// second; equal agents ask them in turn. `agents` is how many equal ones there are; they, and a
    /// single one, have the first of `chimeras`.
    pub fn members(
        self,
        agents: NonZeroUsize,
        chimeras: &Chimeras,
        servers: [&str; 2],
    ) -> Vec<Member> {
        let member = |role, options: &Options, server: &str| Member {
            role,
            base_url: server.to_owned(),
            options: options.clone(),
            count: NonZeroUsize::MIN,
        };
        let Chimeras { first, second } = chimeras;
        let pair = |options, others| {
            vec![
                member(Role::DataCollector, options, servers[0]),
                member(Role::Insight, others, servers[1]),
            ]
        };
        match self {
            Self::Single => vec![member(Role::Neutral, first, servers[0])],
            Self::BaselineVsChimera => pair(&Options::default(), first),
            Self::ChimeraHetero => pair(first, second),
            Self::ChimeraHomo => pair(first, first),
            Self::Equal => {
                let several = servers[0] != servers[1];
                let turns = [
                    agents.get().div_ceil(1 + usize::from(several)),
                    if several { agents.get() / 2 } else { 0 },
                ];
                let some = servers.into_iter().zip(turns);
                let some = some.filter_map(|(server, of)| Some((server, NonZeroUsize::new(of)?)));
                some.map(|(server, count)| Member {
                    count,
                    ..member(Role::Neutral, first, server)
                })
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
    use crate::run::Team;

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

    fn team(scenario: Scenario, agents: usize) -> Vec<(Role, Option<i32>, String)> {
        let agents = NonZeroUsize::new(agents).expect("an agent");
        let team = Team {
            members: scenario.members(agents, &chimeras(), ["a", "b"]),
            ..Team::default()
        };
        let each = team.each();
        each.map(|it| (it.role, it.options.num_gpu, it.base_url.clone()))
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
            assert_eq!(team(scenario, 9), expected, "{scenario}");
        }
    }

    #[test]
    fn equal_agents_ask_the_servers_in_turn() {
        let servers: Vec<String> = team(Scenario::Equal, 3)
            .into_iter()
            .inspect(|(role, options, _)| assert_eq!((*role, *options), (Role::Neutral, Some(60))))
            .map(|(.., server)| server)
            .collect();
        assert_eq!(servers, ["a", "b", "a"]);
        let alone = [(Role::Neutral, Some(60), "a".to_owned())];
        assert_eq!(team(Scenario::Single, 9), alone);
        let one = Scenario::Equal.members(NonZeroUsize::MIN, &chimeras(), ["a", "a"]);
        assert_eq!((one.len(), one[0].count.get()), (1, 1));
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
