//! The servers of an experiment: mocks started for it, real ones found, and a proxy before each where
//! that is asked for. All of ours end with this.

use crate::cli::Failure;
use crate::cli::server::{First, find_out};
use crate::client::Limits;
use crate::experiment::{Experiment, MockServer as Mock, Server};
use crate::protocol::{Api, Described};
use crate::run::{MockServer, Program, ProxyServer, Work};
use std::collections::BTreeMap;

pub struct Servers {
    /// The address of each, by the name under which specs name it.
    pub addresses: BTreeMap<String, String>,
    /// What each real one says it is.
    pub described: BTreeMap<String, Described>,
    _mocks: Vec<MockServer>,
    _proxies: Vec<ProxyServer>,
}

impl Servers {
    pub fn start(
        program: &Program,
        experiment: &Experiment,
        without_server: &'static str,
    ) -> Result<Self, Failure> {
        let pinned = experiment.mock_processor.map(|it| it.to_string());
        let pinned: Vec<&str> = match &pinned {
            Some(processor) => vec!["--pin", processor],
            None => Vec::new(),
        };
        let mut servers = Self {
            addresses: BTreeMap::new(),
            described: BTreeMap::new(),
            _mocks: Vec::new(),
            _proxies: Vec::new(),
        };
        for (name, server) in &experiment.servers {
            match server {
                Server::Mock(mock) => {
                    let started = start(program, mock, &pinned)?;
                    for (index, url) in started.base_urls().enumerate() {
                        let name = match index {
                            0 => name.clone(),
                            _ => format!("{name}-{}", index + 1),
                        };
                        servers.addresses.insert(name, url.to_owned());
                    }
                    servers._mocks.push(started);
                }
                Server::Real { base_url } => {
                    let (api, model) = asked(experiment, name);
                    let described = find_out(
                        base_url,
                        Limits::default(),
                        api,
                        &model,
                        First::Token,
                        without_server,
                    )?;
                    servers.described.insert(name.clone(), described);
                    servers.addresses.insert(name.clone(), base_url.clone());
                }
            }
        }
        if experiment.proxied {
            for address in servers.addresses.values_mut() {
                let proxy = ProxyServer::start(program, address, &pinned)?;
                proxy.base_url().clone_into(address);
                servers._proxies.push(proxy);
            }
        }
        Ok(servers)
    }
}

fn start(program: &Program, mock: &Mock, pinned: &[&str]) -> Result<MockServer, Failure> {
    let gpus = mock.gpus.to_string();
    let speed = mock.speed.to_string();
    let parallel = mock.parallel.map(|slots| slots.to_string());
    let mut arguments = vec!["--gpus", gpus.as_str(), "--speed", speed.as_str()];
    if let Some(parallel) = &parallel {
        arguments.extend(["--parallel", parallel]);
    }
    arguments.extend(mock.faults.iter().flat_map(|fault| ["--fault", fault]));
    arguments.extend(pinned);
    let model = Some(mock.profile.model.as_str());
    let started = MockServer::start_several(program, mock.servers, &mock.name, model, &arguments)?;
    Ok(started)
}

/// How a server is asked, and for which model, by the first arm that asks it.
fn asked(experiment: &Experiment, server: &str) -> (Api, String) {
    let asks = |spec: &&crate::run::Spec| match &spec.work {
        Work::Team(team) => team.members.iter().any(|member| member.base_url == server),
        _ => spec.base_url == server,
    };
    let mut specs = experiment.arms().map(|(_, arm)| &arm.spec);
    match specs.find(asks) {
        Some(spec) => (spec.api, spec.model.clone()),
        None => (Api::default(), String::new()),
    }
}
