//! Verdicts on processors: how many, how busy, how fast, and whose.

use crate::doctor::Supply;
use crate::doctor::diagnosis::Judged;
use crate::machine::{Switch, Turbo, Virtualisation};
use crate::provenance::Verdict;

/// Load per processor up to which a machine is at rest.
const QUIET: f64 = 0.2;
/// Load per processor beyond which a thread often finds its core taken.
const BUSY: f64 = 0.5;
/// The client's two worker threads, the mock, and everything else.
const WANTED_CORES: usize = 4;

pub fn load(load: Option<[f64; 3]>, online: Option<usize>) -> Judged {
    let (Some([minute, five, _]), Some(online @ 1..)) = (load, online) else {
        return Judged::unknown();
    };
    let per_core = minute / online as f64;
    let verdict = match per_core {
        ..=QUIET => Verdict::Good,
        ..=BUSY => Verdict::Note,
        _ => Verdict::Bad,
    };
    let found = format!(
        "{minute:.2} over one minute, {five:.2} over five, on {}",
        processors(online)
    );
    Judged::new(verdict, found)
        .value("one_minute", minute)
        .value("five_minutes", five)
        .value("processors", online as f64)
        .remedy(
            "see who it is with `ps -eo pcpu,pid,comm --sort=-pcpu | head`, and stop them or wait",
        )
}

pub fn cores(cores: Option<usize>) -> Judged {
    let Some(cores) = cores else {
        return Judged::unknown();
    };
    let (verdict, found, remedy) = match cores {
        0 | 1 => (
            Verdict::Bad,
            "1: client, mock and everything else take turns on it".to_owned(),
            "measure on another machine, or run the server elsewhere: `tare agent --base-url http://HOST:11434`",
        ),
        2 => (
            Verdict::Note,
            "2: a client with 2 worker threads shares one of them with the mock".to_owned(),
            "give the client one and leave the other to the mock: `tare agent --mock --threads 1`",
        ),
        3.. if cores < WANTED_CORES => (
            Verdict::Note,
            format!("{cores}: enough for client and mock, none for everything else"),
            "stop other programs while you measure; see them with `ps -eo pcpu,pid,comm --sort=-pcpu | head`",
        ),
        _ => (Verdict::Good, cores.to_string(), ""),
    };
    Judged::new(verdict, found)
        .value("cores", cores as f64)
        .remedy(remedy)
}

pub fn affinity(allowed: Option<usize>, online: Option<usize>) -> Judged {
    let (Some(allowed), Some(online)) = (allowed, online) else {
        return Judged::unknown();
    };
    let judged = if allowed < online {
        Judged::new(
            Verdict::Note,
            format!("kept to {allowed} of {}", processors(online)),
        )
    } else {
        Judged::good(format!("may run on all of {}", processors(online)))
    };
    judged
        .value("allowed", allowed as f64)
        .value("processors", online as f64)
        .remedy(
            "where it is not on purpose: `taskset -c 0-$(($(nproc --all)-1)) tare agent --mock`",
        )
}

pub fn quota(quota: Option<f64>, cores: Option<usize>, container: Option<&str>) -> Judged {
    let place = container.map_or_else(String::new, |name| format!(", in a container ({name})"));
    match (quota, cores) {
        (None, _) => Judged::good(format!("none{place}")),
        (Some(quota), cores) => {
            let cores = cores.unwrap_or(usize::MAX);
            let verdict = if quota < cores as f64 {
                Verdict::Bad
            } else {
                Verdict::Good
            };
            Judged::new(verdict, format!("the time of {quota:.2} cores{place}"))
                .value("quota_cores", quota)
                .remedy("start it without: `docker update --cpus=0 CONTAINER`, or `systemctl set-property UNIT CPUQuota=`")
        }
    }
}

