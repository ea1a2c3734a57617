//! Tests a client of Ollama against the mock: does it notice a broken answer, does it try again, does
//! it read on to the end?
//!
//! ```sh
//! cargo run -p tare-mock --example test_a_client
//! ```

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use tare_mock::{Ending, Mock};

/// The client under test: one question, and the reply, if it is complete.
fn ask(server: SocketAddr, prompt: &str) -> io::Result<String> {
    let body = format!(
        r#"{{"model":"gemma3","prompt":"{prompt}","options":{{"num_predict":8,"seed":1}}}}"#
    );
    let head = format!(
        "POST /api/generate HTTP/1.0\r\nContent-Length: {}",
        body.len()
    );
    let mut stream = TcpStream::connect(server)?;
    write!(stream, "{head}\r\n\r\n{body}")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let complete = reply.starts_with("HTTP/1.0 200") && reply.contains(r#""done":true"#);
    complete
        .then_some(reply)
        .ok_or(io::ErrorKind::UnexpectedEof.into())
}

/// It tries a second time.
fn ask_twice(server: SocketAddr, prompt: &str) -> io::Result<String> {
    ask(server, prompt).or_else(|_| ask(server, prompt))
}

fn main() -> Result<(), Box<dyn Error>> {
    // The test, in ten lines: the first answer breaks off after three tokens.
    let mock = Mock::builder()
        .profile("paced-1ms")
        .fault("truncate=3@1")
        .start()?;
    let reply = ask_twice(mock.address(), "Why?")?;
    let truths = mock.truths();
    assert_eq!(truths.len(), 2, "it asked again");
    assert_eq!(truths[0].ending, Ending::Cut);
    assert_eq!(truths[0].body, truths[1].body, "the same question");
    assert_eq!(reply.matches(r#""done":false"#).count(), 8);

    let truth = truths[1].truth.as_ref().ok_or("it was answered")?;
    println!("token  due, ms  written, ms");
    for (number, (due, sent)) in (1..).zip(truth.due.iter().zip(&truth.sent)) {
        let ms = |nanos: &u64| *nanos as f64 / 1e6;
        println!("{number:>5}  {:>7.3}  {:>11.3}", ms(due), ms(sent));
    }
    Ok(())
}
