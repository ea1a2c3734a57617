//! Every closed formula against SciPy's and statsmodels' answers, to nine digits.

use super::power::{minimal_detectable_effect, power};
use super::student::two_sided_quantile;
use super::*;
use serde_json::Value;

fn values(of: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("values.json")).expect("JSON");
    all[of].as_array().expect("a list").clone()
}

fn samples(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).expect("numbers")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a count")).expect("a count")
}

/// The same to nine digits; what the other does not know must be `None` here.
#[track_caller]
fn same(what: &str, found: Option<f64>, expected: &Value) {
    match (found, expected.as_f64()) {
        (None, None) => {}
        (Some(found), Some(expected)) => assert!(
            (found - expected).abs() <= 1e-9 * expected.abs() + 1e-300
                || expected == 0.0 && found.abs() < 1e-15,
            "{what}: {found:e}, not {expected:e}"
        ),
        other => panic!("{what}: {other:?}"),
    }
}

fn each_sample() -> impl Iterator<Item = (String, Value)> {
    values("pairs").into_iter().flat_map(|pair| {
        let name = |side: &str| format!("{} {side}", pair["name"]);
        [
            (name("a"), pair["a"].clone()),
            (name("b"), pair["b"].clone()),
        ]
    })
}

#[test]
fn one_sample() {
    for (name, expected) in each_sample() {
        let own = samples(&expected["samples"]);
        same(&name, mean(&own), &expected["mean"]);
        same(&name, sample_sd(&own), &expected["sd"]);
        same(&name, variation(&own), &expected["variation"]);
        let quartiles = Quartiles::of(&own).expect("samples");
        same(&name, Some(quartiles.first), &expected["quartiles"][0]);
        same(&name, Some(quartiles.median), &expected["quartiles"][1]);
        same(&name, Some(quartiles.third), &expected["quartiles"][2]);
        let t = one_sample_t(&own, number(&expected["expected"]));
        same(&name, t.map(|t| t.t), &expected["t_test"]["t"]);
        same(&name, t.map(|t| t.p), &expected["t_test"]["p"]);
    }
}

#[test]
fn two_samples() {
    for pair in values("pairs") {
        let name = pair["name"].to_string();
        let (a, b) = (
            samples(&pair["a"]["samples"]),
            samples(&pair["b"]["samples"]),
        );
        same(&name, cliffs_delta(&a, &b), &pair["cliffs_delta"]);
        let found = welch_t(&a, &b);
        same(&name, found.map(|test| test.t), &pair["welch"]["t"]);
        same(
            &name,
            found.map(|test| test.freedom),
            &pair["welch"]["freedom"],
        );
        same(&name, found.map(|test| test.p), &pair["welch"]["p"]);
        for (alpha, ends) in pair["welch"]["intervals"].as_object().into_iter().flatten() {
            let found = welch_interval(&a, &b, alpha.parse().expect("a level"));
            same(&name, found.map(|interval| interval.low), &ends[0]);
            same(&name, found.map(|interval| interval.high), &ends[1]);
        }
    }
}

#[test]
fn several_groups() {
    for expected in values("groups") {
        let name = expected["name"].to_string();
        let groups: Vec<Vec<f64>> =
            serde_json::from_value(expected["groups"].clone()).expect("groups");
        let found = anova(&groups);
        same(&name, found.map(|test| test.f), &expected["anova"]["f"]);
        same(&name, found.map(|test| test.p), &expected["anova"]["p"]);
        same(
            &name,
            found.map(|test| test.eta_squared),
            &expected["anova"]["eta_squared"],
        );
        let found = kruskal_wallis(&groups);
        same(&name, found.map(|test| test.h), &expected["kruskal"]["h"]);
        same(&name, found.map(|test| test.p), &expected["kruskal"]["p"]);
        same(
            &name,
            found.map(|test| test.eta_squared),
            &expected["kruskal"]["eta_squared"],
        );
    }
}

#[test]
fn success_rates() {
    for expected in values("rates") {
        let name = expected["counts"].to_string();
        let counts: [u32; 4] = serde_json::from_value(expected["counts"].clone()).expect("counts");
        let rate = |got, tried| Rate::new(got, tried).expect("a rate");
        let a = rate(counts[0], counts[1]);
        for (null, p) in expected["binomial"].as_object().expect("nulls") {
            let found = a.binomial_p(null.parse().expect("a share"));
            same(&format!("{name} against {null}"), found, p);
        }
        for method in ["wilson", "clopper_pearson"] {
            for (alpha, ends) in expected[method].as_object().expect("levels") {
                let alpha = alpha.parse().expect("a level");
                let found = match method {
                    "wilson" => a.wilson(alpha),
                    _ => a.clopper_pearson(alpha),
                };
                same(&name, found.map(|(low, _)| low), &ends[0]);
                same(&name, found.map(|(_, high)| high), &ends[1]);
            }
        }
    }
}

#[test]
fn lines() {
    for expected in values("lines") {
        let name = expected["name"].to_string();
        let found = regression(&samples(&expected["x"]), &samples(&expected["y"]));
        for (figure, value) in [
            ("slope", found.map(|line| line.slope)),
            ("intercept", found.map(|line| line.intercept)),
            ("r_squared", found.map(|line| line.r_squared)),
            ("p", found.map(|line| line.p)),
        ] {
            same(&format!("{name}: {figure}"), value, &expected[figure]);
        }
    }
}

#[test]
fn families() {
    for expected in values("holm") {
        let adjusted = holm(&samples(&expected["p"])).expect("p-values");
        for (found, expected) in adjusted
            .iter()
            .zip(expected["adjusted"].as_array().expect("a list"))
        {
            same("Holm", Some(*found), expected);
        }
    }
}

#[test]
fn several_sittings() {
    for case in values("sittings") {
        let each: Vec<Estimate> = samples(&case["effects"])
            .into_iter()
            .zip(samples(&case["errors"]))
            .map(|(value, error)| Estimate { value, error })
            .collect();
        let found = random_effects(&each, number(&case["alpha"]));
        for (figure, value) in [
            ("mean", found.map(|of| of.mean.estimate)),
            ("low", found.map(|of| of.mean.low)),
            ("high", found.map(|of| of.mean.high)),
            ("between_sd", found.map(|of| of.between_sd)),
        ] {
            same(&format!("{case}: {figure}"), value, &case[figure]);
        }
    }
}

#[test]
fn quantiles_of_t() {
    for expected in values("t_quantiles") {
        let found = two_sided_quantile(number(&expected["freedom"]), number(&expected["alpha"]));
        same(&expected.to_string(), found, &expected["t"]);
    }
}

#[test]
fn power_and_its_inverse() {
    for case in values("powers") {
        let found = power(
            number(&case["effect"]),
            1.0,
            count(&case["n"]),
            number(&case["alpha"]),
        );
        same(&case.to_string(), found, &case["power"]);
    }
    for case in values("detectable") {
        let found = minimal_detectable_effect(
            1.0,
            count(&case["n"]),
            number(&case["alpha"]),
            number(&case["power"]),
        );
        // statsmodels solves to about eight digits.
        let (found, expected) = (found.expect("an effect"), number(&case["effect"]));
        assert!(
            (found - expected).abs() < 1e-6 * expected,
            "{case}: {found}"
        );
    }
}