pub fn governor(governors: &[String], host: Option<&Virtualisation>) -> Judged {
    if governors.is_empty() {
        return match host {
            Some(Virtualisation::Guest(_)) => Judged::new(
                Verdict::Unknown,
                "the host's affair, which does not tell its guests",
            ),
            _ => Judged::unknown(),
        };
    }
    let mut kinds = governors.to_vec();
    kinds.sort();
    kinds.dedup();
    let counted = kinds.iter().map(|kind| {
        let times = governors
            .iter()
            .filter(|governor| *governor == kind)
            .count();
        format!("{kind} on {times} of {}", processors(governors.len()))
    });
    let found = match &kinds[..] {
        [only] => only.clone(),
        _ => counted.collect::<Vec<_>>().join(", "),
    };
    // `userspace` keeps the frequency that someone chose: steady, whatever it is.
    let verdict = if kinds.iter().all(|kind| kind == "performance") {
        Verdict::Good
    } else if kinds
        .iter()
        .all(|kind| ["performance", "userspace"].contains(&kind.as_str()))
    {
        Verdict::Note
    } else {
        Verdict::Bad
    };
    Judged::new(verdict, found).remedy(
        "`echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor`",
    )
}

pub fn turbo(turbo: Option<Turbo>) -> Judged {
    let Some(Turbo { state, knob }) = turbo else {
        return Judged::unknown();
    };
    let verdict = match state {
        Switch::On => Verdict::Note,
        Switch::Off => Verdict::Good,
    };
    Judged::new(verdict, state.to_string()).remedy(format!(
        "`echo {} | sudo tee /{}`",
        knob.off(),
        knob.file()
    ))
}

pub fn smt(smt: Option<Switch>) -> Judged {
    match smt {
        None => Judged::unknown(),
        Some(Switch::Off) => Judged::good("no two processors share a core"),
        Some(Switch::On) => Judged::new(Verdict::Note, "two processors share a core")
            .remedy("`echo off | sudo tee /sys/devices/system/cpu/smt/control`"),
    }
}

/// Throttlings since the start, and during a busy second.
pub fn thermal(since_start: Option<u64>, meanwhile: Option<u64>) -> Judged {
    let Some(since_start) = since_start else {
        return Judged::unknown();
    };
    let remedy =
        "let it cool, clean its fans, or cap its clock: `sudo cpupower frequency-set --max 2GHz`";
    let judged = match (meanwhile.unwrap_or_default(), since_start) {
        (0, 0) => Judged::good("never throttled since its start"),
        (0, _) => Judged::new(
            Verdict::Note,
            format!("throttled {since_start} times since its start, not while it was tried"),
        ),
        (now, _) => Judged::new(
            Verdict::Bad,
            format!("throttled {now} times in a busy second"),
        ),
    };
    let judged = match meanwhile {
        Some(now) => judged.value("throttled_meanwhile", now as f64),
        None => judged,
    };
    judged
        .value("throttled_since_start", since_start as f64)
        .remedy(remedy)
}

pub fn power(supplies: Option<&[Supply]>) -> Judged {
    let Some(supplies) = supplies else {
        return Judged::unknown();
    };
    let has = |supply| supplies.contains(&supply);
    let battery = has(Supply::Battery) || has(Supply::Discharging);
    if has(Supply::Discharging) || (battery && has(Supply::Unplugged) && !has(Supply::Mains)) {
        return Judged::new(Verdict::Bad, "on battery")
            .remedy("plug it in; see `cat /sys/class/power_supply/*/online`");
    }
    Judged::good(if battery { "on mains" } else { "no battery" })
}

