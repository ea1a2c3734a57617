//! Verdicts on time: who takes it away, how exactly it is kept, and how long the shortest trip is.

use crate::doctor::diagnosis::Judged;
use crate::doctor::{Busy, ClockCost, Spread};
use crate::machine::Virtualisation;
use crate::provenance::Verdict;

/// What a number may be: good up to the first, worth a note up to the second.
struct Limits(f64, f64);

impl Limits {
    fn judge(&self, value: f64) -> Verdict {
        let Self(good, note) = *self;
        if value <= good {
            Verdict::Good
        } else if value <= note {
            Verdict::Note
        } else {
            Verdict::Bad
        }
    }
}

/// Share of time; the system counts in hundredths of a second, so one tick of a core may be chance.
const STEAL: Limits = Limits(0.005, 0.02);
/// Share of time that a busy thread is off its core, where it is alone.
const AWAY: Limits = Limits(0.005, 0.03);
/// The longest of these times, µs: a token at 1,000 tokens/s takes 1,000.
const LONGEST_AWAY_US: Limits = Limits(1_000.0, 5_000.0);
/// Lateness of a sleep, µs: on Linux 50 of the median are the kernel's allowance.
const LATE_MEDIAN_US: Limits = Limits(150.0, 500.0);
/// The mock counts a token as late from 1,000 µs.
const LATE_TAIL_US: Limits = Limits(500.0, 1_000.0);
/// Reading the clock, ns: from shared memory some 20 to 50, by a system call several hundred.
const CLOCK_READ_NS: Limits = Limits(100.0, 1_000.0);
/// The least difference that the clock shows, ns.
const RESOLUTION_NS: Limits = Limits(100.0, 1_000.0);
/// A round trip, µs: some 5 where the kernel keeps both threads on one core, 20 to 100 where it has to
/// wake another.
const TRIP_MEDIAN_US: Limits = Limits(100.0, 250.0);
const TRIP_TAIL_US: Limits = Limits(500.0, 2_000.0);

/// Clocks that are read by a device's registers.
const SLOW_CLOCKS: [&str; 4] = ["hpet", "acpi_pm", "jiffies", "refined-jiffies"];
/// Clocks that are read in user space, the best first.
const FAST_CLOCKS: [&str; 4] = [
    "tsc",
    "arch_sys_counter",
    "kvm-clock",
    "hyperv_clocksource_tsc_page",
];

pub fn virtual_machine(host: Option<&Virtualisation>) -> Judged {
    match host {
        None => Judged::unknown(),
        Some(Virtualisation::None) => Judged::good("bare metal"),
        Some(Virtualisation::Guest(name)) => Judged::new(
            Verdict::Note,
            format!("a guest of a hypervisor ({name})"),
        )
        .remedy("measure on bare metal what you publish; here, compare within one run of `tare agent` or `cargo bench` only"),
    }
}

/// Shares of CPU time: since the system's start, and while every core was busy.
pub fn steal(since_start: Option<f64>, meanwhile: Option<f64>) -> Judged {
    let Some(since_start) = since_start else {
        return Judged::unknown();
    };
    let before = format!("{} since the system's start", percent(since_start));
    let judged = match meanwhile {
        Some(now) => {
            let found = format!("{} of a busy second, {before}", percent(now));
            Judged::new(STEAL.judge(now), found).value("meanwhile_percent", now * 100.0)
        }
        // What is long past must not spoil what is yet to be measured.
        None => Judged::new(STEAL.judge(since_start).max(Verdict::Note), before),
    };
    judged
        .value("since_start_percent", since_start * 100.0)
        .remedy("take an instance with processors of its own, or measure when neighbours sleep; watch it with `vmstat 1` (column st)")
}

