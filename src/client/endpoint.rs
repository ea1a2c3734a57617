//! The server's address, from a base URL, resolved once so that no resolver is on the scale.

use ::hyper::Uri;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

/// A server: where to connect, and what to call it. A clone is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Arc<Parts>);

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    authority: String,
    prefix: String,
    address: SocketAddr,
}

/// Why a base URL can't be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL of the kind.
    #[error("`{url}` is no base URL: {reason}; expected something like http://127.0.0.1:11434")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The name has no address.
    #[error("cannot find the address of `{host}`: {source}")]
    Unresolved {
        /// The host and port.
        host: String,
        /// What the resolver said.
        source: std::io::Error,
    },
}

impl Endpoint {
    /// Ollama's default port; used where the URL has none.
    const PORT: u16 = 11434;

    /// Reads a base URL such as `http://127.0.0.1:11434` and resolves its host.
    ///
    /// # Errors
    /// When it is no `http` URL with a host, or the host has no address. TLS is refused: it would
    /// put a cipher on the scale.
    pub fn resolve(url: &str) -> Result<Self, EndpointError> {
        let wrong = |reason: &str| EndpointError::Url {
            url: url.to_owned(),
            reason: reason.to_owned(),
        };
        let uri: Uri = url
            .parse()
            .map_err(|error: ::hyper::http::uri::InvalidUri| wrong(&error.to_string()))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(wrong("TLS would be measured too, so it is not supported"));
            }
            _ => return Err(wrong("it does not begin with http://")),
        }
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if uri.query().is_some() {
            return Err(wrong("a base URL has no query"));
        }
        let host = authority.host().trim_matches(['[', ']']);
        // What stands behind the host: `http` itself takes a port over 65535 for none at all.
        let named = authority.as_str().rsplit('@').next().unwrap_or_default();
        let port = match named.strip_prefix(authority.host()).unwrap_or_default() {
            "" => Self::PORT,
            ":" => return Err(wrong("its port is empty")),
            port => port.trim_start_matches(':').parse().map_err(|_| {
                wrong(&format!(
                    "its port `{}` is no number up to 65535",
                    &port[1..]
                ))
            })?,
        };
        let unresolved = |source| EndpointError::Unresolved {
            host: format!("{host}:{port}"),
            source,
        };
        let address = (host, port)
            .to_socket_addrs()
            .map_err(unresolved)?
            .next()
            .ok_or_else(|| unresolved(std::io::Error::other("the name has no address")))?;
        Ok(Self(Arc::new(Parts {
            authority: match authority.port() {
                Some(_) => authority.to_string(),
                None => format!("{authority}:{port}"),
            },
            prefix: uri.path().trim_end_matches('/').to_owned(),
            address,
        })))
    }

    /// Where to connect.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// The value of the `Host` header.
    pub fn authority(&self) -> &str {
        &self.0.authority
    }

    /// The path to ask for, with the base URL's own in front.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.0.prefix)
    }

    /// The whole URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.0.authority, self.0.prefix)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.0.authority, self.0.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_may_leave_out_the_port_and_have_a_path() {
        let endpoint = Endpoint::resolve("http://127.0.0.1/ollama/").expect("a URL");
        assert_eq!(
            endpoint.address(),
            "127.0.0.1:11434".parse().expect("an address")
        );
        assert_eq!(endpoint.authority(), "127.0.0.1:11434");
        assert_eq!(endpoint.path("/api/tags"), "/ollama/api/tags");
        assert_eq!(
            endpoint.url("/api/tags"),
            "http://127.0.0.1:11434/ollama/api/tags"
        );
    }

    #[test]
    fn ipv6_is_understood() {
        let endpoint = Endpoint::resolve("http://[::1]:8080").expect("a URL");
        assert_eq!(
            endpoint.address(),
            "[::1]:8080".parse().expect("an address")
        );
    }

    #[test]
    fn what_is_no_http_url_is_refused_with_the_reason() {
        for (url, reason) in [
            ("https://127.0.0.1", "TLS"),
            ("127.0.0.1:11434", "does not begin with http://"),
            ("ftp://127.0.0.1", "does not begin with http://"),
            ("http://", "no base URL"),
            ("http://127.0.0.1/?a=b", "no query"),
            ("", "no base URL"),
            ("http://127.0.0.1:99999", "its port `99999`"),
            ("http://127.0.0.1:", "its port is empty"),
            ("http://127.0.0.1:/api", "its port is empty"),
        ] {
            let error = Endpoint::resolve(url).expect_err(url).to_string();
            assert!(error.contains(reason), "{url}: {error}");
        }
    }
}
