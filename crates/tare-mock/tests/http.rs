//! The mock as an HTTP server: what it says to requests that no handler of an API sees. All of it as
//! Ollama 0.17.4 was found to say it.

mod support;

use support::{Reply, ask, mock};

const NOT_ALLOWED: &str = "405 Method Not Allowed";
const NOT_FOUND: &str = "404 Not Found";
const FORBIDDEN: &str = "403 Forbidden";

#[test]
fn a_path_without_a_route_is_not_found_and_one_of_other_methods_names_them() {
    let server = mock("instant");
    for (request, status, allowed) in [
        ("POST /api/tags", NOT_ALLOWED, Some("HEAD, GET")),
        ("GET /api/chat", NOT_ALLOWED, Some("POST")),
        ("OPTIONS /api/chat", NOT_ALLOWED, Some("POST")),
        ("HEAD /v1/models", NOT_ALLOWED, Some("GET")),
        (
            "PATCH /api/blobs/sha256:12",
            NOT_ALLOWED,
            Some("HEAD, POST"),
        ),
        ("POST /api/delete", NOT_ALLOWED, Some("DELETE")),
        ("DELETE /v1/models/gemma3", NOT_ALLOWED, Some("GET")),
        ("GET /none", NOT_FOUND, None),
        ("OPTIONS /none", NOT_FOUND, None),
        ("GET /API/TAGS", NOT_FOUND, None),
        ("GET /v1/models/library/gemma3", NOT_FOUND, None),
        ("POST /api/blobs/", NOT_FOUND, None),
        ("POST /api/tags/", NOT_FOUND, None),
    ] {
        let reply = ask(&server, request, "");
        assert_eq!(reply.status, status, "{request}");
        assert_eq!(reply.header("allow"), allowed, "{request}");
        assert_eq!(
            reply.header("content-type"),
            Some("text/plain"),
            "{request}"
        );
        let body = match (request.starts_with("HEAD"), status) {
            (true, _) => "",
            (_, NOT_FOUND) => "404 page not found",
            _ => "405 method not allowed",
        };
        assert_eq!(reply.body(), body, "{request}");
    }
}

#[test]
fn an_unclean_path_or_a_slash_too_many_is_redirected() {
    let server = mock("instant");
    for (request, status, location) in [
        ("GET /api/tags/", "301 Moved Permanently", "/api/tags"),
        (
            "GET /api/tags/?x=1&y",
            "301 Moved Permanently",
            "/api/tags?x=1&y",
        ),
        ("GET /v1/models/", "301 Moved Permanently", "/v1/models"),
        ("POST /api/show/", "307 Temporary Redirect", "/api/show"),
        ("GET //api/tags", "307 Temporary Redirect", "/api/tags"),
        (
            "GET /api/../api/./tags",
            "307 Temporary Redirect",
            "/api/tags",
        ),
        ("POST //api//show", "307 Temporary Redirect", "/api/show"),
        ("GET //none", "307 Temporary Redirect", "/none"),
        (
            "GET /api/tags/\nX-Forwarded-Prefix: /ollama",
            "301 Moved Permanently",
            "/ollama/api/tags",
        ),
    ] {
        let reply = ask(&server, request, "");
        assert_eq!(reply.status, status, "{request}");
        assert_eq!(reply.header("location"), Some(location), "{request}");
        let links = request.starts_with("GET");
        let words = &status[4..];
        let shown = location.replace('&', "&amp;");
        let body = format!("<a href=\"{shown}\">{words}</a>.\n\n");
        assert_eq!(
            reply.body(),
            if links { body.as_str() } else { "" },
            "{request}"
        );
        let kind = links.then_some("text/html; charset=utf-8");
        assert_eq!(reply.header("content-type"), kind, "{request}");
    }
}

#[test]
fn escapes_in_a_path_stand_for_what_they_mean() {
    let server = mock("instant");
    for request in [
        "GET /api%2Ftags",
        "GET /api/ta%67s",
        "GET /v1/models/gemma3%3Alatest",
    ] {
        assert_eq!(ask(&server, request, "").status, "200 OK", "{request}");
    }
    assert!(ask(&server, "GET /api/%zz", "").status.starts_with("400"));
}

#[test]
fn what_can_be_had_can_be_asked_for_without_its_body() {
    let server = mock("instant");
    for path in ["/", "/api/version", "/api/tags"] {
        let [whole, head] =
            ["GET", "HEAD"].map(|method| ask(&server, &format!("{method} {path}"), ""));
        assert_eq!(
            (whole.status.as_str(), head.status.as_str()),
            ("200 OK", "200 OK")
        );
        for name in ["content-type", "content-length"] {
            assert_eq!(whole.header(name), head.header(name), "{path}");
        }
        assert!(!whole.body().is_empty() && head.body().is_empty(), "{path}");
    }
}

