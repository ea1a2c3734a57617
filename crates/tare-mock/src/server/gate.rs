//! Who may ask: which web pages (CORS), and under which names for the server (the `Host` header, a
//! guard against DNS rebinding). As Ollama has it without `OLLAMA_ORIGINS`.

use super::reply::{self, Reply};
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, HOST, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use hyper::{Method, Request, StatusCode};
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// The schemes that pages of this machine may have, and its names.
const SCHEMES: [&str; 2] = ["http", "https"];
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "0.0.0.0"];
/// What applications on this machine have in the place of a page's origin.
const APPLICATIONS: [&str; 5] = [
    "app://",
    "file://",
    "tauri://",
    "vscode-webview://",
    "vscode-file://",
];
/// Names below these are of the local network.
const LOCAL_DOMAINS: [&str; 3] = [".localhost", ".local", ".internal"];

const ALLOWED_METHODS: &str = "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS";
const ALLOWED_HEADERS: &str = "Authorization,Content-Type,User-Agent,Accept,X-Requested-With,\
    Openai-Beta,X-Stainless-Arch,X-Stainless-Async,X-Stainless-Custom-Poll-Interval,\
    X-Stainless-Helper-Method,X-Stainless-Lang,X-Stainless-Os,X-Stainless-Package-Version,\
    X-Stainless-Poll-Helper,X-Stainless-Retry-Count,X-Stainless-Runtime,\
    X-Stainless-Runtime-Version,X-Stainless-Timeout";
/// How long a browser may rely on that, seconds.
const MAX_AGE: &str = "43200";

/// Why a request's host can't be told. The message is also the reason beside the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoHost(pub &'static str);

/// The host that a request is for, with its port if it names one.
///
/// # Errors
/// When there is none, or it can be none.
pub fn host<B>(request: &Request<B>) -> Result<String, NoHost> {
    let mut given = request.headers().get_all(HOST).iter();
    let first = given.next();
    if given.next().is_some() {
        return Err(NoHost("400 Bad Request: too many Host headers"));
    }
    let named = match first {
        None if request.version() >= hyper::Version::HTTP_11 => {
            return Err(NoHost("400 Bad Request: missing required Host header"));
        }
        None => "",
        Some(host) => host
            .to_str()
            .ok()
            .filter(|host| is_sound(host))
            .ok_or(NoHost("400 Bad Request: malformed Host header"))?,
    };
    let authority = request.uri().authority();
    Ok(authority
        .map_or(named, |authority| authority.as_str())
        .to_owned())
}

/// Whether it has only the characters of a host.
fn is_sound(host: &str) -> bool {
    let may_be = |byte: u8| byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=[]_~".contains(&byte);
    host.bytes().all(may_be)
}

/// What a request is let in with: headers that belong to its reply.
#[derive(Debug, Default)]
pub struct Pass {
    origin: Option<HeaderValue>,
}

impl Pass {
    /// Adds what the page that asked needs to see the reply.
    pub fn mark(self, headers: &mut HeaderMap) {
        if let Some(origin) = self.origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
    }
}

/// Lets a request in, or answers it. `address` is where the server listens.
///
/// # Errors
/// With the reply: a refusal, or what a browser asks for beforehand.
pub fn pass<B>(request: &Request<B>, host: &str, address: SocketAddr) -> Result<Pass, Box<Reply>> {
    let asks_beforehand = request.method() == Method::OPTIONS;
    let own = SCHEMES.map(|scheme| format!("{scheme}://{host}"));
    let origin = request.headers().get(ORIGIN);
    let origin =
        origin.filter(|origin| !origin.is_empty() && !own.iter().any(|own| *origin == own));
    let pass = match origin {
        None => Pass::default(),
        Some(origin) if !origin.to_str().is_ok_and(is_allowed_origin) => {
            return Err(Box::new(reply::empty(StatusCode::FORBIDDEN)));
        }
        Some(origin) if asks_beforehand => return Err(Box::new(preflight(origin))),
        Some(origin) => Pass {
            origin: Some(origin.clone()),
        },
    };
    let status = match is_allowed_host(host, address) {
        Allowed::Yes => return Ok(pass),
        Allowed::ByName if !asks_beforehand => return Ok(pass),
        Allowed::ByName => StatusCode::NO_CONTENT,
        Allowed::No => StatusCode::FORBIDDEN,
    };
    let mut reply = reply::empty(status);
    pass.mark(reply.headers_mut());
    Err(Box::new(reply))
}

