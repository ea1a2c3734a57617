//! The matrix: from a stack's name to the program that it stands for.
//!
//! [`Stack::dispatch`] is the one place where a name becomes types. To add a runtime or a client is a
//! file of its own and a line in each table here; the compiler says where.

use crate::client::{Client, Hyper, Io, Raw, ReadBuffer, Reqwest};
use crate::runtime::{AsyncStd, Runtime, Smol, Threads, TokioLocal, TokioMt};
use crate::workflow::Topology;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A runtime that runs futures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsyncRuntime {
    /// `tokio-mt`
    TokioMt,
    /// `tokio-local`
    TokioLocal,
    /// `async-std`
    AsyncStd,
    /// `smol`
    Smol,
}

impl AsyncRuntime {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::TokioMt, Self::TokioLocal, Self::AsyncStd, Self::Smol];

    /// Its name in a stack.
    pub fn name(self) -> &'static str {
        match self {
            Self::TokioMt => TokioMt::NAME,
            Self::TokioLocal => TokioLocal::NAME,
            Self::AsyncStd => AsyncStd::NAME,
            Self::Smol => Smol::NAME,
        }
    }
}

/// A client that such a runtime can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsyncClient {
    /// `reqwest`
    Reqwest,
    /// `hyper`, or `hyper-N` with a read buffer of exactly N bytes.
    Hyper(ReadBuffer),
}

impl AsyncClient {
    /// The clients of the default matrix.
    pub const DEFAULT: [Self; 3] = [
        Self::Reqwest,
        Self::Hyper(ReadBuffer::Adaptive),
        Self::Hyper(ReadBuffer::Exact(ReadBuffer::LEAST)),
    ];

    /// The read buffer that it is to be made with.
    pub fn read_buffer(self) -> ReadBuffer {
        match self {
            Self::Reqwest => ReadBuffer::Adaptive,
            Self::Hyper(buffer) => buffer,
        }
    }
}

impl fmt::Display for AsyncClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reqwest => f.write_str("reqwest"),
            Self::Hyper(ReadBuffer::Adaptive) => f.write_str("hyper"),
            Self::Hyper(ReadBuffer::Exact(size)) if size % 1024 == 0 => {
                write!(f, "hyper-{}k", size / 1024)
            }
            Self::Hyper(ReadBuffer::Exact(size)) => write!(f, "hyper-{size}"),
        }
    }
}

/// What carries an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// `threads/raw`: blocking sockets, what everything else is measured against.
    Floor,
    /// A runtime and a client.
    Async(AsyncRuntime, AsyncClient),
}

/// One runtime × client × topology, such as `tokio-mt/reqwest/spawn`. The topology is left out
/// where there is one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(into = "String", try_from = "String")]
pub struct Stack {
    /// What carries the agents.
    pub carrier: Carrier,
    /// How they share it.
    pub topology: Option<Topology>,
}

/// Work that can be done by any stack.
pub trait OnStack {
    /// What comes of it.
    type Output;

    /// Does it on the runtime `R` with the client `C`.
    fn run<R: Runtime, C: Client<R>>(self) -> Self::Output;
}

impl Stack {
    /// The floor.
    pub const FLOOR: Self = Self {
        carrier: Carrier::Floor,
        topology: None,
    };

    /// The default matrix: the floor, then every runtime with every client.
    pub fn matrix() -> Vec<Self> {
        let mut stacks = vec![Self::FLOOR];
        for runtime in AsyncRuntime::ALL {
            for client in AsyncClient::DEFAULT {
                stacks.push(Self {
                    carrier: Carrier::Async(runtime, client),
                    topology: None,
                });
            }
        }
        stacks
    }

    /// This stack as one agent has it, which shares it with nobody.
    pub fn alone(self) -> Self {
        Self {
            topology: None,
            ..self
        }
    }

    /// This stack with every topology that it can have. Joined blocking agents would run one after
    /// the other, so the floor has but one.
    pub fn topologies(self) -> Vec<Self> {
        let topologies: &[_] = match self.carrier {
            Carrier::Floor => &[Topology::Spawn],
            Carrier::Async(..) => &[Topology::Join, Topology::Spawn],
        };
        let with = |&topology| Self {
            topology: Some(topology),
            ..self
        };
        topologies.iter().map(with).collect()
    }