fn processors(number: usize) -> String {
    match number {
        1 => "1 processor".to_owned(),
        _ => format!("{number} processors"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::TurboKnob;

    fn verdicts<T>(
        values: impl IntoIterator<Item = T>,
        judge: impl Fn(T) -> Judged,
    ) -> Vec<Verdict> {
        values
            .into_iter()
            .map(|value| judge(value).verdict)
            .collect()
    }

    const GOOD: Verdict = Verdict::Good;
    const NOTE: Verdict = Verdict::Note;
    const BAD: Verdict = Verdict::Bad;

    #[test]
    fn load_is_judged_by_processor() {
        let judge = |(minute, online)| load(Some([minute, 0.0, 0.0]), Some(online));
        let loads = [(0.4, 2), (0.41, 2), (1.0, 2), (1.01, 2), (6.0, 32)];
        assert_eq!(verdicts(loads, judge), [GOOD, NOTE, NOTE, BAD, GOOD]);
        let found = judge((3.0, 1)).found;
        assert_eq!(
            found,
            "3.00 over one minute, 0.00 over five, on 1 processor"
        );
        assert_eq!(load(None, Some(2)), Judged::unknown());
        assert_eq!(load(Some([1.0; 3]), None), Judged::unknown());
    }

    #[test]
    fn one_core_distorts_two_and_three_are_worth_a_note() {
        let judge = |number| cores(Some(number));
        assert_eq!(verdicts(1..=5, judge), [BAD, NOTE, NOTE, GOOD, GOOD]);
        assert!(cores(Some(1)).found.contains("client, mock"));
    }

    #[test]
    fn fewer_processors_than_there_are_is_worth_a_note() {
        assert_eq!(affinity(Some(1), Some(8)).verdict, NOTE);
        assert_eq!(affinity(Some(8), Some(8)).verdict, GOOD);
        assert_eq!(affinity(None, Some(8)), Judged::unknown());
    }

    #[test]
    fn a_quota_is_bad_where_it_can_be_spent() {
        assert_eq!(
            quota(None, Some(4), Some("docker")).found,
            "none, in a container (docker)"
        );
        assert_eq!(quota(Some(1.5), Some(4), None).verdict, BAD);
        assert_eq!(quota(Some(4.0), Some(4), None).verdict, GOOD);
    }

    #[test]
    fn only_the_performance_governor_is_good() {
        let judge = |names: &str| {
            let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
            governor(&names, None)
        };
        let all = [
            "performance performance",
            "performance userspace",
            "schedutil",
            "powersave performance",
        ];
        assert_eq!(verdicts(all, judge), [GOOD, NOTE, BAD, BAD]);
        let found = judge("powersave performance").found;
        assert_eq!(
            found,
            "performance on 1 of 2 processors, powersave on 1 of 2 processors"
        );
        assert!(
            judge("ondemand")
                .remedy
                .is_some_and(|remedy| remedy.contains("echo performance"))
        );
        let guest = Virtualisation::Guest("kvm".to_owned());
        assert!(governor(&[], Some(&guest)).found.contains("host"));
        assert_eq!(governor(&[], None), Judged::unknown());
    }

    #[test]
    fn turbo_is_switched_off_where_this_machine_switches_it() {
        let on = |knob| {
            turbo(Some(Turbo {
                state: Switch::On,
                knob,
            }))
            .remedy
        };
        let intel = on(TurboKnob::NoTurbo).expect("a remedy");
        assert!(
            intel.contains("echo 1 ") && intel.contains("no_turbo"),
            "{intel}"
        );
        let other = on(TurboKnob::Boost).expect("a remedy");
        assert!(
            other.contains("echo 0 ") && other.contains("boost"),
            "{other}"
        );
    }

    #[test]
    fn heat_counts_most_while_it_is_tried() {
        let all = [(0, Some(0)), (7, Some(0)), (7, Some(2)), (7, None)];
        let judge = |(start, now)| thermal(Some(start), now);
        assert_eq!(verdicts(all, judge), [GOOD, NOTE, BAD, NOTE]);
        assert_eq!(thermal(None, None), Judged::unknown());
    }

    #[test]
    fn a_battery_is_bad_only_when_it_feeds_the_machine() {
        let all: [&[Supply]; 5] = [
            &[],
            &[Supply::Mains],
            &[Supply::Mains, Supply::Battery],
            &[Supply::Unplugged, Supply::Battery],
            &[Supply::Discharging],
        ];
        assert_eq!(
            verdicts(all, |supplies| power(Some(supplies))),
            [GOOD, GOOD, GOOD, BAD, BAD]
        );
        assert_eq!(power(None), Judged::unknown());
    }
}
