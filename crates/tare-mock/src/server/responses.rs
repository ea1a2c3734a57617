//! `POST /v1/responses`: a chat in the words of OpenAI's newer API, as far as Ollama has it.
//!
//! A stream tells each step by an event of its own, numbered, and repeats the text at its end; an
//! event's fields are in the order of their names, those of a reply in one piece are not.

use super::answer::{Asked, Wants, prompt};
use super::composed::Spoken;
use super::form::{Form, From, Whole, named_event};
use super::go_json;
use super::log::Tell;
use super::openai::{image, line};
use super::routes::{Error, body};
use super::tools::{Call, Tool};
use crate::protocol::Options;
use crate::protocol::wire::{Final, Truth};
use hyper::Request;
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;

#[derive(Deserialize)]
struct ResponsesRequest {
    model: Option<String>,
    #[serde(default)]
    input: Value,
    #[serde(flatten)]
    echo: Echo,
    stream: Option<bool>,
}

/// What a reply repeats of its request.
#[derive(Clone, Deserialize)]
struct Echo {
    background: Option<bool>,
    instructions: Option<String>,
    max_output_tokens: Option<i32>,
    reasoning: Option<Reasoning>,
    temperature: Option<f64>,
    text: Option<Text>,
    top_p: Option<f64>,
    truncation: Option<String>,
    tools: Option<Vec<GivenTool>>,
}

#[derive(Clone, Deserialize)]
struct Reasoning {
    effort: Option<String>,
    summary: Option<String>,
}

#[derive(Clone, Deserialize)]
struct Text {
    format: Option<Format>,
}

#[derive(Clone, Deserialize, Serialize)]
struct Format {
    #[serde(default)]
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

impl Format {
    fn text() -> Self {
        Self {
            r#type: "text".to_owned(),
            name: None,
            schema: None,
            strict: None,
        }
    }
}

#[derive(Serialize)]
struct TextField<'a> {
    format: Cow<'a, Format>,
}

#[derive(Clone, Deserialize, Serialize)]
struct GivenTool {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    name: String,
    description: Option<String>,
    strict: Option<bool>,
    parameters: Option<Value>,
}

