//! Surgery on a line of a reply, or on an event or a whole object: bytes in, bytes out.
//!
//! A line is JSON as the mock writes it, so a quote inside of a text is escaped, and the bytes of a
//! field's name with its quotes are found nowhere else.

/// Fields that no client knows, of every type; the last ones are named like those that it does.
const UNKNOWN: &str = concat!(
    r#""x_null":null,"x_number":-1.5e300,"x_true":true,"x_text":"\"}\n\\ \u00e9\ud83e\udd99 data: ","#,
    r#""x_list":[1,[],{},null,"two"],"x_object":{"response":"not this","done":true,"deeper":{"error":"nor this"}}"#,
);

/// Puts a byte into a line's text that UTF-8 does not have. A line without a text stays as it is.
pub fn bad_utf8(line: &mut Vec<u8>) {
    let names: [&[u8]; 4] = [
        br#""response":""#,
        br#""content":""#,
        br#""text":""#,
        br#""delta":""#,
    ];
    let text = names
        .iter()
        .find_map(|name| find(line, name).map(|at| at + name.len()));
    if let Some(at) = text {
        line.insert(at, 0xff);
    }
}

/// Makes a line's `context` one of so many ids. A line without one stays as it is.
pub fn huge_context(line: &mut Vec<u8>, ids: u32) {
    /// Real ids have six digits, most of them.
    const FIRST: u32 = 100_000;
    const NAME: &[u8] = br#""context":["#;
    let Some(start) = find(line, NAME).map(|at| at + NAME.len()) else {
        return;
    };
    let Some(length) = find(&line[start..], b"]") else {
        return;
    };
    let mut list = String::new();
    for id in 0..ids {
        let comma = if id == 0 { "" } else { "," };
        list.push_str(&format!("{comma}{}", FIRST + id % 150_000));
    }
    line.splice(start..start + length, list.into_bytes());
}

/// Adds fields to each object that begins a line, be it a server-sent event's.
pub fn extra_fields(line: &mut Vec<u8>) {
    let mut out = Vec::with_capacity(line.len() + 2 * UNKNOWN.len());
    for piece in line.split_inclusive(|&byte| byte == b'\n') {
        let start = if piece.starts_with(b"data: ") { 6 } else { 0 };
        match piece.get(start..) {
            Some([b'{', rest @ ..]) => {
                out.extend_from_slice(&piece[..=start]);
                out.extend_from_slice(UNKNOWN.as_bytes());
                if !rest.starts_with(b"}") {
                    out.push(b',');
                }
                out.extend_from_slice(rest);
            }
            _ => out.extend_from_slice(piece),
        }
    }
    *line = out;
}

fn find(line: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(line, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn changed(line: &str, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut line = line.as_bytes().to_vec();
        change(&mut line);
        line
    }

    fn json_of(line: &[u8]) -> Value {
        serde_json::from_slice(line).expect("JSON")
    }

    #[test]
    fn the_text_of_a_line_is_no_longer_utf8_and_the_rest_is() {
        for line in [
            "{\"model\":\"\\\"response\\\":\\\"\",\"response\":\"a\",\"done\":false}\n",
            "{\"message\":{\"role\":\"assistant\",\"content\":\"a\"},\"done\":false}\n",
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
        ] {
            let bad = changed(line, bad_utf8);
            let at = line.find("\"a\"").expect("its text") + 1;
            assert_eq!(bad[at], 0xff, "{line}");
            assert_eq!([&bad[..at], &bad[at + 1..]].concat(), line.as_bytes());
        }
        assert_eq!(
            changed("{\"error\":\"x\"}\n", bad_utf8),
            b"{\"error\":\"x\"}\n"
        );
    }

    #[test]
    fn a_context_gets_its_ids_and_nothing_else_changes() {
        let line = r#"{"response":"","done":true,"context":[0,1,2],"eval_count":3}"#;
        let ids = |count| {
            let line = json_of(&changed(line, |line| huge_context(line, count)));
            assert_eq!(
                (&line["done"], &line["eval_count"]),
                (&json!(true), &json!(3))
            );
            line["context"].as_array().expect("a list").len()
        };
        assert_eq!([ids(0), ids(1), ids(200_000)], [0, 1, 200_000]);
        let without = changed(r#"{"done":true}"#, |line| huge_context(line, 5));
        assert_eq!(without, br#"{"done":true}"#);
    }

    #[test]
    fn a_line_keeps_its_fields_beside_the_new_ones() {
        let line = json_of(&changed(
            "{\"response\":\"a\",\"done\":false}\n",
            extra_fields,
        ));
        assert_eq!(
            (&line["response"], &line["done"]),
            (&json!("a"), &json!(false))
        );
        assert_eq!(line.as_object().expect("an object").len(), 2 + 6);
        assert_eq!(line["x_object"]["done"], true);
        assert!(json_of(&changed("{}\n", extra_fields))["x_list"].is_array());
    }

    #[test]
    fn each_event_of_a_chunk_gets_fields_and_its_end_none() {
        let events = "data: {\"a\":1}\n\ndata: {\"b\":2}\n\ndata: [DONE]\n\n";
        let events = String::from_utf8(changed(events, extra_fields)).expect("UTF-8");
        let events: Vec<_> = events.split_terminator("\n\n").collect();
        assert_eq!(events.len(), 3);
        for (event, name) in events.iter().zip(["a", "b"]) {
            let event = json_of(event.strip_prefix("data: ").expect("data").as_bytes());
            assert!(event[name].is_number() && event["x_null"].is_null());
        }
        assert_eq!(events[2], "data: [DONE]");
    }
}
