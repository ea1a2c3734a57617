//! The shape of a reply's body: what is the same in every run.
//!
//! It is the body itself, field by field in the order in which they came, with words in place of
//! what varies: `time`, `digest`, `int`, `number`, and `text` for what the model said; of a text
//! that is JSON, as `format` asks for, `text of` its shape. Everything else, errors above all, is
//! there word by word. A newline at the end is too.

use crate::node::Node;

/// What the model said, or what describes its file.
const TEXTS: [&str; 23] = [
    "response",
    "content",
    "thinking",
    "text",
    "delta",
    "arguments",
    "partial_json",
    "reasoning",
    "reasoning_content",
    "signature",
    "token",
    "embedding",
    "b64_json",
    "template",
    "modelfile",
    "parameters",
    "license",
    "parameter_size",
    "rendered_template",
    "signin_url",
    "general.basename",
    "general.license",
    "general.size_label",
];

const TIMES: [&str; 3] = ["created_at", "modified_at", "expires_at"];

/// Numbers that the request decides, or the model.
const EXACT: [&str; 16] = [
    "index",
    "content_index",
    "output_index",
    "summary_index",
    "max_output_tokens",
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "context_length",
    "cached_tokens",
    "reasoning_tokens",
    "completed",
    "code",
    "total",
];

/// Numbers with a fraction that may happen to be none.
const FRACTIONS: [&str; 3] = ["logprob", "embedding", "embeddings"];

/// Lists whose length is the number of tokens or of bytes.
const LONG: [&str; 6] = [
    "context", "bytes", "logprobs", "content", "tensors", "shape",
];

/// The body's shape: of a stream, one for each HTTP chunk, and equal ones in a row once.
/// `limit` is how many tokens the request asked for, which are then told.
pub fn of_body(kind: &str, chunks: &[String], limit: Option<i128>) -> Vec<String> {
    let is_stream = kind.starts_with("application/x-ndjson") || kind == "text/event-stream";
    let mut shapes: Vec<String> = if is_stream {
        chunks.iter().map(|chunk| of_lines(chunk, limit)).collect()
    } else {
        vec![of_lines(&chunks.concat(), limit)]
    };
    shapes.dedup();
    shapes.retain(|shape| !shape.is_empty());
    shapes
}

/// Line by line, whether each is JSON, an event's data, or plain text.
fn of_lines(text: &str, limit: Option<i128>) -> String {
    text.split_inclusive('\n')
        .map(|line| of_line(line, limit))
        .collect()
}

fn of_line(line: &str, limit: Option<i128>) -> String {
    let (content, end) = match line.strip_suffix('\n') {
        Some(content) => (content, "\n"),
        None => (line, ""),
    };
    let (prefix, json) = match content.strip_prefix("data: ") {
        Some(json) => ("data: ", json),
        None => ("", content),
    };
    let Ok(node) = serde_json::from_str::<Node>(json) else {
        return line.to_owned();
    };
    // Go's encoder escapes them.
    let plain = if json.contains(['<', '>', '&']) {
        "unescaped "
    } else {
        ""
    };
    let shape = of_field(
        "",
        &node,
        &Place {
            limit,
            ..Place::default()
        },
    );
    format!("{prefix}{plain}{shape}{end}")
}

/// What is around a value.
#[derive(Clone, Copy, Default)]
struct Place {
    /// It is the model's: only types count.
    in_answer: bool,
    /// How many tokens the request asked for, which an answer need not have.
    limit: Option<i128>,
}

