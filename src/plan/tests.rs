//! What the shipped plans stand for, and what is said of a plan that is none.

use super::*;
use crate::client::Limits;
use crate::experiment::{Experiment, MockServer, Role, Server};
use crate::run::Work;
use std::collections::HashSet;
use tare_mock::Profile;

const SMALL: &str = r#"name = "small"
description = "for tests"
model = "gemma3:latest"
stack = "tokio-mt/reqwest/spawn"
repetitions = 2

[[group]]
scenario = "chimera_homo"
num_gpu = [60, 80]
"#;

fn names(plan: &Plan) -> Vec<&str> {
    let configurations = plan.configurations.iter();
    configurations.map(|one| one.name.as_str()).collect()
}

#[test]
fn tr114_is_the_thirty_rows_of_the_report() {
    #[derive(Debug, serde::Deserialize)]
    struct Row {
        phase: u32,
        scenario: String,
        a_num_gpu: Option<i32>,
        a_num_ctx: Option<u32>,
        b_num_gpu: Option<i32>,
        b_num_ctx: Option<u32>,
        temperature: f64,
        runs: u32,
    }
    let table = include_str!("../../fixtures/reference/tr114_configs.csv");
    let rows: Result<Vec<Row>, csv::Error> = csv::Reader::from_reader(table.as_bytes())
        .deserialize()
        .collect();
    let rows = rows.expect("the reference table");
    let plan = Plan::find("tr114").expect("a shipped plan");
    assert_eq!((rows.len(), plan.configurations.len()), (30, 30));
    assert_eq!((plan.runs(), plan.servers.get()), (150, 2));
    for (row, one) in rows.iter().zip(&plan.configurations) {
        let (a, b) = (&one.first, one.second.as_ref().expect("two agents"));
        assert_eq!(one.group, Some(format!("phase{}", row.phase)), "{row:?}");
        assert_eq!(one.scenario.name(), row.scenario, "{row:?}");
        assert_eq!(
            (a.num_gpu, a.num_ctx),
            (row.a_num_gpu, row.a_num_ctx),
            "{row:?}"
        );
        assert_eq!(
            (b.num_gpu, b.num_ctx),
            (row.b_num_gpu, row.b_num_ctx),
            "{row:?}"
        );
        assert_eq!(b.temperature, Some(row.temperature), "{row:?}");
        let heat_of_a = row.a_num_gpu.map(|_| row.temperature);
        assert_eq!(a.temperature, heat_of_a, "{row:?}");
        assert_eq!(one.repetitions, row.runs, "{row:?}");
        assert_eq!(one.agents.get(), 2);
    }
    assert!(names(&plan).contains(&"phase1-chimera_homo-gpu80-ctx512-t0.8"));
    assert!(names(&plan).contains(&"phase1-chimera_hetero-gpu120_140-ctx1024_2048-t0.8"));
}

#[test]
fn tr111_is_eighteen_configurations_and_the_default() {
    let plan = Plan::find("tr111").expect("a shipped plan");
    assert_eq!((plan.configurations.len(), plan.runs()), (19, 57));
    assert_eq!(plan.configurations[0].name, "single-default");
    assert_eq!(plan.configurations[0].first, Default::default());
    let swept: HashSet<String> = plan.configurations[1..]
        .iter()
        .map(|one| {
            format!(
                "{:?}",
                (one.first.num_gpu, one.first.num_ctx, one.first.temperature)
            )
        })
        .collect();
    assert_eq!(swept.len(), 18);
    let mut configurations = plan.configurations.iter();
    assert!(configurations.all(|one| one.second.is_none() && one.agents.get() == 1));
}

#[test]
fn tr115_is_six_configurations_on_five_cells() {
    let plan = Plan::find("tr115").expect("a shipped plan");
    assert_eq!((plan.configurations.len(), plan.runs()), (30, 150));
    let stacks: HashSet<String> = plan
        .configurations
        .iter()
        .map(|it| it.stack.to_string())
        .collect();
    assert_eq!(stacks.len(), 5);
    for stack in stacks {
        let own = plan
            .configurations
            .iter()
            .filter(|it| it.stack.to_string() == stack);
        assert_eq!(own.count(), 6, "{stack}");
    }
}

#[test]
fn scaling_has_every_cell_of_the_matrix_in_each_size() {
    let plan = Plan::find("scaling").expect("a shipped plan");
    let matrix: HashSet<String> = crate::stack::Stack::matrix()
        .into_iter()
        .flat_map(crate::stack::Stack::topologies)
        .map(|stack| stack.to_string())
        .collect();
    for agents in (0..=10).map(|power| 1 << power) {
        let of_size = plan
            .configurations
            .iter()
            .filter(|it| it.agents.get() == agents);
        let stacks: HashSet<String> = of_size.map(|it| it.stack.to_string()).collect();
        assert_eq!(stacks, matrix, "{agents}");
    }
    assert_eq!(plan.configurations.len(), 11 * matrix.len());
}