    /// The read buffer that its client is to be made with.
    pub fn read_buffer(self) -> ReadBuffer {
        match self.carrier {
            Carrier::Floor => ReadBuffer::Adaptive,
            Carrier::Async(_, client) => client.read_buffer(),
        }
    }

    /// Whether its client does its I/O on its runtime.
    pub fn io(self) -> Io {
        struct Asked;
        impl OnStack for Asked {
            type Output = Io;
            fn run<R: Runtime, C: Client<R>>(self) -> Io {
                C::io()
            }
        }
        self.dispatch(Asked)
    }

    /// Does `work` on this stack's runtime with this stack's client.
    pub fn dispatch<W: OnStack>(self, work: W) -> W::Output {
        match self.carrier {
            Carrier::Floor => work.run::<Threads, Raw>(),
            Carrier::Async(runtime, client) => match runtime {
                AsyncRuntime::TokioMt => on::<TokioMt, W>(client, work),
                AsyncRuntime::TokioLocal => on::<TokioLocal, W>(client, work),
                AsyncRuntime::AsyncStd => on::<AsyncStd, W>(client, work),
                AsyncRuntime::Smol => on::<Smol, W>(client, work),
            },
        }
    }
}

fn on<R: Runtime, W: OnStack>(client: AsyncClient, work: W) -> W::Output {
    match client {
        AsyncClient::Reqwest => work.run::<R, Reqwest<R>>(),
        AsyncClient::Hyper(_) => work.run::<R, Hyper<R>>(),
    }
}

impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = match self.carrier {
            Carrier::Floor => "threads/raw".to_owned(),
            Carrier::Async(runtime, client) => format!("{}/{client}", runtime.name()),
        };
        if let Some(topology) = self.topology {
            name.push('/');
            name.push_str(topology.name());
        }
        f.pad(&name)
    }
}

impl From<Stack> for String {
    fn from(stack: Stack) -> String {
        stack.to_string()
    }
}

/// Why a name is no stack's. Each says what there is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StackError {
    /// Not of the form.
    #[error(
        "`{0}` is no stack: expected RUNTIME/CLIENT or RUNTIME/CLIENT/TOPOLOGY, such as tokio-mt/reqwest"
    )]
    Form(String),
    /// No such runtime.
    #[error(
        "no runtime `{0}`: there are tokio-mt, tokio-local, async-std, smol, and threads (with the client raw)"
    )]
    Runtime(String),
    /// No such client.
    #[error(
        "no client `{0}`: there are reqwest, hyper, hyper-N (a read buffer of N bytes; hyper-1k is hyper-1024), and raw (on threads)"
    )]
    Client(String),
    /// A read buffer too small for a reply's head.
    #[error("no client `{0}`: the head of a reply has to fit into the read buffer, so it has at least {least} bytes", least = ReadBuffer::LEAST)]
    ReadBuffer(String),
    /// Blocking and async do not mix.
    #[error(
        "no stack `{0}`: raw blocks its thread, so it runs on threads, and threads take no other client"
    )]
    Mixed(String),
    /// No such topology.
    #[error("no topology `{0}`: there are join and spawn")]
    Topology(String),
    /// Joined blocking agents are no team.
    #[error(
        "no stack `{0}`: blocking agents joined in one thread would run one after the other; take threads/raw/spawn"
    )]
    JoinedThreads(String),
}

impl FromStr for AsyncClient {
    type Err = StackError;

    fn from_str(name: &str) -> Result<Self, StackError> {
        let unknown = || StackError::Client(name.to_owned());
        match name {
            "reqwest" => Ok(Self::Reqwest),
            "hyper" => Ok(Self::Hyper(ReadBuffer::Adaptive)),
            _ => {
                let size = name.strip_prefix("hyper-").ok_or_else(unknown)?;
                let (digits, unit) = match size.strip_suffix('k') {
                    Some(digits) => (digits, 1024),
                    None => (size, 1),
                };
                let count: usize = digits.parse().map_err(|_| unknown())?;
                match count.checked_mul(unit).ok_or_else(unknown)? {
                    size if size < ReadBuffer::LEAST => {
                        Err(StackError::ReadBuffer(name.to_owned()))
                    }
                    size => Ok(Self::Hyper(ReadBuffer::Exact(size))),
                }
            }
        }
    }
}

impl FromStr for Stack {
    type Err = StackError;

