//! The arguments of `tare team`, and the experiment that they ask for.

use crate::cli::experiment::Flags;
use crate::cli::overrides::{self, Chimera, Chimera2};
use crate::cli::values::{LimitArguments, api, speed};
use crate::cli::{Failure, find_profile};
use crate::corpus;
use crate::experiment::{Experiment, MockServer, Server};
use crate::inject::Inject;
use crate::protocol::{Api, Options, default_base_url};
use crate::published::agent::Chosen;
use crate::stack::{Carrier, Stack};
use crate::team::{Chimeras, Known, SERVERS, Scenario, TeamSpec, experiment};
use crate::workflow::{INGEST_CONCURRENCY, Topology};
use anyhow::anyhow;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, value_parser};
use std::num::{NonZeroU32, NonZeroUsize};

/// Benchmark several agents at once, on one server or two, against each of them alone
///
/// Two agents with a role each (DataCollector and Insight), or equal ones. Each block has the team once
/// and each kind of agent alone once, a process each, in random order. Below --out are the records of all
/// runs, and in published/ the same in the older reports' schema: runs/run_N/metrics.json, summary.json,
/// transcript.jsonl and reports.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Scenarios: baseline_vs_chimera (the collector with the server's defaults, Insight with chimera's options), \
chimera_hetero (chimera and chimera2), chimera_homo (both chimera). Without any --chimera option, chimera is \
num_gpu 80, num_ctx 512, temperature 0.8, and chimera2 is num_gpu 100, num_ctx 1024, temperature 0.8.

Examples:
  tare team --mock --servers 2 --gpus 2 --scenario chimera_homo --fixed-length 64
  tare team --mock --agents 16 --stack smol/hyper --topology join --fixed-length 64 --runs 1

On servers of your own:
  tare team --model gemma3:latest --scenario baseline_vs_chimera --collector-ollama-url \
http://127.0.0.1:11434 --insight-ollama-url http://127.0.0.1:11435"
)]
pub struct Arguments {
    /// Model to ask
    #[arg(long, default_value = "gemma3:latest", value_parser = NonEmptyStringValueParser::new())]
    model: String,
    /// How to ask: chat, generate and raw (generate without template and context) are Ollama's,
    /// openai is /v1/chat/completions
    #[arg(long, default_value_t, value_parser = api())]
    api: Api,
    /// Folder of CSV, JSON and Markdown files to read; built-in is the one inside the program
    #[arg(long, value_name = "DIR", default_value_t)]
    corpus: corpus::Source,
    /// Files that an agent reads at a time; 1 reads one after the other
    #[arg(long, value_name = "N", default_value_t = INGEST_CONCURRENCY)]
    ingest_concurrency: NonZeroUsize,