#[test]
fn every_name_is_a_folders_and_no_two_are_alike() {
    for plan in ["tr111", "tr114", "tr115", "scaling"] {
        let plan = Plan::find(plan).expect("a shipped plan");
        let names = names(&plan);
        let each: HashSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(
            each.len(),
            names.len(),
            "some differ in case only, which not every disk tells"
        );
        for name in names {
            let fits = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
            assert!(name.chars().all(fits) && name.len() < 200, "{name}");
        }
    }
}

impl Plan {
    /// Its experiment on mocks.
    pub(super) fn with_mock(&self, profile: &Profile) -> Experiment {
        let mock = MockServer {
            servers: self.servers,
            ..MockServer::new("mock", profile.clone())
        };
        self.experiment(Planned {
            servers: vec![Server::Mock(mock)],
            limits: Limits::default(),
            order_seed: 1,
            metrics: Vec::new(),
        })
    }
}

fn experiment(text: &str) -> Experiment {
    let profile = Profile::find("instant").expect("a shipped profile");
    let plan = Plan::parse("small", text).expect("a plan");
    plan.with_mock(&profile)
}

#[test]
fn its_digest_tells_what_changes_runs_and_nothing_else() {
    let own = experiment(SMALL);
    let commented = SMALL
        .replace("for tests", "for other tests")
        .replace("[[", "\n# so\n[[");
    assert_eq!(experiment(&commented).digest(), own.digest());
    let other = SMALL.replace("repetitions = 2", "repetitions = 2\nwarm_up = 7");
    let other = experiment(&other);
    assert_ne!(other.digest(), own.digest());
    assert_eq!(other.differences(&own), ["warm_up_runs: 7 here, 1 there"]);
}

#[test]
fn a_configuration_is_an_arm_with_an_arm_per_kind_of_agent_alone() {
    let own = experiment(SMALL);
    let names: Vec<&str> = own.arms().map(|(_, arm)| arm.name.as_str()).collect();
    let expected = [
        "chimera_homo-gpu60",
        "chimera_homo-gpu60 / alone 1",
        "chimera_homo-gpu60 / alone 2",
        "chimera_homo-gpu80",
        "chimera_homo-gpu80 / alone 1",
        "chimera_homo-gpu80 / alone 2",
    ];
    assert_eq!((&names[..], own.blocks), (&expected[..], 2));
    let (_, alone) = own.arms().nth(2).expect("an arm");
    let of = expected[0].to_owned();
    assert_eq!(alone.role, Role::Isolated { of, agent: 1 });
}

#[test]
fn a_thousand_equal_agents_are_one_entry() {
    let plan = Plan::find("scaling").expect("a shipped plan");
    let profile = Profile::find("instant").expect("a shipped profile");
    for (_, arm) in plan.with_mock(&profile).arms() {
        let Work::Team(team) = &arm.spec.work else {
            panic!("{} is no team", arm.name);
        };
        assert_eq!(team.members.len(), 1, "{}", arm.name);
    }
}

