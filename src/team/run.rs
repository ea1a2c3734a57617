//! One run: the team in one process, and each kind of agent alone in another.

use super::record::record;
use super::spec::TeamSpec;
use crate::meter::Histogram;
use crate::report::published::TeamRun;
use crate::run::{
    Answers, Member, Outcome, ProcessError, Program, Spec, Team, TranscriptEntry, Work,
};
use fastrand::Rng;

/// A process of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All agents at once.
    Together,
    /// One agent, by its index in the team; it stands for all that are like it.
    Alone(usize),
}

/// A run.
#[derive(Clone, Debug)]
pub struct Ran {
    /// `metrics.json`.
    pub record: TeamRun,
    /// What the first two agents asked and were answered while all ran.
    pub said: Vec<TranscriptEntry>,
    /// From the mock's write of each token to its parsing, while all ran.
    pub delivery_ns: Histogram,
    /// Between two tokens of a call, while all ran.
    pub itl_ns: Histogram,
    /// The processes in the order in which they ran.
    pub order: Vec<Part>,
}

/// Of so many agents the texts are kept.
const TEXTS: usize = 2;

/// Runs a team once, and each of its agents alone if the spec wants it, in an order drawn from its
/// seed and the number of the run, which counts from 1.
///
/// # Errors
/// When one of the processes fails; then there is no run.
pub fn run_once(program: &Program, spec: &TeamSpec, run_number: u32) -> Result<Ran, ProcessError> {
    let (firsts, kinds) = spec.kinds();
    let order = Order::drawn(spec, run_number, &firsts);
    let mut alone: Vec<Option<Outcome>> = vec![None; firsts.len()];
    let mut run_alone = |members: &[usize]| {
        members.iter().try_for_each(|&member| {
            let outcome = program.invoke(&invocation(spec, Part::Alone(member)))?;
            alone[kinds[member]] = Some(outcome);
            Ok::<_, ProcessError>(())
        })
    };
    run_alone(&order.before)?;
    let together = program.invoke(&invocation(spec, Part::Together))?;
    run_alone(&order.after)?;
    let alone: Vec<Option<&Outcome>> = kinds.iter().map(|&kind| alone[kind].as_ref()).collect();
    Ok(Ran {
        record: record(spec, run_number, &together, &alone),
        said: together.texts,
        delivery_ns: together.delivery_histogram_ns,
        itl_ns: together.itl_histogram_ns,
        order: order.parts(),
    })
}

/// Which agents run alone before the team does, and which after.
struct Order {
    before: Vec<usize>,
    after: Vec<usize>,
}

impl Order {
    fn drawn(spec: &TeamSpec, run_number: u32, firsts: &[usize]) -> Self {
        let mut before = match spec.isolated {
            true => firsts.to_vec(),
            false => Vec::new(),
        };
        // Far apart for neighbouring runs, whatever the generator does with small seeds.
        let spread = u64::from(run_number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut rng = Rng::with_seed(spec.order_seed ^ spread);
        rng.shuffle(&mut before);
        let after = before.split_off(rng.usize(..=before.len()));
        Self { before, after }
    }

    fn parts(&self) -> Vec<Part> {
        let alone = |members: &[usize]| members.iter().map(|&it| Part::Alone(it)).collect();
        let (before, after): (Vec<_>, Vec<_>) = (alone(&self.before), alone(&self.after));
        [before, vec![Part::Together], after].concat()
    }
}

fn invocation(spec: &TeamSpec, part: Part) -> Spec {
    let members = match part {
        Part::Together => &spec.members[..],
        Part::Alone(member) => &spec.members[member..=member],
    };
    let known = spec.known;
    Spec {
        stack: spec.stack,
        threads: spec.threads,
        base_url: members
            .first()
            .map(|member| member.base_url.clone())
            .unwrap_or_default(),
        api: spec.api,
        model: spec.model.clone(),
        tokens: known.map_or(0, |known| known.tokens),
        seed: known.map_or(0, |known| known.seed),
        warm_up: 0,
        iterations: 1,
        answers: match known {
            Some(_) => Answers::Known,
            None => Answers::Unknown,
        },
        inject: spec.inject,
        profile_run: false,
        detail: false,
        proxied: false,
        processors: Vec::new(),
        work: Work::Team(Team {
            members: members
                .iter()
                .map(|member| Member {
                    role: member.role,
                    base_url: member.base_url.clone(),
                    options: spec.sent(member),
                })
                .collect(),
            corpus: spec.corpus.clone(),
            limits: spec.limits,
            texts_of: match part {
                Part::Together => TEXTS,
                Part::Alone(_) => 0,
            },
        }),
    }
}