pub fn pauses(busy: Option<Busy>) -> Judged {
    let Some(busy) = busy else {
        return Judged::unknown();
    };
    let verdict = AWAY
        .judge(busy.away)
        .min(LONGEST_AWAY_US.judge(busy.longest_us));
    let moved = match busy.moves {
        None | Some(0) => String::new(),
        Some(1) => ", moved to another once".to_owned(),
        Some(moves) => format!(", moved to another {moves} times"),
    };
    let found = format!(
        "off the core for {} of a busy second, {} at most{moved}",
        percent(busy.away),
        micros(busy.longest_us)
    );
    let judged = Judged::new(verdict, found)
        .value("threads", busy.threads as f64)
        .value("away_percent", busy.away * 100.0)
        .value("longest_us", busy.longest_us);
    let judged = match busy.moves {
        Some(moves) => judged.value("moves", moves as f64),
        None => judged,
    };
    judged.remedy("stop what runs beside it (`top`); on a server, keep cores free for it with the kernel's `isolcpus=` and `taskset -c`")
}

pub fn timer(late: Option<Spread>) -> Judged {
    spread(late, "late at the end of a sleep", &LATE_MEDIAN_US, &LATE_TAIL_US)
        .remedy("see how the mock fares with `tare mock --self-test`, and take slower profiles (`tare agent --mock paced-10ms`)")
}

pub fn loopback(trip: Option<Spread>) -> Judged {
    spread(trip, "for a byte there and back over TCP", &TRIP_MEDIAN_US, &TRIP_TAIL_US)
        .remedy("see whether cores that sleep are to blame: `sudo cpupower idle-set --disable-by-latency 10` keeps them awake")
}

fn spread(times: Option<Spread>, of: &str, median: &Limits, tail: &Limits) -> Judged {
    let Some(times) = times else {
        return Judged::unknown();
    };
    let (percentile, name) = if times.tail >= 0.99 {
        (99, "p99_us")
    } else {
        (90, "p90_us")
    };
    let verdict = median.judge(times.median_us).min(tail.judge(times.tail_us));
    let found = format!(
        "p50 {}, p{percentile} {} {of}",
        micros(times.median_us),
        micros(times.tail_us)
    );
    Judged::new(verdict, found)
        .value("p50_us", times.median_us)
        .value(name, times.tail_us)
}

