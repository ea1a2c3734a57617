//! A byte to another thread and back, over TCP on 127.0.0.1: the least that any call takes.

use super::{Spread, micros};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const WARM_UP: usize = 50;
const SAMPLES: usize = 2_000;
const PATIENCE: Duration = Duration::from_millis(600);
/// Nothing on loopback takes that long, unless the other end is gone.
const LOST: Duration = Duration::from_millis(500);

/// Round trips; none where there is no loopback.
pub fn round_trips() -> Option<Spread> {
    measure().ok().and_then(Spread::of)
}

fn measure() -> io::Result<Vec<f64>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut near = TcpStream::connect_timeout(&listener.local_addr()?, LOST)?;
    let (far, _) = listener.accept()?;
    near.set_nodelay(true)?;
    near.set_read_timeout(Some(LOST))?;
    far.set_nodelay(true)?;
    let echo = thread::Builder::new().spawn(move || echo(far))?;
    let started = Instant::now();
    let mut samples = Vec::with_capacity(SAMPLES);
    let mut byte = [0];
    for round in 0..WARM_UP + SAMPLES {
        let before = Instant::now();
        near.write_all(&byte)?;
        near.read_exact(&mut byte)?;
        if round >= WARM_UP {
            samples.push(micros(before.elapsed()));
        }
        if started.elapsed() > PATIENCE {
            break;
        }
    }
    drop(near);
    // It ended because the other end closed; how does not matter.
    let _ = echo.join();
    Ok(samples)
}

/// Sends back what comes, until nothing more does.
fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte)?;
        stream.write_all(&byte)?;
    }
}