#[test]
fn an_error_names_the_line_and_the_field() {
    for (was, is, expected) in [
        (
            "repetitions = 2",
            "repetitions = 0",
            "line 5 (`repetitions = 0`): `repetitions` must be from 1",
        ),
        (
            "repetitions = 2",
            "repetitions = \"two\"",
            "line 5 (`repetitions = \"two\"`)",
        ),
        (
            "repetitions = 2",
            "",
            "line 8 (`scenario = \"chimera_homo\"`): missing field `repetitions`",
        ),
        (
            "repetitions = 2",
            "repetition = 2",
            "line 5 (`repetition = 2`): unknown field `repetition`",
        ),
        (
            "repetitions = 2",
            "repetitions = 2\nservers = 3",
            "line 6 (`servers = 3`): `servers` must be 1",
        ),
        (
            "repetitions = 2",
            "repetitions = 2\ntokens = 0",
            "line 6 (`tokens = 0`): `tokens` must be",
        ),
        (
            "repetitions = 2",
            "repetitions = 2\nthreads = 0",
            "line 6 (`threads = 0`): `threads` must be",
        ),
        (
            "repetitions = 2",
            "repetitions = 2\ncool_down = 5",
            "line 6 (`cool_down = 5`)",
        ),
        (
            "repetitions = 2",
            "repetitions = 2\napi = \"grpc\"",
            "line 6 (`api = \"grpc\"`): `api`",
        ),
        (
            "repetitions = 2",
            "repetitions = 2\napi = \"openai\"",
            "line 10 (`num_gpu = [60, 80]`): `num_gpu` can't be had with the api openai",
        ),
        (
            "\"small\"",
            "\"a/b\"",
            "line 1 (`name = \"a/b\"`): `name` names folders",
        ),
        (
            "gemma3:latest",
            "",
            "line 3 (`model = \"\"`): `model` must not be empty",
        ),
        ("model = \"gemma3:latest\"\n", "", "missing field `model`"),
        (
            "tokio-mt/",
            "tokio/",
            "line 4 (`stack = \"tokio/reqwest/spawn\"`): no runtime `tokio`",
        ),
        (
            "/spawn\"",
            "\"",
            "line 8 (`scenario = \"chimera_homo\"`): `tokio-mt/reqwest` does not say how",
        ),
        (
            "stack = \"tokio-mt/reqwest/spawn\"\n",
            "",
            "missing field `stacks`",
        ),
        (
            "chimera_homo",
            "chimera",
            "line 8 (`scenario = \"chimera\"`): `scenario`: no scenario `chimera`: there are single, ",
        ),
        ("chimera_homo", "single", "leave out /join or /spawn"),
        ("chimera_homo", "equal", "missing field `agents`"),
        (
            "chimera_homo",
            "chimera_hetero",
            "line 8 (`scenario = \"chimera_hetero\"`): chimera_hetero needs an option that differs",
        ),
        (
            "num_gpu = [60, 80]",
            "",
            "chimera_homo needs an option that makes a chimera",
        ),
        (
            "[60, 80]",
            "[60, -2]",
            "line 9 (`num_gpu = [60, -2]`): `num_gpu` must be a whole number from -1 (automatic), not -2",
        ),
        (
            "[60, 80]",
            "60.5",
            "`num_gpu` must be a whole number from -1 (automatic), not 60.5",
        ),
        ("[60, 80]", "[60, 60]", "`num_gpu` has 60 twice"),
        ("[60, 80]", "[]", "`num_gpu` must not be an empty list"),
        (
            "[60, 80]",
            "[[60, 80]]",
            "line 9 (`num_gpu = [[60, 80]]`): `num_gpu` has a pair",
        ),
        (
            "[60, 80]",
            "[[60, 80, 90]]",
            "`num_gpu` has a list of 3 in its list",
        ),
        (
            "[60, 80]",
            "80\ntemperature = [0.8, -0.1]",
            "line 10 (`temperature = [0.8, -0.1]`): `temperature` must be a number from 0, not -0.1",
        ),
        (
            "[60, 80]",
            "80\ntop_p = nan",
            "`top_p` must be a number from 0 to 1, not NaN",
        ),
        (
            "[60, 80]",
            "80\nnum_ctx = 0",
            "`num_ctx` must be a whole number from 1, not 0",
        ),
        (
            "[60, 80]",
            "80\ntop_k = \"many\"",
            "`top_k` must be a whole number from 0, not \"many\"",
        ),
        (
            "[60, 80]",
            "80\nstacks = [\n  \"smol/hyper/spawn\",\n  \"smol/curl/spawn\",\n]",
            "line 12 (`\"smol/curl/spawn\",`): no client `curl`",
        ),
        (
            "[60, 80]",
            "80\nagents = [2]",
            "line 10 (`agents = [2]`): `agents` is of scenario equal",
        ),
        (
            "[60, 80]",
            "80\ninject = \"sleep\"",
            "line 10 (`inject = \"sleep\"`): `inject`: `sleep` is nothing to inject",
        ),
        (
            "[60, 80]",
            "80\nnum_layers = 3",
            "line 10 (`num_layers = 3`): unknown field `num_layers`",
        ),
        (
            "[60, 80]",
            "80\n[[group]]\nscenario = \"chimera_homo\"\nnum_gpu = 80",
            "line 10 (`[[group]]`): it has a configuration chimera_homo-gpu80 that another group has too",
        ),
        (
            "[[group]]\nscenario = \"chimera_homo\"\nnum_gpu = [60, 80]\n",
            "",
            "it has no [[group]]",
        ),
        ("[60, 80]", "[60, ", "line 9"),
    ] {
        let text = SMALL.replace(was, is);
        assert_ne!(text, SMALL, "{was} is not in the plan");
        let error = Plan::parse("mine", &text).expect_err(is).to_string();
        assert!(
            error.starts_with("plan mine") && error.contains(expected),
            "{is}: {error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn agents_of_an_equal_group_are_bounded() {
    let equal = SMALL.replace("chimera_homo", "equal");
    for (agents, expected) in [
        ("[]", "must not be an empty list"),
        ("[1, 0]", "`agents` must be from 1 to 4096"),
        ("[4097]", "`agents` must be from 1 to 4096"),
        ("[2, 2]", "`agents` has 2 twice"),
    ] {
        let text = format!("{equal}agents = {agents}\n");
        let error = Plan::parse("mine", &text).expect_err(agents).to_string();
        assert!(
            error.contains("line 10") && error.contains(expected),
            "{error}"
        );
    }
    let plan = Plan::parse("mine", &format!("{equal}agents = [1, 4096]\n")).expect("a plan");
    assert_eq!(
        names(&plan),
        [
            "equal-agents1-gpu60",
            "equal-agents1-gpu80",
            "equal-agents4096-gpu60",
            "equal-agents4096-gpu80"
        ]
    );
}

#[test]
fn an_unknown_name_lists_the_known() {
    let error = Plan::find("tr999").expect_err("no such plan").to_string();
    assert!(
        error.contains("tr999") && error.contains("tr111, tr114, tr115, scaling"),
        "{error}"
    );
}
