//! What the analysis says, in sentences: each from a verdict, with what it rests on.

use super::super::analysis::{
    ALPHA, AgainstDefault, Best, Differ, Family, FigureAnalysis, OfLevel, Published,
};
use super::super::factor::Factor;
use super::super::figure::Figure;
use super::super::record::Record;
use super::figures::rate;
use super::said::{self, counted, ends, p, with_unit};
use crate::report::markdown::number;

/// The section of sentences.
pub fn findings(record: &Record) -> String {
    let mut lines = Vec::new();
    for family in &record.families {
        for figure in &family.figures {
            lines.extend(of_figure(figure));
        }
        lines.extend(of_published(family));
    }
    let lines = lines.into_iter().map(|line| format!("- {line}\n"));
    format!("\n## What it says\n\n{}", lines.collect::<String>())
}

fn of_figure(of: &FigureAnalysis) -> Vec<String> {
    let name = of.figure.to_string();
    let mut lines = Vec::new();
    if let Some(test) = &of.configurations_test {
        lines.push(format!(
            "{name}, {}: {} ({}).",
            counted(test.groups, "configuration"),
            match test.verdict {
                Differ::Differ => "they differ",
                Differ::Undecided => "whether they differ is undecided",
            },
            said::tests(test)
        ));
    }
    let named = [Factor::Runtime, Factor::Stack, Factor::Servers];
    for factor in of
        .factors
        .iter()
        .filter(|factor| named.contains(&factor.factor))
    {
        lines.extend(factor.test.as_ref().map(|test| {
            let but = match &factor.not_crossed_with[..] {
                [] => String::new(),
                others => format!(
                    "; but {} changes with it, so this is about neither alone",
                    others
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            };
            let apart = factor
                .overlapping
                .as_ref()
                .map_or_else(String::new, |some| {
                    let without: Vec<String> =
                        some.without.iter().map(ToString::to_string).collect();
                    format!(
                        "; without {}, whose agents took turns: {}",
                        without.join(", "),
                        said::tests(&some.test)
                    )
                });
            format!(
                "{name} by {}: {} ({}{apart}){but}.",
                factor.factor,
                match test.verdict {
                    Differ::Differ => "levels differ",
                    Differ::Undecided => "undecided",
                },
                said::tests(test)
            )
        }));
        lines.extend(factor.two.as_ref().map(|two| {
            format!(
                "{name}, {} {} less {}: {} {} at {} % (Welch {}): {}.",
                factor.factor,
                two.to,
                two.from,
                with_unit(two.difference.estimate, of.unit),
                ends(&two.difference),
                number(100.0 * (1.0 - two.alpha_each)),
                p(two.welch.p),
                said::verdict(two.verdict)
            )
        }));
    }
    lines.extend(of.best.as_ref().map(|best| of_best(of, best)));
    if let Some(against) = &of.against_default {
        lines.extend(of_default(of, against));
    }
    lines
}

fn of_best(of: &FigureAnalysis, best: &Best) -> String {
    let name = format!(
        "{}: the best of {} configurations is {}: {} (n = {})",
        of.figure,
        best.among,
        best.configuration,
        said::mean(&best.summary, of.unit),
        best.summary.n
    ) + &match best.left_out {
        0 => String::new(),
        count => format!(
            ", {} left out whose agents took turns",
            counted(count, "configuration")
        ),
    };
    let Some(chance) = &best.chance else {
        return format!(
            "{name}. **Whether it is more than chance gives cannot be told**: that takes two runs of a configuration."
        );
    };
    let by_chance = format!(
        "if none differed, the best of {} would come to {} on average and be at least this good in {:.1} % of cases ({}, {})",
        best.among,
        with_unit(chance.expected_by_chance, of.unit),
        100.0 * chance.p,
        p(chance.p),
        drawn(chance.draws, best.of_calls)
    );
    if best.of_calls && chance.p <= ALPHA {
        return format!(
            "{name}; {by_chance}. **Whether it is more than chance gives cannot be told**: each configuration has one process only, and what differs may be processes."
        );
    }
    match best.verdict {
        Differ::Differ => format!(
            "{name}; {by_chance}. That shows that configurations differ, and not that this one is the best of them."
        ),
        Differ::Undecided => format!(
            "{name}. **Best of {} is what chance gives:** {by_chance}.",
            best.among
        ),
    }
}

/// `10000 draws of runs`
fn drawn(draws: usize, of_calls: bool) -> String {
    let what = if of_calls { "calls" } else { "runs" };
    format!("{draws} draws of {what}")
}

fn of_default(of: &FigureAnalysis, against: &AgainstDefault) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(success) = &against.configurations {
        let exchanged = against
            .exchanged
            .as_ref()
            .map_or_else(String::new, |found| {
                format!(
                    "; with the default, which was measured too, exchanged as well: {} ({})",
                    p(found.found.p),
                    drawn(found.found.draws, found.of_calls)
                )
            });
        lines.push(format!(
            "{}: {} of {} configurations are better than the default, {}; chance gives 1/2, {}{exchanged}.",
            of.figure,
            success.better,
            success.of,
            rate(success),
            p(success.p)
        ));
    }
    if let Some(runs) = &against.runs {
        lines.push(format!(
            "{}: {} of {} runs are better than the default's mean, {}; {} against 1/2, which takes runs of one configuration for independent.",
            of.figure,
            runs.better,
            runs.of,
            rate(runs),
            p(runs.p)
        ));
    }
    if let Some(mean) = &against.mean_percent {
        let t = against.t_test.as_ref().map_or_else(String::new, |test| {
            format!(", t({}) = {:.2}, {}", test.freedom, test.t, p(test.p))
        });
        let errors: Vec<String> = against
            .defaults
            .iter()
            .filter_map(|default| Some(format!("{} %", number(default.error_percent?))))
            .collect();
        let own = match errors.is_empty() {
            true => "the default's own error is not known and is not in it".to_owned(),
            false => format!(
                "the default's own standard error, {}, is not in it",
                errors.join(", ")
            ),
        };
        lines.push(format!(
            "{}: the mean difference of {} to the default is {:+.3} % [{:+.3}, {:+.3}]{t}; the interval {} 0, and {own}.",
            of.figure,
            counted(against.differences.len(), "configuration"),
            mean.estimate,
            mean.low,
            mean.high,
            if mean.low <= 0.0 && mean.high >= 0.0 { "includes" } else { "excludes" }
        ));
    }
    lines
}