fn preflight(origin: &HeaderValue) -> Reply {
    let mut reply = reply::empty(StatusCode::NO_CONTENT);
    let headers = reply.headers_mut();
    let allow = [
        (ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
        (ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS),
        (ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    for (name, value) in allow {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    for varies in [
        "Origin",
        "Access-Control-Request-Method",
        "Access-Control-Request-Headers",
    ] {
        headers.append(VARY, HeaderValue::from_static(varies));
    }
    reply
}

/// Whether it is a page of this machine, at whatever port, or an application.
fn is_allowed_origin(origin: &str) -> bool {
    if APPLICATIONS.iter().any(|scheme| origin.starts_with(scheme)) {
        return true;
    }
    let Some((scheme, name)) = origin.split_once("://") else {
        return false;
    };
    let local = LOCAL_NAMES.iter().any(|local| {
        let rest = name.strip_prefix(local);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    });
    local && SCHEMES.contains(&scheme)
}

#[derive(Debug, PartialEq, Eq)]
enum Allowed {
    Yes,
    /// By a name and not by an address; a browser's question beforehand ends here.
    ByName,
    No,
}

/// Whether a server that listens there may be called so.
fn is_allowed_host(host: &str, address: SocketAddr) -> Allowed {
    if !address.ip().is_loopback() {
        return Allowed::Yes;
    }
    let host = without_port(host);
    if let Ok(ip) = host.parse::<IpAddr>()
        && is_near(ip)
    {
        return Allowed::Yes;
    }
    let host = host.to_ascii_lowercase();
    let own = nix::unistd::gethostname().ok();
    let own = own.and_then(|own| own.into_string().ok());
    let by_name = host.is_empty()
        || host == "localhost"
        || own.is_some_and(|own| own.eq_ignore_ascii_case(&host))
        || LOCAL_DOMAINS.iter().any(|domain| host.ends_with(domain));
    match by_name {
        true => Allowed::ByName,
        false => Allowed::No,
    }
}

/// The host alone, as Go splits it off: an address in brackets needs a port.
fn without_port(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        let inside = rest.split_once("]:");
        return match inside {
            Some((inside, port)) if !port.contains([':', '[', ']']) => inside,
            _ => host,
        };
    }
    match host.split_once(':') {
        Some((name, port)) if !port.contains(':') => name,
        _ => host,
    }
}

/// Whether it is an address of this machine or of a private network.
fn is_near(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let private = match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    };
    // Only an address of this machine can be listened on.
    private || ip.is_loopback() || ip.is_unspecified() || UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_this_machine_and_applications_may_ask() {
        for origin in [
            "http://localhost",
            "https://127.0.0.1:3000",
            "http://0.0.0.0:1",
            "app://x",
            "vscode-file://v",
        ] {
            assert!(is_allowed_origin(origin), "{origin}");
        }
        for origin in [
            "null",
            "http://evil.com",
            "http://localhost.evil.com",
            "HTTP://LOCALHOST",
            "ws://localhost",
            "chrome-extension://x",
            "http://[::1]:3",
        ] {
            assert!(!is_allowed_origin(origin), "{origin}");
        }
    }

    #[test]
    fn a_server_on_loopback_answers_to_local_names_and_addresses() {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 1));
        let anywhere = SocketAddr::from(([0, 0, 0, 0], 1));
        for (host, allowed) in [
            ("127.0.0.1:80", Allowed::Yes),
            ("[::1]:80", Allowed::Yes),
            ("::1", Allowed::Yes),
            ("10.0.0.1", Allowed::Yes),
            ("fd00::1", Allowed::Yes),
            ("[::ffff:127.0.0.1]:5", Allowed::Yes),
            ("0.0.0.0", Allowed::Yes),
            ("", Allowed::ByName),
            ("LOCALHOST:", Allowed::ByName),
            ("a.local:1", Allowed::ByName),
            ("x.internal", Allowed::ByName),
            ("local", Allowed::No),
            ("[::1]", Allowed::No),
            ("x:y:z", Allowed::No),
            ("127.1", Allowed::No),
            ("8.8.8.8", Allowed::No),
            ("evil.com", Allowed::No),
        ] {
            assert_eq!(is_allowed_host(host, loopback), allowed, "{host}");
            assert_eq!(is_allowed_host(host, anywhere), Allowed::Yes, "{host}");
        }
    }

    #[test]
    fn a_request_has_one_host_that_can_be_one() {
        let host = |hosts: &[&str], version| {
            let mut request = Request::builder().version(version);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            super::host(&request.body(()).expect("a request"))
        };
        let http1 = hyper::Version::HTTP_11;
        assert_eq!(host(&["a:1"], http1), Ok("a:1".to_owned()));
        assert_eq!(host(&[], hyper::Version::HTTP_10), Ok(String::new()));
        for wrong in [&[][..], &["a", "a"], &["a b"], &["a/b"]] {
            assert!(host(wrong, http1).is_err(), "{wrong:?}");
        }
    }
}