/// Reads a request.
///
/// # Errors
/// With Ollama's words, where it would refuse it before it looks for the model.
pub async fn read(request: Request<Incoming>) -> Result<Asked, Error> {
    let truth = Tell::of(&request);
    let body = body(request).await?;
    let asked: ResponsesRequest =
        go_json::read(&body, &go_json::RESPONSES).map_err(|refusal| refusal.into_error("EOF"))?;
    let mut talk = Talk::default();
    let instructions = asked.echo.instructions.clone().unwrap_or_default();
    if !instructions.is_empty() {
        talk.said.push(instructions);
    }
    talk.read(&asked.input)?;
    let said: Vec<_> = talk.said.iter().map(String::as_str).collect();
    let tools = asked.echo.tools.iter().flatten();
    let tools = tools.map(|tool| {
        Tool::new(
            tool.name.clone(),
            tool.parameters.clone().unwrap_or_default(),
        )
    });
    let format = asked
        .echo
        .text
        .as_ref()
        .and_then(|text| text.format.as_ref());
    let format = format.filter(|format| format.r#type == "json_schema");
    let model = asked.model.unwrap_or_default();
    Ok(Asked {
        model: model.clone(),
        prompt: prompt(&said),
        stream: asked.stream.unwrap_or(false),
        think: None,
        keep_alive: None,
        options: Options {
            num_predict: asked.echo.max_output_tokens,
            temperature: asked.echo.temperature,
            top_p: asked.echo.top_p,
            ..Options::default()
        },
        wants: Wants {
            tools: tools.collect(),
            has_result: talk.ends_with_result,
            has_images: talk.has_images,
            format: format
                .and_then(|format| format.schema.clone())
                .unwrap_or_default(),
            ..Wants::default()
        },
        form: Form::Response(Box::new(Response::new(asked.echo))),
        truth,
    })
}

/// What the items of an input say.
#[derive(Default)]
struct Talk {
    said: Vec<String>,
    has_images: bool,
    ends_with_result: bool,
}

impl Talk {
    fn read(&mut self, input: &Value) -> Result<(), Error> {
        match input {
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => self.said.push(text.clone()),
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.item(item, at)?;
                }
            }
            Value::Null => {}
            other => {
                let kind = kind(other);
                return Err(Error::bad(format!(
                    "input must be a string or array: json: cannot unmarshal {kind} into Go value of type []json.RawMessage"
                )));
            }
        }
        Ok(())
    }

    fn item(&mut self, item: &Value, at: usize) -> Result<(), Error> {
        let given = item["type"].as_str().unwrap_or_default();
        self.ends_with_result = false;
        match given {
            "message" => self.message(item, at),
            "" if item["role"].as_str().is_some_and(|role| !role.is_empty()) => {
                self.message(item, at)
            }
            "function_call" | "reasoning" => {
                self.said.push(String::new());
                Ok(())
            }
            "function_call_output" => {
                self.ends_with_result = true;
                let output = item["output"].as_str().unwrap_or_default();
                self.said.push(output.to_owned());
                Ok(())
            }
            other => Err(Error::bad(format!(
                "input[{at}]: unknown input item type: {other}"
            ))),
        }
    }

    fn message(&mut self, item: &Value, at: usize) -> Result<(), Error> {
        let mut said = String::new();
        match &item["content"] {
            Value::String(text) => said.push_str(text),
            Value::Array(parts) => {
                for (part_at, part) in parts.iter().enumerate() {
                    match part["type"].as_str().unwrap_or_default() {
                        "input_text" | "output_text" => {
                            said.push_str(part["text"].as_str().unwrap_or_default());
                        }
                        "input_image" => {
                            let url = part["image_url"].as_str().unwrap_or_default();
                            if !url.is_empty() {
                                image(url)?;
                                self.has_images = true;
                            }
                        }
                        other => {
                            return Err(Error::bad(format!(
                                "input[{at}]: content[{part_at}]: unknown content type: {other}"
                            )));
                        }
                    }
                }
            }
            Value::Null => {}
            other => {
                let kind = kind(other);
                return Err(Error::bad(format!(
                    "input[{at}]: content must be a string or array: json: cannot unmarshal {kind} into Go value of type []json.RawMessage"
                )));
            }
        }
        self.said.push(said);
        Ok(())
    }
}

/// As Go's decoder names what it found.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A reply, as far as it has been told.
pub struct Response {
    echo: Echo,
    created: i64,
    /// Number of the next event.
    next: u64,
    /// Place of the item that is being told.
    index: usize,
    thoughts: Option<String>,
    thought: bool,
    text: Option<String>,
    /// Items of calls that were made.
    calls: Vec<Value>,
}

/// A whole response, in the order of Ollama's struct.
#[derive(Serialize)]
struct Object<'a, O> {
    id: String,
    object: &'static str,
    created_at: i64,
    completed_at: Option<i64>,
    status: &'static str,
    incomplete_details: (),
    model: &'a str,
    previous_response_id: (),
    instructions: Option<&'a str>,
    output: O,
    error: (),
    tools: &'a [GivenTool],
    tool_choice: &'static str,
    truncation: &'a str,
    parallel_tool_calls: bool,
    text: TextField<'a>,
    top_p: Value,
    presence_penalty: u32,
    frequency_penalty: u32,
    top_logprobs: u32,
    temperature: Value,
    reasoning: Value,
    usage: Option<Usage>,
    max_output_tokens: Option<i32>,
    max_tool_calls: (),
    store: bool,
    background: bool,
    service_tier: &'static str,
    metadata: serde_json::Map<String, Value>,
    safety_identifier: (),
    prompt_cache_key: (),
    /// Where the request asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    tare_truth: Option<&'a Truth>,
}