    /// Which two agents [default: baseline_vs_chimera]
    #[arg(long, help_heading = "Team", value_parser = scenario(), conflicts_with = "agents")]
    scenario: Option<Scenario>,
    /// So many equal agents instead, 1 to 4096; with chimera's options if one is given
    #[arg(long, value_name = "N", help_heading = "Team", value_parser = value_parser!(u16).range(1..=4096))]
    agents: Option<u16>,
    /// Run each agent alone too, for a true reference
    #[arg(
        long,
        help_heading = "Team",
        value_name = "BOOL",
        num_args = 0..=1,
        default_value_t = true,
        default_missing_value = "true",
        action = ArgAction::Set
    )]
    isolated: bool,
    /// Do not
    #[arg(long, help_heading = "Team", conflicts_with = "isolated")]
    no_isolated: bool,
    /// Ask for so many tokens in each answer, by num_predict and a seed
    #[arg(long, value_name = "N", help_heading = "Team", value_parser = value_parser!(u32).range(1..=1_000_000))]
    fixed_length: Option<u32>,
    /// Seed of the model's sampler [default: the server's, or 1 with --fixed-length]
    #[arg(long, value_name = "N", help_heading = "Team")]
    seed: Option<u64>,

    /// Address of the server of both agents
    #[arg(
        long,
        value_name = "URL",
        default_value_t = default_base_url(),
        help_heading = "Servers"
    )]
    base_url: String,
    /// Address of the collector's server, and of every other equal agent's
    #[arg(long, value_name = "URL", help_heading = "Servers")]
    collector_ollama_url: Option<String>,
    /// Address of Insight's server, and of the other equal agents'
    #[arg(long, value_name = "URL", help_heading = "Servers")]
    insight_ollama_url: Option<String>,
    /// Ask mocks instead, started for the purpose, with the profile paced-1ms or the one named
    #[arg(
        long,
        value_name = "PROFILE",
        num_args = 0..=1,
        default_missing_value = "paced-1ms",
        conflicts_with_all = ["base_url", "collector_ollama_url", "insight_ollama_url"],
        help_heading = "Servers"
    )]
    mock: Option<String>,
    /// Mock servers: 1 for all agents, or 2
    #[arg(long, value_name = "N", default_value = "1", requires = "mock", value_parser = value_parser!(u8).range(1..=2), help_heading = "Servers")]
    servers: u8,
    /// Their GPUs: 1 that they share, or 2
    #[arg(long, value_name = "N", default_value = "1", requires = "mock", value_parser = value_parser!(u8).range(1..=2), help_heading = "Servers")]
    gpus: u8,
    /// Slots of each mock's model, as OLLAMA_NUM_PARALLEL [default: the profile's]
    #[arg(long, value_name = "N", requires = "mock", help_heading = "Servers")]
    parallel: Option<NonZeroU32>,
    /// Run the mock's profile so many times as fast
    #[arg(long, value_name = "N", requires = "mock", value_parser = speed, help_heading = "Servers")]
    speed: Option<f64>,

    /// Runtime and client, such as smol/hyper; several agents share it by the topology
    #[arg(
        long,
        value_name = "STACK",
        default_value = "tokio-mt/reqwest",
        help_heading = "Stack"
    )]
    stack: Stack,
    /// How several agents share the runtime: a task that joins them, or a task each [default: spawn]
    #[arg(long, help_heading = "Stack", value_parser = topology())]
    topology: Option<Topology>,
    /// Worker threads of the runtime
    #[arg(long, value_name = "N", default_value = "2", help_heading = "Stack")]
    threads: NonZeroUsize,
    /// Build a mistake in on purpose: delay=TIME/chunk, mutex, accumulate=BYTES or block-on-root
    #[arg(long, value_name = "MISTAKE", help_heading = "Stack")]
    inject: Option<Inject>,

    #[command(flatten)]
    chimera: Chimera,
    #[command(flatten)]
    chimera2: Chimera2,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    pub flags: Flags,
}

/// Runs where nobody says how many.
const RUNS: u32 = 3;
/// What is judged where nobody says what.
const METRICS: [&str; 5] = ["calls", "ingest", "tare", "gross", "ttft"];

fn scenario() -> impl TypedValueParser<Value = Scenario> {
    PossibleValuesParser::new(Scenario::PAIRS.map(Scenario::name))
        .try_map(|name| name.parse::<Scenario>())
}

fn topology() -> impl TypedValueParser<Value = Topology> {
    let all = [Topology::Join, Topology::Spawn];
    PossibleValuesParser::new(all.map(Topology::name)).map(move |name| match name == "join" {
        true => Topology::Join,
        false => Topology::Spawn,
    })
}

