"""Writes values.json: data sets, and what SciPy and statsmodels say of them.

    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install scipy==1.17.1 numpy==2.4.6 statsmodels==0.15.0
    /tmp/oracle/bin/python src/stats/oracle/scipy_values.py

The Rust tests read values.json, so they need no Python. What SciPy has no answer to is null.
"""

import json
import math
import pathlib
import warnings

import numpy
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

warnings.simplefilter("ignore")
rng = numpy.random.default_rng(20261122)
ALPHAS = [0.05, 0.01, 0.0025]


def lognormal(n, median, sd):
    return [round(float(x), 6) for x in median * numpy.exp(sd * rng.standard_normal(n))]


PAIRS = {
    "two and two": ([1.5, 2.25], [3.0, 2.75]),
    "three and three apart": ([1.0, 2.0, 3.0], [4.0, 5.0, 6.5]),
    "one against five": ([2.5], [1.0, 2.0, 3.0, 4.0, 5.0]),
    "ties within and across": ([1, 2, 2, 3, 3, 3, 4], [2, 3, 4, 4, 5, 5]),
    "zeros": ([0, 0, 0, 1, 2], [0, 0, 3, 5, 0, 1]),
    "negative": ([-3.5, -1.25, 0.5, -2.0], [-1.0, 2.5, 3.25, 0.125]),
    "far apart": ([10.1, 10.2, 9.9, 10.05, 9.95], [20.3, 19.7, 20.1, 20.2, 19.6]),
    "large offset": ([1e6 + x for x in (1, 2, 3.5, 2.25)], [1e6 + x for x in (2.5, 4, 3, 5)]),
    "small values": ([1e-9, 2e-9, 1.5e-9, 3e-9], [2e-9, 2.5e-9, 4e-9, 3.25e-9]),
    "skewed, unequal n": (lognormal(10, 20, 0.5), lognormal(17, 26, 0.5)),
    "nearly the same": (lognormal(12, 3, 0.05), lognormal(12, 3.02, 0.05)),
    "unequal spread": (lognormal(15, 5, 0.1), lognormal(9, 5, 0.8)),
    "eight and thirty": (lognormal(8, 5, 0.3), lognormal(30, 6, 0.3)),
    "nine and nine": (lognormal(9, 5, 0.3), lognormal(9, 6, 0.3)),
    "large": (lognormal(60, 1, 0.4), lognormal(80, 1.1, 0.4)),
}
GROUPS = {
    "three small": [[1.0, 2.0, 3.0], [2.0, 3.5, 4.0], [5.0, 6.0, 5.5]],
    "ties": [[1, 1, 2, 3], [2, 2, 3, 3, 3], [4, 4, 1]],
    "two": [lognormal(6, 5, 0.2), lognormal(8, 6, 0.2)],
    "five unequal": [lognormal(n, m, s) for n, m, s in
                     [(5, 3, 0.1), (9, 3.1, 0.2), (7, 3.5, 0.3), (12, 2.9, 0.1), (4, 3, 0.6)]],
    "far apart": [lognormal(10, m, 0.05) for m in (1, 2, 4)],
    "zeros": [[0, 0, 1, 0], [0, 2, 0, 3], [5, 0, 0, 1]],
}
RATES = [(0, 5, 0, 7), (5, 5, 7, 7), (0, 5, 7, 7), (3, 5, 4, 7), (1, 20, 8, 20), (20, 20, 17, 20),
         (99, 100, 90, 100), (12, 400, 31, 380), (1, 2, 3, 1000), (500, 1000, 550, 1000), (4, 8, 4, 8), (13, 18, 12, 18)]
LINES = {
    "three points": ([1.0, 2.0, 4.0], [2.0, 3.5, 5.0]),
    "falling, with ties": ([1, 1, 2, 3, 3, 5], [9.5, 8, 8, 6, 7.25, 1]),
    "nothing in it": ([1, 2, 3, 4, 5, 6], [3, 1, 4, 4, 1, 3.5]),
    "nearly exact": ([0.2, 0.4, 0.55, 0.7, 0.9, 1.0], [60.3, 70, 77.1, 85.2, 95.1, 99.8]),
    "large offset": ([1e6 + x for x in (1, 2, 3.5, 4)], [1e4 + y for y in (2, 2.5, 5, 4)]),
}
SITTINGS = [([0.1, 0.3], [0.05, 0.06]), ([0.2, 0.21, 0.19], [0.05, 0.07, 0.04]), ([1.0, -0.5, 0.4, 2.0], [0.2, 0.1, 0.3, 0.25]),
            ([0.14, 0.05, 0.2, 0.11, 0.17], [0.03, 0.02, 0.05, 0.04, 0.03])]
FAMILIES = [[0.01], [0.04, 0.01, 0.03], [0.5, 0.5, 0.001, 0.9, 0.02], [0.2, 0.02, 0.02, 0.0], [1.0, 0.3]]


def number(x):
    x = float(x)
    return x if math.isfinite(x) else None


def one(samples):
    a = numpy.array(samples, float)
    few = len(a) < 2
    expected = float(round(a.mean() * 1.1, 9))
    t = None if few else stats.ttest_1samp(a, expected)
    return {
        "samples": samples,
        "mean": number(a.mean()),
        "sd": None if few else number(a.std(ddof=1)),
        "variation": None if few or a.mean() == 0 else number(abs(stats.variation(a, ddof=1))),
        "quartiles": [number(q) for q in numpy.quantile(a, [0.25, 0.5, 0.75])],
        "expected": expected,
        "t_test": None if few else {"t": number(t.statistic), "p": number(t.pvalue)},
    }


