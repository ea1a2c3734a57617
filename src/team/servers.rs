//! Who answers a team: servers that are there, or mocks started for the purpose.

use super::spec::Known;
use crate::run::{MockServer, Program, ServerError};
use std::num::{NonZeroU32, NonZeroUsize};
use tare_mock::Profile;

/// One server for all agents, or two. Mocks end when this is dropped.
#[derive(Debug)]
pub struct Servers {
    addresses: [String; 2],
    mock: Option<MockServer>,
}

/// The mocks to start.
#[derive(Clone, Copy, Debug)]
pub struct MockPlan<'a> {
    /// A shipped profile's name, or a file.
    pub profile: &'a str,
    /// Replaces the profile's model.
    pub model: &'a str,
    /// 1 or 2 servers, in one process.
    pub servers: NonZeroUsize,
    /// 1 GPU that all share, or one for each.
    pub gpus: NonZeroUsize,
    /// Slots of each server's loaded model; by default the profile's.
    pub parallel: Option<NonZeroU32>,
    /// Further arguments of `tare mock`.
    pub further: &'a [&'a str],
}

impl Servers {
    /// Servers that are there: the first agent's and the second's.
    pub fn there(first: &str, second: &str) -> Self {
        Self {
            addresses: [first, second].map(str::to_owned),
            mock: None,
        }
    }

    /// Starts mocks.
    ///
    /// # Errors
    /// When they do not start: then with their own words.
    pub fn mock(program: &Program, plan: &MockPlan<'_>) -> Result<Self, ServerError> {
        let gpus = plan.gpus.to_string();
        let parallel = plan.parallel.map(|slots| slots.to_string());
        let mut arguments = vec!["--gpus", gpus.as_str()];
        if let Some(parallel) = &parallel {
            arguments.extend(["--parallel", parallel]);
        }
        arguments.extend(plan.further);
        let model = Some(plan.model);
        let mock =
            MockServer::start_several(program, plan.servers, plan.profile, model, &arguments)?;
        let first = mock.base_url().to_owned();
        let second = mock.base_urls().nth(1).unwrap_or(&first).to_owned();
        Ok(Self {
            addresses: [first, second],
            mock: Some(mock),
        })
    }

    /// The addresses of the first and of the second; the same twice where there is one.
    pub fn addresses(&self) -> [&str; 2] {
        self.addresses.each_ref().map(String::as_str)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        if self.addresses[0] == self.addresses[1] {
            1
        } else {
            2
        }
    }

    /// Whether they are mocks of ours.
    pub fn are_mocks(&self) -> bool {
        self.mock.is_some()
    }
}

impl From<&Profile> for Known {
    fn from(profile: &Profile) -> Self {
        Self {
            tokens: profile.tokens,
            seed: profile.seed,
        }
    }
}