fn of_field(name: &str, node: &Node, place: &Place) -> String {
    match node {
        Node::Null => "null".to_owned(),
        Node::Bool(_) if place.in_answer => "bool".to_owned(),
        Node::Bool(value) => value.to_string(),
        Node::Int(_) | Node::Float(_) if place.in_answer => "number".to_owned(),
        Node::Int(_) | Node::Float(_) if FRACTIONS.contains(&name) => "number".to_owned(),
        Node::Int(value) if EXACT.contains(&name) => value.to_string(),
        Node::Int(value) if name == "eval_count" && place.limit == Some(*value) => {
            value.to_string()
        }
        Node::Int(_) => "int".to_owned(),
        Node::Float(value) if EXACT.contains(&name) => value.to_string(),
        Node::Float(_) => "float".to_owned(),
        Node::Text(text) => of_text(name, text, place),
        Node::List(items) => of_list(name, items, place),
        Node::Object(fields) => {
            let is_model_s = ["arguments", "input", "tensors"].contains(&name);
            let place = Place {
                in_answer: place.in_answer || is_model_s,
                ..*place
            };
            let field = |(name, value): &(String, Node)| {
                format!("{}:{}", quoted(name), of_field(name, value, &place))
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{{}}}", fields.join(","))
        }
    }
}

fn of_list(name: &str, items: &[Node], place: &Place) -> String {
    let mut runs: Vec<(String, usize)> = Vec::new();
    for shape in items.iter().map(|item| of_field(name, item, place)) {
        match runs.last_mut() {
            Some((last, count)) if *last == shape => *count += 1,
            _ => runs.push((shape, 1)),
        }
    }
    // Models come by the second in which they were made, and in any order within one.
    if name == "models" || name == "data" {
        runs.sort();
    }
    let is_long = LONG.contains(&name) || place.in_answer;
    let run = |(shape, count): (String, usize)| match count {
        _ if is_long => format!("{shape}+"),
        1 => shape,
        _ => format!("{shape} x{count}"),
    };
    let runs: Vec<String> = runs.into_iter().map(run).collect();
    format!("[{}]", runs.join(","))
}

fn of_text(name: &str, text: &str, place: &Place) -> String {
    if TIMES.contains(&name) && text.parse::<jiff::Timestamp>().is_ok() {
        return "time".to_owned();
    }
    if name == "digest" && text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return "digest".to_owned();
    }
    if (name == "id" || name.ends_with("_id"))
        && let Some(kind) = identifier(text)
    {
        return format!("{kind}…");
    }
    if name == "status"
        && let Some((before, _)) = text.split_once("sha256:")
    {
        return quoted(&format!("{before}sha256:…"));
    }
    // Where the file lay that the model was made of, if it was made of one.
    if name == "parent_model" {
        return "text".to_owned();
    }
    let is_said = TEXTS.contains(&name) || place.in_answer;
    if !is_said || text.is_empty() {
        return quoted(&without_places(text));
    }
    let answer = Place {
        in_answer: true,
        ..*place
    };
    match serde_json::from_str::<Node>(text) {
        Ok(node @ (Node::Object(_) | Node::List(_))) if !place.in_answer => {
            format!("text of {}", of_field("", &node, &answer))
        }
        _ => "text".to_owned(),
    }
}

/// What stands before the part of an identifier that is made up anew each time: `chatcmpl-` of
/// `chatcmpl-123`. A model's name is none.
fn identifier(text: &str) -> Option<&str> {
    let at = text.find(['-', '_'])? + 1;
    let (kind, rest) = text.split_at(at);
    let is_kind = kind[..at - 1].bytes().all(|b| b.is_ascii_lowercase());
    let made_up = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let is_rest = rest.bytes().any(|b| b.is_ascii_digit()) && rest.bytes().all(made_up);
    (is_kind && is_rest).then_some(kind)
}

/// Without the folders in which a server keeps its models, where a message states them.
fn without_places(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split(' ') {
        let kept = ["/manifests/", "/blobs/"].iter().find_map(|folder| {
            let at = word.rfind(folder)?;
            word.starts_with('/')
                .then(|| format!("MODELS{}", &word[at..]))
        });
        words.push(kept.unwrap_or_else(|| word.to_owned()));
    }
    words.join(" ")
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
