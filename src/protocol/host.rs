//! Where Ollama is, as Ollama's own client finds it: `OLLAMA_HOST` names a host, a port, both, or a
//! URL, and what it leaves out is `http://127.0.0.1:11434`.
//!
//! One difference: Ollama's client goes to the default port where the one that is named can't be one.
//! Here such a port stays as it is and is refused when it is used, so that nobody measures another
//! server than the one named.

use std::env;
use std::net::IpAddr;

const SCHEME: &str = "http";
const HOST: &str = "127.0.0.1";
const PORT: &str = "11434";

/// The base URL of the server that this environment means.
pub fn default_base_url() -> String {
    base_url(&env::var("OLLAMA_HOST").unwrap_or_default())
}

/// The base URL that a value of `OLLAMA_HOST` means.
fn base_url(value: &str) -> String {
    let value = value.trim().trim_matches(['"', '\'']);
    let (scheme, rest, default_port) = match value.split_once("://") {
        None => (SCHEME, value, PORT),
        Some(("http", rest)) => ("http", rest, "80"),
        Some(("https", rest)) => ("https", rest, "443"),
        Some((other, rest)) => (other, rest, PORT),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = split(authority, default_port);
    let host = match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_owned(),
    };
    let slash = if path.is_empty() { "" } else { "/" };
    format!("{scheme}://{host}:{port}{slash}{path}")
}

/// Host and port, each by default where it is not there.
fn split<'a>(authority: &'a str, default_port: &'a str) -> (&'a str, &'a str) {
    let bare = authority.trim_matches(['[', ']']);
    if bare.parse::<IpAddr>().is_ok() {
        return (bare, default_port);
    }
    let (host, port) = authority
        .rsplit_once(':')
        .unwrap_or((authority, default_port));
    let host = match host.trim_matches(['[', ']']) {
        "" => HOST,
        host => host,
    };
    (host, port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_ollamas_client_reads_it() {
        for (value, url) in [
            ("", "http://127.0.0.1:11434"),
            ("1.2.3.4", "http://1.2.3.4:11434"),
            ("1.2.3.4:1234", "http://1.2.3.4:1234"),
            (":1234", "http://127.0.0.1:1234"),
            ("0.0.0.0:1234", "http://0.0.0.0:1234"),
            ("http://1.2.3.4", "http://1.2.3.4:80"),
            ("https://example.com", "https://example.com:443"),
            (
                "http://example.com:1234/path/",
                "http://example.com:1234/path/",
            ),
            ("example.com/ollama", "http://example.com:11434/ollama"),
            ("[2001:db8::1]", "http://[2001:db8::1]:11434"),
            ("2001:db8::1", "http://[2001:db8::1]:11434"),
            ("[2001:db8::1]:1337", "http://[2001:db8::1]:1337"),
            (" \"1.2.3.4\" ", "http://1.2.3.4:11434"),
        ] {
            assert_eq!(base_url(value), url, "{value:?}");
        }
    }

    #[test]
    fn a_port_that_is_none_stays_for_its_user_to_see() {
        assert_eq!(base_url("1.2.3.4:99999"), "http://1.2.3.4:99999");
    }
}