def pair(name, a, b):
    few = min(len(a), len(b)) < 2
    t = None if few else stats.ttest_ind(a, b, equal_var=False)
    levels = {str(alpha): list(map(number, t.confidence_interval(1 - alpha))) for alpha in ALPHAS} if t else None
    return {
        "name": name,
        "a": one(a),
        "b": one(b),
        "cliffs_delta": number(numpy.sign(numpy.subtract.outer(a, b)).mean()),
        "welch": {"t": number(t.statistic), "freedom": number(t.df), "p": number(t.pvalue), "intervals": levels} if t else None,
    }


def several(name, groups):
    f, h = stats.f_oneway(*groups), stats.kruskal(*groups)
    everything = numpy.concatenate(groups)
    between = sum(len(g) * (numpy.mean(g) - everything.mean()) ** 2 for g in groups)
    k, n = len(groups), len(everything)
    return {
        "name": name,
        "groups": groups,
        "anova": {"f": number(f.statistic), "p": number(f.pvalue), "eta_squared": number(between / ((everything - everything.mean()) ** 2).sum())},
        "kruskal": {"h": number(h.statistic), "p": number(h.pvalue), "eta_squared": max(0.0, (h.statistic - k + 1) / (n - k))},
    }


def rates(a, n, b, m):
    exact = {str(alpha): list(map(number, stats.binomtest(a, n).proportion_ci(1 - alpha, "exact"))) for alpha in ALPHAS}
    wilson = {str(alpha): list(map(number, stats.binomtest(a, n).proportion_ci(1 - alpha, "wilson"))) for alpha in ALPHAS}
    assert numpy.allclose(exact["0.05"], proportion_confint(a, n, method="beta"))
    return {
        "counts": [a, n, b, m],
        "clopper_pearson": exact,
        "wilson": wilson,
        "binomial": {str(null): number(stats.binomtest(a, n, null).pvalue) for null in (0.5, 0.2, 0.9)},
    }


def line_through(name, x, y):
    found = stats.linregress(x, y)
    return {
        "name": name,
        "x": x,
        "y": y,
        "slope": number(found.slope),
        "intercept": number(found.intercept),
        "r_squared": number(found.rvalue**2),
        "p": number(found.pvalue),
    }


def powers():
    for n in (2, 3, 5, 10, 30, 200):
        for alpha in (0.025, 0.005, 0.00125):
            for effect in (0.1, 0.5, 1.0, 2.5):
                # By the noncentral t itself, as TTestPower does, which rounds more.
                critical = stats.t.isf(alpha, n - 1)
                exact = stats.nct.sf(critical, n - 1, effect * n**0.5)
                assert abs(exact - TTestPower().power(effect, n, alpha, alternative="larger")) < 1e-6
                yield {"n": n, "alpha": alpha, "effect": effect, "power": number(exact)}


def detectable():
    for n, alpha in [(5, 0.025), (10, 0.025), (10, 0.0025), (40, 0.025)]:
        effect = TTestPower().solve_power(None, nobs=n, alpha=alpha, power=0.8, alternative="larger")
        yield {"n": n, "alpha": alpha, "power": 0.8, "effect": float(numpy.ravel(effect)[0])}


def sittings(effects, errors):
    """DerSimonian and Laird's variance, Hartung and Knapp's interval, never narrower than with known variances."""
    for alpha in ALPHAS:
        found = combine_effects(numpy.array(effects), numpy.array(errors) ** 2, method_re="dl", use_t=True, alpha=alpha)
        # Statsmodels does not cut the variance off at 0, where random effects are fixed ones.
        kind = "re" if found.tau2 > 0 else "fe"
        error = max(getattr(found, f"sd_eff_w_{kind}_hksj"), getattr(found, f"sd_eff_w_{kind}"))
        half = stats.t.isf(alpha / 2, len(effects) - 1) * error
        mean = getattr(found, f"mean_effect_{kind}")
        yield {"effects": effects, "errors": errors, "alpha": alpha, "mean": float(mean),
               "between_sd": math.sqrt(max(0.0, found.tau2)), "low": float(mean - half), "high": float(mean + half)}


values = {
    "versions": {"scipy": scipy.__version__, "numpy": numpy.__version__, "statsmodels": statsmodels.__version__},
    "pairs": [pair(name, *samples) for name, samples in PAIRS.items()],
    "groups": [several(name, groups) for name, groups in GROUPS.items()],
    "rates": [rates(*counts) for counts in RATES],
    "lines": [line_through(name, *points) for name, points in LINES.items()],
    "holm": [{"p": p, "adjusted": [float(x) for x in multipletests(p, method="holm")[1]]} for p in FAMILIES],
    "t_quantiles": [{"freedom": f, "alpha": a, "t": number(stats.t.isf(a / 2, f))}
                    for f in (1, 2, 4, 9, 19, 100) for a in (0.3, *ALPHAS, 1e-5)],
    "powers": list(powers()),
    "detectable": list(detectable()),
    "sittings": [case for one in SITTINGS for case in sittings(*one)],
}


def line(item):
    """One case per line, so that a diff shows which changed."""
    return "[\n  " + ",\n  ".join(map(json.dumps, item)) + "\n ]" if isinstance(item, list) else json.dumps(item)


text = ",\n ".join(f"{json.dumps(name)}: {line(item)}" for name, item in values.items())
pathlib.Path(__file__).with_name("values.json").write_text("{\n " + text + "\n}\n")