    fn from_str(name: &str) -> Result<Self, StackError> {
        let mut parts = name.split('/');
        let (Some(runtime), Some(client), topology, None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(StackError::Form(name.to_owned()));
        };
        let topology = match topology {
            None => None,
            Some("join") => Some(Topology::Join),
            Some("spawn") => Some(Topology::Spawn),
            Some(other) => return Err(StackError::Topology(other.to_owned())),
        };
        let known = AsyncRuntime::ALL.into_iter().find(|r| r.name() == runtime);
        let carrier = match (known, client) {
            (None, "raw") if runtime == Threads::NAME => Carrier::Floor,
            (None, _) if runtime != Threads::NAME => {
                return Err(StackError::Runtime(runtime.to_owned()));
            }
            (Some(_), "raw") => return Err(StackError::Mixed(name.to_owned())),
            (Some(runtime), client) => Carrier::Async(runtime, client.parse()?),
            (None, client) => {
                client.parse::<AsyncClient>()?;
                return Err(StackError::Mixed(name.to_owned()));
            }
        };
        if carrier == Carrier::Floor && topology == Some(Topology::Join) {
            return Err(StackError::JoinedThreads(name.to_owned()));
        }
        Ok(Self { carrier, topology })
    }
}

impl TryFrom<String> for Stack {
    type Error = StackError;

    fn try_from(name: String) -> Result<Self, StackError> {
        name.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new variant does not compile here before it has a number, and fails here before it is listed.
    #[test]
    fn every_runtime_and_client_is_listed_and_named_in_errors() {
        let number = |runtime| match runtime {
            AsyncRuntime::TokioMt => 0,
            AsyncRuntime::TokioLocal => 1,
            AsyncRuntime::AsyncStd => 2,
            AsyncRuntime::Smol => 3,
        };
        assert_eq!(AsyncRuntime::ALL.map(number), [0, 1, 2, 3]);
        let error = StackError::Runtime(String::new()).to_string();
        assert!(
            AsyncRuntime::ALL
                .iter()
                .all(|runtime| error.contains(runtime.name()))
        );
        let number = |client| match client {
            AsyncClient::Reqwest => 0,
            AsyncClient::Hyper(_) => 1,
        };
        assert_eq!(AsyncClient::DEFAULT.map(number), [0, 1, 1]);
        let error = StackError::Client(String::new()).to_string();
        assert!(
            AsyncClient::DEFAULT
                .iter()
                .all(|client| error.contains(&client.to_string()))
        );
    }

    #[test]
    fn every_stack_is_found_by_its_name() {
        for stack in Stack::matrix() {
            assert_eq!(stack.to_string().parse(), Ok(stack));
            for stack in stack.topologies() {
                assert_eq!(stack.to_string().parse(), Ok(stack));
            }
        }
        assert_eq!(Stack::matrix().len(), 13);
    }

    #[test]
    fn a_read_buffer_has_one_name() {
        let stack: Stack = "smol/hyper-4096".parse().expect("a stack");
        assert_eq!(stack.to_string(), "smol/hyper-4k");
        let stack: Stack = "smol/hyper-1500".parse().expect("a stack");
        assert_eq!(stack.to_string(), "smol/hyper-1500");
    }

    #[test]
    fn what_is_no_stack_is_refused_with_the_reason() {
        for (name, reason) in [
            ("tokio-mt", "no stack"),
            ("tokio-mt/hyper/spawn/x", "no stack"),
            ("tokio/hyper", "no runtime `tokio`"),
            ("smol/curl", "no client `curl`"),
            ("smol/hyper-", "no client"),
            ("smol/hyper-99999999999999999999k", "no client"),
            ("smol/hyper-1023", "at least 1024 bytes"),
            ("smol/hyper-0k", "at least 1024 bytes"),
            ("smol/raw", "raw blocks its thread"),
            ("threads/hyper", "threads take no other client"),
            ("threads/raw/join", "one after the other"),
            ("smol/hyper/both", "no topology `both`"),
        ] {
            let error = name.parse::<Stack>().expect_err(name).to_string();
            assert!(error.contains(reason), "{name}: {error}");
        }
    }

    #[test]
    fn reqwest_is_bridged_where_there_is_no_tokio() {
        for stack in Stack::matrix() {
            let name = stack.to_string();
            let off_tokio = name.starts_with("smol") || name.starts_with("async-std");
            let bridged = off_tokio && name.ends_with("reqwest");
            let expected = if bridged { Io::Bridged } else { Io::Native };
            assert_eq!(stack.io(), expected, "{name}");
        }
    }
}
