//! Names of models, as Ollama reads them: `host/namespace/model:tag`, of which all but the model may
//! be left out.

use std::fmt;

const HOST: &str = "registry.ollama.ai";
const NAMESPACE: &str = "library";
const TAG: &str = "latest";
/// What Ollama puts where a separator promises a part that is not there. It makes the name invalid.
const MISSING: &str = "!MISSING!";

/// A name with all its parts. It need not be valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub host: String,
    pub namespace: String,
    pub model: String,
    pub tag: String,
}

/// The parts of a name, as far as they follow different rules.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Host,
    Namespace,
    Model,
    Tag,
}

impl Name {
    /// Reads a name; what it leaves out is the default.
    pub fn parse(text: &str) -> Self {
        let mut name = Self {
            host: HOST.to_owned(),
            namespace: NAMESPACE.to_owned(),
            model: String::new(),
            tag: TAG.to_owned(),
        };
        let mut rest = text;
        if rest.rfind(':') > rest.rfind('/')
            && let Some((before, tag)) = cut_promised(rest, ':')
        {
            rest = before;
            name.tag = tag.to_owned();
        }
        let Some((before, model)) = cut_promised(rest, '/') else {
            name.model = rest.to_owned();
            return name;
        };
        name.model = model.to_owned();
        let Some((before, namespace)) = cut_promised(before, '/') else {
            name.namespace = before.to_owned();
            return name;
        };
        name.namespace = namespace.to_owned();
        // A scheme in front of the host does not matter.
        let host = before.split_once("://").map_or(before, |(_, host)| host);
        if !host.is_empty() {
            name.host = host.to_owned();
        }
        name
    }

    /// Whether every part may be what it is.
    pub fn is_valid(&self) -> bool {
        let parts = [
            (Part::Host, &self.host),
            (Part::Namespace, &self.namespace),
            (Part::Model, &self.model),
            (Part::Tag, &self.tag),
        ];
        parts.into_iter().all(|(part, text)| part.takes(text))
    }

    /// With what is default left out, except the tag.
    pub fn shortest(&self) -> String {
        let Self {
            host,
            namespace,
            model,
            tag,
        } = self;
        if !host.eq_ignore_ascii_case(HOST) {
            return format!("{host}/{namespace}/{model}:{tag}");
        }
        if !namespace.eq_ignore_ascii_case(NAMESPACE) {
            return format!("{namespace}/{model}:{tag}");
        }
        format!("{model}:{tag}")
    }

    /// Takes the spelling of each part that `existing` has too.
    pub fn spelled_like(&mut self, existing: &Self) {
        let parts = [
            (&mut self.host, &existing.host),
            (&mut self.namespace, &existing.namespace),
            (&mut self.model, &existing.model),
            (&mut self.tag, &existing.tag),
        ];
        for (part, existing) in parts {
            if part.eq_ignore_ascii_case(existing) {
                existing.clone_into(part);
            }
        }
    }

    /// The URL below which a registry has it; `insecure` is what a client allows.
    pub fn registry_url(&self, insecure: bool) -> String {
        let scheme = if insecure { "http" } else { "https" };
        format!(
            "{scheme}://{}/v2/{}/{}",
            self.host, self.namespace, self.model
        )
    }
}

impl fmt::Display for Name {
    /// With all its parts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            namespace,
            model,
            tag,
        } = self;
        write!(f, "{host}/{namespace}/{model}:{tag}")
    }
}

impl Part {
    fn takes(self, text: &str) -> bool {
        let longest = if self == Part::Host { 350 } else { 80 };
        let starts = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let goes_on = |byte: u8| match byte {
            b'-' => true,
            b'.' => self != Part::Namespace,
            b':' => self == Part::Host,
            byte => starts(byte),
        };
        match text.as_bytes() {
            [] => false,
            [first, rest @ ..] => {
                text.len() <= longest && starts(*first) && rest.iter().all(|&byte| goes_on(byte))
            }
        }
    }
}

/// Cuts at the last separator; a part that is empty there is missing.
fn cut_promised(text: &str, separator: char) -> Option<(&str, &str)> {
    let (before, after) = text.rsplit_once(separator)?;
    let or_missing = |part| match part {
        "" => MISSING,
        part => part,
    };
    Some((or_missing(before), or_missing(after)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_left_out_is_the_default() {
        for (text, full, shortest) in [
            (
                "gemma3",
                "registry.ollama.ai/library/gemma3:latest",
                "gemma3:latest",
            ),
            ("Me/x:V1", "registry.ollama.ai/Me/x:V1", "Me/x:V1"),
            (
                "registry.ollama.ai/library/gemma3:4b",
                "registry.ollama.ai/library/gemma3:4b",
                "gemma3:4b",
            ),
            ("http://h:80/a/b", "h:80/a/b:latest", "h:80/a/b:latest"),
            ("a/b/c/d", "a/b/c/d:latest", "a/b/c/d:latest"),
        ] {
            let name = Name::parse(text);
            assert_eq!(
                (name.to_string().as_str(), name.shortest().as_str()),
                (full, shortest),
                "{text}"
            );
        }
    }

    #[test]
    fn a_name_that_can_be_no_file_is_invalid() {
        for text in ["gemma3", "_x", "a-b/d:e.f", "h.x:1/a/b:c", "GEMMA3"] {
            assert!(Name::parse(text).is_valid(), "{text}");
        }
        for text in [
            "",
            "a b",
            "!",
            ":x",
            "x:",
            "/x",
            "x/",
            "a/b/c/d",
            "../../x",
            "-x",
            "a.b/c",
            "x@sha256:12",
            "é",
            &"x".repeat(81),
        ] {
            assert!(!Name::parse(text).is_valid(), "{text}");
        }
    }

    #[test]
    fn a_missing_part_is_named_as_ollama_names_it() {
        assert_eq!(
            Name::parse(":x").to_string(),
            "registry.ollama.ai/library/!MISSING!:x"
        );
        assert_eq!(
            Name::parse("/x").to_string(),
            "registry.ollama.ai/!MISSING!/x:latest"
        );
    }

    #[test]
    fn a_name_takes_the_spelling_that_exists() {
        let mut name = Name::parse("GEMMA3:LATEST");
        name.spelled_like(&Name::parse("gemma3"));
        assert_eq!(name, Name::parse("gemma3:latest"));
        let mut other = Name::parse("Other:LATEST");
        other.spelled_like(&Name::parse("gemma3"));
        assert_eq!(other.shortest(), "Other:latest");
    }

    proptest! {
        #[test]
        fn a_valid_name_is_what_its_full_and_its_shortest_form_say(text in "[a-zA-Z0-9_./:-]{1,40}") {
            let name = Name::parse(&text);
            if name.is_valid() {
                prop_assert_eq!(Name::parse(&name.to_string()), name.clone());
                prop_assert_eq!(Name::parse(&name.shortest()).shortest(), name.shortest());
            }
        }
    }
}
