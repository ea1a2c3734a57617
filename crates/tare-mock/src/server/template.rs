//! Whether a template of Go can be parsed, in Go's words where it can't: as far as braces, blocks
//! and names go.

/// The functions that a template may name.
const FUNCTIONS: [&str; 24] = [
    "and",
    "or",
    "not",
    "len",
    "index",
    "slice",
    "print",
    "printf",
    "println",
    "html",
    "js",
    "urlquery",
    "call",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "json",
    "currentDate",
    "toTypeScriptType",
    "true",
    "false",
];

/// Go's view of a template.
///
/// # Errors
/// With Go's words for the first thing wrong.
pub fn check(template: &str) -> Result<(), String> {
    let mut open = 0_usize;
    let mut at = 0;
    while let Some(start) = template[at..].find("{{").map(|found| at + found) {
        let inside = start + 2;
        let line = 1 + template[..start].matches('\n').count();
        let wrong = |what: &str| Err(format!("template: :{line}: {what}"));
        let Some(end) = template[inside..].find("}}").map(|found| inside + found) else {
            return wrong("unclosed action");
        };
        let action = template[inside..end].trim_matches(['-', ' ', '\t', '\n', '\r']);
        at = end + 2;
        if action.starts_with("/*") {
            continue;
        }
        let word = action
            .split([' ', '(', '|', '\n', '\t'])
            .next()
            .unwrap_or("");
        match word {
            "if" | "range" | "with" if action == word => {
                return wrong(&format!("missing value for {word}"));
            }
            "if" | "range" | "with" | "block" | "define" => open += 1,
            "end" if open == 0 => return wrong("unexpected {{end}}"),
            "end" => open -= 1,
            "else" if open == 0 => return wrong("unexpected {{else}}"),
            "" if action.is_empty() => return wrong("missing value for command"),
            "else" | "template" | "break" | "continue" | "" => {}
            name if is_unknown(name) => return wrong(&format!("function \"{name}\" not defined")),
            _ => {}
        }
    }
    if open > 0 {
        let line = 1 + template.matches('\n').count();
        return Err(format!("template: :{line}: unexpected EOF"));
    }
    Ok(())
}

fn is_unknown(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && !FUNCTIONS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_go_refuses_is_refused_in_its_words() {
        for (template, found) in [
            ("", Ok(())),
            ("{{ .Prompt }}", Ok(())),
            (
                "{{- range $i, $_ := .Messages }}{{ if eq .Role \"user\" }}a{{ else }}b{{ end }}{{ end }}",
                Ok(()),
            ),
            ("{{/* said */}}{{ json .Tools }}", Ok(())),
            ("{{ .Bad", Err("template: :1: unclosed action")),
            ("a\n{{ if .System }}", Err("template: :2: unexpected EOF")),
            ("{{ if }}", Err("template: :1: missing value for if")),
            ("{{ end }}", Err("template: :1: unexpected {{end}}")),
            (
                "{{ shout .Prompt }}",
                Err("template: :1: function \"shout\" not defined"),
            ),
        ] {
            assert_eq!(check(template), found.map_err(str::to_owned), "{template}");
        }
    }
}
