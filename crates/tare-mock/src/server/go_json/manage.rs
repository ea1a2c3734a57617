//! The types of Ollama's requests that ask for no answer's text.

use super::types::{MESSAGE, Struct, Type};

/// `POST /api/copy`
pub const COPY: Struct = Struct {
    name: "api.CopyRequest",
    fields: &[("source", Type::Text), ("destination", Type::Text)],
};

/// `DELETE /api/delete`
pub const DELETE: Struct = Struct {
    name: "api.DeleteRequest",
    fields: &[("model", Type::Text), ("name", Type::Text)],
};

/// `POST /api/pull`
pub const PULL: Struct = Struct {
    name: "api.PullRequest",
    fields: REGISTRY,
};

/// `POST /api/push`
pub const PUSH: Struct = Struct {
    name: "api.PushRequest",
    fields: REGISTRY,
};

const REGISTRY: &[(&str, Type)] = &[
    ("model", Type::Text),
    ("insecure", Type::Bool),
    ("username", Type::Text),
    ("password", Type::Text),
    ("stream", Type::Bool),
    ("name", Type::Text),
];

/// `POST /api/create`
pub const CREATE: Struct = Struct {
    name: "api.CreateRequest",
    fields: &[
        ("model", Type::Text),
        ("stream", Type::Bool),
        ("quantize", Type::Text),
        ("from", Type::Text),
        ("remote_host", Type::Text),
        ("files", Type::TextMap),
        ("adapters", Type::TextMap),
        ("template", Type::Text),
        ("license", Type::Any),
        ("system", Type::Text),
        ("parameters", Type::Map),
        ("messages", Type::List(&Type::Own("api.Message", &MESSAGE))),
        ("renderer", Type::Text),
        ("parser", Type::Text),
        ("requires", Type::Text),
        ("info", Type::Map),
        ("name", Type::Text),
        ("quantization", Type::Text),
    ],
};

/// `POST /api/embed`
pub const EMBED: Struct = Struct {
    name: "api.EmbedRequest",
    fields: &[
        ("model", Type::Text),
        ("input", Type::Any),
        ("keep_alive", Type::KeepAlive),
        ("truncate", Type::Bool),
        ("dimensions", Type::Int),
        ("options", Type::Options),
    ],
};

/// `POST /api/embeddings`
pub const EMBEDDINGS: Struct = Struct {
    name: "api.EmbeddingRequest",
    fields: &[
        ("model", Type::Text),
        ("prompt", Type::Text),
        ("keep_alive", Type::KeepAlive),
        ("options", Type::Options),
    ],
};

/// `POST /v1/embeddings`
pub const OPENAI_EMBEDDINGS: Struct = Struct {
    name: "openai.EmbedRequest",
    fields: &[
        ("input", Type::Any),
        ("model", Type::Text),
        ("dimensions", Type::Int),
        ("encoding_format", Type::Text),
    ],
};

/// `POST /v1/images/generations`
pub const IMAGE_GENERATION: Struct = Struct {
    name: "openai.ImageGenerationRequest",
    fields: &[
        ("model", Type::Text),
        ("prompt", Type::Text),
        ("n", Type::Int),
        ("size", Type::Text),
        ("response_format", Type::Text),
        ("seed", Type::Int),
    ],
};

/// `POST /v1/images/edits`
pub const IMAGE_EDIT: Struct = Struct {
    name: "openai.ImageEditRequest",
    fields: &[
        ("model", Type::Text),
        ("prompt", Type::Text),
        ("image", Type::Text),
        ("size", Type::Text),
        ("seed", Type::Int),
    ],
};

/// `POST /api/experimental/aliases`
pub const ALIAS: Struct = Struct {
    name: "server.aliasEntry",
    fields: &[
        ("alias", Type::Text),
        ("target", Type::Text),
        ("prefix_matching", Type::Bool),
    ],
};

/// `DELETE /api/experimental/aliases`
pub const DELETE_ALIAS: Struct = Struct {
    name: "server.aliasDeleteRequest",
    fields: &[("alias", Type::Text)],
};
