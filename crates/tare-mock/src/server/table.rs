//! Which requests there are: a table of methods and paths, and what its router says of any other.
//!
//! The rows are those of Ollama's router, in its order. A path that none of them has is not found;
//! one that only other methods have is not allowed, and the reply names them; a slash too many is
//! redirected, and so is a path that is not clean (`//`, `.`, `..`), before anything else is looked
//! at.

use Handler::*;

/// What answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    Root,
    Version,
    Status,
    Pull,
    Push,
    Tags,
    Show,
    Delete,
    Me,
    SignOut,
    Create,
    Upload,
    HasFile,
    Copy,
    Aliases,
    SetAlias,
    DeleteAlias,
    Running,
    Generate,
    Chat,
    Embed,
    Embeddings,
    ChatCompletions,
    Completions,
    OpenAiEmbeddings,
    OpenAiModels,
    OpenAiModel,
    Responses,
    Images,
    ImageEdits,
    Messages,
}

/// Each method and path with its handler. A part that begins with a colon is any one.
const ROUTES: [(&str, &str, Handler); 35] = [
    ("HEAD", "/", Root),
    ("GET", "/", Root),
    ("HEAD", "/api/version", Version),
    ("GET", "/api/version", Version),
    ("GET", "/api/status", Status),
    ("POST", "/api/pull", Pull),
    ("POST", "/api/push", Push),
    ("HEAD", "/api/tags", Tags),
    ("GET", "/api/tags", Tags),
    ("POST", "/api/show", Show),
    ("DELETE", "/api/delete", Delete),
    ("POST", "/api/me", Me),
    ("POST", "/api/signout", SignOut),
    ("DELETE", "/api/user/keys/:key", SignOut),
    ("POST", "/api/create", Create),
    ("POST", "/api/blobs/:digest", Upload),
    ("HEAD", "/api/blobs/:digest", HasFile),
    ("POST", "/api/copy", Copy),
    ("GET", "/api/experimental/aliases", Aliases),
    ("POST", "/api/experimental/aliases", SetAlias),
    ("DELETE", "/api/experimental/aliases", DeleteAlias),
    ("GET", "/api/ps", Running),
    ("POST", "/api/generate", Generate),
    ("POST", "/api/chat", Chat),
    ("POST", "/api/embed", Embed),
    ("POST", "/api/embeddings", Embeddings),
    ("POST", "/v1/chat/completions", ChatCompletions),
    ("POST", "/v1/completions", Completions),
    ("POST", "/v1/embeddings", OpenAiEmbeddings),
    ("GET", "/v1/models", OpenAiModels),
    ("GET", "/v1/models/:model", OpenAiModel),
    ("POST", "/v1/responses", Responses),
    ("POST", "/v1/images/generations", Images),
    ("POST", "/v1/images/edits", ImageEdits),
    ("POST", "/v1/messages", Messages),
];

/// The methods, as a reply lists them.
const METHODS: [&str; 4] = ["HEAD", "GET", "POST", "DELETE"];

/// What the table says of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// The handler, and the part of the path that the route leaves open.
    Route(Handler, &'a str),
    /// The path without the slash at its end is one.
    Slash(&'a str),
    /// Only these methods are allowed, in a list as HTTP has it.
    Method(String),
    Nothing,
}

/// Looks for a request's route; `path` is free of percent signs.
pub fn find<'a>(method: &str, path: &'a str) -> Found<'a> {
    if let Some((handler, open)) = route(method, path) {
        return Found::Route(handler, open);
    }
    let shorter = path.strip_suffix('/').filter(|shorter| !shorter.is_empty());
    if let Some(shorter) = shorter
        && route(method, shorter).is_some()
    {
        return Found::Slash(shorter);
    }
    let allowed = METHODS.into_iter();
    let allowed = allowed.filter(|method| route(method, path).is_some());
    match allowed.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => Found::Nothing,
        allowed => Found::Method(allowed),
    }
}

fn route<'a>(method: &str, path: &'a str) -> Option<(Handler, &'a str)> {
    let rows = ROUTES.iter().filter(|(allowed, ..)| *allowed == method);
    let mut found = rows.filter_map(|(_, pattern, handler)| {
        let open = match pattern.split_once(':') {
            None => (path == *pattern).then_some("")?,
            Some((start, _)) => path
                .strip_prefix(start)
                .filter(|open| !open.is_empty() && !open.contains('/'))?,
        };
        Some((*handler, open))
    });
    found.next()
}

/// A path without empty parts, `.` and `..`, as Go cleans it; a slash at the end stays.
pub fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let mut clean = format!("/{}", parts.join("/"));
    if path.ends_with('/') && clean != "/" {
        clean.push('/');
    }
    clean
}

/// A path with each `%` and its two digits as the byte that they stand for; `None` where that is no
/// text or there are no such digits.
pub fn unescaped(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = after
            .get(..2)
            .filter(|two| two.iter().all(u8::is_ascii_hexdigit))?;
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_found_by_method_and_path() {
        assert_eq!(find("GET", "/api/tags"), Found::Route(Tags, ""));
        assert_eq!(find("GET", "/"), Found::Route(Root, ""));
        assert_eq!(
            find("GET", "/v1/models/gemma3:4b"),
            Found::Route(OpenAiModel, "gemma3:4b")
        );
        assert_eq!(
            find("HEAD", "/api/blobs/sha256:0"),
            Found::Route(HasFile, "sha256:0")
        );
    }

    #[test]
    fn what_only_other_methods_have_is_not_allowed() {
        for (method, path, allowed) in [
            ("POST", "/api/tags", "HEAD, GET"),
            ("GET", "/api/blobs/x", "HEAD, POST"),
            ("PUT", "/api/experimental/aliases", "GET, POST, DELETE"),
            ("HEAD", "/api/chat", "POST"),
            ("DELETE", "/", "HEAD, GET"),
        ] {
            let expected = Found::Method(allowed.to_owned());
            assert_eq!(find(method, path), expected, "{method} {path}");
        }
        for path in [
            "/api",
            "/api/",
            "/api/blobs/",
            "/v1/models/a/b",
            "/API/TAGS",
        ] {
            assert_eq!(find("POST", path), Found::Nothing, "{path}");
        }
    }

    #[test]
    fn a_slash_too_many_leads_to_the_route_without_it() {
        assert_eq!(find("GET", "/api/tags/"), Found::Slash("/api/tags"));
        assert_eq!(find("GET", "/v1/models/"), Found::Slash("/v1/models"));
        assert_eq!(find("GET", "/v1/models/x/"), Found::Slash("/v1/models/x"));
        assert_eq!(find("POST", "/api/tags/"), Found::Nothing);
    }

    #[test]
    fn paths_are_cleaned_as_go_cleans_them() {
        for (path, expected) in [
            ("//api/tags", "/api/tags"),
            ("/api/../api/./tags/", "/api/tags/"),
            ("/../..", "/"),
            ("//", "/"),
            ("/.", "/"),
            ("/api/tags", "/api/tags"),
        ] {
            assert_eq!(clean(path), expected, "{path}");
        }
    }

    #[test]
    fn percent_signs_stand_for_bytes() {
        assert_eq!(unescaped("/api%2Fta%67s").as_deref(), Some("/api/tags"));
        assert_eq!(unescaped("/%C3%A9").as_deref(), Some("/é"));
        for path in ["/%", "/%2", "/%zz", "/%+1"] {
            assert_eq!(unescaped(path), None, "{path}");
        }
    }
}
