//! Whether a request has its names as serde knows them: in lower case, all of them. Go takes any
//! case.

/// Whether no name in a sound JSON text has a capital in it: a quoted text with a colon behind it.
pub fn are_plain(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(start) = memchr::memchr(b'"', rest) {
        let text = &rest[start + 1..];
        let length = length_of(text);
        rest = text.get(length + 1..).unwrap_or_default();
        let is_name = rest.trim_ascii_start().starts_with(b":");
        if is_name && text[..length].iter().any(u8::is_ascii_uppercase) {
            return false;
        }
    }
    true
}

/// How far it is to the quote that ends a text.
fn length_of(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(next) = memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        at += next;
        if text[at] == b'"' {
            return at;
        }
        at += 2; // with what is escaped
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::are_plain;

    #[test]
    fn only_names_matter_and_only_capitals_in_them() {
        for (json, plain) in [
            (r#"{"model":"Gemma","options":{"num_ctx":1}}"#, true),
            (r#"{"a":"B:","b":["C"],"c":"\"D\":"}"#, true),
            (r#"{"a":"x\\","B":1}"#, false),
            (r#"{"Model":"gemma"}"#, false),
            ("{\"a\":[{\"b\" : {\"cD\"\n:1}}]}", false),
            ("{}", true),
            ("\"", true),
            ("\"\\", true),
        ] {
            assert_eq!(are_plain(json.as_bytes()), plain, "{json}");
        }
    }
}