#[derive(Serialize)]
struct Usage {
    input_tokens: u64,
    output_tokens: u64,
    total_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens_details: OutputDetails,
}

#[derive(Serialize)]
struct InputDetails {
    cached_tokens: u64,
}

#[derive(Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

impl Usage {
    fn of(last: &Final) -> Self {
        Self {
            input_tokens: last.prompt_eval_count,
            output_tokens: last.eval_count,
            total_tokens: last.prompt_eval_count + last.eval_count,
            // Ollama states neither.
            input_tokens_details: InputDetails { cached_tokens: 0 },
            output_tokens_details: OutputDetails {
                reasoning_tokens: 0,
            },
        }
    }
}

/// An item of a reply in one piece, in the order of Ollama's struct.
#[derive(Serialize)]
#[serde(untagged)]
enum Item<'a> {
    Thoughts {
        id: String,
        r#type: &'static str,
        summary: [Summary<'a>; 1],
        encrypted_content: &'a str,
    },
    Call {
        id: String,
        r#type: &'static str,
        status: &'static str,
        call_id: &'a str,
        name: &'a str,
        arguments: String,
    },
    Message {
        id: String,
        r#type: &'static str,
        status: &'static str,
        role: &'static str,
        content: [Part<'a>; 1],
    },
}

#[derive(Serialize)]
struct Summary<'a> {
    r#type: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
struct Part<'a> {
    r#type: &'static str,
    text: &'a str,
    annotations: [(); 0],
    logprobs: [(); 0],
}

impl<'a> Part<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            r#type: "output_text",
            text,
            annotations: [],
            logprobs: [],
        }
    }
}

/// A whole number without a fraction, as Go writes its floats.
fn float(number: Option<f64>) -> Value {
    match number.unwrap_or(1.0) {
        whole if whole.fract() == 0.0 && whole.abs() < 1e15 => (whole as i64).into(),
        number => number.into(),
    }
}

fn response_id(from: From<'_>) -> String {
    format!("resp_{}", from.number)
}

fn message_id(from: From<'_>) -> String {
    format!("msg_{}", from.number)
}

fn thoughts_id(from: From<'_>) -> String {
    format!("rs_{}", from.number)
}

impl Response {
    fn new(echo: Echo) -> Self {
        Self {
            echo,
            created: jiff::Timestamp::now().as_second(),
            next: 0,
            index: 0,
            thoughts: None,
            thought: false,
            text: None,
            calls: Vec::new(),
        }
    }

