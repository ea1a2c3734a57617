//! Calls of tools.

use super::*;

fn tools() -> Value {
    let parameters = json!({
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"]
    });
    json!([{"type": "function", "function": {"name": "weather", "description": "Asks.", "parameters": parameters}}])
}

fn fits(arguments: &Value) -> bool {
    jsonschema::is_valid(&tools()[0]["function"]["parameters"], arguments)
}

#[test]
fn a_call_is_one_line_before_the_last() {
    let server = able(&["completion", "tools"], "");
    let reply = native(&server, "chat", json!({"tools": tools()}));
    let lines = lines(&reply);
    assert_eq!(lines.len(), 2, "{lines:?}");
    let message = &lines[0]["message"];
    assert_eq!(message["content"], "");
    let [call] = message["tool_calls"].as_array().expect("a list").as_slice() else {
        panic!("one call: {message}");
    };
    assert!(
        call["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("call_"))
    );
    assert_eq!(call["function"]["index"], 0);
    assert_eq!(call["function"]["name"], "weather");
    assert!(fits(&call["function"]["arguments"]), "{call}");
    assert_eq!(
        lines[1]["message"],
        json!({"role": "assistant", "content": ""})
    );
    assert_eq!(lines[1]["done_reason"], "stop");
    assert!(
        lines[1]["eval_count"].as_u64() > Some(5),
        "it has the tokens of its text"
    );
    let whole = native(&server, "chat", json!({"tools": tools(), "stream": false})).json();
    assert_eq!(whole["message"]["tool_calls"], message["tool_calls"]);
}

#[test]
fn what_a_tool_gave_is_answered_in_text() {
    let server = able(&["completion", "tools"], "");
    let messages = json!([
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "weather", "arguments": {}}}]},
        {"role": "tool", "content": "rain", "tool_name": "weather"}
    ]);
    let more = json!({"tools": tools(), "messages": messages});
    let text = said(&lines(&native(&server, "chat", more)));
    assert!(text.starts_with("## "), "{text}");
}

#[test]
fn a_profile_may_never_call() {
    let server = able(&["completion", "tools"], "tool_calls = \"never\"");
    let text = said(&lines(&native(&server, "chat", json!({"tools": tools()}))));
    assert!(text.starts_with("## "), "{text}");
}

#[test]
fn openai_has_the_arguments_as_text() {
    let server = able(&["completion", "tools"], "");
    let reply = chat_completion(&server, json!({"tools": tools(), "stream": true}));
    let events = events(&reply);
    assert_eq!(events.len(), 2);
    let choice = &events[0].1["choices"][0];
    assert_eq!(choice["finish_reason"], Value::Null);
    let call = &choice["delta"]["tool_calls"][0];
    assert_eq!(names(call), ["function", "id", "index", "type"]);
    assert_eq!(
        (&call["type"], &call["index"]),
        (&"function".into(), &0.into())
    );
    let arguments = call["function"]["arguments"].as_str().expect("a text");
    assert!(fits(&serde_json::from_str(arguments).expect("JSON")));
    assert_eq!(events[1].1["choices"][0]["finish_reason"], "tool_calls");
    let whole = chat_completion(&server, json!({"tools": tools()})).json();
    let choice = &whole["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(
        choice["message"]["tool_calls"][0]["function"]["arguments"],
        arguments
    );
}

#[test]
fn a_call_that_is_cut_off_is_none() {
    let server = able(&["completion", "tools"], "");
    let more = json!({"tools": tools(), "options": {"num_predict": 3}});
    let lines = lines(&native(&server, "chat", more));
    assert!(said(&lines).starts_with("{\"name\":"), "{lines:?}");
    assert_eq!(lines[lines.len() - 1]["done_reason"], "length");
}

#[test]
fn a_model_without_tools_refuses_them() {
    let reply = native(&plain(), "chat", json!({"tools": tools()}));
    assert_eq!(reply.status, "400 Bad Request");
    let words = "registry.ollama.ai/library/gemma3:latest does not support tools";
    assert_eq!(reply.json()["error"], words);
}
