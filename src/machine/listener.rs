//! What a server on this machine was started with: its environment, found by the port it listens at.
//!
//! Ollama tells nobody its `OLLAMA_NUM_PARALLEL`, and the figures of several agents hang on it. Linux
//! shows the environment of a process to its own user. Elsewhere, and of another's process, nothing is
//! known.

use std::fs;
use std::path::Path;

/// The state of a listening socket in the kernel's table.
const LISTEN: &str = "0A";

/// A variable in the environment of the process that listens at this port of this machine: `None`
/// where no such process shows its environment, or its name does not begin with `program` (a tunnel
/// or a container's proxy listens for a server that is elsewhere); `Some(None)` where the variable is
/// not set.
pub fn variable_of_listener(port: u16, program: &str, name: &str) -> Option<Option<String>> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listeners(&table, port))
        .collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let process = processes
        .map(|entry| entry.path())
        .find(|process| holds_one_of(process, &inodes))?;
    let called = fs::read_to_string(process.join("comm")).ok()?;
    if !called.starts_with(program) {
        return None;
    }
    let environment = fs::read(process.join("environ")).ok()?;
    Some(variable(&environment, name))
}

/// The inodes of the sockets that listen at a port, in a table as `/proc/net/tcp` is.
fn listeners(table: &str, port: u16) -> Vec<String> {
    let port = format!(":{port:04X}");
    let rows = table.lines().skip(1).filter_map(|row| {
        let fields: Vec<&str> = row.split_whitespace().collect();
        let listens = fields.get(1)?.ends_with(&port) && *fields.get(3)? == LISTEN;
        listens.then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    });
    rows.collect()
}

/// Whether one of these sockets is open in a process, given by its folder below `/proc`.
fn holds_one_of(process: &Path, inodes: &[String]) -> bool {
    let Ok(open) = fs::read_dir(process.join("fd")) else {
        return false;
    };
    open.flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .any(|link| {
            let link = link.to_string_lossy();
            let inode = link.strip_prefix("socket:[");
            let inode = inode.and_then(|rest| rest.strip_suffix(']'));
            inode.is_some_and(|inode| inodes.iter().any(|known| known == inode))
        })
}

/// A variable of an environment as `/proc/PID/environ` has it.
fn variable(environment: &[u8], name: &str) -> Option<String> {
    environment.split(|&byte| byte == 0).find_map(|entry| {
        let entry = std::str::from_utf8(entry).ok()?;
        let (key, value) = entry.split_once('=')?;
        (key == name).then(|| value.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0
   1: 0100007F:2CAA 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 12346 1 0
   2: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12347 1 0
";

    #[test]
    fn only_the_socket_that_listens_at_the_port_counts() {
        assert_eq!(listeners(TABLE, 11434), ["12345"]);
        assert_eq!(listeners(TABLE, 80), ["12347"]);
        assert!(listeners(TABLE, 81).is_empty());
        assert!(listeners("", 80).is_empty());
    }

    #[test]
    fn a_variable_is_found_by_its_whole_name() {
        let environment = b"PATH=/bin\0OLLAMA_NUM_PARALLEL=4\0OLLAMA_NUM=1\0";
        let found = |name| variable(environment, name);
        assert_eq!(found("OLLAMA_NUM_PARALLEL").as_deref(), Some("4"));
        assert_eq!(found("OLLAMA_NUM_PARALLE"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_found_by_its_own_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let here = std::env::var("PATH").ok();
        let of = |program, name| variable_of_listener(port, program, name);
        assert_eq!(of("tare", "PATH"), Some(here));
        assert_eq!(of("tare", "TARE_NO_SUCH"), Some(None));
        assert_eq!(of("docker-proxy", "PATH"), None);
    }
}