#[test]
fn pages_of_this_machine_may_ask_and_others_may_not() {
    let server = mock("instant");
    let origin =
        |request: &str, origin: &str| ask(&server, &format!("{request}\nOrigin: {origin}"), "");
    for local in [
        "http://localhost:3000",
        "https://127.0.0.1",
        "tauri://localhost",
    ] {
        for (request, status) in [
            ("GET /api/version", "200 OK"),
            ("GET /none", NOT_FOUND),
            ("POST /api/tags", NOT_ALLOWED),
        ] {
            let reply = origin(request, local);
            assert_eq!(reply.status, status, "{local}");
            assert_eq!(reply.header("access-control-allow-origin"), Some(local));
            assert_eq!(reply.header("vary"), Some("Origin"));
        }
    }
    for foreign in [
        "http://evil.com",
        "null",
        "http://localhost.evil.com",
        "chrome-extension://x",
    ] {
        for request in [
            "GET /api/version",
            "OPTIONS /api/chat",
            "GET /none",
            "POST /api/tags",
        ] {
            let reply = origin(request, foreign);
            assert_eq!(reply.status, FORBIDDEN, "{request} {foreign}");
            assert_eq!(reply.header("access-control-allow-origin"), None);
            assert_eq!(reply.body(), "");
        }
    }
    let own = origin("GET /api/version", &server.base_url());
    assert_eq!(own.status, "200 OK");
    assert_eq!(
        own.header("access-control-allow-origin"),
        None,
        "its own page needs none"
    );
}

#[test]
fn a_browser_that_asks_beforehand_learns_what_it_may_send() {
    let server = mock("instant");
    let head = "OPTIONS /api/chat\nOrigin: http://localhost\nAccess-Control-Request-Method: POST";
    let reply = ask(&server, head, "");
    assert_eq!(reply.status, "204 No Content");
    for (name, value) in [
        ("access-control-allow-origin", "http://localhost"),
        (
            "access-control-allow-methods",
            "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS",
        ),
        ("access-control-max-age", "43200"),
        ("allow", "POST"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    let headers = reply
        .header("access-control-allow-headers")
        .expect("headers");
    let headers: Vec<_> = headers.split(',').collect();
    assert_eq!(headers.len(), 18);
    assert_eq!(
        (headers[0], headers[17]),
        ("Authorization", "X-Stainless-Timeout")
    );
    assert_eq!(values(&reply, "vary").len(), 3);
}

fn values<'a>(reply: &'a Reply, name: &str) -> Vec<&'a str> {
    let given = reply.headers.iter().filter(|(given, _)| given == name);
    given.map(|(_, value)| value.as_str()).collect()
}

#[test]
fn a_server_on_loopback_answers_only_to_names_of_the_local_network() {
    let server = mock("instant");
    let status =
        |host: &str, request: &str| ask(&server, &format!("{request}\nhost: {host}"), "").status;
    for host in [
        "localhost",
        "LOCALHOST:1",
        "a.local",
        "b.internal:80",
        "[::1]:1",
        "10.0.0.1",
        "",
    ] {
        assert_eq!(status(host, "GET /api/version"), "200 OK", "{host}");
    }
    for host in [
        "evil.com",
        "evil.com:11434",
        "8.8.8.8",
        "local",
        "[::1]",
        "127.1",
    ] {
        assert_eq!(status(host, "GET /api/version"), FORBIDDEN, "{host}");
        assert_eq!(status(host, "GET /none"), FORBIDDEN, "{host}");
    }
    assert_eq!(status("localhost", "OPTIONS /none"), "204 No Content");
    assert_eq!(
        status("evil.com", "GET /api/tags/"),
        "301 Moved Permanently"
    );
    let malformed = "400 Bad Request: malformed Host header";
    assert_eq!(status("bad host", "GET /api/version"), malformed);
}

#[test]
fn it_is_one_version_of_ollama() {
    let server = mock("instant");
    let version = ask(&server, "GET /api/version", "");
    assert_eq!(version.body(), r#"{"version":"0.17.4"}"#);
    let status = ask(&server, "GET /api/status", "");
    assert_eq!(
        status.body(),
        r#"{"cloud":{"disabled":true,"source":"env"}}"#
    );
    assert_eq!(ask(&server, "POST /api/me", "").body(), "null");
    for request in ["POST /api/signout", "DELETE /api/user/keys/x"] {
        let reply = ask(&server, request, "");
        assert_eq!(reply.status, "500 Internal Server Error");
        assert_eq!(
            reply.body(),
            r#"{"error":"there was an error signing out"}"#
        );
    }
    assert_eq!(ask(&server, "OPTIONS *", "").status, "200 OK");
    assert_eq!(ask(&server, "GET *", "").status, "400 Bad Request");
}