impl Arguments {
    pub fn experiment(&self) -> Result<Experiment, Failure> {
        let (scenario, agents) = match (self.scenario, self.agents) {
            (Some(scenario), _) => (scenario, 2),
            (None, None) => (Scenario::BaselineVsChimera, 2),
            (None, Some(1)) => (Scenario::Single, 1),
            (None, Some(agents)) => (Scenario::Equal, agents),
        };
        let agents = NonZeroUsize::new(agents.into()).unwrap_or(NonZeroUsize::MIN);
        let none = Options::default();
        let (first, chosen) = self.chimera.over(&none, &overrides::chimera(), self.api)?;
        let (second, chosen2) = self
            .chimera2
            .over(&none, &overrides::chimera2(), self.api)?;
        if chosen2 == Chosen::CommandLine && scenario != Scenario::ChimeraHetero {
            return Err(Failure::Usage(anyhow!(
                "a --chimera2 option has no agent in {scenario}: only --scenario chimera_hetero has a second chimera"
            )));
        }
        let alike = matches!(scenario, Scenario::Single | Scenario::Equal);
        // Equal agents have overrides only where one was asked for.
        let first = match alike && chosen == Chosen::Default {
            true => none,
            false => first,
        };
        let (servers, known) = self.servers()?;
        let names = match &servers[..] {
            [Server::Mock(mock)] if mock.servers == NonZeroUsize::MIN => [SERVERS[0]; 2],
            [Server::Real { .. }] => [SERVERS[0]; 2],
            _ => SERVERS,
        };
        let spec = TeamSpec {
            stack: shared(self.stack, self.topology, agents)?,
            threads: self.threads,
            scenario,
            members: scenario.members(agents, &Chimeras { first, second }, names),
            api: self.api,
            model: self.model.clone(),
            corpus: self.corpus.named(),
            ingest_concurrency: self.ingest_concurrency,
            isolated: self.isolated && !self.no_isolated,
            fixed_length: self.fixed_length,
            seed: self.seed,
            limits: (&self.limits).into(),
            inject: self.inject,
            known,
        };
        Ok(experiment(
            "team",
            servers,
            spec.arms(scenario.name(), None),
            self.flags.runs.unwrap_or(RUNS) as usize,
            self.flags.order_seed(&self.flags.folder("team")),
            self.flags.metrics(&METRICS)?,
        ))
    }

    pub fn corpus(&self) -> &corpus::Source {
        &self.corpus
    }

    /// Who answers, and what a mock does.
    fn servers(&self) -> Result<(Vec<Server>, Option<Known>), Failure> {
        let Some(name) = &self.mock else {
            let own = [&self.collector_ollama_url, &self.insight_ollama_url];
            let urls = own.map(|own| {
                let url = own.as_ref().unwrap_or(&self.base_url);
                self.api.base_url(url).to_owned()
            });
            let [first, second] = urls.map(|base_url| Server::Real { base_url });
            return Ok(match first == second {
                true => (vec![first], None),
                false => (vec![first, second], None),
            });
        };
        if self.gpus > self.servers {
            return Err(Failure::Usage(anyhow!(
                "--gpus {} with --servers {} can't be modelled: a server has one GPU",
                self.gpus,
                self.servers
            )));
        }
        let mut profile = find_profile(name)?;
        self.model.clone_into(&mut profile.model);
        let known = Known::from(&profile);
        let count = |number: u8| NonZeroUsize::new(number.into()).unwrap_or(NonZeroUsize::MIN);
        let mock = MockServer {
            servers: count(self.servers),
            gpus: count(self.gpus),
            parallel: self.parallel,
            speed: self.speed.unwrap_or(1.0),
            ..MockServer::new(name, profile)
        };
        Ok((vec![Server::Mock(mock)], Some(known)))
    }
}

/// The stack with the topology that several agents need.
fn shared(
    stack: Stack,
    topology: Option<Topology>,
    agents: NonZeroUsize,
) -> Result<Stack, Failure> {
    let topology = match (stack.topology, topology) {
        (Some(named), Some(given)) if named != given => {
            return Err(Failure::Usage(anyhow!(
                "--stack {stack} has a topology of its own, and --topology {} is another: name one",
                given.name()
            )));
        }
        (named, given) => named.or(given),
    };
    let default = (agents.get() > 1).then_some(Topology::Spawn);
    let stack = Stack {
        topology: topology.or(default),
        ..stack
    };
    if stack.carrier == Carrier::Floor && stack.topology == Some(Topology::Join) {
        // As its name is refused.
        let refused = stack.to_string().parse::<Stack>();
        return refused.map_err(|error| Failure::Usage(error.into()));
    }
    Ok(stack)
}