fn of_published(family: &Family) -> Vec<String> {
    let Some(of) = &family.published else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    for on in [
        Figure::DurationBalance,
        Figure::ServerTimeBalance,
        Figure::TokenBalance,
    ] {
        let mut overall = of
            .fits
            .iter()
            .filter(|fit| fit.on == on && fit.runtime.is_none());
        // Of the runs that overlap, where some do not.
        let fit = overall.clone().find(|fit| fit.overlapping_only);
        if let Some(fit) = fit.or_else(|| overall.next()) {
            let note = match on {
                Figure::DurationBalance => "; near 1 by algebra where agents overlap",
                _ => "",
            };
            lines.push(format!(
                "Published efficiency on {on}: R² = {:.4} (n = {}{}, slope {:.3}, {}){note}.",
                fit.line.r_squared,
                fit.line.n,
                only(fit.overlapping_only),
                fit.line.slope,
                p(fit.line.p)
            ));
        }
    }
    lines.extend(taking_turns(of));
    if let Some(all) = of
        .beside_true
        .iter()
        .find(|row| row.configuration.is_none())
    {
        lines.push(format!(
            "True efficiency is {} where the published one is {} (n = {}){}.",
            said::mean(&all.real, "%"),
            said::mean(&all.published, "%"),
            all.real.n,
            all.excess
                .as_ref()
                .map_or_else(String::new, |excess| format!(
                    "; the published one is {} points {} above it",
                    number(excess.estimate),
                    ends(excess)
                ))
        ));
    }
    let overall = |rows: &[OfLevel]| {
        let of_all = rows.iter().filter(|row| row.runtime.is_none());
        of_all.max_by_key(|row| row.overlapping_only).cloned()
    };
    if let Some(all) = overall(&of.server_share) {
        lines.push(format!(
            "Of the agents' time {} was the server's, by its own clock (n = {}{}).",
            said::mean(&all.summary, "%"),
            all.summary.n,
            only(all.overlapping_only)
        ));
    }
    if let Some(all) = overall(&of.beyond_longer) {
        lines.push(format!(
            "The wall-clock time is {} more than the longer agent's (median {}, n = {}{}).",
            said::mean(&all.summary, "ms"),
            number(all.summary.quartiles.median),
            all.summary.n,
            only(all.overlapping_only)
        ));
    }
    lines
}

fn only(overlapping: bool) -> &'static str {
    if overlapping {
        ", without those that took turns"
    } else {
        ""
    }
}

fn taking_turns(of: &Published) -> Vec<String> {
    let serial = of.serial.iter().filter(|row| row.serial > 0);
    let several = of.serial.len() > 1;
    let named = serial.filter(|row| row.runtime.is_some() || !several);
    named
        .map(|row| {
            let of_runtime = row.runtime.as_ref().map_or_else(String::new, |runtime| format!(" of {runtime}"));
            format!(
                "In {} of {}{of_runtime} the two agents took turns: they overlapped for {} of the shorter one's time. That is what a lock around an agent does, and says nothing of a runtime.",
                row.serial,
                counted(row.of, "run"),
                said::mean(&row.overlap, "%")
            )
        })
        .collect()
}
