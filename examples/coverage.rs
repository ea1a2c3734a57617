//! How often intervals of a ratio are wrong, by simulation: the figures that `src/stats/bootstrap.rs`
//! states, and what the methods not taken would do.
//!
//!     cargo run --release --example coverage

use fastrand::Rng;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use tare::stats::{Sides, quantile, sample_sd};

const EXPERIMENTS: usize = 2_000;
const LEVELS: [f64; 3] = [0.05, 0.01, 0.0025];
const METHODS: [&str; 5] = ["percentile", "expanded", "BCa", "Student", "tare's"];

fn main() {
    println!("Intervals of a ratio that miss it, % of {EXPERIMENTS}, nominally 5 / 1 / 0.25:\n");
    let head = METHODS.map(|name| format!("{name:>18}")).join(" |");
    println!("| blocks | sd of base, stack |{head} |");
    println!("|---|---|---|---|---|---|---|");
    for blocks in [5, 10, 20] {
        for sd in [(0.1, 0.1), (0.5, 0.5), (0.1, 0.5)] {
            let missed = missed(blocks, sd);
            let share = |count: usize| 100.0 * count as f64 / EXPERIMENTS as f64;
            let stacks = missed
                .map(|[a, b, c]| format!("{:6.1} /{:5.1} /{:5.2}", share(a), share(b), share(c)));
            println!("| {blocks} | {}, {} |{} |", sd.0, sd.1, stacks.join(" |"));
        }
    }
}

fn normal(rng: &mut Rng) -> f64 {
    let (u, v) = (1.0 - rng.f64(), rng.f64());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// A stack's cost in each block, log-normal of mean `ratio` but for the drift.
fn costs(rng: &mut Rng, drift: &[f64], ratio: f64, sd: f64) -> Vec<f64> {
    let cost = |drift: &f64| ratio * (drift + sd * normal(rng) - sd * sd / 2.0).exp();
    drift.iter().map(cost).collect()
}

/// How many intervals miss a ratio of 1, by method and level.
fn missed(blocks: usize, sd: (f64, f64)) -> [[usize; 3]; 5] {
    let mut rng = Rng::with_seed(1);
    let mut missed = [[0; 3]; 5];
    for _ in 0..EXPERIMENTS {
        let drift: Vec<f64> = (0..blocks).map(|_| 0.2 * normal(&mut rng)).collect();
        let base = costs(&mut rng, &drift, 1.0, sd.0);
        let own = costs(&mut rng, &drift, 1.0, sd.1);
        for (method, intervals) in intervals(&own, &base, &mut rng).iter().enumerate() {
            for (level, (low, high)) in intervals.iter().enumerate() {
                missed[method][level] += usize::from(*low > 0.0 || *high < 0.0);
            }
        }
    }
    missed
}

/// The interval of the ratio's logarithm by each method at each level.
fn intervals(own: &[f64], base: &[f64], rng: &mut Rng) -> [[(f64, f64); 3]; 5] {
    let n = own.len() as f64;
    let (above, below) = (own.iter().sum::<f64>(), base.iter().sum::<f64>());
    let centre = (above / below).ln();
    let pairs = || own.iter().zip(base);
    let influence: Vec<f64> = pairs()
        .map(|(a, b)| a * n / above - b * n / below)
        .collect();
    let error = sample_sd(&influence).expect("blocks") / n.sqrt();

    let mut drawn: Vec<f64> = (0..10_000)
        .map(|_| {
            let (mut a, mut b) = (0.0, 0.0);
            for _ in 0..own.len() {
                let i = rng.usize(..own.len());
                a += own[i];
                b += base[i];
            }
            (a / b).ln()
        })
        .collect();
    drawn.sort_unstable_by(f64::total_cmp);
    let at = |q: f64| quantile(&drawn, q).expect("resamples");

    // BCa: Efron, "Better Bootstrap Confidence Intervals", JASA 82, 1987.
    let standard = Normal::standard();
    let under = drawn.partition_point(|&drawn| drawn < centre) as f64 / drawn.len() as f64;
    let bias = standard.inverse_cdf(under);
    let left_out: Vec<f64> = pairs()
        .map(|(a, b)| ((above - a) / (below - b)).ln())
        .collect();
    let middle = left_out.iter().sum::<f64>() / n;
    let moment = |power| {
        left_out
            .iter()
            .map(|x| (middle - x).powi(power))
            .sum::<f64>()
    };
    let acceleration = moment(3) / (6.0 * moment(2).powf(1.5));
    let bca = |z: f64| standard.cdf(bias + (bias + z) / (1.0 - acceleration * (bias + z)));

    let student = StudentsT::new(0.0, 1.0, n - 1.0).expect("a distribution");
    let mut found = [[(0.0, 0.0); 3]; 5];
    for (level, alpha) in LEVELS.into_iter().enumerate() {
        let t = -student.inverse_cdf(alpha / 2.0);
        let tail = standard.cdf(-(n / (n - 1.0)).sqrt() * t);
        let z = standard.inverse_cdf(alpha / 2.0);
        let sides = Sides::new(own, base).expect("positive costs");
        let tares = sides.ratio(alpha).expect("an interval");
        let of_methods = [
            (at(alpha / 2.0), at(1.0 - alpha / 2.0)),
            (at(tail), at(1.0 - tail)),
            (at(bca(z)), at(bca(-z))),
            (centre - t * error, centre + t * error),
            (tares.low.ln(), tares.high.ln()),
        ];
        for (method, interval) in of_methods.into_iter().enumerate() {
            found[method][level] = interval;
        }
    }
    found
}
