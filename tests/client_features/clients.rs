//! The clients: which driver tries each, and what it lacks, with the reason.

use crate::support::Driver;

pub struct Client {
    /// Where it comes from.
    pub registry: &'static str,
    /// As its driver reports it.
    pub package: &'static str,
    pub version: &'static str,
    pub driver: fn() -> Driver,
    /// Features that it has not, or that its own fault prevents, and why.
    lacks: &'static [(&'static [&'static str], &'static str)],
}

impl Client {
    pub fn name(&self) -> String {
        format!("{} {}", self.package, self.version)
    }

    /// Why it lacks a feature, if it does.
    pub fn lack(&self, feature: &str) -> Option<&'static str> {
        let mut lacks = self.lacks.iter();
        let (_, why) = lacks.find(|(features, _)| features.contains(&feature))?;
        Some(why)
    }
}

pub const ALL: [&Client; 9] = [
    &PYTHON_OLLAMA,
    &PYTHON_OPENAI,
    &PYTHON_LANGCHAIN,
    &PYTHON_LITELLM,
    &PYTHON_LLAMA_INDEX,
    &NPM_OLLAMA,
    &NPM_OPENAI,
    &NPM_AI,
    &GO_API,
];

const OPENAI_ROUTES: &[&str] = &[
    "retrieve",
    "completions",
    "completions, streamed",
    "responses",
    "responses, streamed",
    "responses, schema",
];
const MANAGEMENT: &[&str] = &["load and unload", "copy", "create", "delete", "pull"];
const NATIVE_ROUTES: &str = "it speaks only Ollama's own API";
const OPENAI_ONLY: &str = "it speaks only OpenAI's API";
const CHATS: &str = "it answers prompts and leaves the server's models alone";
const NEWER_ROUTE: &str = "it makes embeddings by the newer route alone";

pub const PYTHON_OLLAMA: Client = Client {
    registry: "PyPI",
    package: "ollama",
    version: "0.6.3",
    driver: || {
        Driver::python(
            "features/python_ollama.py",
            &["-c", "import ollama, pydantic"],
        )
    },
    lacks: &[
        (OPENAI_ROUTES, NATIVE_ROUTES),
        (&["heartbeat", "version"], "it has no call for it"),
    ],
};

pub const PYTHON_OPENAI: Client = Client {
    registry: "PyPI",
    package: "openai",
    version: "3.54.0",
    driver: || {
        Driver::python(
            "features/python_openai.py",
            &["-c", "import openai, pydantic"],
        )
    },
    lacks: OPENAI_LACKS,
};

const OPENAI_LACKS: &[(&[&str], &str)] = &[
    (&["heartbeat", "version", "show"], OPENAI_ONLY),
    (MANAGEMENT, OPENAI_ONLY),
    (&["generate", "generate, streamed"], OPENAI_ONLY),
    (&["embeddings, older route"], OPENAI_ONLY),
];

pub const PYTHON_LANGCHAIN: Client = Client {
    registry: "PyPI",
    package: "langchain-ollama",
    version: "1.1.0",
    driver: || {
        Driver::python(
            "features/python_langchain.py",
            &["-c", "import langchain_ollama"],
        )
    },
    lacks: &[
        (OPENAI_ROUTES, NATIVE_ROUTES),
        (&["heartbeat", "version", "list", "show"], CHATS),
        (MANAGEMENT, CHATS),
        (&["embeddings, older route"], NEWER_ROUTE),
    ],
};

pub const PYTHON_LITELLM: Client = Client {
    registry: "PyPI",
    package: "litellm",
    version: "1.83.0",
    driver: || Driver::python("features/python_litellm.py", &["-c", "import litellm"]),
    lacks: &[
        (&["heartbeat", "version", "list", "show", "retrieve"], CHATS),
        (MANAGEMENT, CHATS),
        (&["embeddings, older route"], NEWER_ROUTE),
        (
            &[
                "completions, streamed",
                "responses, streamed",
                "responses, schema",
            ],
            "it hands these to the package `openai`, which is tried by itself",
        ),
    ],
};

pub const PYTHON_LLAMA_INDEX: Client = Client {
    registry: "PyPI",
    package: "llama-index-llms-ollama",
    version: "0.11.0",
    driver: || {
        Driver::python(
            "features/python_llama_index.py",
            &[
                "-c",
                "import llama_index.llms.ollama, llama_index.embeddings.ollama",
            ],
        )
    },
    lacks: &[
        (OPENAI_ROUTES, NATIVE_ROUTES),
        (&["heartbeat", "version", "list"], CHATS),
        (MANAGEMENT, CHATS),
        (&["embeddings, older route"], NEWER_ROUTE),
        (&["logprobs"], "it does not hand on that they are wanted"),
    ],
};

pub const NPM_OLLAMA: Client = Client {
    registry: "npm",
    package: "ollama",
    version: "0.6.3",
    driver: || {
        Driver::node(
            "features/npm_ollama.mjs",
            &["-e", "require('ollama'), require('zod')"],
        )
    },
    lacks: &[
        (OPENAI_ROUTES, NATIVE_ROUTES),
        (&["heartbeat"], "it has no call for it"),
    ],
};

pub const NPM_OPENAI: Client = Client {
    registry: "npm",
    package: "openai",
    version: "6.30.1",
    driver: || {
        Driver::node(
            "features/npm_openai.mjs",
            &["-e", "require('openai'), require('zod')"],
        )
    },
    lacks: OPENAI_LACKS,
};

pub const NPM_AI: Client = Client {
    registry: "npm",
    package: "ai",
    version: "6.0.325 with ai-sdk-ollama 3.8.8",
    driver: || {
        Driver::node(
            "features/npm_ai.mjs",
            &[
                "-e",
                "require('ai'), require('ai-sdk-ollama'), require('zod')",
            ],
        )
    },
    lacks: &[
        (OPENAI_ROUTES, NATIVE_ROUTES),
        (&["heartbeat", "version", "list", "show"], CHATS),
        (MANAGEMENT, CHATS),
        (
            &["generate", "generate, streamed"],
            "a prompt is a chat of one message to it",
        ),
        (&["embeddings, older route"], NEWER_ROUTE),
        (
            &["logprobs"],
            "it does not hand on what the server says of them",
        ),
    ],
};

pub const GO_API: Client = Client {
    registry: "Go",
    package: "github.com/ollama/ollama/api",
    version: "v0.17.4",
    driver: Driver::go,
    lacks: &[(OPENAI_ROUTES, NATIVE_ROUTES)],
};
