//! The models of the mock on the wire: names, lists, descriptions, and what changes them.

mod support;

use serde_json::{Value, json};
use std::fs;
use support::{Reply, ask, mock, own};
use tare_mock::Mock;

/// `hello`, as Ollama names a file.
const HELLO: &str = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/// A mock with three models, of which two share their weights.
fn with_three() -> Mock {
    own(r#"
description = "three models"
model = "gemma3:latest"
load = "0s"
tokens = 8
gap = "0s"
seed = 1
prefill = { fixed = "0s", per_token = "0s" }
also = [
  { name = "tools", capabilities = ["completion", "tools"], weights_of = "gemma3" },
  { name = "me/Embed:v1", capabilities = ["embedding"] },
]
"#)
}

fn post(server: &Mock, path: &str, body: &Value) -> Reply {
    ask(server, &format!("POST {path}"), &body.to_string())
}

fn error(reply: &Reply) -> (&str, String) {
    let error = reply.json()["error"].as_str().map(str::to_owned);
    (&reply.status, error.expect("an error"))
}

fn names(server: &Mock) -> Vec<String> {
    let tags = ask(server, "GET /api/tags", "").json();
    let models = tags["models"].as_array().expect("a list").iter();
    models
        .map(|model| model["name"].as_str().expect("a name").to_owned())
        .collect()
}

fn show(server: &Mock, name: &str) -> Value {
    let reply = post(server, "/api/show", &json!({ "model": name }));
    assert_eq!(reply.status, "200 OK", "{name}");
    reply.json()
}

#[test]
fn a_model_answers_to_every_form_of_its_name_and_under_that_name() {
    let server = with_three();
    for name in [
        "gemma3",
        "Gemma3:LATEST",
        "library/gemma3",
        "registry.ollama.ai/library/gemma3",
    ] {
        for (path, body) in [
            (
                "/api/generate",
                json!({ "model": name, "prompt": "Hi", "stream": false }),
            ),
            (
                "/api/chat",
                json!({ "model": name, "messages": [], "stream": false }),
            ),
        ] {
            let reply = post(&server, path, &body);
            assert_eq!(reply.status, "200 OK", "{path} {name}");
            assert_eq!(reply.json()["model"], name, "{path}");
        }
        assert_eq!(show(&server, name)["capabilities"], json!(["completion"]));
    }
    for name in ["gemma3:v1", "x/gemma3", "gemma"] {
        let expected = ("404 Not Found", format!("model '{name}' not found"));
        let reply = post(&server, "/api/generate", &json!({ "model": name }));
        assert_eq!(error(&reply), expected);
        let reply = post(&server, "/api/show", &json!({ "model": name }));
        assert_eq!(error(&reply), expected);
    }
}

#[test]
fn a_name_that_is_none_is_refused_by_each_route_in_its_own_words() {
    let server = with_three();
    let unqualified = "unqualified name: registry.ollama.ai/library/a b:latest";
    for (request, status, words) in [
        (
            "POST /api/generate",
            "404 Not Found",
            "model 'a b' not found",
        ),
        ("POST /api/chat", "400 Bad Request", "model is required"),
        ("POST /api/show", "500 Internal Server Error", unqualified),
        ("POST /api/embed", "500 Internal Server Error", unqualified),
        (
            "POST /api/embeddings",
            "400 Bad Request",
            "model is required",
        ),
        (
            "DELETE /api/delete",
            "400 Bad Request",
            "name \"a b\" is invalid",
        ),
        ("POST /api/pull", "400 Bad Request", "invalid model name"),
        ("POST /api/create", "400 Bad Request", "invalid model name"),
    ] {
        let reply = ask(&server, request, r#"{"model":"a b"}"#);
        assert_eq!(error(&reply), (status, words.to_owned()), "{request}");
    }
    let reply = ask(&server, "GET /v1/models/a%20b", "");
    assert_eq!(reply.json()["error"]["message"], unqualified);
}

#[test]
fn every_model_of_a_profile_is_listed_with_what_it_can_do() {
    let server = with_three();
    assert_eq!(
        names(&server),
        ["gemma3:latest", "tools:latest", "me/Embed:v1"]
    );
    assert_eq!(
        show(&server, "tools")["capabilities"],
        json!(["completion", "tools"])
    );
    assert_eq!(
        show(&server, "me/embed:V1")["capabilities"],
        json!(["embedding"])
    );
    let list = ask(&server, "GET /v1/models", "");
    assert!(list.body().ends_with("}]}\n"), "{}", list.body());
    assert_eq!(list.header("content-type"), Some("application/json"));
    let list = list.json();
    let owners = list["data"].as_array().expect("a list").iter();
    let owners: Vec<_> = owners.map(|model| model["owned_by"].clone()).collect();
    assert_eq!(owners, ["library", "library", "me"]);
    let model = ask(&server, "GET /v1/models/Tools", "");
    assert_eq!(
        model.body(),
        "{\"id\":\"Tools\",\"object\":\"model\",\"created\":1761984000,\"owned_by\":\"library\"}\n"
    );
    let missing = ask(&server, "GET /v1/models/none", "");
    assert_eq!(missing.status, "404 Not Found");
    assert_eq!(
        missing.body(),
        "{\"error\":{\"message\":\"model 'none' not found\",\"type\":\"api_error\",\"param\":null,\"code\":null}}\n"
    );
}

#[test]
fn models_with_the_same_weights_share_a_runner_and_others_have_their_own() {
    let server = with_three();
    let load = |name: &str| {
        let path = if name.starts_with("me/") {
            "/api/embed"
        } else {
            "/api/generate"
        };
        assert_eq!(
            post(&server, path, &json!({ "model": name })).status,
            "200 OK"
        );
    };
    let running = || {
        let running = ask(&server, "GET /api/ps", "").json();
        let models = running["models"].as_array().expect("a list").iter();
        let mut names: Vec<_> = models
            .map(|model| model["name"].as_str().expect("a name").to_owned())
            .collect();
        names.sort();
        names
    };
    assert!(running().is_empty());
    load("tools");
    load("gemma3");
    assert_eq!(running(), ["tools:latest"], "under the name that loaded it");
    load("me/embed:v1");
    assert_eq!(running(), ["me/Embed:v1", "tools:latest"]);
    post(
        &server,
        "/api/generate",
        &json!({ "model": "gemma3", "keep_alive": 0 }),
    );
    assert_eq!(running(), ["me/Embed:v1"]);
}

#[test]
fn a_description_has_all_that_a_real_one_has() {
    let server = with_three();
    let reply = post(
        &server,
        "/api/show",
        &json!({ "model": "tools", "system": "Be brief." }),
    );
    assert_eq!(reply.chunks.len(), 1);
    assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
    let shown = reply.json();
    let fields = [
        "\"modelfile\":",
        "\"template\":",
        "\"system\":",
        "\"details\":",
        "\"model_info\":",
        "\"tensors\":",
        "\"capabilities\":",
        "\"modified_at\":",
    ];
    let text = reply.body();
    let places: Vec<_> = fields.iter().map(|field| text.find(field)).collect();
    assert!(
        places.is_sorted() && places.iter().all(Option::is_some),
        "{places:?}"
    );
    let info = shown["model_info"].as_object().expect("an object");
    assert_eq!(info.len(), 33);
    assert_eq!(info["general.architecture"], "gemma3");
    assert!(text.contains("\"gemma3.attention.layer_norm_rms_epsilon\":0.000001,"));
    assert!(
        info["gemma3.context_length"]
            .as_u64()
            .is_some_and(|length| length > 4096)
    );
    assert_eq!(info["tokenizer.ggml.tokens"], Value::Null);
    let template = shown["template"].as_str().expect("a template");
    assert!(template.contains(".Tools"));
    let modelfile = shown["modelfile"].as_str().expect("a Modelfile");
    assert!(
        modelfile.contains("# FROM tools:latest\n") && modelfile.contains("SYSTEM Be brief.\n")
    );
    let verbose = json!({ "model": "tools", "verbose": true });
    let verbose = post(&server, "/api/show", &verbose).json();
    let tokens = verbose["model_info"]["tokenizer.ggml.tokens"].as_array();
    assert!(tokens.is_some_and(|tokens| !tokens.is_empty()));
    for body in ["[]", "null"] {
        assert_eq!(
            ask(&server, "POST /api/show", body).status,
            "400 Bad Request",
            "{body}"
        );
    }
}

#[test]
fn a_copy_is_a_model_of_its_own_until_it_is_deleted() {
    let server = with_three();
    let copy = |source: &str, destination: &str| {
        let body = json!({ "source": source, "destination": destination });
        post(&server, "/api/copy", &body)
    };
    let reply = copy("GEMMA3", "mine:V2");
    assert_eq!(
        (reply.status.as_str(), reply.body().as_str()),
        ("200 OK", "")
    );
    assert_eq!(reply.header("content-type"), None);
    assert_eq!(names(&server)[0], "mine:V2", "the last changed first");
    let digest = |at: usize| {
        let tags = ask(&server, "GET /api/tags", "").json();
        tags["models"][at]["digest"]
            .as_str()
            .expect("a digest")
            .to_owned()
    };
    assert_eq!(digest(0), digest(1));
    assert_eq!(copy("gemma3", "Gemma3").status, "200 OK", "onto itself");
    assert_eq!(
        error(&copy("none", "b")),
        ("404 Not Found", "model \"none\" not found".to_owned())
    );
    assert_eq!(
        error(&copy("gemma3", "b b")),
        (
            "400 Bad Request",
            "destination \"b b\" is invalid".to_owned()
        )
    );
    let delete = |name: &str| {
        let body = json!({ "model": name }).to_string();
        ask(&server, "DELETE /api/delete", &body)
    };
    assert_eq!(delete("MINE:v2").status, "200 OK");
    let gone = ("404 Not Found", "model 'mine:V2' not found".to_owned());
    assert_eq!(error(&delete("mine:V2")), gone);
    assert_eq!(delete("gemma3").status, "200 OK");
    let reply = post(
        &server,
        "/api/generate",
        &json!({ "model": "gemma3", "prompt": "Hi" }),
    );
    assert_eq!(reply.status, "404 Not Found");
    assert_eq!(names(&server), ["tools:latest", "me/Embed:v1"]);
}

#[test]
fn each_server_of_a_process_has_models_of_its_own() {
    let servers = [mock("instant"), mock("instant")];
    let body = r#"{"model":"gemma3"}"#;
    assert_eq!(
        ask(&servers[0], "DELETE /api/delete", body).status,
        "200 OK"
    );
    assert!(names(&servers[0]).is_empty());
    assert_eq!(names(&servers[1]), ["gemma3:latest"]);
}

#[test]
fn a_model_made_from_another_has_what_the_request_gave_it() {
    let server = with_three();
    let body = json!({
        "model": "mario", "from": "gemma3", "system": "You are Mario.",
        "template": "{{ .Suffix }}{{ .System }} {{ .Prompt }}", "license": ["MIT", "BSD"],
        "parameters": { "num_ctx": 2048, "stop": ["a", "b"] },
        "messages": [{ "role": "user", "content": "Hi" }],
    });
    let reply = post(&server, "/api/create", &body);
    assert_eq!(reply.status, "200 OK");
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    let steps: Vec<String> = reply
        .chunks
        .iter()
        .map(|line| {
            assert!(line.ends_with("\"}\n"), "{line}");
            let line: Value = serde_json::from_str(line).expect("JSON");
            line["status"].as_str().expect("a status").to_owned()
        })
        .collect();
    assert!(
        steps[0].starts_with("using existing layer sha256:"),
        "{steps:?}"
    );
    let new = steps
        .iter()
        .filter(|step| step.starts_with("creating new layer sha256:"));
    assert_eq!(new.count(), 6, "{steps:?}");
    assert_eq!(steps[7..], ["writing manifest", "success"]);

    let shown = show(&server, "mario");
    assert_eq!(shown["license"], "MIT\nBSD");
    assert_eq!(shown["system"], "You are Mario.");
    assert_eq!(shown["details"]["parent_model"], "gemma3:latest");
    assert_eq!(shown["capabilities"], json!(["completion", "insert"]));
    assert_eq!(
        shown["messages"],
        json!([{ "role": "user", "content": "Hi" }])
    );
    let column = " ".repeat(23);
    assert_eq!(
        shown["parameters"],
        format!("num_ctx{column} 2048\nstop{column}    \"a\"\nstop{column}    \"b\"")
    );
    let load = json!({ "model": "mario", "stream": false });
    assert_eq!(post(&server, "/api/generate", &load).status, "200 OK");
    let running = ask(&server, "GET /api/ps", "").json();
    assert_eq!(
        running["models"][0]["context_length"], 2048,
        "its own parameter holds"
    );

    let again = json!({ "model": "mario", "from": "mario", "stream": false });
    let reply = post(&server, "/api/create", &again);
    assert_eq!(reply.body(), r#"{"status":"success"}"#);
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

#[test]
fn a_model_that_cannot_be_made_is_refused_in_ollamas_words() {
    let server = with_three();
    let missing = format!("sha256:{}", "0".repeat(64));
    for (further, status, words) in [
        (json!({}), 400, "neither 'from' or 'files' was specified"),
        (json!({ "from": "a b" }), 400, "invalid model name"),
        (json!({ "files": {} }), 400, "unknown type"),
        (
            json!({ "files": { "../x": missing } }),
            400,
            "file path must be relative",
        ),
        (
            json!({ "from": "gemma3", "template": "{{ .Prompt" }),
            400,
            "template error: template: :1: unclosed action",
        ),
        (
            json!({ "from": "gemma3", "license": 3 }),
            500,
            "json: cannot unmarshal number into Go value of type []string",
        ),
        (
            json!({ "from": "gemma3", "quantize": "q4_k_m" }),
            500,
            "quantization is only supported for F16 and F32 models",
        ),
    ] {
        let mut body = json!({ "model": "new" });
        let object = body.as_object_mut().expect("an object");
        object.extend(further.as_object().expect("an object").clone());
        let reply = post(&server, "/api/create", &body);
        assert!(reply.status.starts_with(&status.to_string()), "{further}");
        assert_eq!(error(&reply).1, words);
        assert!(!reply.body().ends_with('\n'), "{further}");
    }
    let lines = |body: Value| {
        let reply = post(&server, "/api/create", &body);
        assert_eq!(reply.status, "200 OK", "it had begun");
        let lines = reply.chunks.iter();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect::<Vec<Value>>()
    };
    let found = lines(json!({ "model": "new", "from": "none" }));
    assert_eq!(found[0]["status"], "pulling manifest");
    assert!(
        found[1]["error"]
            .as_str()
            .is_some_and(|error| error.ends_with("no such host"))
    );
    let found = lines(json!({ "model": "new", "files": { "m.gguf": missing } }));
    assert_eq!(found[0]["status"], "parsing GGUF");
    assert!(
        found[1]["error"]
            .as_str()
            .is_some_and(|error| error.ends_with("no such file or directory"))
    );
    assert!(!names(&server).contains(&"new:latest".to_owned()));
}

#[test]
fn an_uploaded_file_is_known_by_its_digest_and_weights_make_a_model() {
    let server = with_three();
    let files = || fs::read_dir(".").expect("the present folder").count();
    let before = files();
    let known = |digest: &str| ask(&server, &format!("HEAD /api/blobs/{digest}"), "").status;
    let upload =
        |digest: &str, text: &str| ask(&server, &format!("POST /api/blobs/{digest}"), text);
    assert_eq!(known(HELLO), "404 Not Found");
    assert_eq!(upload(HELLO, "hello").status, "201 Created");
    assert_eq!(known(HELLO), "200 OK");
    assert_eq!(known(&HELLO.replace(':', "-")), "200 OK");
    assert_eq!(upload(HELLO, "hello").status, "200 OK", "it is there");
    let wrong = HELLO.replace("9824", "9825");
    let reply = upload(&wrong, "hello");
    let words = format!("digest mismatch, expected \"{wrong}\", got \"{HELLO}\"");
    assert_eq!(error(&reply), ("400 Bad Request", words));
    for digest in ["sha256:12", "..%2F..%2Fetc%2Fpasswd", "md5:0"] {
        assert!(
            ["400 Bad Request", "404 Not Found"].contains(&known(digest).as_str()),
            "{digest}"
        );
    }
    let reply = upload("sha256:12", "hello");
    assert_eq!(
        error(&reply),
        ("400 Bad Request", "invalid digest format".to_owned())
    );

    let from = |digest: &str| {
        let body = json!({ "model": "up", "files": { "m.gguf": digest }, "stream": false });
        post(&server, "/api/create", &body)
    };
    let not_weights = (
        "400 Bad Request",
        "supplied file was not in GGUF format".to_owned(),
    );
    assert_eq!(error(&from(HELLO)), not_weights);
    let mismatch = upload(&wrong, "GGUF and more");
    let found = error(&mismatch).1;
    let digest = found.rsplit('"').nth(1).expect("a digest").to_owned();
    assert_eq!(
        known(&digest),
        "200 OK",
        "it was taken in under its own digest"
    );
    assert_eq!(from(&digest).body(), r#"{"status":"success"}"#);
    let reply = post(
        &server,
        "/api/generate",
        &json!({ "model": "up", "prompt": "Hi", "stream": false }),
    );
    assert_eq!(reply.status, "200 OK");
    assert_eq!(files(), before, "nothing is written to disk");
}

#[test]
fn no_registry_is_reached() {
    let server = with_three();
    let pull = post(&server, "/api/pull", &json!({ "model": "gemma3" }));
    assert_eq!(pull.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(pull.chunks[0], "{\"status\":\"pulling manifest\"}\n");
    let words = "pull model manifest: Get \"https://registry.ollama.ai/v2/library/gemma3/manifests/latest\": \
                 dial tcp: lookup registry.ollama.ai: no such host";
    let last: Value = serde_json::from_str(&pull.chunks[1]).expect("JSON");
    assert_eq!((pull.chunks.len(), &last["error"]), (2, &json!(words)));
    let whole = post(
        &server,
        "/api/pull",
        &json!({ "model": "gemma3", "stream": false }),
    );
    assert_eq!(
        error(&whole),
        ("500 Internal Server Error", words.to_owned())
    );
    let push = post(&server, "/api/push", &json!({ "model": "none" }));
    assert_eq!(
        push.chunks[..2],
        [
            "{\"status\":\"retrieving manifest\"}\n",
            "{\"status\":\"couldn't retrieve manifest\"}\n"
        ]
    );
    let nameless = post(&server, "/api/push", &json!({}));
    assert_eq!(
        error(&nameless),
        ("400 Bad Request", "model is required".to_owned())
    );
}

#[test]
fn an_alias_is_a_further_name_for_generate_and_chat() {
    let server = with_three();
    let path = "/api/experimental/aliases";
    let list = || ask(&server, &format!("GET {path}"), "").body();
    assert_eq!(list(), r#"{"aliases":[]}"#);
    let set = |alias: &str, target: &str| {
        post(&server, path, &json!({ "alias": alias, "target": target }))
    };
    assert_eq!(
        set("gpt", "tools:latest").body(),
        r#"{"alias":"gpt","target":"tools"}"#
    );
    let taken = "alias \"gemma3\" conflicts with existing model".to_owned();
    assert_eq!(error(&set("gemma3", "tools")), ("400 Bad Request", taken));
    let reply = post(
        &server,
        "/api/generate",
        &json!({ "model": "GPT", "prompt": "Hi", "stream": false }),
    );
    assert_eq!(
        (reply.status.as_str(), &reply.json()["model"]),
        ("200 OK", &json!("GPT"))
    );
    assert_eq!(
        post(&server, "/api/show", &json!({ "model": "gpt" })).status,
        "404 Not Found"
    );
    let delete = || ask(&server, &format!("DELETE {path}"), r#"{"alias":"gpt"}"#);
    assert_eq!(delete().body(), r#"{"deleted":true}"#);
    assert_eq!(
        error(&delete()),
        ("404 Not Found", "alias \"gpt\" not found".to_owned())
    );
}