/// By what it costs where that was measured, and by its name otherwise.
pub fn clock(source: Option<&str>, sources: &[String], cost: Option<ClockCost>) -> Judged {
    let name = source.unwrap_or("a clock that the system does not name");
    let judged = match (cost, source) {
        (
            Some(ClockCost {
                read_ns,
                resolution_ns,
            }),
            _,
        ) => {
            let resolution = resolution_ns.map(|ns| (RESOLUTION_NS.judge(ns), ns));
            let verdict = CLOCK_READ_NS.judge(read_ns);
            let verdict = resolution.map_or(verdict, |(other, _)| verdict.min(other));
            let shown =
                resolution.map_or_else(String::new, |(_, ns)| format!(", resolution {ns:.0} ns"));
            let judged = Judged::new(
                verdict,
                format!("{name}, {read_ns:.0} ns per reading{shown}"),
            )
            .value("read_ns", read_ns);
            match resolution {
                Some((_, ns)) => judged.value("resolution_ns", ns),
                None => judged,
            }
        }
        (None, None) => return Judged::unknown(),
        (None, Some(source)) if SLOW_CLOCKS.contains(&source) => Judged::new(Verdict::Bad, name),
        (None, Some(_)) => Judged::good(name),
    };
    let faster = FAST_CLOCKS
        .iter()
        .find(|fast| Some(**fast) != source && sources.iter().any(|source| source == *fast));
    judged.remedy(match faster {
        Some(fast) => format!(
            "`echo {fast} | sudo tee /{}/current_clocksource`",
            crate::machine::CLOCK_SOURCES
        ),
        None => {
            "no faster clock is offered; see why with `sudo dmesg | grep -i -e tsc -e clocksource`"
                .to_owned()
        }
    })
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn micros(micros: f64) -> String {
    if micros >= 1_000.0 {
        format!("{:.1} ms", micros / 1e3)
    } else {
        format!("{micros:.0} µs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Verdict = Verdict::Good;
    const NOTE: Verdict = Verdict::Note;
    const BAD: Verdict = Verdict::Bad;

    #[test]
    fn a_guest_is_worth_a_note() {
        let guest = Virtualisation::Guest("kvm".to_owned());
        let judged = virtual_machine(Some(&guest));
        assert_eq!(
            (judged.verdict, judged.found.as_str()),
            (NOTE, "a guest of a hypervisor (kvm)")
        );
        assert_eq!(virtual_machine(Some(&Virtualisation::None)).verdict, GOOD);
    }

    #[test]
    fn what_was_stolen_now_decides_and_what_was_stolen_before_is_only_worth_a_note() {
        let verdict = |before, now| steal(Some(before), now).verdict;
        assert_eq!(verdict(0.2, Some(0.0)), GOOD);
        assert_eq!(verdict(0.0, Some(0.01)), NOTE);
        assert_eq!(verdict(0.0, Some(0.03)), BAD);
        assert_eq!(verdict(0.2, None), NOTE);
        assert_eq!(verdict(0.001, None), GOOD);
        let found = steal(Some(0.001), Some(0.0)).found;
        assert_eq!(
            found,
            "0.00 % of a busy second, 0.10 % since the system's start"
        );
        assert_eq!(steal(None, None), Judged::unknown());
    }

    #[test]
    fn pauses_are_judged_by_their_share_and_by_the_longest() {
        let busy = |away, longest_us| Busy {
            threads: 2,
            away,
            longest_us,
            moves: Some(1),
            steal: None,
            throttled: None,
        };
        let verdict = |away, longest| pauses(Some(busy(away, longest))).verdict;
        assert_eq!(verdict(0.001, 300.0), GOOD);
        assert_eq!(verdict(0.001, 4_000.0), NOTE);
        assert_eq!(verdict(0.01, 300.0), NOTE);
        assert_eq!(verdict(0.1, 300.0), BAD);
        let found = pauses(Some(busy(0.015, 4_000.0))).found;
        assert_eq!(
            found,
            "off the core for 1.50 % of a busy second, 4.0 ms at most, moved to another once"
        );
    }

    #[test]
    fn a_timer_is_judged_by_median_and_tail() {
        let late = |median_us, tail_us| {
            Some(Spread {
                median_us,
                tail_us,
                tail: 0.99,
            })
        };
        assert_eq!(timer(late(60.0, 200.0)).verdict, GOOD);
        assert_eq!(timer(late(60.0, 900.0)).verdict, NOTE);
        assert_eq!(timer(late(60.0, 1_100.0)).verdict, BAD);
        assert_eq!(timer(late(1_100.0, 1_100.0)).verdict, BAD);
        let few = timer(Some(Spread {
            median_us: 1.0,
            tail_us: 2_500.0,
            tail: 0.9,
        }));
        assert_eq!(few.found, "p50 1 µs, p90 2.5 ms late at the end of a sleep");
        assert_eq!(few.values[1].0, "p90_us");
        assert_eq!(timer(None), Judged::unknown());
    }

    #[test]
    fn a_slow_clock_is_replaced_by_a_faster_one_that_is_there() {
        let sources = ["tsc", "hpet"].map(str::to_owned);
        let by_name = |name| clock(Some(name), &sources, None);
        assert_eq!(by_name("tsc").verdict, GOOD);
        let slow = by_name("hpet");
        assert_eq!(slow.verdict, BAD);
        assert!(
            slow.remedy
                .is_some_and(|remedy| remedy.contains("echo tsc"))
        );
        let cost = |read_ns| ClockCost {
            read_ns,
            resolution_ns: Some(1.0),
        };
        let measured = |ns| clock(Some("tsc"), &sources, Some(cost(ns)));
        assert_eq!(
            measured(25.0).found,
            "tsc, 25 ns per reading, resolution 1 ns"
        );
        assert_eq!(measured(25.0).verdict, GOOD);
        assert_eq!(measured(300.0).verdict, NOTE);
        assert!(
            measured(2_000.0)
                .remedy
                .is_some_and(|remedy| remedy.contains("dmesg"))
        );
        assert_eq!(clock(None, &[], None), Judged::unknown());
    }
}