    fn object<'a, O>(&'a self, from: From<'a>, status: &'static str, output: O) -> Object<'a, O> {
        let echo = &self.echo;
        let format = echo.text.as_ref().and_then(|text| text.format.as_ref());
        let format = match format {
            Some(format) => Cow::Borrowed(format),
            None => Cow::Owned(Format::text()),
        };
        Object {
            id: response_id(from),
            object: "response",
            created_at: self.created,
            completed_at: None,
            status,
            incomplete_details: (),
            model: from.model,
            previous_response_id: (),
            instructions: echo.instructions.as_deref().filter(|said| !said.is_empty()),
            output,
            error: (),
            tools: echo.tools.as_deref().unwrap_or_default(),
            tool_choice: "auto",
            truncation: echo.truncation.as_deref().unwrap_or("disabled"),
            parallel_tool_calls: true,
            text: TextField { format },
            top_p: float(echo.top_p),
            presence_penalty: 0,
            frequency_penalty: 0,
            top_logprobs: 0,
            temperature: float(echo.temperature),
            reasoning: self.reasoning(),
            usage: None,
            max_output_tokens: echo.max_output_tokens,
            max_tool_calls: (),
            store: false,
            background: echo.background.unwrap_or(false),
            service_tier: "default",
            metadata: serde_json::Map::new(),
            safety_identifier: (),
            prompt_cache_key: (),
            tare_truth: None,
        }
    }

    fn completed<'a, O>(&'a self, from: From<'a>, last: &'a Final, output: O) -> Object<'a, O> {
        Object {
            completed_at: Some(jiff::Timestamp::now().as_second()),
            usage: Some(Usage::of(last)),
            tare_truth: last.tare_truth.as_ref(),
            ..self.object(from, "completed", output)
        }
    }

    fn reasoning(&self) -> Value {
        let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let reasoning = self.echo.reasoning.as_ref();
        let reasoning = reasoning.map(|asked| (set(&asked.effort), set(&asked.summary)));
        match reasoning {
            None | Some((None, None)) => Value::Null,
            Some((effort, summary)) => json!({"effort": effort, "summary": summary}),
        }
    }

    /// Appends an event, with its number.
    fn event(&mut self, out: &mut Vec<u8>, name: &'static str, mut data: Value) {
        data["type"] = name.into();
        data["sequence_number"] = self.next.into();
        self.next += 1;
        named_event(out, name, &data);
    }

    fn begin(&mut self, out: &mut Vec<u8>, from: From<'_>) {
        if self.next > 0 {
            return;
        }
        for name in ["response.created", "response.in_progress"] {
            let response = json!(self.object(from, "in_progress", [(); 0]));
            self.event(out, name, json!({"response": response}));
        }
    }

    /// The events of a piece.
    pub fn piece(&mut self, from: From<'_>, said: Spoken<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        self.begin(&mut out, from);
        match said {
            Spoken::Text(text) if self.calls.is_empty() && !text.is_empty() => {
                self.text(&mut out, from, text);
            }
            Spoken::Thought(text) => self.think(&mut out, from, text),
            Spoken::Call(call) => self.call(&mut out, from, call),
            Spoken::Text(_) | Spoken::Nothing => {}
        }
        out
    }

    fn think(&mut self, out: &mut Vec<u8>, from: From<'_>, text: &str) {
        let id = thoughts_id(from);
        let index = self.index;
        if self.thoughts.is_none() {
            let item = json!({"id": id, "type": "reasoning", "summary": []});
            let data = json!({"output_index": index, "item": item});
            self.event(out, "response.output_item.added", data);
        }
        self.thoughts.get_or_insert_default().push_str(text);
        let data = json!({"item_id": id, "output_index": index, "summary_index": 0, "delta": text});
        self.event(out, "response.reasoning_summary_text.delta", data);
    }

    fn thoughts_item(&self, from: From<'_>) -> Option<Value> {
        let thoughts = self.thoughts.as_ref()?;
        Some(json!({
            "id": thoughts_id(from),
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": thoughts}],
            "encrypted_content": thoughts,
        }))
    }

    /// Ends the thoughts, if there are any that have not ended.
    fn thought(&mut self, out: &mut Vec<u8>, from: From<'_>) {
        let Some(item) = self.thoughts_item(from).filter(|_| !self.thought) else {
            return;
        };
        self.thought = true;
        let index = self.index;
        let data = json!({
            "item_id": thoughts_id(from),
            "output_index": index,
            "summary_index": 0,
            "text": self.thoughts,
        });
        self.event(out, "response.reasoning_summary_text.done", data);
        let data = json!({"output_index": index, "item": item});
        self.event(out, "response.output_item.done", data);
        self.index += 1;
    }

    fn text(&mut self, out: &mut Vec<u8>, from: From<'_>, text: &str) {
        self.thought(out, from);
        let id = message_id(from);
        let index = self.index;
        if self.text.is_none() {
            let item = json!({"id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": []});
            let data = json!({"output_index": index, "item": item});
            self.event(out, "response.output_item.added", data);
            let data = json!({"item_id": id, "output_index": index, "content_index": 0, "part": Part::of("")});
            self.event(out, "response.content_part.added", data);
        }
        self.text.get_or_insert_default().push_str(text);
        let data = json!({"item_id": id, "output_index": index, "content_index": 0, "delta": text, "logprobs": []});
        self.event(out, "response.output_text.delta", data);
    }

    fn call(&mut self, out: &mut Vec<u8>, from: From<'_>, call: &Call) {
        self.thought(out, from);
        let number = self.calls.len();
        let index = self.index + number;
        let id = format!("fc_{}_{number}", from.number);
        let arguments = call.arguments_text();
        let item = |status: &str, arguments: &str| {
            json!({
                "id": id,
                "type": "function_call",
                "status": status,
                "call_id": call.id,
                "name": call.name,
                "arguments": arguments,
            })
        };
        let data = json!({"output_index": index, "item": item("in_progress", "")});
        self.event(out, "response.output_item.added", data);
        let data = json!({"item_id": id, "output_index": index, "delta": arguments});
        self.event(out, "response.function_call_arguments.delta", data);
        let data = json!({"item_id": id, "output_index": index, "arguments": arguments});
        self.event(out, "response.function_call_arguments.done", data);
        let data = json!({"output_index": index, "item": item("completed", &arguments)});
        self.event(out, "response.output_item.done", data);
        self.calls.push(item("completed", &arguments));
    }

    /// The events that end a stream.
    pub fn end(&mut self, from: From<'_>, last: &Final) -> Vec<u8> {
        let mut out = Vec::new();
        self.begin(&mut out, from);
        self.thought(&mut out, from);
        let message = self.text.as_ref().map(|text| {
            let part = Part::of(text);
            json!({"id": message_id(from), "type": "message", "status": "completed", "role": "assistant", "content": [part]})
        });
        if let Some(item) = message.as_ref().filter(|_| self.calls.is_empty()) {
            let (id, index) = (message_id(from), self.index);
            let data = json!({"item_id": id, "output_index": index, "content_index": 0, "text": self.text, "logprobs": []});
            self.event(&mut out, "response.output_text.done", data);
            let part = &item["content"][0];
            let data =
                json!({"item_id": id, "output_index": index, "content_index": 0, "part": part});
            self.event(&mut out, "response.content_part.done", data);
            let data = json!({"output_index": index, "item": item});
            self.event(&mut out, "response.output_item.done", data);
        }
        let mut output: Vec<_> = self.thoughts_item(from).into_iter().collect();
        if self.calls.is_empty() {
            output.extend(message);
        } else {
            output.extend(self.calls.iter().cloned());
        }
        // Go writes a list that was never begun as null.
        let output = Some(output).filter(|output| !output.is_empty());
        let response = self.completed(from, last, output);
        let data = json!({"response": response});
        self.event(&mut out, "response.completed", data);
        out
    }

    /// The reply as one object.
    pub fn whole(&self, from: From<'_>, whole: &Whole, last: &Final) -> Vec<u8> {
        let mut output = Vec::new();
        if !whole.thoughts.is_empty() {
            output.push(Item::Thoughts {
                id: format!("rs_{}", response_id(from)),
                r#type: "reasoning",
                summary: [Summary {
                    r#type: "summary_text",
                    text: &whole.thoughts,
                }],
                encrypted_content: &whole.thoughts,
            });
        }
        for (index, call) in whole.calls.iter().enumerate() {
            output.push(Item::Call {
                id: format!("fc_{}_{index}", response_id(from)),
                r#type: "function_call",
                status: "completed",
                call_id: &call.id,
                name: &call.name,
                arguments: call.arguments_text(),
            });
        }
        if whole.calls.is_empty() {
            output.push(Item::Message {
                id: message_id(from),
                r#type: "message",
                status: "completed",
                role: "assistant",
                content: [Part::of(&whole.text)],
            });
        }
        let mut response = self.completed(from, last, output);
        // Here what is not set is left out, and not null.
        if let Value::Object(reasoning) = &mut response.reasoning {
            reasoning.retain(|_, set| !set.is_null());
        }
        line(&response)
    }
}
